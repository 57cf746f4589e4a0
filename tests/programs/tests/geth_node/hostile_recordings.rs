//! How `replay` handles a forged recording

use std::fs;
use std::path::{Path, PathBuf};

use devp2p_drivers::journal::{Journal, Memory, Offer, Setup};
use devp2p_proto::{Instant, NodeId};
use rlp::RlpStream;

use crate::program::{Finished, run};
use crate::recordings::fresh;

/// The end of a whole journal
const END: &[u8] = &[0xc1, 2];
/// Clears the screen, and sets the title of the window
const CONTROLS: &str = "\x1b[2J\x1b]0;title\x07\r\n\u{9b}31m";
const PRINTED: &str = r"\u001b[2J\u001b]0;title\u0007\u000d\u000a\u009b31m";

fn setup() -> Setup {
    Setup::dialled(NodeId::new(generator()), "journal/1.0", vec![Offer::new("x", 1, 2, 99)]).expect("random")
}

/// A public key that a link can be dialled with: the generator of the curve
fn generator() -> [u8; 64] {
    let text = "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798\
                483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8";
    devp2p_drivers::arguments::hex(text).expect("digits")
}

/// The journal of a link with this setup and these entries
fn journal(name: &str, setup: &Setup, entries: &[Vec<u8>]) -> PathBuf {
    let path = fresh(name);
    Journal::create(path.to_str().expect("text"), setup).and_then(Journal::finish).expect("a disk");
    let mut file = fs::read(&path).expect("a file");
    assert!(file.ends_with(END));
    file.truncate(file.len() - END.len());
    entries.iter().for_each(|entry| file.extend_from_slice(entry));
    file.extend_from_slice(END);
    fs::write(&path, file).expect("a disk");
    path
}

fn replay(path: &Path, arguments: &[&str]) -> Finished {
    run("replay", &[&[path.to_str().expect("text")], arguments].concat())
}

#[test]
fn buffers_that_no_link_has() {
    const HUGE: usize = usize::MAX;
    let cases = [(HUGE, 0, 0), (0, HUGE, 0), (0, 0, HUGE), (HUGE / 2 + 1, HUGE / 2 + 1, 0), (0, 0, HUGE / 2 + 1)];
    let more = [(1 << 40, 0, 0), (Memory::LARGEST, 1, 0), (Memory::LARGEST - 2, 1, 1)];
    for (receive, transmit, table) in cases.into_iter().chain(more) {
        let memory = Memory::Fixed { receive, transmit, table };
        let path = journal("buffers", &Setup { memory, ..setup() }, &[]);
        let finished = replay(&path, &[]);
        finished.assert(2, "its buffers have more than 1073741824 bytes, which no link needs");
        assert_eq!(finished.err.lines().count(), 1, "{finished:?}");
    }
    // The link itself refuses buffers that are too short.
    let memory = Memory::Fixed { receive: 1, transmit: 1, table: 1 };
    let finished = replay(&journal("short", &Setup { memory, ..setup() }, &[]), &[]);
    assert_eq!((finished.status, finished.err.lines().count()), (Some(2), 1), "{finished:?}");
}

#[test]
fn numbers_that_no_link_has() {
    const HUGE: usize = usize::MAX;
    let refused = [
        Setup { max_message: HUGE, ..setup() },
        Setup { protocols: vec![Offer::new("x", u64::MAX, u64::MAX, 99)], ..setup() },
    ];
    for setup in refused {
        let finished = replay(&journal("numbers", &setup, &[]), &[]);
        assert_eq!((finished.status, finished.err.lines().count()), (Some(2), 1), "{finished:?}");
    }
    let (protocols, now) = (vec![Offer::new("x", 1, 2, HUGE)], Instant::from_nanos(u64::MAX));
    let setup = Setup { protocols, send_window: HUGE, now, ..setup() };
    replay(&journal("window", &setup, &[]), &[]).assert(0, "no difference");
}

/// Items whose length goes beyond the end of the file, in each place where an entry can have an item
#[test]
fn lengths_beyond_the_file() {
    let item = [&[0xbf][..], &[0xff; 8]].concat();
    let list = [&[0xff][..], &[0xff; 8]].concat();
    let inside = |items: &[&[u8]]| {
        let items = items.concat();
        [&[0xc0 + items.len() as u8], &items[..]].concat()
    };
    let entries = [list.clone(), inside(&[&[0x80], &[0x80], &[0x80], &item]), inside(&[&[1], &item]), inside(&[&list])];
    for entry in entries {
        let finished = replay(&journal("lengths", &setup(), &[entry]), &[]);
        assert_eq!((finished.status, finished.err.lines().count()), (Some(2), 1), "{finished:?}");
        assert!(finished.err.contains("truncated") || finished.err.contains("damaged"), "{finished:?}");
    }
}

/// `[0, now, 3, text]`: time passes, and `text` is the recorded outcome
fn event(text: &str) -> Vec<u8> {
    let mut entry = RlpStream::new_list(4);
    entry.append(&0_u8).append(&1_u8).append(&3_u8).append(&text);
    entry.out().to_vec()
}

/// `[1, text, length, hash]`
fn polled(text: &str, len: u64) -> Vec<u8> {
    let mut entry = RlpStream::new_list(4);
    entry.append(&1_u8).append(&text).append(&len).append(&vec![0; 32]);
    entry.out().to_vec()
}

#[test]
fn texts_do_not_control_the_terminal() {
    let cases = [
        (setup(), vec![event(CONTROLS)], 1),
        (setup(), vec![polled(CONTROLS, u64::MAX), polled(CONTROLS, u64::MAX)], 1),
        (Setup { client_id: CONTROLS.to_string(), ..setup() }, vec![], 0),
    ];
    for (setup, entries, status) in cases {
        let path = journal("texts", &setup, &entries);
        for arguments in [&[][..], &["--trace"]] {
            let finished = replay(&path, arguments);
            finished.assert(status, PRINTED);
            finished.assert_plain();
        }
    }
    let offers = vec![Offer::new(CONTROLS, 1, 2, 99)];
    replay(&journal("offers", &Setup { protocols: offers, ..setup() }, &[]), &[]).assert_plain();
    // The name of the file cannot control the terminal either.
    let finished = replay(&journal(CONTROLS, &setup(), &[]), &[]);
    finished.assert(0, PRINTED);
    finished.assert_plain();
}

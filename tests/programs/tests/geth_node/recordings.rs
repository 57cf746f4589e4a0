//! Journals: who can read them, and what `replay` does with whole, damaged and foreign ones

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use devp2p_drivers::journal::{Entry, Journal, Memory, Offer, Outcome, Player, Polled, Setup};
use devp2p_proto::{
    Action, DisconnectReason, Event, Handled, Instant, NodeId, ProtocolError, ProtocolId, Refused, WriteError,
};

use crate::program::{Finished, Program, run};
use crate::remote::{ETH, Listener};

/// A file name for one test, where no file is
pub fn fresh(name: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
    let _ = fs::remove_file(&path);
    path
}

/// The journal of a short visit, with a message each way
fn record(name: &str) -> PathBuf {
    let path = fresh(name);
    let listener = Listener::ethereum();
    let file = path.to_str().expect("text");
    let arguments = [&listener.url(), "--count", "2", "--interval", "0.05", "--record", file, "--yes-secrets"];
    let ping = Program::start("ping", &arguments);
    let mut remote = listener.meet();
    remote.send_raw(ETH, 3, &[0xc6, 77, 0xc4, 0x80, 1, 0x80, 0x80]);
    remote.wait_for_end();
    ping.finish().assert(0, "2 answered");
    path
}

fn replay(path: &Path) -> Finished {
    run("replay", &[path.to_str().expect("text")])
}

#[test]
fn a_journal_replays() {
    let path = record("replays");
    replay(&path).assert(0, "no difference");
    run("replay", &[path.to_str().expect("text"), "--trace"]).assert(0, "Disconnect: disconnected: client quitting");
}

#[cfg(unix)]
#[test]
fn a_journal_is_for_its_owner_only_and_overwrites_nothing() {
    use std::os::unix::fs::PermissionsExt;
    let path = record("private");
    let mode = fs::metadata(&path).expect("a file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let before = fs::read(&path).expect("a file");
    let listener = Listener::ethereum();
    let file = path.to_str().expect("text");
    run("ping", &[&listener.url(), "--record", file, "--yes-secrets"]).assert(2, "File exists");
    assert_eq!(fs::read(&path).expect("a file"), before);
}

#[test]
fn a_journal_of_a_refusal_replays() {
    let path = fresh("refusal");
    let listener = Listener::ethereum();
    let arguments = [&listener.url(), "--record", path.to_str().expect("text"), "--yes-secrets"];
    let ping = Program::start("ping", &arguments);
    listener.accept().refuse(DisconnectReason::ALREADY_CONNECTED);
    ping.finish().assert(3, "already connected");
    replay(&path).assert(0, "no difference");
}

#[test]
fn a_truncated_journal_is_told_as_such() {
    let path = record("truncated");
    let whole = fs::read(&path).expect("a file");
    for len in [0, 3, 16, 17, 100, whole.len() / 2, whole.len() - 1] {
        fs::write(&path, &whole[..len]).expect("a file");
        replay(&path).assert(2, "truncated");
    }
}

#[test]
fn a_foreign_or_damaged_file_is_told_as_such() {
    let path = record("damaged");
    let whole = fs::read(&path).expect("a file");
    for foreign in [&b"\x7fELF"[..], b"devp2p journal 9\n\xc0", &[0; 4096]] {
        fs::write(&path, foreign).expect("a file");
        replay(&path).assert(2, "not a journal");
    }
    for damaged in [[&whole[..17], &[0xc0]].concat(), [&whole[..], &[0xc0]].concat(), [&whole[..17], &[0x80]].concat()]
    {
        fs::write(&path, damaged).expect("a file");
        replay(&path).assert(2, "damaged: the entry at byte");
    }
}

#[test]
fn the_first_difference_is_shown() {
    let path = record("differs");
    let mut journal = fs::read(&path).expect("a file");
    // A bit in the middle of the ack, which is the first long thing that was received.
    let name = journal.windows(4).position(|window| window == b"Send").expect("auth is sent");
    journal[name + 300] ^= 1;
    fs::write(&path, journal).expect("a file");
    let finished = replay(&path);
    finished.assert(1, "differs");
    assert!(finished.err.contains("recorded: IdentityClaimed"), "{finished:?}");
    assert!(finished.err.contains("replayed: Disconnect: violation by the peer"), "{finished:?}");
}

/// One entry of each kind, on a link of the other role and the other kind of memory than the programs have
#[test]
fn every_event_survives() {
    let path = fresh("events");
    let text = path.to_str().expect("text");
    let mut setup =
        Setup::dialled(NodeId::new([1; 64]), "journal/1.0", vec![Offer::new("x", 1, 2, 99)]).expect("random");
    setup.remote = None;
    setup.timeouts.read = Duration::MAX;
    setup.memory = Memory::Fixed { receive: 1, transmit: 2, table: 3 };
    let x = ProtocolId(7);
    let events = [
        Event::Receive(b"bytes"),
        Event::ReceiveClosed,
        Event::HoldInput(true),
        Event::Timeout,
        Event::Write { protocol: x, code: u64::MAX, payload: &[] },
        Event::Ping,
        Event::Sent(12),
        Event::SendFailed,
        Event::ProtocolReturned(x, Ok(())),
        Event::ProtocolReturned(x, Err(ProtocolError::BadMessage)),
        Event::ProtocolReturned(x, Err(ProtocolError::Other)),
        Event::ProtocolReturned(x, Err(ProtocolError::Reason(DisconnectReason::REQUESTED))),
        Event::Disconnect(DisconnectReason::from_code(77)),
    ];
    let outcomes = [Ok(Handled::Done), Ok(Handled::Received(300)), Err(Refused::Write(WriteError::Full))];
    let outcomes = outcomes.map(|result| Outcome::new(&result));
    let mut journal = Journal::create(text, &setup).expect("a file");
    for (event, outcome) in events.iter().zip(outcomes.iter().cycle()) {
        journal.event(Instant::from_millis(5), *event, outcome);
        journal.polled(&Polled::new(Some(&Action::Send(b"sealed"))));
        journal.polled(&Polled::new(None));
    }
    journal.finish().expect("a disk");

    let file = fs::read(&path).expect("a file");
    let (read, mut player) = Player::open(&file[..]).expect("whole");
    assert!((read.remote, read.key, read.entropy) == (None, setup.key, setup.entropy));
    assert_eq!((read.timeouts, read.memory, read.protocols), (setup.timeouts, setup.memory, setup.protocols));
    for (event, outcome) in events.iter().zip(outcomes.iter().cycle()) {
        let Ok(Entry::Event { now, event: is, outcome: became }) = player.next_entry() else {
            panic!("no event where {event:?} was");
        };
        assert_eq!((now.as_millis(), is, &became), (5, *event, outcome));
        for polled in [Polled::new(Some(&Action::Send(b"sealed"))), Polled::new(None)] {
            assert!(matches!(player.next_entry(), Ok(Entry::Polled(is)) if is == polled));
        }
    }
    assert!(matches!(player.next_entry(), Ok(Entry::End)));
}

//! Damaged and forged recordings

use std::fs;
use std::process::Command;

use devp2p_drivers::journal::{Journal, Outcome, Setup};
use devp2p_program_tests::programs::path;
use devp2p_proto::{DisconnectReason, Event, Handled, Instant, NotShared, ProtocolId, Refused, WriteError};

use crate::recording::{ETH, Recording, capture, fresh, offers, page, replay};
use crate::rows::json;

fn verdict(html: &str) -> String {
    let summary = json(html, "summary");
    let lines = summary["verdict"].as_array().expect("lines").iter();
    assert_eq!(summary["same"], false);
    lines.map(|line| line.as_str().expect("text")).collect::<Vec<_>>().join("\n")
}

/// What was readable is shown, and the page says that the rest was not
#[test]
fn a_truncated_recording() {
    let mut link = Recording::running("truncated");
    link.send(ETH, 3, b"ask");
    let recording = link.quit(DisconnectReason::REQUESTED);
    let whole = fs::read(&recording).expect("a file");
    let (short, html) = (fresh("short"), fresh("short.html"));
    for len in [whole.len() - 1, whole.len() * 3 / 4] {
        let _ = fs::remove_file(&html);
        fs::write(&short, &whole[..len]).expect("a disk");
        let output = replay(&[&short, "--html", &html]);
        assert!(output.status.code() == Some(2), "{output:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("truncated"), "{output:?}");
        assert!(verdict(&html).contains("cannot be read to its end: truncated"), "{}", verdict(&html));
        assert_eq!(json(&html, "rows")[0][4], "auth");
    }
    // Without a setup there is nothing to show, and no page.
    let _ = fs::remove_file(&html);
    fs::write(&short, &whole[..100]).expect("a disk");
    assert_eq!(replay(&[&short, "--html", &html]).status.code(), Some(2));
    assert!(fs::metadata(&html).is_err());
}

#[test]
fn a_recording_that_differs() {
    let recording = Recording::running("differs").quit(DisconnectReason::REQUESTED);
    let mut forged = fs::read(&recording).expect("a file");
    let name = forged.windows(4).position(|window| window == b"Send").expect("auth is sent");
    forged[name + 300] ^= 1;
    let (path, html) = (fresh("forged"), fresh("forged.html"));
    fs::write(&path, forged).expect("a disk");
    let _ = fs::remove_file(&html);
    assert_eq!(replay(&[&path, "--html", &html]).status.code(), Some(1));
    let verdict = verdict(&html);
    assert!(verdict.contains("differs") && verdict.contains("recorded: IdentityClaimed"), "{verdict}");
}

/// The bytes of a recording at random places: each file is replayed or refused, and its page can be read
#[test]
fn flipped_bytes() {
    let mut link = Recording::running("flipped");
    link.send(ETH, 3, b"ask");
    link.hear(ETH, 4, b"answer");
    let recording = link.quit(DisconnectReason::REQUESTED);
    let whole = fs::read(&recording).expect("a file");
    let (path, html) = (fresh("flip"), fresh("flip.html"));
    for index in 0..120 {
        let mut flipped = whole.clone();
        let place = 17 + index * (whole.len() - 17) / 120;
        flipped[place] ^= 1 << (index % 8);
        fs::write(&path, &flipped).expect("a disk");
        let _ = fs::remove_file(&html);
        let output = replay(&[&path, "--html", &html]);
        assert!(matches!(output.status.code(), Some(0..=2)), "{place}: {output:?}");
        if fs::metadata(&html).is_ok() {
            assert!(json(&html, "rows").is_array() && json(&html, "summary").is_object());
        }
    }
}

/// A recording of events alone, of a link that nobody answers
fn forged(name: &str, write: impl FnOnce(&mut Journal)) -> String {
    let mut setup = Setup::accepted("ours/1.0", offers()).expect("randomness");
    setup.now = Instant::ZERO;
    let path = fresh(name);
    let mut journal = Journal::create(&path, &setup).expect("a file");
    write(&mut journal);
    journal.finish().expect("a disk");
    path
}

/// Calls of protocols and times that no link has
#[test]
fn numbers_of_no_link() {
    let refused = |refused: Refused| Outcome::new(&Err(refused));
    let (nowhere, never) = (ProtocolId(usize::MAX), Instant::from_nanos(u64::MAX));
    let recording = forged("numbers", |journal| {
        let write = Event::Write { protocol: nowhere, code: u64::MAX, payload: &[] };
        journal.event(never, write, &refused(WriteError::NotReady.into()));
        journal.event(Instant::ZERO, Event::ProtocolReturned(nowhere, Ok(())), &refused(NotShared.into()));
        journal.event(Instant::ZERO, Event::Receive(&[]), &Outcome::new(&Ok(Handled::Received(0))));
    });
    let html = page(&recording);
    let rows = json(&html, "rows");
    assert_eq!((&rows[0][4], &rows[0][3]), (&"code 0xffffffffffffffff".into(), &0.into()));
    // The clock does not go back.
    assert_eq!(rows[1][0], u64::MAX);
    capture(&recording, &[]);
}

/// A page shows so many rows and counts the others
#[test]
fn more_rows_than_a_page_shows() {
    let done = Outcome::new(&Ok(Handled::Done));
    let recording = forged("rows", |journal| {
        for index in 0..260_000 {
            journal.event(Instant::ZERO, Event::HoldInput(index % 2 == 0), &done);
        }
    });
    let html = page(&recording);
    assert_eq!(json(&html, "rows").as_array().map(Vec::len), Some(250_000));
    let summary = json(&html, "summary");
    assert_eq!(summary["omitted"], 10_000);
}

/// A recording is read entry by entry: one of 400 MB in 300 MB of address space
#[test]
fn a_recording_that_is_larger_than_the_memory() {
    let bytes = vec![0; 1 << 20];
    let taken = Outcome::new(&Ok(Handled::Received(bytes.len())));
    let recording = forged("large", |journal| {
        journal.event(Instant::ZERO, Event::ReceiveClosed, &Outcome::new(&Ok(Handled::Done)));
        for _ in 0..400 {
            journal.event(Instant::ZERO, Event::Receive(&bytes), &taken);
        }
    });
    let html = fresh("large.html");
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -v 300000; exec \"$@\"", "sh"]).arg(path("replay")).args([&recording, "--html", &html]);
    let output = command.output().expect("a shell");
    fs::remove_file(&recording).expect("a file");
    assert!(output.status.success(), "{output:?}");
}

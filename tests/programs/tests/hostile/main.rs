//! Ten thousand connections from each kind of hostile peer to one `epoll` process, and the memory of the process
//!
//! `tests/programs/hostile` runs this, in a release build and with a sufficient limit of open files.
//!
//! Before, while and after these connections are open, an honest peer connects, sends messages and gets their echo.
//! The memory of the process is bounded while the connections are open, whatever came before, and later connections
//! of a kind use the memory of earlier ones again. The C library keeps most of the freed memory, so the process does
//! not shrink to its initial size.
#![cfg(target_os = "linux")]

mod kind;

use std::time::{Duration, Instant};

use devp2p_program_tests::NEVER;
use devp2p_program_tests::program::{Place, Program};

use devp2p_program_tests::memory::Process;
use kind::{KINDS, Kind, Who};

/// Connections of each kind
const CONNECTIONS: usize = 10_000;
/// How many of them are open at the same time
const AT_ONCE: usize = 2_500;
/// The most memory that the process may take for each open connection, in KiB
const EACH: u64 = 24;
/// How much more memory the process may keep after the last connections of a kind than after the first, in KiB
const GROWTH: u64 = 8 * 1_024;
/// The node ends unfinished handshakes, by the default timeout. All other kinds stay open until the attacker closes
/// them, however long a busy machine takes to open them.
const TIMEOUTS: &str = "handshake=5000,pong=600000,read=600000,write=600000,linger=2000";

#[test]
#[ignore = "long: ten thousand connections of each kind; run by tests/programs/hostile"]
fn ten_thousand_connections_of_each_kind() {
    let options = format!("--quiet --max-inbound {} --timeouts {TIMEOUTS}", AT_ONCE + 8);
    let (program, place) = Program::listen("epoll", &options);
    let process = Process(program.id());
    honest(place);
    let (base, files) = (process.resident(), process.open_files());
    println!("{CONNECTIONS} connections of each kind, {AT_ONCE} at once; {base} KiB without connections\n");
    println!("| kind | honest peer before / during / after, ms | peak, KiB | KiB per connection | afterwards, KiB |");
    println!("|---|---|---|---|---|");
    for kind in KINDS {
        process.forget_peak();
        let before = honest(place);
        let mut during = Duration::ZERO;
        let mut kept = Vec::new();
        for _ in 0..CONNECTIONS / AT_ONCE {
            during = during.max(wave(kind, place, &process, files));
            kept.push(process.resident().saturating_sub(base));
        }
        let after = honest(place);
        let (peak, first, last) = (process.peak() - base, kept[0], kept[kept.len() - 1]);
        let each = peak as f64 / AT_ONCE as f64;
        let [before, during, after] = [before, during, after].map(|time| time.as_millis());
        println!("| {} | {before} / {during} / {after} | {peak} | {each:.1} | {last} |", kind.name);
        assert!(peak <= AT_ONCE as u64 * EACH, "{}: {peak} KiB", kind.name);
        assert!(last <= first + GROWTH, "{}: kept {kept:?} KiB", kind.name);
    }
    program.interrupt();
    // The exit status is not checked: the program reports failure, because hostile links have failed.
    program.finish();
}

/// Opens as many connections as may be open at once; returns how long an honest peer took meanwhile
fn wave(kind: &Kind, place: Place, process: &Process, files: usize) -> Duration {
    let mut open: Vec<_> = (0..AT_ONCE).map(|_| kind.open(place)).collect();
    let during = honest(place);
    match kind.closes {
        Who::Node => until(|| {
            open.iter_mut().for_each(|connection| connection.go_on());
            process.open_files() <= files
        }),
        Who::Attacker => assert!(process.open_files() >= files + AT_ONCE, "{}: some were closed", kind.name),
    }
    drop(open);
    until(|| process.open_files() <= files);
    during
}

/// A peer that sends messages and checks their echo; returns how long that took
fn honest(place: Place) -> Duration {
    let start = Instant::now();
    Program::dial("blocking", place, "--send 20").succeed();
    start.elapsed()
}

fn until(mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + NEVER;
    while !condition() {
        assert!(Instant::now() < deadline, "the condition was not met within {NEVER:?}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

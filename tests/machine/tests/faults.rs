//! Pairs of links over a faulty network, in virtual time
//!
//! A seed decides everything; `src/faults/` documents the decisions and the checks. Pairs that take turns must behave
//! like pairs that run alone.
//!
//! | variable | meaning | default |
//! |---|---|---|
//! | `DEVP2P_SEEDS` | how many seeds | 300 |
//! | `DEVP2P_SEED` | this seed only, with its plan | |
//!
//! A long run: `DEVP2P_SEEDS=10000 cargo test --release -p devp2p-machine-tests --test faults`.

use std::collections::BTreeMap;
use std::panic::catch_unwind;

use devp2p_machine_tests::faults::{Plan, World};
use devp2p_proto::{Cause, Timeout};

/// Pairs that take turns
const TOGETHER: u64 = 10;

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().expect("a number"))
}

/// Prints how a failure is repeated
struct Repeat(u64);

impl Drop for Repeat {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("DEVP2P_SEED={} cargo test -p devp2p-machine-tests --test faults", self.0);
        }
    }
}

fn run(seed: u64) -> World {
    let _repeat = Repeat(seed);
    let mut world = World::new(Plan::of_seed(seed));
    while world.step() {}
    world
}

/// The name of a cause, for the table of ends
const fn kind(cause: Cause) -> &'static str {
    match cause {
        Cause::Remote(_) => "Remote",
        Cause::Local(_) => "Local",
        Cause::ProtocolReturned { .. } => "ProtocolReturned",
        Cause::Violation(_) => "Violation",
        Cause::Timeout(Timeout::Handshake) => "Handshake timeout",
        Cause::Timeout(Timeout::Read) => "Read timeout",
        Cause::Timeout(Timeout::Frame) => "Frame timeout",
        Cause::Timeout(Timeout::Pong) => "Pong timeout",
        Cause::Timeout(_) => "Write timeout",
        Cause::ReceiveClosed => "ReceiveClosed",
        Cause::SendFailed => "SendFailed",
        _ => "another",
    }
}

/// Every `parts`-th seed, from `part` on
fn seeds(part: u64, parts: u64) {
    if let Some(seed) = setting("DEVP2P_SEED") {
        if part == 0 {
            println!("{:#?}", Plan::of_seed(seed));
            run(seed);
        }
        return;
    }
    let count = setting("DEVP2P_SEEDS").unwrap_or(300);
    let (mut failures, mut ends, mut messages) = (Vec::new(), BTreeMap::new(), 0);
    for seed in (0..count).filter(|seed| seed % parts == part) {
        let Ok(world) = catch_unwind(|| run(seed)) else {
            failures.push(seed);
            continue;
        };
        messages += world.sides.iter().map(|side| side.delivered.len()).sum::<usize>();
        let kinds = world.sides.each_ref().map(|side| side.end.map_or("lives", |(cause, _)| kind(cause)));
        *ends.entry(kinds).or_insert(0) += 1;
    }
    println!("{messages} messages; how initiator and recipient have ended:");
    ends.iter().for_each(|([ours, theirs], count)| println!("{count:6} {ours:18} {theirs}"));
    assert!(failures.is_empty(), "{} seeds: {:?}", failures.len(), &failures[..failures.len().min(10)]);
}

#[test]
fn even_seeds() {
    seeds(0, 2);
}

#[test]
fn odd_seeds() {
    seeds(1, 2);
}

/// Pairs that take turns see the same as pairs alone
#[test]
fn no_link_disturbs_another() {
    let count = setting("DEVP2P_SEEDS").unwrap_or(300) / 10;
    for first in (0..count).step_by(TOGETHER as usize) {
        let seeds = first..first + TOGETHER;
        let mut worlds: Vec<_> = seeds.clone().map(|seed| World::new(Plan::of_seed(seed))).collect();
        while worlds.iter_mut().fold(false, |busy, world| world.step() | busy) {}
        for (seed, world) in seeds.zip(worlds) {
            assert_eq!(world.history(), run(seed).history(), "seed {seed}");
        }
    }
}

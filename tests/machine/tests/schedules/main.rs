//! Every small schedule: all sequences of events of a small alphabet, from every stage of a link
//!
//! The link is deterministic, so a sequence of events says everything. The search is breadth first: it
//! carries out each sequence of up to 6 events (for a pair 8 from its start) by a replay from the start, checks what is
//! promised, and continues a sequence only if it has led to a state that was not seen before. Two states
//! are the same if all observers of the link say the same, if the same is on the way, and if the link
//! ends in the same way at the same time when nothing more comes or leaves (which shows its timers). In
//! each new state experiments are made: calls that must be refused, messages as large as the capacity and
//! larger, a remote and a network that do all they can, and, after up to 4 events, a driver that has no room
//! for minutes, and a byte now and then to or from the link. A failure prints its sequence, which is as
//! short as possible.
//!
//! | variable | meaning | default |
//! |---|---|---|
//! | `DEVP2P_DEPTH` | how many events a sequence has | 6, and 6 to 8 for a pair |
//! | `DEVP2P_KEPT` | how many sequences that lead to the same state are continued | 1 |
//! | `DEVP2P_EVERY_EVENT` | for a pair, events that differ little from others too | not set |
//!
//! `DEVP2P_DEPTH=7 cargo test --release -p devp2p-machine-tests --test schedules -- --nocapture` prints
//! how many sequences were tried, and how many states there are.

mod duo;
mod experiments;
mod explore;
mod finds;
mod remote;
mod search;
mod solo;
mod view;

use duo::Duo;
use explore::explore;
use solo::{Solo, Start};

/// A number from the environment
fn setting(name: &str, default: usize) -> usize {
    std::env::var(name).map_or(default, |value| value.parse().expect("a number"))
}

fn every_schedule_of_one_link(starts: &[Start]) {
    explore::<Solo>("one link", starts, setting("DEVP2P_DEPTH", 6), setting("DEVP2P_KEPT", 1));
}

#[test]
fn before_the_keys() {
    every_schedule_of_one_link(&[Start::Initiator, Start::Recipient]);
}

#[test]
fn before_messages() {
    every_schedule_of_one_link(&[Start::Admission, Start::Hello]);
}

#[test]
fn running() {
    every_schedule_of_one_link(&[Start::Running]);
}

#[test]
fn running_and_full() {
    every_schedule_of_one_link(&[Start::Full]);
}

#[test]
fn closing() {
    every_schedule_of_one_link(&[Start::Closing]);
}

fn every_schedule_of_a_pair(starts: &[duo::Start], depth: usize) {
    explore::<Duo>("a pair", starts, setting("DEVP2P_DEPTH", depth), setting("DEVP2P_KEPT", 1));
}

#[test]
fn a_pair() {
    every_schedule_of_a_pair(&[duo::Start::Admission], 8);
}

#[test]
fn a_pair_that_ends() {
    every_schedule_of_a_pair(&[duo::Start::Closing], 7);
}

#[test]
fn a_pair_that_runs() {
    every_schedule_of_a_pair(&[duo::Start::Running, duo::Start::Full], 6);
}

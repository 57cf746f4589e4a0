//! Pairs of links over a faulty network, in virtual time
//!
//! A seed decides everything: how slow the network is, what it damages, cuts and stalls, when it is reset
//! or dies, how the drivers read and write, what the protocols write and whether they take messages, and
//! how wrong the clocks of both sides are. After 90 seconds all faults but death end, both sides idle for
//! two minutes, and then the network dies. Checked are: no wake-up without a delay; each link ends within
//! its timeouts when its network is dead; what each side says of the end is explained by the other or by
//! the network (the table in `judge.rs`); messages that were taken arrive in order, and all of them unless
//! the link ended; memory is given back; and pairs that take turns are not different from pairs alone.
//!
//! | variable | meaning | default |
//! |---|---|---|
//! | `DEVP2P_SEEDS` | how many seeds | 300 |
//! | `DEVP2P_SEED` | this seed only, with its plan | |
//!
//! CI runs `DEVP2P_SEEDS=10000 cargo test --release -p devp2p-machine-tests --test faults`.

mod judge;
mod plan;
mod random;
mod side;
mod wire;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};

use plan::Plan;
use world::World;

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
    let mut world = World::new(seed);
    while world.step() {}
    world
}

/// Every `parts`-th seed, from `part` on
fn seeds(part: u64, parts: u64) {
    if let Some(seed) = setting("DEVP2P_SEED") {
        if part == 0 {
            println!("{:#?}", Plan::draw(seed));
            run(seed);
        }
        return;
    }
    let count = setting("DEVP2P_SEEDS").unwrap_or(300);
    let failed = |seed: &u64| catch_unwind(AssertUnwindSafe(|| drop(run(*seed)))).is_err();
    let failures: Vec<u64> = (0..count).filter(|seed| seed % parts == part).filter(failed).take(10).collect();
    assert!(failures.is_empty(), "seeds {failures:?}");
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
        let mut worlds: Vec<_> = seeds.clone().map(World::new).collect();
        while worlds.iter_mut().fold(false, |busy, world| world.step() | busy) {}
        for (seed, world) in seeds.zip(worlds) {
            assert_eq!(world.history(), run(seed).history(), "seed {seed}");
        }
    }
}

//! Batches of links beside links one by one, over random operations
//!
//! A seed decides everything; `src/batch/` documents the operations and what is compared.
//!
//! | variable | meaning | default |
//! |---|---|---|
//! | `DEVP2P_SEEDS` | how many seeds | 300 |
//! | `DEVP2P_SEED` | this seed only | |

use std::panic::catch_unwind;

use devp2p_machine_tests::batch::{Summary, run};
use devp2p_machine_tests::faults::Random;

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().expect("a number"))
}

#[test]
fn links_in_batches_are_as_links_one_by_one() {
    if let Some(seed) = setting("DEVP2P_SEED") {
        println!("{:?}", run(true, Random::Seed(seed)));
        return;
    }
    let count = setting("DEVP2P_SEEDS").unwrap_or(300);
    let (mut all, mut failures) = (Summary::default(), Vec::new());
    for seed in 0..count {
        match catch_unwind(|| run(true, Random::Seed(seed))) {
            Ok(Summary { delivered, violations, alive }) => {
                all.delivered += delivered;
                all.violations += violations;
                all.alive += alive;
            }
            Err(_) => failures.push(seed),
        }
    }
    println!("{all:?}");
    assert!(failures.is_empty(), "DEVP2P_SEED={} repeats the first of {} failures", failures[0], failures.len());
    let Summary { delivered, violations, alive } = all;
    assert!(
        [delivered, violations, alive].iter().all(|number| *number as u64 > count),
        "each of them happens: {all:?}"
    );
}

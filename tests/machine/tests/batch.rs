//! Batches of links beside links one by one, over random operations
//!
//! A seed decides everything; `src/batch/` documents the operations and what is compared. The batches run with the best
//! permutation of the processor; `--cfg devp2p_keccak="avx512vl"`, `"avx2"` and `"portable"` leave the better ones out.
//!
//! | variable | meaning | default |
//! |---|---|---|
//! | `DEVP2P_SEEDS` | how many seeds | 300 |
//! | `DEVP2P_SEED` | this seed only | |

use std::panic::catch_unwind;

use devp2p_machine_tests::batch::{Summary, run};
use devp2p_machine_tests::faults::Random;
use devp2p_proto::internal::side_by_side;

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().expect("a number"))
}

/// The permutation that is to be tested
const WANTED: Option<&str> = if cfg!(any(devp2p_keccak = "bmi", devp2p_keccak = "portable")) {
    None
} else if cfg!(devp2p_keccak = "avx2") {
    Some("AVX2")
} else if cfg!(devp2p_keccak = "avx512vl") {
    Some("AVX-512VL")
} else {
    Some("AVX-512")
};

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
    if let Some(wanted) = WANTED.filter(|_| side_by_side() != WANTED) {
        println!("NOT RUN: batches with {wanted}; they have run with {:?}", side_by_side());
    }
    assert!(failures.is_empty(), "DEVP2P_SEED={} repeats the first of {} failures", failures[0], failures.len());
    let Summary { delivered, violations, alive } = all;
    assert!(
        [delivered, violations, alive].iter().all(|number| *number as u64 > count),
        "each of them happens: {all:?}"
    );
}

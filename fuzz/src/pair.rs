//! Two links with a faulty network between them; the input decides the plan
//!
//! The network, the drivers and the checked promises are those of the tests in `tests/machine`.

use devp2p_machine_tests::faults::{Plan, Random, World};

/// How many bytes each side writes at most
///
/// This is one message of the largest size and a few others. More takes time and finds little.
const MAX_WRITTEN: usize = 70_000;

/// Runs a pair until both links have ended, and panics if a promise is broken
///
/// If the first byte is odd, the pair begins with the handshake, which takes a hundred times as long as all the rest.
pub fn pair(data: &[u8]) {
    let (start, decisions) = data.split_first().unwrap_or((&0, &[]));
    let handshake = (start % 2 == 1).then_some(u64::from(*start));
    let mut plan = Plan::draw(handshake, &mut Random::Bytes(decisions));
    plan.limit_work(MAX_WRITTEN);
    let mut world = World::new(plan);
    while world.step() {}
}

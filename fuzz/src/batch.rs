//! Batches of links beside links one by one; the input decides the operations
//!
//! The links, the operations and what is compared are those of the tests in `tests/machine`.

use devp2p_machine_tests::batch::run;
use devp2p_machine_tests::faults::Random;

/// Runs links through operations in both ways, and panics if the two differ
///
/// If the first byte is odd, some links begin with the handshake, which takes a hundred times as long as all the rest.
pub fn batch(data: &[u8]) {
    let (start, decisions) = data.split_first().unwrap_or((&0, &[]));
    run(start % 2 == 1, Random::Bytes(decisions));
}

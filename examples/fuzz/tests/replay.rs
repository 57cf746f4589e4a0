//! The target without the fuzzer

use devp2p_fuzz_example::{Flush, run};
use devp2p_testing::noise;

/// The network takes no answers while three questions are asked. Each answer fills the share of the library.
const THREE_WAIT: &[u8] = &[3, 1, 0, 0, 36, 4, 0, 36, 4, 0, 36, 4, 7];

#[test]
fn the_corrected_protocol_answers_everything() {
    run(THREE_WAIT, Flush::All);
    for seed in 0..2000 {
        run(&noise(seed, 60), Flush::All);
    }
}

#[test]
#[should_panic(expected = "questions without an answer")]
fn the_planted_mistake_loses_an_answer() {
    run(THREE_WAIT, Flush::One);
}

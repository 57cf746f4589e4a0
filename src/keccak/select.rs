//! Which permutation runs: the only file with `unsafe`
//!
//! A function that needs features of the processor is safe to call once the processor has said that it
//! has them. For tests and benchmarks, `--cfg devp2p_keccak="avx512vl"`, `"avx2"`, `"bmi"` or `"portable"` leaves out the
//! permutations that need more than that.

#[cfg(all(feature = "std", feature = "__internal", target_arch = "x86_64"))]
pub(super) use detected::preferred;
#[cfg(all(feature = "std", target_arch = "x86_64"))]
pub(super) use detected::{permute, permute_some, squeeze};

#[cfg(not(all(feature = "std", target_arch = "x86_64")))]
pub(super) use super::several::permute_one as permute_some;

/// Permutes the state, and then absorbs each block
#[cfg(not(all(feature = "std", target_arch = "x86_64")))]
#[inline(never)] // so that its code is there once
pub(super) fn permute(lanes: &mut super::permutation::Lanes, blocks: &[super::permutation::Block]) {
    super::permutation::permute(lanes, blocks);
}

/// The digest of a state into which the last block and the padding are already mixed
#[cfg(not(all(feature = "std", target_arch = "x86_64")))]
pub(super) fn squeeze(lanes: &super::permutation::Lanes) -> super::permutation::Digest {
    let mut lanes = *lanes;
    permute(&mut lanes, &[]);
    let [a, b, c, d, ..] = lanes;
    [a, b, c, d]
}

#[cfg(all(feature = "std", target_arch = "x86_64"))]
mod detected {
    use std::arch::is_x86_feature_detected;

    use crate::keccak::permutation::{self, Block, Digest, Lanes};
    use crate::keccak::several::{Due, permute_one, permute_together};
    use crate::keccak::{avx512, wide};

    /// Permutes the state, and then absorbs each block
    #[allow(unsafe_code)]
    pub(in crate::keccak) fn permute(lanes: &mut Lanes, blocks: &[Block]) {
        if prefers_avx512() {
            // SAFETY: the processor has just said that it has the features that the function enables.
            unsafe { avx512::permute(lanes, blocks) }
        } else if prefers_bmi() {
            // SAFETY: the processor has just said that it has the features that the function enables.
            unsafe { with_bmi(lanes, blocks) }
        } else {
            permutation::permute(lanes, blocks);
        }
    }

    /// The digest of a state into which the last block and the padding are already mixed
    #[allow(unsafe_code)]
    pub(in crate::keccak) fn squeeze(lanes: &Lanes) -> Digest {
        if prefers_avx512() {
            // SAFETY: the processor has just said that it has the features that the function enables.
            unsafe { avx512::squeeze(lanes) }
        } else if prefers_bmi() {
            // SAFETY: the processor has just said that it has the features that the function enables.
            unsafe { squeeze_with_bmi(lanes) }
        } else {
            permutation::squeeze(lanes)
        }
    }

    /// Permutes some of the states, and then absorbs `blocks` blocks of each; returns the other states
    ///
    /// Below these numbers of states, the smaller permutations take less time.
    #[allow(unsafe_code)]
    pub(in crate::keccak) fn permute_some<'due, 'a>(due: &'due mut [Due<'a>], blocks: usize) -> &'due mut [Due<'a>] {
        match due.len() {
            // SAFETY: the processor has just said that it has the features that the function enables.
            5.. if prefers_eight() => {
                permute_together(due, blocks, |states, blocks| unsafe { wide::avx512::permute(states, blocks) })
            }
            // SAFETY: the processor has just said that it has the features that the function enables.
            2.. if prefers_four() => {
                permute_together(due, blocks, |states, blocks| unsafe { wide::avx512vl::permute(states, blocks) })
            }
            // SAFETY: the processor has just said that it has the features that the function enables.
            3.. if prefers_avx2() => {
                permute_together(due, blocks, |states, blocks| unsafe { wide::avx2::permute(states, blocks) })
            }
            _ => permute_one(due, blocks),
        }
    }

    #[target_feature(enable = "bmi1,bmi2")]
    fn squeeze_with_bmi(lanes: &Lanes) -> Digest {
        permutation::squeeze(lanes)
    }

    #[target_feature(enable = "bmi1,bmi2")]
    fn with_bmi(lanes: &mut Lanes, blocks: &[Block]) {
        permutation::permute(lanes, blocks);
    }

    fn has_bmi() -> bool {
        is_x86_feature_detected!("bmi1") && is_x86_feature_detected!("bmi2")
    }

    fn has_avx512() -> bool {
        is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vl")
    }

    /// What [`permute_some`] prefers for many states
    #[cfg(feature = "__internal")]
    pub(in crate::keccak) fn preferred() -> Option<&'static str> {
        let choices = [(prefers_eight(), "AVX-512"), (prefers_four(), "AVX-512VL"), (prefers_avx2(), "AVX2")];
        choices.into_iter().find_map(|(prefers, name)| prefers.then_some(name))
    }

    /// Whether eight states are permuted in 512-bit registers
    fn prefers_eight() -> bool {
        cfg!(not(devp2p_keccak = "avx512vl")) && prefers_four()
    }

    /// Whether four states are permuted with the instructions of AVX-512
    fn prefers_four() -> bool {
        cfg!(not(devp2p_keccak = "avx2")) && permits_wide() && has_avx512()
    }

    fn prefers_avx2() -> bool {
        permits_wide() && is_x86_feature_detected!("avx2")
    }

    fn permits_wide() -> bool {
        cfg!(not(any(devp2p_keccak = "bmi", devp2p_keccak = "portable")))
    }

    fn prefers_bmi() -> bool {
        cfg!(not(devp2p_keccak = "portable")) && has_bmi()
    }

    /// Whether the vector registers are faster than the general ones
    ///
    /// Vector registers are faster on processors of AMD: by 9 % on Zen 5, and by more on Zen 4. On Intel's
    /// Golden Cove, both kinds are equally fast. The feature `sse4a` exists on processors of AMD only.
    fn prefers_avx512() -> bool {
        prefers_four() && is_x86_feature_detected!("sse4a")
    }

    #[cfg(test)]
    mod tests {
        use proptest::prelude::*;
        use std::vec::Vec;

        use super::*;

        /// A permutation of four states
        type Four = dyn Fn([&mut Lanes; 4], [&[Block]; 4]);

        proptest! {
            /// The tests of the sponge compare only the chosen permutation with that of `sha3`
            #[test]
            #[allow(unsafe_code)]
            fn every_permutation_is_the_same(state in any::<[u64; 25]>(), blocks in prop::collection::vec(any::<u8>(), 0..500)) {
                let blocks: Vec<Block> = blocks.as_chunks().0.to_vec();
                let result = |permute: &dyn Fn(&mut Lanes, &[Block])| {
                    let mut lanes = state;
                    permute(&mut lanes, &blocks);
                    lanes
                };
                let chosen = result(&permute);
                prop_assert_eq!(result(&permutation::permute), chosen);
                if has_bmi() {
                    // SAFETY: the processor has the features.
                    prop_assert_eq!(result(&|lanes, blocks| unsafe { with_bmi(lanes, blocks) }), chosen);
                }
                if has_avx512() {
                    // SAFETY: the processor has the features.
                    prop_assert_eq!(result(&|lanes, blocks| unsafe { avx512::permute(lanes, blocks) }), chosen);
                }
            }

            /// As one after the other
            #[test]
            #[allow(unsafe_code)]
            fn states_side_by_side_are_permuted_as_each_alone(
                states in any::<[[u64; 25]; 8]>(),
                blocks in prop::array::uniform8(prop::collection::vec(any::<u8>(), 0..500)),
            ) {
                let blocks = blocks.each_ref().map(|bytes| bytes.as_chunks().0);
                let count = blocks.iter().map(|blocks| blocks.len()).min().unwrap();
                let mut alone = states;
                for (lanes, blocks) in alone.iter_mut().zip(blocks) {
                    permutation::permute(lanes, &blocks[..count]);
                }
                let fours = |permute: &Four| {
                    let mut states = states;
                    for (states, blocks) in states.as_chunks_mut().0.iter_mut().zip(blocks.as_chunks().0) {
                        permute(states.each_mut(), blocks.map(|blocks| &blocks[..count]));
                    }
                    states
                };
                if is_x86_feature_detected!("avx2") {
                    // SAFETY: the processor has the features.
                    prop_assert_eq!(fours(&|states, blocks| unsafe { wide::avx2::permute(states, blocks) }), alone);
                }
                if has_avx512() {
                    // SAFETY: the processor has the features.
                    prop_assert_eq!(fours(&|states, blocks| unsafe { wide::avx512vl::permute(states, blocks) }), alone);
                    let mut eight = states;
                    // SAFETY: the processor has the features.
                    unsafe { wide::avx512::permute(eight.each_mut(), blocks) };
                    prop_assert_eq!(eight, alone);
                }
            }

            /// The lanes of a digest are the same as those of the whole permutation
            #[test]
            #[allow(unsafe_code)]
            fn every_squeeze_is_the_start_of_the_permuted_state(state in any::<[u64; 25]>()) {
                let mut permuted = state;
                permutation::permute(&mut permuted, &[]);
                let digest: Digest = permuted[..4].try_into().unwrap();
                prop_assert_eq!(squeeze(&state), digest);
                prop_assert_eq!(permutation::squeeze(&state), digest);
                if has_bmi() {
                    // SAFETY: the processor has the features.
                    prop_assert_eq!(unsafe { squeeze_with_bmi(&state) }, digest);
                }
                if has_avx512() {
                    // SAFETY: the processor has the features.
                    prop_assert_eq!(unsafe { avx512::squeeze(&state) }, digest);
                }
            }
        }

        #[test]
        fn permutations_that_this_machine_lacks() {
            let has_avx2 = is_x86_feature_detected!("avx2");
            for (name, runs) in [("BMI", has_bmi()), ("AVX2", has_avx2), ("AVX-512VL", has_avx512())] {
                if !runs {
                    std::println!("NOT RUN: the permutation with {name}");
                }
            }
        }
    }
}

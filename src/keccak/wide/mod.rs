//! The permutation of several states at once: a vector holds the same lane of each state
//!
//! A lane here is one of the 25 words of a state, as in the specification of Keccak. Each other file has the operations
//! on such vectors for one extension of the processor. The states lie apart in memory, and so do the blocks of input:
//! blocks are transposed when they are loaded, and states when they are loaded and stored.

pub(super) mod avx2;
pub(super) mod avx512;
pub(super) mod avx512vl;

use core::slice::Iter;

use super::permutation::{Block, RATE};

/// The function that permutes, over the operations in scope: those of `round!`, and `xor`, `transpose`, `vector` of
/// words and `words` of a vector
macro_rules! permute {
    ($features:literal, $width:literal) => {
        /// Permutes the states, and then absorbs as many blocks of each as every state has
        #[target_feature(enable = $features)]
        pub(in crate::keccak) fn permute(states: [&mut Lanes; $width], blocks: [&[Block]; $width]) {
            let mut a = load(states.each_ref().map(|state| &**state));
            let mut blocks = blocks.map(<[Block]>::iter);
            loop {
                for [even, odd] in ROUND_CONSTANTS {
                    a = round!(round!(a, even), odd);
                }
                let Some(next) = next(&mut blocks) else { break };
                for (lane, words) in a.iter_mut().zip(load(next.map(words_of).each_ref())) {
                    *lane = xor(*lane, words);
                }
            }
            store(a, states);
        }

        /// A vector for each lane of the states, or for each word of blocks
        #[target_feature(enable = $features)]
        #[inline]
        fn load<const LEN: usize>(rows: [&[u64; LEN]; $width]) -> [Vector; LEN] {
            let mut rows = rows.map(|row| row.as_chunks());
            let mut vectors = [vector([0; $width]); LEN];
            let (groups, rest) = vectors.as_chunks_mut();
            for group in groups {
                *group = transpose(rows.each_mut().map(|(chunks, _)| vector(take(chunks))));
            }
            for single in rest {
                *single = vector(rows.each_mut().map(|(_, words)| take(words)));
            }
            vectors
        }

        #[target_feature(enable = $features)]
        #[inline]
        fn store(vectors: [Vector; 25], states: [&mut Lanes; $width]) {
            let (groups, rest) = vectors.as_chunks();
            let mut rows = states.map(|state| {
                let (chunks, words) = state.as_chunks_mut();
                (chunks.iter_mut(), words.iter_mut())
            });
            for group in groups {
                for ((chunks, _), vector) in rows.iter_mut().zip(transpose(*group)) {
                    if let Some(chunk) = chunks.next() {
                        *chunk = words(vector);
                    }
                }
            }
            for single in rest {
                for ((_, lanes), word) in rows.iter_mut().zip(words(*single)) {
                    if let Some(lane) = lanes.next() {
                        *lane = word;
                    }
                }
            }
        }
    };
}
use permute;

/// Takes the first item; every row has as many as there are vectors
#[inline(always)]
fn take<T: Copy + Default>(items: &mut &[T]) -> T {
    items.split_off_first().copied().unwrap_or_default()
}

/// The next block of each state, if each has one
#[inline(always)]
fn next<'a, const N: usize>(blocks: &mut [Iter<'a, Block>; N]) -> Option<[&'a Block; N]> {
    let mut next = [&[0; RATE]; N];
    for (next, blocks) in next.iter_mut().zip(blocks) {
        *next = blocks.next()?;
    }
    Some(next)
}

#[inline(always)]
fn words_of(block: &Block) -> [u64; RATE / 8] {
    let mut words = [0; RATE / 8];
    for (word, bytes) in words.iter_mut().zip(block.as_chunks().0) {
        *word = u64::from_le_bytes(*bytes);
    }
    words
}

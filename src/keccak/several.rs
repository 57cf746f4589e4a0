//! Several sponges that absorb bytes side by side, one permutation at a time
//!
//! Each sponge has its own offset, so in one step some of them are in the middle of their bytes, and others need a
//! digest. Only the permutations of a step run together.

use zeroize::Zeroize;

use super::permutation::{Block, Lanes, RATE};
use super::select::{permute, permute_some};
use super::{Keccak256, digest_of};

/// A state that has to be permuted, and whole blocks that it absorbs after that
pub(crate) struct Due<'a> {
    lanes: &'a mut Lanes,
    blocks: &'a [Block],
}

impl<'a> Due<'a> {
    fn first_blocks(&self, count: usize) -> &'a [Block] {
        self.blocks.get(..count).unwrap_or_default()
    }
}

/// Permutes every state, and then absorbs as many blocks of each as every state has; returns this number
pub(crate) fn permute_all(mut due: &mut [Due<'_>]) -> usize {
    let blocks = due.iter().map(|due| due.blocks.len()).min().unwrap_or_default();
    while !due.is_empty() {
        due = permute_some(due, blocks);
    }
    blocks
}

/// Permutes the first state alone; returns the others
pub(super) fn permute_one<'due, 'a>(due: &'due mut [Due<'a>], blocks: usize) -> &'due mut [Due<'a>] {
    let Some((first, others)) = due.split_first_mut() else { return &mut [] };
    let blocks = first.first_blocks(blocks);
    permute(first.lanes, blocks);
    others
}

/// Permutes up to `N` states with one call; returns the others
#[cfg(all(feature = "std", target_arch = "x86_64"))]
pub(super) fn permute_together<'due, 'a, const N: usize>(
    due: &'due mut [Due<'a>],
    blocks: usize,
    permute: impl FnOnce([&mut Lanes; N], [&[Block]; N]),
) -> &'due mut [Due<'a>] {
    if due.len() < N {
        permute_with_zeros(due, blocks, permute);
        return &mut [];
    }
    let Some((some, others)) = due.split_first_chunk_mut() else { return &mut [] };
    let inputs = some.each_ref().map(|due| due.first_blocks(blocks));
    permute(some.each_mut().map(|due| &mut *due.lanes), inputs);
    others
}

/// Permutes fewer than `N` states; the other places hold zeros
#[cfg(all(feature = "std", target_arch = "x86_64"))]
fn permute_with_zeros<const N: usize>(
    due: &mut [Due<'_>],
    blocks: usize,
    permute: impl FnOnce([&mut Lanes; N], [&[Block]; N]),
) {
    let mut zeros = [[0; 25]; N];
    let mut states = zeros.each_mut();
    // What the zeros absorb has no effect, but they must have as many blocks as the others.
    let mut inputs = [due.first().map_or(&[][..], |due| due.first_blocks(blocks)); N];
    for ((state, input), due) in states.iter_mut().zip(&mut inputs).zip(due) {
        *input = due.first_blocks(blocks);
        *state = due.lanes;
    }
    permute(states, inputs);
}

/// Bytes on their way into a sponge, and then the digest of everything that the sponge has absorbed
pub(crate) struct Absorption {
    /// How many bytes were taken
    taken: usize,
    /// The padded state, from which the digest comes, once all bytes were taken
    padded: Option<Lanes>,
}

impl Absorption {
    pub(crate) const fn new() -> Self {
        Self { taken: 0, padded: None }
    }

    /// Mixes in bytes of `input` up to the next permutation, which has to run before the next call
    pub(crate) fn step(&mut self, sponge: &mut Keccak256, input: &[u8]) {
        match sponge.fill(input.get(self.taken..).unwrap_or_default()) {
            Some(rest) => {
                self.taken = input.len().saturating_sub(rest.len());
                sponge.offset = 0;
            }
            None => {
                sponge.pad();
                self.padded = Some(sponge.lanes);
                sponge.pad();
            }
        }
    }

    /// The permutation that is due
    pub(crate) fn due<'a>(&'a mut self, sponge: &'a mut Keccak256, input: &'a [u8]) -> Due<'a> {
        match &mut self.padded {
            Some(lanes) => Due { lanes, blocks: &[] },
            None => {
                let rest = input.get(self.taken..).unwrap_or_default();
                Due { lanes: &mut sponge.lanes, blocks: rest.as_chunks().0 }
            }
        }
    }

    /// Notes that the permutation has run and `blocks` blocks were absorbed; the digest if it was the last permutation
    pub(crate) fn permuted<const N: usize>(&mut self, blocks: usize) -> Option<[u8; N]> {
        self.taken = self.taken.saturating_add(blocks.saturating_mul(RATE));
        self.padded.as_ref().map(|lanes| digest_of(lanes))
    }
}

/// The padded state is as secret as the sponge
impl Drop for Absorption {
    fn drop(&mut self) {
        if let Some(lanes) = &mut self.padded {
            lanes.zeroize();
        }
    }
}

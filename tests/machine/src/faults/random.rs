//! Decisions: random numbers that are the same in every run, or the bytes of a fuzzer

use std::ops::Range;

/// Where decisions come from
#[derive(Debug, Clone)]
pub enum Random<'a> {
    /// SplitMix64, with this state
    Seed(u64),
    /// An input: a decision uses as few bytes as it needs, and after the last byte every decision is the usual one
    Bytes(&'a [u8]),
}

impl Random<'_> {
    /// A number below `count`
    fn below(&mut self, count: u64) -> u64 {
        match self {
            Self::Seed(state) => split_mix(state) % count,
            Self::Bytes(bytes) => scaled(bytes, count),
        }
    }

    pub fn within(&mut self, range: Range<u64>) -> u64 {
        range.start + self.below(range.end - range.start)
    }

    /// True in one of this many cases; the usual decision is false
    pub fn one_in(&mut self, cases: u64) -> bool {
        self.below(cases) == cases - 1
    }

    /// One of the choices; the first is the usual one
    pub fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u64) as usize]
    }
}

fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A number below `count`, scaled from one byte, or from two bytes for a large `count`
fn scaled(bytes: &mut &[u8], count: u64) -> u64 {
    let size = if count <= 0x100 { 1 } else { 2 };
    let (taken, rest) = bytes.split_at(size.min(bytes.len()));
    *bytes = rest;
    let value = taken.iter().fold(0, |value, byte| (value << 8) | u128::from(*byte));
    ((u128::from(count) * value) >> (8 * size)) as u64
}

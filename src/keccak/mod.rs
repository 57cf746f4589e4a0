//! Keccak-256 as the frame MAC needs it: a running state whose digest can be read at any time
//!
//! Checked against the `sha3` crate below.

#[cfg(all(feature = "std", target_arch = "x86_64"))]
mod avx512;
mod permutation;
mod select;
mod several;
#[cfg(all(feature = "std", target_arch = "x86_64"))]
mod wide;

use zeroize::Zeroize;

use permutation::{Lanes, RATE};
use select::{permute, squeeze};
pub(crate) use several::{Absorption, Due, permute_all};

/// The Keccak-256 hash of `bytes`, as Ethereum uses it (the original padding, not SHA-3's)
pub fn keccak256(bytes: &[u8]) -> [u8; 32] {
    let mut sponge = Keccak256::new();
    sponge.absorb(bytes);
    sponge.digest()
}

/// The instructions with which the permutations of several links run together, `None` if they run one after the other
#[cfg(feature = "__internal")]
pub fn side_by_side() -> Option<&'static str> {
    #[cfg(all(feature = "std", target_arch = "x86_64"))]
    return select::preferred();
    #[cfg(not(all(feature = "std", target_arch = "x86_64")))]
    None
}

/// A Keccak-256 computation under way
///
/// Wiped when dropped: the MAC's state is derived from the session's secrets.
pub(crate) struct Keccak256 {
    lanes: Lanes,
    /// Bytes absorbed since the last permutation, less than `RATE`
    offset: usize,
}

impl Keccak256 {
    pub(crate) const fn new() -> Self {
        Self { lanes: [0; 25], offset: 0 }
    }

    pub(crate) fn absorb(&mut self, bytes: &[u8]) {
        let Some(rest) = self.fill(bytes) else { return };
        let (blocks, rest) = rest.as_chunks();
        permute(&mut self.lanes, blocks);
        self.offset = 0;
        self.mix(rest);
        self.offset = rest.len();
    }

    /// Mixes bytes in up to the end of the block, and returns the rest if that was reached
    ///
    /// The caller then permutes the state, and sets the offset to 0.
    #[inline(always)]
    fn fill<'a>(&mut self, bytes: &'a [u8]) -> Option<&'a [u8]> {
        let Some((piece, rest)) = bytes.split_at_checked(RATE.saturating_sub(self.offset)) else {
            self.mix(bytes);
            self.offset = self.offset.saturating_add(bytes.len());
            return None;
        };
        self.mix(piece);
        Some(rest)
    }

    /// The digest of everything absorbed so far; absorbing may go on
    ///
    /// The permutation leaves copies of the state on the stack. The end of a session overwrites the stack below
    /// itself, on its own thread.
    pub(crate) fn digest<const N: usize>(&mut self) -> [u8; N] {
        self.pad();
        let lanes = squeeze(&self.lanes);
        self.pad(); // the second XOR takes the padding away
        digest_of(&lanes)
    }

    /// XORs the padding into the state
    fn pad(&mut self) {
        xor_byte(&mut self.lanes, self.offset, 0x01);
        xor_byte(&mut self.lanes, RATE.saturating_sub(1), 0x80);
    }

    /// XORs a piece into the state, by lanes and then by bytes; the piece ends at or before the end of the block
    ///
    /// A handshake packet whose length is not a multiple of 8 shifts every later piece of the link against the lanes.
    fn mix(&mut self, piece: &[u8]) {
        let shift = (self.offset as u32 % 8) << 3;
        let over = |word: u64| (word >> 1) >> (63_u32.wrapping_sub(shift));
        let (words, tail) = piece.as_chunks();
        let mut lanes = self.lanes.get_mut(self.offset / 8..).unwrap_or_default().iter_mut();
        let mut carry = 0;
        for (word, lane) in words.iter().zip(&mut lanes) {
            let word = u64::from_le_bytes(*word);
            *lane ^= word << shift | carry;
            carry = over(word);
        }
        if let Some(lane) = lanes.next() {
            *lane ^= carry;
        }
        let tail_at = self.offset.saturating_add(piece.len()).saturating_sub(tail.len());
        for (index, byte) in tail.iter().enumerate() {
            xor_byte(&mut self.lanes, tail_at.saturating_add(index), *byte);
        }
    }
}

/// The start of a permuted state
#[inline(always)]
fn digest_of<const N: usize>(lanes: &[u64]) -> [u8; N] {
    let mut digest = [0; N];
    for (target, lane) in digest.chunks_mut(size_of::<u64>()).zip(lanes) {
        crate::wire::copy(target, &lane.to_le_bytes());
    }
    digest
}

/// XORs a byte into the state
fn xor_byte(lanes: &mut Lanes, at: usize, byte: u8) {
    if let Some(lane) = lanes.get_mut(at / 8) {
        *lane ^= u64::from(byte) << ((at as u32 % 8) << 3);
    }
}

impl Drop for Keccak256 {
    fn drop(&mut self) {
        self.lanes.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use sha3::Digest;
    use std::vec::Vec;

    proptest! {
        #[test]
        fn agrees_with_sha3(pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..6)) {
            let mut ours = Keccak256::new();
            let mut oracle = sha3::Keccak256::new();
            for piece in &pieces {
                ours.absorb(piece);
                oracle.update(piece);
                let digest: [u8; 32] = ours.digest();
                prop_assert_eq!(&digest[..], &oracle.clone().finalize()[..]);
            }
        }
    }

    #[test]
    fn every_offset_and_length_agrees_with_sha3() {
        let bytes: Vec<u8> = (0..700_u32).map(|i| (i * 7 + i / 11) as u8).collect();
        for offset in 0..RATE {
            for len in [0, 1, 7, 8, 9, 16, 127, 128, 135, 136, 137, 272, 500] {
                let mut ours = Keccak256::new();
                ours.absorb(&bytes[..offset]);
                ours.absorb(&bytes[offset..offset + len]);
                let digest: [u8; 32] = ours.digest();
                assert_eq!(&digest[..], &sha3::Keccak256::digest(&bytes[..offset + len])[..]);
            }
        }
    }
}

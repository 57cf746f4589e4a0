//! Keccak-256 as the frame MAC needs it: a running state whose digest can be read at any time
//!
//! The permutation is our own because the one in the `keccak` crate depends on how the final binary
//! is built: at opt-level `s` LLVM rolls it up (27 thousand instructions a call instead of 6), and
//! with `target-cpu=native` it vectorises it and makes it two to three times slower. Two rounds
//! written out over local variables are immune to both, and compile to four instructions where the
//! CPU has `andn` and `rorx`. Checked against the `sha3` crate below.

use zeroize::Zeroize;

/// Bytes of the state that a block of input is mixed into
const RATE: usize = 136;

const ROUND_CONSTANTS: [[u64; 2]; 12] = [
    [0x0000_0000_0000_0001, 0x0000_0000_0000_8082],
    [0x8000_0000_0000_808a, 0x8000_0000_8000_8000],
    [0x0000_0000_0000_808b, 0x0000_0000_8000_0001],
    [0x8000_0000_8000_8081, 0x8000_0000_0000_8009],
    [0x0000_0000_0000_008a, 0x0000_0000_0000_0088],
    [0x0000_0000_8000_8009, 0x0000_0000_8000_000a],
    [0x0000_0000_8000_808b, 0x8000_0000_0000_008b],
    [0x8000_0000_0000_8089, 0x8000_0000_0000_8003],
    [0x8000_0000_0000_8002, 0x8000_0000_0000_0080],
    [0x0000_0000_0000_800a, 0x8000_0000_8000_000a],
    [0x8000_0000_8000_8081, 0x8000_0000_0000_8080],
    [0x0000_0000_8000_0001, 0x8000_0000_8000_8008],
];

/// The Keccak-256 hash of `bytes`, as Ethereum uses it (the original padding, not SHA-3's)
pub fn keccak256(bytes: &[u8]) -> [u8; 32] {
    let mut sponge = Keccak256::new();
    sponge.absorb(bytes);
    sponge.digest()
}

/// A Keccak-256 computation under way
///
/// Wiped when dropped: the MAC's state is derived from the session's secrets.
pub(crate) struct Keccak256 {
    lanes: [u64; 25],
    /// Bytes absorbed since the last permutation, less than `RATE`
    offset: usize,
}

impl Keccak256 {
    pub(crate) const fn new() -> Self {
        Self { lanes: [0; 25], offset: 0 }
    }

    pub(crate) fn absorb(&mut self, mut bytes: &[u8]) {
        while let Some((piece, rest)) = bytes.split_at_checked(RATE.saturating_sub(self.offset)) {
            self.mix(piece);
            permute(&mut self.lanes);
            self.offset = 0;
            bytes = rest;
        }
        self.mix(bytes);
        self.offset = self.offset.saturating_add(bytes.len());
    }

    /// The digest of everything absorbed so far; absorbing may go on
    pub(crate) fn digest<const N: usize>(&self) -> [u8; N] {
        let mut lanes = self.lanes;
        xor_word(&mut lanes, self.offset, 0x01);
        xor_word(&mut lanes, RATE.saturating_sub(1), 0x80);
        permute(&mut lanes);
        let mut digest = [0; N];
        for (target, lane) in digest.chunks_mut(size_of::<u64>()).zip(lanes) {
            crate::wire::copy(target, &lane.to_le_bytes());
        }
        lanes.zeroize();
        digest
    }

    /// XORs a piece that ends at or before the block's end into the state
    fn mix(&mut self, piece: &[u8]) {
        let (words, tail) = piece.as_chunks::<8>();
        if self.offset.is_multiple_of(8) {
            let first = self.offset / 8;
            for (lane, word) in self.lanes.iter_mut().skip(first).zip(words) {
                *lane ^= u64::from_le_bytes(*word);
            }
        } else {
            // A handshake packet of odd length shifts every later block of the link.
            for (at, word) in (self.offset..).step_by(8).zip(words) {
                xor_word(&mut self.lanes, at, u64::from_le_bytes(*word));
            }
        }
        let mut word = [0; 8];
        crate::wire::copy(&mut word, tail);
        let at = self.offset.saturating_add(words.len().saturating_mul(8));
        xor_word(&mut self.lanes, at, u64::from_le_bytes(word));
    }
}

/// XORs eight bytes into the state at any byte position
fn xor_word(lanes: &mut [u64; 25], at: usize, word: u64) {
    let shift = (at as u32 % 8) << 3;
    let mut lanes = lanes.iter_mut().skip(at / 8);
    if let Some(lane) = lanes.next() {
        *lane ^= word << shift;
    }
    if let (Some(lane), 1..) = (lanes.next(), shift) {
        *lane ^= word >> (64_u32.wrapping_sub(shift));
    }
}

impl Drop for Keccak256 {
    fn drop(&mut self) {
        self.lanes.zeroize();
    }
}

/// Keccak-f\[1600\]
#[cfg(all(feature = "std", target_arch = "x86_64"))]
fn permute(lanes: &mut [u64; 25]) {
    #[target_feature(enable = "bmi1,bmi2")]
    fn with_bmi(lanes: &mut [u64; 25]) {
        permute_inline(lanes);
    }
    if std::arch::is_x86_feature_detected!("bmi1") && std::arch::is_x86_feature_detected!("bmi2") {
        // SAFETY: the function is safe Rust; all it asks for is a CPU with BMI1 and BMI2, and this
        // line is reached only where the CPU has just said that it has both.
        #[allow(unsafe_code)]
        unsafe {
            with_bmi(lanes);
        }
    } else {
        permute_inline(lanes);
    }
}

/// Keccak-f\[1600\]
#[cfg(not(all(feature = "std", target_arch = "x86_64")))]
fn permute(lanes: &mut [u64; 25]) {
    permute_inline(lanes);
}

#[inline(always)]
fn permute_inline(lanes: &mut [u64; 25]) {
    let mut a = *lanes;
    for [even, odd] in ROUND_CONSTANTS {
        a = round(&round(&a, even), odd);
    }
    *lanes = a;
}

/// One round, a row of the output at a time: theta's column parities first, then for each row the
/// five lanes that rho and pi bring there, and chi over them (FIPS 202, section 3.2)
#[inline(always)]
fn round(a: &[u64; 25], constant: u64) -> [u64; 25] {
    let c0 = a[0] ^ a[5] ^ a[10] ^ a[15] ^ a[20];
    let c1 = a[1] ^ a[6] ^ a[11] ^ a[16] ^ a[21];
    let c2 = a[2] ^ a[7] ^ a[12] ^ a[17] ^ a[22];
    let c3 = a[3] ^ a[8] ^ a[13] ^ a[18] ^ a[23];
    let c4 = a[4] ^ a[9] ^ a[14] ^ a[19] ^ a[24];
    let d0 = c4 ^ c1.rotate_left(1);
    let d1 = c0 ^ c2.rotate_left(1);
    let d2 = c1 ^ c3.rotate_left(1);
    let d3 = c2 ^ c4.rotate_left(1);
    let d4 = c3 ^ c0.rotate_left(1);
    let r = |lane: u64, delta: u64, by: u32| (lane ^ delta).rotate_left(by);
    let chi = |b: [u64; 5]| {
        [
            b[0] ^ (!b[1] & b[2]),
            b[1] ^ (!b[2] & b[3]),
            b[2] ^ (!b[3] & b[4]),
            b[3] ^ (!b[4] & b[0]),
            b[4] ^ (!b[0] & b[1]),
        ]
    };
    let [e0, e1, e2, e3, e4] = chi([a[0] ^ d0, r(a[6], d1, 44), r(a[12], d2, 43), r(a[18], d3, 21), r(a[24], d4, 14)]);
    let [e5, e6, e7, e8, e9] =
        chi([r(a[3], d3, 28), r(a[9], d4, 20), r(a[10], d0, 3), r(a[16], d1, 45), r(a[22], d2, 61)]);
    let [f0, f1, f2, f3, f4] =
        chi([r(a[1], d1, 1), r(a[7], d2, 6), r(a[13], d3, 25), r(a[19], d4, 8), r(a[20], d0, 18)]);
    let [f5, f6, f7, f8, f9] =
        chi([r(a[4], d4, 27), r(a[5], d0, 36), r(a[11], d1, 10), r(a[17], d2, 15), r(a[23], d3, 56)]);
    let [g0, g1, g2, g3, g4] =
        chi([r(a[2], d2, 62), r(a[8], d3, 55), r(a[14], d4, 39), r(a[15], d0, 41), r(a[21], d1, 2)]);
    [e0 ^ constant, e1, e2, e3, e4, e5, e6, e7, e8, e9, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, g0, g1, g2, g3, g4]
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

    #[test]
    fn the_portable_permutation_is_the_selected_one() {
        let mut selected = [0x0123_4567_89ab_cdef; 25];
        let mut portable = selected;
        permute(&mut selected);
        permute_inline(&mut portable);
        assert_eq!(selected, portable);
    }
}

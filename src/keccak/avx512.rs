//! The permutation with AVX-512VL: a lane in the lower half of a 128-bit register
//!
//! There are 32 such registers, so the whole state stays in them. One instruction XORs three lanes or
//! does a step of chi, and one rotates: about 2,800 instructions instead of 4,500.

use core::arch::x86_64::{
    __m128i, _mm_cvtsi64_si128, _mm_cvtsi128_si64, _mm_rol_epi64, _mm_setzero_si128, _mm_ternarylogic_epi64,
    _mm_xor_si128,
};

use super::permutation::{Block, Digest, Lanes, ROUND_CONSTANTS, round, words};

/// Truth table of `a ^ b ^ c`
const XOR: i32 = 0x96;
/// Truth table of `a ^ (!b & c)`
const CHI: i32 = 0xd2;

/// Permutes the state, and then absorbs each block
#[target_feature(enable = "avx512f,avx512vl")]
pub(super) fn permute(lanes: &mut Lanes, blocks: &[Block]) {
    let mut a = load(lanes);
    let mut blocks = blocks.iter();
    loop {
        for [even, odd] in ROUND_CONSTANTS {
            a = round!(round!(a, even), odd);
        }
        let Some(block) = blocks.next() else { break };
        for (lane, word) in a.iter_mut().zip(words(block)) {
            *lane = _mm_xor_si128(*lane, low(word));
        }
    }
    for (lane, vector) in lanes.iter_mut().zip(a) {
        *lane = lane_of(vector);
    }
}

/// Permutes a copy of the state, and returns only the digest
///
/// The last two rounds are outside of the loop, so that the compiler can leave out what the digest does not need.
#[target_feature(enable = "avx512f,avx512vl")]
pub(super) fn squeeze(lanes: &Lanes) -> Digest {
    let [first @ .., [even, odd]] = ROUND_CONSTANTS;
    let mut a = load(lanes);
    for [even, odd] in first {
        a = round!(round!(a, even), odd);
    }
    let [a0, a1, a2, a3, ..] = round!(round!(a, even), odd);
    [lane_of(a0), lane_of(a1), lane_of(a2), lane_of(a3)]
}

#[target_feature(enable = "avx512f,avx512vl")]
#[inline]
fn load(lanes: &Lanes) -> [__m128i; 25] {
    let mut vectors = [_mm_setzero_si128(); 25];
    for (vector, lane) in vectors.iter_mut().zip(lanes) {
        *vector = low(*lane);
    }
    vectors
}

#[target_feature(enable = "avx512f,avx512vl")]
#[inline]
fn lane_of(vector: __m128i) -> u64 {
    _mm_cvtsi128_si64(vector).cast_unsigned()
}

#[target_feature(enable = "avx512f,avx512vl")]
#[inline]
fn low(lane: u64) -> __m128i {
    _mm_cvtsi64_si128(lane.cast_signed())
}

#[target_feature(enable = "avx512f,avx512vl")]
#[inline]
fn parity([a, b, c, d, e]: [__m128i; 5]) -> __m128i {
    _mm_ternarylogic_epi64::<XOR>(_mm_ternarylogic_epi64::<XOR>(a, b, c), d, e)
}

#[target_feature(enable = "avx512f,avx512vl")]
#[inline]
fn delta(left: __m128i, right: __m128i) -> __m128i {
    _mm_xor_si128(left, _mm_rol_epi64::<1>(right))
}

#[target_feature(enable = "avx512f,avx512vl")]
#[inline]
fn turn<const BY: i32>(lane: __m128i, delta: __m128i) -> __m128i {
    _mm_rol_epi64::<BY>(_mm_xor_si128(lane, delta))
}

#[target_feature(enable = "avx512f,avx512vl")]
#[inline]
fn chi(b: [__m128i; 5]) -> [__m128i; 5] {
    [
        _mm_ternarylogic_epi64::<CHI>(b[0], b[1], b[2]),
        _mm_ternarylogic_epi64::<CHI>(b[1], b[2], b[3]),
        _mm_ternarylogic_epi64::<CHI>(b[2], b[3], b[4]),
        _mm_ternarylogic_epi64::<CHI>(b[3], b[4], b[0]),
        _mm_ternarylogic_epi64::<CHI>(b[4], b[0], b[1]),
    ]
}

#[target_feature(enable = "avx512f,avx512vl")]
#[inline]
fn iota(lane: __m128i, constant: u64) -> __m128i {
    _mm_xor_si128(lane, low(constant))
}

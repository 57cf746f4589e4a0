//! Four states with AVX2: a lane of each in a 256-bit register

use core::arch::x86_64::{
    __m256i, _mm_cvtsi32_si128, _mm256_andnot_si256, _mm256_extract_epi64, _mm256_or_si256, _mm256_permute2x128_si256,
    _mm256_set_epi64x, _mm256_set1_epi64x, _mm256_sll_epi64, _mm256_srl_epi64, _mm256_unpackhi_epi64,
    _mm256_unpacklo_epi64, _mm256_xor_si256,
};

use super::{next, permute, take, words_of};
use crate::keccak::permutation::{Block, Lanes, ROUND_CONSTANTS, round};

permute!("avx2", 4);

type Vector = __m256i;

#[target_feature(enable = "avx2")]
#[inline]
pub(super) fn vector(words: [u64; 4]) -> Vector {
    let [a, b, c, d] = words.map(u64::cast_signed);
    _mm256_set_epi64x(d, c, b, a)
}

#[target_feature(enable = "avx2")]
#[inline]
pub(super) fn words(vector: Vector) -> [u64; 4] {
    [
        _mm256_extract_epi64::<0>(vector),
        _mm256_extract_epi64::<1>(vector),
        _mm256_extract_epi64::<2>(vector),
        _mm256_extract_epi64::<3>(vector),
    ]
    .map(i64::cast_unsigned)
}

/// From vectors that hold words of one row each to vectors that hold one word of every row
#[target_feature(enable = "avx2")]
#[inline]
pub(super) fn transpose([a, b, c, d]: [Vector; 4]) -> [Vector; 4] {
    let (ab_02, ab_13) = (_mm256_unpacklo_epi64(a, b), _mm256_unpackhi_epi64(a, b));
    let (cd_02, cd_13) = (_mm256_unpacklo_epi64(c, d), _mm256_unpackhi_epi64(c, d));
    [
        _mm256_permute2x128_si256::<0x20>(ab_02, cd_02),
        _mm256_permute2x128_si256::<0x20>(ab_13, cd_13),
        _mm256_permute2x128_si256::<0x31>(ab_02, cd_02),
        _mm256_permute2x128_si256::<0x31>(ab_13, cd_13),
    ]
}

#[target_feature(enable = "avx2")]
#[inline]
fn xor(a: Vector, b: Vector) -> Vector {
    _mm256_xor_si256(a, b)
}

#[target_feature(enable = "avx2")]
#[inline]
fn parity([a, b, c, d, e]: [Vector; 5]) -> Vector {
    xor(xor(xor(a, b), xor(c, d)), e)
}

#[target_feature(enable = "avx2")]
#[inline]
fn delta(left: Vector, right: Vector) -> Vector {
    xor(left, rotate::<1>(right))
}

#[target_feature(enable = "avx2")]
#[inline]
fn turn<const BY: i32>(lane: Vector, delta: Vector) -> Vector {
    rotate::<BY>(xor(lane, delta))
}

/// The counts are constants, so that the compiler makes them a part of the instructions
#[target_feature(enable = "avx2")]
#[inline]
fn rotate<const BY: i32>(lane: Vector) -> Vector {
    let left = _mm256_sll_epi64(lane, _mm_cvtsi32_si128(BY));
    _mm256_or_si256(left, _mm256_srl_epi64(lane, _mm_cvtsi32_si128(64_i32.wrapping_sub(BY))))
}

#[target_feature(enable = "avx2")]
#[inline]
fn chi(b: [Vector; 5]) -> [Vector; 5] {
    let step = |a, b, c| xor(a, _mm256_andnot_si256(b, c));
    [
        step(b[0], b[1], b[2]),
        step(b[1], b[2], b[3]),
        step(b[2], b[3], b[4]),
        step(b[3], b[4], b[0]),
        step(b[4], b[0], b[1]),
    ]
}

#[target_feature(enable = "avx2")]
#[inline]
fn iota(lane: Vector, constant: u64) -> Vector {
    xor(lane, _mm256_set1_epi64x(constant.cast_signed()))
}

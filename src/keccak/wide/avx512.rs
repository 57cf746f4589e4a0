//! Eight states with AVX-512: a lane of each in a 512-bit register

use core::arch::x86_64::{
    __m512i, _mm512_extracti64x4_epi64, _mm512_rol_epi64, _mm512_set_epi64, _mm512_set1_epi64, _mm512_shuffle_i64x2,
    _mm512_ternarylogic_epi64, _mm512_unpackhi_epi64, _mm512_unpacklo_epi64, _mm512_xor_si512,
};

use super::{next, permute, take, words_of};
use crate::keccak::permutation::{Block, Lanes, ROUND_CONSTANTS, round};

permute!("avx512f", 8);

type Vector = __m512i;

/// Truth table of `a ^ b ^ c`
const XOR: i32 = 0x96;
/// Truth table of `a ^ (!b & c)`
const CHI: i32 = 0xd2;
/// Of two vectors, the 128-bit parts 0 and 2 of each
const EVEN: i32 = 0x88;
/// Of two vectors, the 128-bit parts 1 and 3 of each
const ODD: i32 = 0xdd;

#[target_feature(enable = "avx512f")]
#[inline]
fn vector(words: [u64; 8]) -> Vector {
    let [a, b, c, d, e, f, g, h] = words.map(u64::cast_signed);
    _mm512_set_epi64(h, g, f, e, d, c, b, a)
}

#[target_feature(enable = "avx512f")]
#[inline]
fn words(vector: Vector) -> [u64; 8] {
    let [a, b, c, d] = super::avx2::words(_mm512_extracti64x4_epi64::<0>(vector));
    let [e, f, g, h] = super::avx2::words(_mm512_extracti64x4_epi64::<1>(vector));
    [a, b, c, d, e, f, g, h]
}

/// From vectors that hold words of one row each to vectors that hold one word of every row
#[target_feature(enable = "avx512f")]
#[inline]
fn transpose(rows: [Vector; 8]) -> [Vector; 8] {
    let [a, b, c, d, e, f, g, h] = rows;
    let low = |first, second| _mm512_unpacklo_epi64(first, second);
    let high = |first, second| _mm512_unpackhi_epi64(first, second);
    let [c0, c2, c4, c6] = spread([low(a, b), low(c, d), low(e, f), low(g, h)]);
    let [c1, c3, c5, c7] = spread([high(a, b), high(c, d), high(e, f), high(g, h)]);
    [c0, c1, c2, c3, c4, c5, c6, c7]
}

/// From pairs of words at the places 0, 2, 4 and 6 of four pairs of rows to the four columns
#[target_feature(enable = "avx512f")]
#[inline]
fn spread([ab, cd, ef, gh]: [Vector; 4]) -> [Vector; 4] {
    let (abcd_04, abcd_26) = (_mm512_shuffle_i64x2::<EVEN>(ab, cd), _mm512_shuffle_i64x2::<ODD>(ab, cd));
    let (efgh_04, efgh_26) = (_mm512_shuffle_i64x2::<EVEN>(ef, gh), _mm512_shuffle_i64x2::<ODD>(ef, gh));
    [
        _mm512_shuffle_i64x2::<EVEN>(abcd_04, efgh_04),
        _mm512_shuffle_i64x2::<EVEN>(abcd_26, efgh_26),
        _mm512_shuffle_i64x2::<ODD>(abcd_04, efgh_04),
        _mm512_shuffle_i64x2::<ODD>(abcd_26, efgh_26),
    ]
}

#[target_feature(enable = "avx512f")]
#[inline]
fn xor(a: Vector, b: Vector) -> Vector {
    _mm512_xor_si512(a, b)
}

#[target_feature(enable = "avx512f")]
#[inline]
fn parity([a, b, c, d, e]: [Vector; 5]) -> Vector {
    _mm512_ternarylogic_epi64::<XOR>(_mm512_ternarylogic_epi64::<XOR>(a, b, c), d, e)
}

#[target_feature(enable = "avx512f")]
#[inline]
fn delta(left: Vector, right: Vector) -> Vector {
    xor(left, _mm512_rol_epi64::<1>(right))
}

#[target_feature(enable = "avx512f")]
#[inline]
fn turn<const BY: i32>(lane: Vector, delta: Vector) -> Vector {
    _mm512_rol_epi64::<BY>(xor(lane, delta))
}

#[target_feature(enable = "avx512f")]
#[inline]
fn chi(b: [Vector; 5]) -> [Vector; 5] {
    [
        _mm512_ternarylogic_epi64::<CHI>(b[0], b[1], b[2]),
        _mm512_ternarylogic_epi64::<CHI>(b[1], b[2], b[3]),
        _mm512_ternarylogic_epi64::<CHI>(b[2], b[3], b[4]),
        _mm512_ternarylogic_epi64::<CHI>(b[3], b[4], b[0]),
        _mm512_ternarylogic_epi64::<CHI>(b[4], b[0], b[1]),
    ]
}

#[target_feature(enable = "avx512f")]
#[inline]
fn iota(lane: Vector, constant: u64) -> Vector {
    xor(lane, _mm512_set1_epi64(constant.cast_signed()))
}

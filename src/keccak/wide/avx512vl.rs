//! Four states with AVX-512VL: a lane of each in a 256-bit register

use core::arch::x86_64::{__m256i, _mm256_rol_epi64, _mm256_set1_epi64x, _mm256_ternarylogic_epi64, _mm256_xor_si256};

use super::avx2::{transpose, vector, words};
use super::{next, permute, take, words_of};
use crate::keccak::permutation::{Block, Lanes, ROUND_CONSTANTS, round};

permute!("avx512f,avx512vl", 4);

type Vector = __m256i;

/// Truth table of `a ^ b ^ c`
const XOR: i32 = 0x96;
/// Truth table of `a ^ (!b & c)`
const CHI: i32 = 0xd2;

#[target_feature(enable = "avx512f,avx512vl")]
#[inline]
fn xor(a: Vector, b: Vector) -> Vector {
    _mm256_xor_si256(a, b)
}

#[target_feature(enable = "avx512f,avx512vl")]
#[inline]
fn parity([a, b, c, d, e]: [Vector; 5]) -> Vector {
    _mm256_ternarylogic_epi64::<XOR>(_mm256_ternarylogic_epi64::<XOR>(a, b, c), d, e)
}

#[target_feature(enable = "avx512f,avx512vl")]
#[inline]
fn delta(left: Vector, right: Vector) -> Vector {
    xor(left, _mm256_rol_epi64::<1>(right))
}

#[target_feature(enable = "avx512f,avx512vl")]
#[inline]
fn turn<const BY: i32>(lane: Vector, delta: Vector) -> Vector {
    _mm256_rol_epi64::<BY>(xor(lane, delta))
}

#[target_feature(enable = "avx512f,avx512vl")]
#[inline]
fn chi(b: [Vector; 5]) -> [Vector; 5] {
    [
        _mm256_ternarylogic_epi64::<CHI>(b[0], b[1], b[2]),
        _mm256_ternarylogic_epi64::<CHI>(b[1], b[2], b[3]),
        _mm256_ternarylogic_epi64::<CHI>(b[2], b[3], b[4]),
        _mm256_ternarylogic_epi64::<CHI>(b[3], b[4], b[0]),
        _mm256_ternarylogic_epi64::<CHI>(b[4], b[0], b[1]),
    ]
}

#[target_feature(enable = "avx512f,avx512vl")]
#[inline]
fn iota(lane: Vector, constant: u64) -> Vector {
    xor(lane, _mm256_set1_epi64x(constant.cast_signed()))
}

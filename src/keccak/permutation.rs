//! Keccak-f\[1600\]: the permutation, and the absorption of whole blocks
//!
//! The permutation is our own because the one in the `keccak` crate depends on how the final binary
//! is built: at opt-level `s` LLVM rolls it up (27 thousand instructions a call instead of 6), and
//! with `target-cpu=native` it vectorises it and makes it two to three times slower. Rounds that are
//! written out over local variables are immune to both.

/// Bytes of the state that a block of input is mixed into
pub(super) const RATE: usize = 136;

/// The state: 25 lanes, the first 17 of which take input
pub(super) type Lanes = [u64; 25];

/// A block of input
pub(super) type Block = [u8; RATE];

/// The lanes of a digest: the first four of the permuted state
pub(super) type Digest = [u64; 4];

/// The constants of two rounds at a time (FIPS 202, section 3.2.5)
pub(super) const ROUND_CONSTANTS: [[u64; 2]; 12] = [
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

/// One round, a row of the output at a time: theta's column parities first, then for each row the
/// five lanes that rho and pi bring there, and chi over them (FIPS 202, section 3.2)
///
/// The operations on lanes are those in scope: `parity` of a column, `delta` of a column from the
/// parities of its neighbours, `turn` of a lane by theta and rho, `chi`, and `iota`.
macro_rules! round {
    ($a:expr, $constant:expr) => {{
        let a = $a;
        let c0 = parity([a[0], a[5], a[10], a[15], a[20]]);
        let c1 = parity([a[1], a[6], a[11], a[16], a[21]]);
        let c2 = parity([a[2], a[7], a[12], a[17], a[22]]);
        let c3 = parity([a[3], a[8], a[13], a[18], a[23]]);
        let c4 = parity([a[4], a[9], a[14], a[19], a[24]]);
        let (d0, d1, d2, d3, d4) = (delta(c4, c1), delta(c0, c2), delta(c1, c3), delta(c2, c4), delta(c3, c0));
        let [e0, e1, e2, e3, e4] = chi([
            turn::<0>(a[0], d0),
            turn::<44>(a[6], d1),
            turn::<43>(a[12], d2),
            turn::<21>(a[18], d3),
            turn::<14>(a[24], d4),
        ]);
        let [e5, e6, e7, e8, e9] = chi([
            turn::<28>(a[3], d3),
            turn::<20>(a[9], d4),
            turn::<3>(a[10], d0),
            turn::<45>(a[16], d1),
            turn::<61>(a[22], d2),
        ]);
        let [f0, f1, f2, f3, f4] = chi([
            turn::<1>(a[1], d1),
            turn::<6>(a[7], d2),
            turn::<25>(a[13], d3),
            turn::<8>(a[19], d4),
            turn::<18>(a[20], d0),
        ]);
        let [f5, f6, f7, f8, f9] = chi([
            turn::<27>(a[4], d4),
            turn::<36>(a[5], d0),
            turn::<10>(a[11], d1),
            turn::<15>(a[17], d2),
            turn::<56>(a[23], d3),
        ]);
        let [g0, g1, g2, g3, g4] = chi([
            turn::<62>(a[2], d2),
            turn::<55>(a[8], d3),
            turn::<39>(a[14], d4),
            turn::<41>(a[15], d0),
            turn::<2>(a[21], d1),
        ]);
        let e0 = iota(e0, $constant);
        [e0, e1, e2, e3, e4, e5, e6, e7, e8, e9, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, g0, g1, g2, g3, g4]
    }};
}
#[cfg(all(feature = "std", target_arch = "x86_64"))]
pub(super) use round;

/// The words of a block
#[inline(always)]
pub(super) fn words(block: &Block) -> impl Iterator<Item = u64> + '_ {
    block.as_chunks().0.iter().map(|word| u64::from_le_bytes(*word))
}

/// Permutes the state, and then absorbs each block: the whole work of one call
///
/// In general registers. With BMI, `andn` and `rorx` make it a quarter shorter.
#[inline(always)]
pub(super) fn permute(lanes: &mut Lanes, blocks: &[Block]) {
    let mut a = *lanes;
    let mut blocks = blocks.iter();
    loop {
        for [even, odd] in ROUND_CONSTANTS {
            a = round!(round!(a, even), odd);
        }
        let Some(block) = blocks.next() else { break };
        for (lane, word) in a.iter_mut().zip(words(block)) {
            *lane ^= word;
        }
    }
    *lanes = a;
}

/// Permutes a copy of the state, and returns only the digest
///
/// The last two rounds are outside of the loop, so that the compiler can leave out what the digest does not need.
#[cfg(all(feature = "std", target_arch = "x86_64"))]
#[inline(always)]
pub(super) fn squeeze(lanes: &Lanes) -> Digest {
    let [first @ .., [even, odd]] = ROUND_CONSTANTS;
    let mut a = *lanes;
    for [even, odd] in first {
        a = round!(round!(a, even), odd);
    }
    let [a0, a1, a2, a3, ..] = round!(round!(a, even), odd);
    [a0, a1, a2, a3]
}

#[inline(always)]
fn parity([a, b, c, d, e]: [u64; 5]) -> u64 {
    a ^ b ^ c ^ d ^ e
}

#[inline(always)]
fn delta(left: u64, right: u64) -> u64 {
    left ^ right.rotate_left(1)
}

#[inline(always)]
fn turn<const BY: u32>(lane: u64, delta: u64) -> u64 {
    (lane ^ delta).rotate_left(BY)
}

#[inline(always)]
fn chi(b: [u64; 5]) -> [u64; 5] {
    [b[0] ^ (!b[1] & b[2]), b[1] ^ (!b[2] & b[3]), b[2] ^ (!b[3] & b[4]), b[3] ^ (!b[4] & b[0]), b[4] ^ (!b[0] & b[1])]
}

#[inline(always)]
fn iota(lane: u64, constant: u64) -> u64 {
    lane ^ constant
}

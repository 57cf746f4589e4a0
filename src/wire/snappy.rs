//! Raw Snappy blocks, the body of every message after the Hellos (EIP-706)
//!
//! A block is the length of the data as a little-endian base-128 number (at most 32 bits), then
//! elements until the block ends. An element starts with a tag byte whose low two bits are its
//! kind:
//!
//! | kind | upper six bits of the tag | after the tag | meaning |
//! |---|---|---|---|
//! | 0 | length − 1, or 59 + the size of a length field | length − 1 in 0 to 4 bytes, then the data | literal |
//! | 1 | three bits of offset, three of length − 4 | 1 byte of offset | copy of 4 to 11 bytes |
//! | 2 | length − 1 | 2 bytes of offset | copy of 1 to 64 bytes |
//! | 3 | length − 1 | 4 bytes of offset | copy of 1 to 64 bytes |
//!
//! A copy repeats what was written `offset` bytes ago; one that is longer than its offset repeats
//! its own output. Numbers are little-endian. Format:
//! <https://github.com/google/snappy/blob/main/format_description.txt>.
//!
//! Neither direction allocates. The encoder looks for repetitions within 64 KiB at a time through a
//! hash table that the caller owns.

use core::{fmt, mem};

use SnappyError::{BadLength, BadOffset, OutputTooSmall, TooLong, TooShort, Truncated};

/// Entries of the smallest hash table that [`compress`] makes use of
pub(crate) const MIN_TABLE: usize = 256;

/// Entries of the largest hash table that [`compress`] makes use of
pub(crate) const MAX_TABLE: usize = 16384;

/// Data is compressed in pieces of this size, so that a position fits in a table entry and an
/// offset in two bytes
const PIECE: usize = 1 << 16;

/// The search ends this far from the end of a piece: what would be found there saves next to
/// nothing
const MARGIN: usize = 12;

/// Length of the shortest repetition that is looked for
const MIN_MATCH: usize = 4;

/// Length of the longest copy in one element
const MAX_COPY: usize = 64;

/// Short literals and near copies are moved in steps of this size
const STEP: usize = 16;

const LITERAL: u8 = 0;
const COPY_1: u8 = 1;
const COPY_2: u8 = 2;

/// Why a block was refused, or could not be written
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum SnappyError {
    /// The length in front is missing, does not end within five bytes, or exceeds 32 bits
    BadLength,
    /// The block ends inside an element
    Truncated,
    /// A copy reaches back by zero bytes or to before the start
    BadOffset,
    /// The elements make more than the declared length
    TooLong,
    /// The elements make less than the declared length, or cannot possibly make that much
    TooShort,
    /// The caller's buffer does not hold the result
    OutputTooSmall,
}

impl fmt::Display for SnappyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            BadLength => "invalid length in front of the block",
            Truncated => "block ends inside an element",
            BadOffset => "copy from outside of the data",
            TooLong => "block makes more than it declares",
            TooShort => "block makes less than it declares",
            OutputTooSmall => "no room for the result",
        })
    }
}

impl core::error::Error for SnappyError {}

/// Size of the largest block that [`compress`] makes of `len` bytes
///
/// `len + len / 64 + 7`; saturates.
pub(crate) const fn max_compressed_len(len: usize) -> usize {
    // A copy takes at least one byte less than it stands for: 3 for 4 or more. A literal takes one
    // byte more than it stands for, two from 61 bytes on, three from 257 on. All literals of a
    // piece but its last are followed by a copy, and the two together cost nothing below 65 bytes,
    // 1 from there on, 2 from 261 on: at most a 65th. The last costs 1 more than that. So a piece
    // of n bytes grows by at most (n + 4) / 65 + 1. For a full piece that is 1009, less than its
    // 1024 here; n / 64 + 2 covers the rest of the input; and the length in front takes up to 5.
    len.saturating_add(len / 64).saturating_add(7)
}

/// The longest input whose block is sure to fit into `room` bytes
///
/// The inverse of [`max_compressed_len`], rounded down.
pub(crate) const fn max_input(room: usize) -> usize {
    let room = room.saturating_sub(7);
    room.saturating_sub(room.div_ceil(65))
}

/// Number of table entries that [`compress`] can make use of for `len` bytes
///
/// A power of two from [`MIN_TABLE`] to [`MAX_TABLE`].
pub(crate) const fn table_len(len: usize) -> usize {
    match len {
        0..=MIN_TABLE => MIN_TABLE,
        MAX_TABLE.. => MAX_TABLE,
        _ => len.next_power_of_two(),
    }
}

/// Writes `input` as one block to the start of `output` and returns the size of the block
///
/// Any `table` does, whatever it holds: as many of its entries as a power of two and [`table_len`]
/// allow are cleared and used. With fewer than [`MIN_TABLE`] nothing is searched, and the block
/// holds literals only.
///
/// # Errors
///
/// [`SnappyError::OutputTooSmall`] if `output` is shorter than [`max_compressed_len`],
/// [`SnappyError::BadLength`] if the length of `input` exceeds 32 bits; nothing is written then.
pub(crate) fn compress(input: &[u8], output: &mut [u8], table: &mut [u16]) -> Result<usize, SnappyError> {
    let len = u32::try_from(input.len()).map_err(|_| BadLength)?;
    let space = output.len();
    if space < max_compressed_len(input.len()) {
        return Err(OutputTooSmall);
    }
    let mut sink = Sink { free: output };
    // The bound above excludes a full sink
    elements(len, input, table, &mut sink).ok_or(OutputTooSmall)?;
    Ok(space.wrapping_sub(sink.free.len()))
}

/// Data length that `block` declares
///
/// A declaration that the rest of the block cannot live up to is refused, so the result is less
/// than 22 times `block.len()`.
///
/// # Errors
///
/// [`SnappyError::BadLength`], [`SnappyError::TooShort`].
pub(crate) fn decompressed_len(block: &[u8]) -> Result<usize, SnappyError> {
    Ok(header(block)?.0)
}

/// Writes the data of `block` to the start of `output` and returns its length, the declared one
///
/// Whatever `output` has beyond that stays untouched.
///
/// # Errors
///
/// Any [`SnappyError`]. Nothing is written in case of [`SnappyError::OutputTooSmall`]; after
/// another error the contents of `output` are unspecified up to the declared length.
pub(crate) fn decompress(block: &[u8], output: &mut [u8]) -> Result<usize, SnappyError> {
    let (len, mut src) = header(block)?;
    let out = output.get_mut(..len).ok_or(OutputTooSmall)?;
    let mut at = 0;
    while let Some((&tag, rest)) = src.split_first() {
        (src, at) = if tag & 3 == LITERAL { literal(tag, rest, out, at)? } else { copy(tag, rest, out, at)? };
    }
    if at == len { Ok(len) } else { Err(TooShort) }
}

/// Declared length, and the elements
fn header(block: &[u8]) -> Result<(usize, &[u8]), SnappyError> {
    let mut len = 0;
    let mut src = block;
    for shift in [0, 7, 14, 21, 28] {
        let (&byte, rest) = src.split_first().ok_or(BadLength)?;
        src = rest;
        len |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok((plausible(len, src.len())?, src));
        }
    }
    Err(BadLength)
}

/// Refuses a length that `size` bytes of elements cannot make
fn plausible(len: u64, size: usize) -> Result<usize, SnappyError> {
    let len = u32::try_from(len).map_err(|_| BadLength)?;
    // Nothing expands more than a copy of 64 bytes that takes 3
    if u64::from(len).saturating_mul(3) > (size as u64).saturating_mul(MAX_COPY as u64) {
        return Err(TooShort);
    }
    usize::try_from(len).map_err(|_| OutputTooSmall)
}

/// Number in the first `size` bytes, 1 to 4, and what follows it
#[inline(always)]
fn number(src: &[u8], size: usize) -> Result<(usize, &[u8]), SnappyError> {
    let (bytes, rest) = src.split_at_checked(size).ok_or(Truncated)?;
    let excess = 32u32.wrapping_sub((size as u32) << 3);
    let value = match src.first_chunk() {
        Some(wide) => u32::from_le_bytes(*wide) & u32::MAX.wrapping_shr(excess),
        None => bytes.iter().rev().fold(0, |value, &byte| (value << 8) | u32::from(byte)),
    };
    Ok((value as usize, rest))
}

/// Carries out the literal with this tag; returns what follows it in the block, and where in the
/// output
#[inline(always)]
fn literal<'a>(tag: u8, src: &'a [u8], out: &mut [u8], at: usize) -> Result<(&'a [u8], usize), SnappyError> {
    let field = usize::from(tag >> 2);
    let to = out.get_mut(at..).ok_or(TooLong)?;
    if field < STEP
        && let (Some(to), Some(from)) = (to.first_chunk_mut::<STEP>(), src.first_chunk())
    {
        // Later elements overwrite the excess
        *to = *from;
        let len = field.wrapping_add(1);
        return Ok((src.get(len..).ok_or(Truncated)?, at.wrapping_add(len)));
    }
    let (last, src) = if field < 60 { (field, src) } else { number(src, field.wrapping_sub(59))? };
    let len = last.saturating_add(1);
    let (from, src) = src.split_at_checked(len).ok_or(Truncated)?;
    copy_bytes(to.get_mut(..len).ok_or(TooLong)?, from);
    Ok((src, at.wrapping_add(len)))
}

/// Carries out the copy with this tag; returns what follows it in the block, and where in the
/// output
#[inline(always)]
fn copy<'a>(tag: u8, src: &'a [u8], out: &mut [u8], at: usize) -> Result<(&'a [u8], usize), SnappyError> {
    let kind = tag & 3;
    let field = usize::from(tag >> 2);
    let (low, src) = number(src, 1usize.wrapping_shl(u32::from(kind).wrapping_sub(1)))?;
    // No telling which kind comes next, so that masks beat a branch by far
    let short = usize::from(kind == COPY_1).wrapping_neg();
    let len = (field & (63 ^ (56 & short))).wrapping_add(1).wrapping_add(3 & short);
    let offset = low | ((field >> 3) << 8) & short;
    Ok((src, repeat(out, at, offset, len)?))
}

/// Writes `len` bytes at `at`, each equal to the one `offset` earlier; returns where they end
#[inline(always)]
fn repeat(out: &mut [u8], at: usize, offset: usize, len: usize) -> Result<usize, SnappyError> {
    if offset.wrapping_sub(1) >= at {
        return Err(BadOffset);
    }
    let end = at.wrapping_add(len);
    // The length is as hard to foretell: move as much as any copy has, later elements overwrite the
    // excess
    if let Some((done, rest)) = out.split_at_mut_checked(at)
        && let Some(to) = rest.first_chunk_mut::<MAX_COPY>()
        && let Some(from) = done.get(at.wrapping_sub(offset)..).and_then(<[u8]>::first_chunk)
    {
        *to = *from;
    } else if end <= out.len() {
        repeat_near(out, at, offset, end);
    } else {
        return Err(TooLong);
    }
    Ok(end)
}

/// The same where source and target overlap, or the output ends soon
fn repeat_near(out: &mut [u8], mut at: usize, offset: usize, end: usize) {
    let mut gap = offset;
    while at < end
        && let Some(window) = out.get_mut(at.wrapping_sub(gap)..at.wrapping_add(STEP))
        && let Some(&from) = window.first_chunk::<STEP>()
        && let Some(to) = window.last_chunk_mut()
    {
        *to = from;
        at = at.wrapping_add(gap.min(STEP));
        if gap < STEP {
            // What repeats every n bytes also repeats every 2n
            gap = gap.wrapping_mul(2);
        }
    }
    while at < end
        && let Some(&byte) = out.get(at.wrapping_sub(offset))
        && let Some(to) = out.get_mut(at)
    {
        *to = byte;
        at = at.wrapping_add(1);
    }
}

/// `memcpy`, without the panic of `copy_from_slice`
// Inlined, it would be taken apart, or merged with the moves of constant size, which are the faster
// ones for being apart
#[inline(never)]
fn copy_bytes(to: &mut [u8], from: &[u8]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to = *from;
    }
}

/// Writes a whole block; `None` if the sink is too small
fn elements(len: u32, input: &[u8], table: &mut [u16], sink: &mut Sink<'_>) -> Option<()> {
    sink.varint(len)?;
    for piece in input.chunks(PIECE) {
        let done = match Matcher::new(piece, table) {
            Some(matcher) => matcher.run(sink)?,
            None => 0,
        };
        sink.literal(piece, done, piece.len())?;
    }
    Some(())
}

/// The `N` bytes at `at`
#[inline(always)]
fn load<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at.wrapping_add(N))?.first_chunk().copied()
}

/// Number of leading bytes that are equal
#[inline(always)]
fn common_prefix(a: &[u8], b: &[u8]) -> usize {
    let mut len = 0usize;
    while let (Some(x), Some(y)) = (load(a, len), load(b, len)) {
        let difference = usize::from_le_bytes(x) ^ usize::from_le_bytes(y);
        if difference != 0 {
            return len.wrapping_add(difference.trailing_zeros() as usize >> 3);
        }
        len = len.wrapping_add(x.len());
    }
    let tail = a.iter().zip(b).skip(len).take_while(|(x, y)| x == y).count();
    len.wrapping_add(tail)
}

/// Search for repetitions in one piece
struct Matcher<'a> {
    piece: &'a [u8],
    /// The piece without its margin: where repetitions start
    heads: &'a [u8],
    /// Where the word with this hash was last seen, at first zero, which is verified like any other
    /// position
    table: &'a mut [u16],
    /// Leaves as many bits of a hash as index the table
    shift: u32,
}

impl<'a> Matcher<'a> {
    /// `None` if the piece or the table is too small
    fn new(piece: &'a [u8], table: &'a mut [u16]) -> Option<Self> {
        let heads = piece.get(..piece.len().checked_sub(MARGIN)?)?;
        let power = 1usize.wrapping_shl(table.len().checked_ilog2()?);
        let len = power.min(table_len(piece.len()));
        let table = table.get_mut(..len).filter(|_| len >= MIN_TABLE)?;
        table.fill(0);
        let shift = (len as u32).leading_zeros().wrapping_add(1);
        Some(Self { piece, heads, table, shift })
    }

    /// Writes literals and copies; returns how much of the piece they stand for
    fn run(mut self, sink: &mut Sink<'_>) -> Option<usize> {
        let mut done = 0;
        let mut from = 1;
        while let Some((mut at, mut seen)) = self.find(from) {
            sink.literal(self.piece, done, at)?;
            loop {
                let len = self.match_len(at, seen)?;
                sink.copy(at.wrapping_sub(seen), len)?;
                at = at.wrapping_add(len);
                match self.find_here(at) {
                    Some(next) => seen = next,
                    None => break,
                }
            }
            done = at;
            from = at.wrapping_add(1);
        }
        Some(done)
    }

    /// First repetition at `at` or later, and where it was seen
    #[inline(always)]
    fn find(&mut self, mut at: usize) -> Option<(usize, usize)> {
        // After 32 failures every second position is tried, and so on: what does not compress is
        // passed over quickly
        let mut skip = 32usize;
        loop {
            let word = u32::from_le_bytes(load(self.heads, at)?);
            let seen = self.note(word, at)?;
            if u32::from_le_bytes(load(self.heads, seen)?) == word {
                return Some((at, seen));
            }
            let step = skip >> 5;
            skip = skip.wrapping_add(step);
            at = at.wrapping_add(step);
        }
    }

    /// Where the word at `at`, the end of a match, was seen
    #[inline(always)]
    fn find_here(&mut self, at: usize) -> Option<usize> {
        let before = at.wrapping_sub(1);
        let wide = u64::from_le_bytes(load(self.piece, before)?);
        self.note(wide as u32, before)?;
        let word = (wide >> 8) as u32;
        let seen = self.note(word, at)?;
        (u32::from_le_bytes(load(self.heads, seen)?) == word).then_some(seen)
    }

    /// Notes `at` as the position of `word`; returns the one noted for its hash before
    #[inline(always)]
    fn note(&mut self, word: u32, at: usize) -> Option<usize> {
        let hash = word.wrapping_mul(0x9e37_79b1).wrapping_shr(self.shift);
        let slot = self.table.get_mut(hash as usize)?;
        Some(usize::from(mem::replace(slot, at as u16)))
    }

    /// Length of the repetition at `at` of what is at `seen`, a word at least
    #[inline(always)]
    fn match_len(&self, at: usize, seen: usize) -> Option<usize> {
        let later = self.piece.get(at.wrapping_add(MIN_MATCH)..)?;
        let earlier = self.piece.get(seen.wrapping_add(MIN_MATCH)..)?;
        let rest = common_prefix(earlier.get(..later.len())?, later);
        Some(rest.wrapping_add(MIN_MATCH))
    }
}

/// Where a block is written; its methods return `None` if it is full
struct Sink<'a> {
    free: &'a mut [u8],
}

impl Sink<'_> {
    #[inline(always)]
    fn put<const N: usize>(&mut self, bytes: [u8; N]) -> Option<()> {
        let (to, rest) = mem::take(&mut self.free).split_first_chunk_mut()?;
        *to = bytes;
        self.free = rest;
        Some(())
    }

    fn varint(&mut self, mut value: u32) -> Option<()> {
        while value >= 0x80 {
            self.put([value as u8 | 0x80])?;
            value >>= 7;
        }
        self.put([value as u8])
    }

    /// `piece[start..end]` as a literal, unless it is empty
    #[inline(always)]
    fn literal(&mut self, piece: &[u8], start: usize, end: usize) -> Option<()> {
        let len = end.wrapping_sub(start);
        let Some(last) = len.checked_sub(1) else {
            return Some(());
        };
        match last {
            0..60 => self.put([(last as u8) << 2 | LITERAL])?,
            60..256 => self.put([60 << 2 | LITERAL, last as u8])?,
            _ => self.put([61 << 2 | LITERAL, last as u8, (last >> 8) as u8])?,
        }
        let from = piece.get(start..)?;
        if len <= STEP
            && let (Some(to), Some(from)) = (self.free.first_chunk_mut::<STEP>(), from.first_chunk())
        {
            *to = *from;
            self.free = mem::take(&mut self.free).get_mut(len..)?;
            return Some(());
        }
        let (to, rest) = mem::take(&mut self.free).split_at_mut_checked(len)?;
        copy_bytes(to, from);
        self.free = rest;
        Some(())
    }

    /// Copies of together `len` bytes, at least four, from `offset` back
    #[inline(always)]
    fn copy(&mut self, offset: usize, mut len: usize) -> Option<()> {
        let (low, high) = (offset as u8, (offset >> 8) as u8);
        let element = |len: usize| [(len.wrapping_sub(1) as u8) << 2 | COPY_2, low, high];
        if len > MAX_COPY {
            len = self.long_copies(element(MAX_COPY), len)?;
        }
        if len > MAX_COPY {
            // Leaves enough for one more copy
            self.put(element(60))?;
            len = len.wrapping_sub(60);
        }
        if len < 12 && offset < 1 << 11 {
            self.put([high << 5 | (len.wrapping_sub(MIN_MATCH) as u8) << 2 | COPY_1, low])
        } else {
            self.put(element(len))
        }
    }

    /// As many longest copies as leave four bytes or more; returns how many they leave
    fn long_copies(&mut self, element: [u8; 3], len: usize) -> Option<usize> {
        let count = len.wrapping_sub(MIN_MATCH) / MAX_COPY;
        let size = count.wrapping_mul(element.len());
        let (to, rest) = mem::take(&mut self.free).split_at_mut_checked(size)?;
        to.as_chunks_mut().0.fill(element);
        self.free = rest;
        Some(len.wrapping_sub(count.wrapping_mul(MAX_COPY)))
    }
}

#[cfg(test)]
#[allow(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic
)]
mod tests {
    extern crate std;

    use super::*;
    use proptest::prelude::*;
    use std::vec;
    use std::vec::Vec;

    fn packed(data: &[u8], table_len: usize) -> Vec<u8> {
        // What the table holds must not matter
        let mut table = vec![0xa5a5; table_len];
        let mut block = vec![0; max_compressed_len(data.len())];
        let len = compress(data, &mut block, &mut table).unwrap();
        block.truncate(len);
        block
    }

    /// Also checks that nothing is written beyond the declared length
    fn unpacked(block: &[u8]) -> Result<Vec<u8>, SnappyError> {
        let len = decompressed_len(block)?;
        let mut out = vec![0xee; len + 80];
        assert_eq!(decompress(block, &mut out)?, len);
        assert!(out[len..].iter().all(|&byte| byte == 0xee));
        // No room to spare: other paths
        let mut exact = vec![0; len];
        assert_eq!(decompress(block, &mut exact), Ok(len));
        out.truncate(len);
        assert!(out == exact);
        Ok(out)
    }

    fn snap_packed(data: &[u8]) -> Vec<u8> {
        snap::raw::Encoder::new().compress_vec(data).unwrap()
    }

    fn snap_unpacked(block: &[u8]) -> Option<Vec<u8>> {
        // `snap` would allocate what a bomb declares; no block here makes that much
        if snap::raw::decompress_len(block).is_ok_and(|len| len > 1 << 25) {
            return None;
        }
        snap::raw::Decoder::new().decompress_vec(block).ok()
    }

    fn check_round_trips(data: &[u8], table_len: usize) {
        let block = packed(data, table_len);
        assert!(unpacked(&block).as_deref() == Ok(data));
        assert!(snap_unpacked(&block).as_deref() == Some(data));
        assert!(unpacked(&snap_packed(data)).as_deref() == Ok(data));
    }

    /// Bytes without repetitions to speak of
    fn noise(len: usize) -> Vec<u8> {
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        let next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 32) as u8
        };
        std::iter::repeat_with(next).take(len).collect()
    }

    fn periodic(len: usize, period: usize) -> Vec<u8> {
        noise(period).into_iter().cycle().take(len).collect()
    }

    /// Literals of `gap` bytes, and between them words from so far back that they take three bytes:
    /// what our bound is about
    fn worst(len: usize, gap: usize) -> Vec<u8> {
        let mut data = noise(len);
        // By here the search takes long strides; this run makes them short again
        let run = 2200..2300.min(len);
        data.get_mut(run.clone()).unwrap_or_default().fill(0);
        let ends = (run.end + gap..len.saturating_sub(4)).step_by(gap + 4);
        for (at, word) in ends.zip((1..33).cycle()) {
            data.copy_within(word..word + 4, at);
        }
        data
    }

    /// Fresh bytes and repetitions in turn
    fn structured(parts: usize) -> impl Strategy<Value = Vec<u8>> {
        let fresh = prop::collection::vec(any::<u8>(), 0..80);
        let part = (fresh, any::<prop::sample::Index>(), prop_oneof![0..20usize, 0..300usize]);
        prop::collection::vec(part, 0..parts).prop_map(|parts| {
            let mut data = Vec::new();
            for (fresh, from, len) in parts {
                data.extend(fresh);
                let from = if data.is_empty() {
                    continue;
                } else {
                    from.index(data.len())
                };
                (from..from + len).for_each(|at| data.push(data[at]));
            }
            data
        })
    }

    fn table_lens() -> impl Strategy<Value = usize> {
        prop_oneof![Just(0), Just(255), Just(256), Just(700), Just(1024), Just(16384), Just(40000)]
    }

    fn mutated() -> impl Strategy<Value = Vec<u8>> {
        let change = (0..5u8, any::<prop::sample::Index>(), any::<u8>());
        let changes = prop::collection::vec(change, 1..4);
        (structured(8), table_lens(), changes).prop_map(|(data, table_len, changes)| {
            let mut block = packed(&data, table_len);
            for (kind, at, byte) in changes {
                let at = at.index(block.len());
                match kind {
                    0 => block[at] = byte,
                    1 => block[at] ^= 1 << (byte & 7),
                    2 => block.insert(at, byte),
                    3 if block.len() > 1 => drop(block.remove(at)),
                    _ => block.truncate(at.max(1)),
                }
            }
            block
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]

        #[test]
        fn arbitrary_data_survives(data in prop::collection::vec(any::<u8>(), 0..2000), table_len in table_lens()) {
            check_round_trips(&data, table_len);
        }

        #[test]
        fn structured_data_survives(data in structured(40), table_len in table_lens()) {
            check_round_trips(&data, table_len);
        }

        #[test]
        fn verdicts_on_mutated_blocks_are_those_of_snap(block in mutated()) {
            prop_assert_eq!(unpacked(&block).ok(), snap_unpacked(&block));
        }

        #[test]
        fn verdicts_on_arbitrary_bytes_are_those_of_snap(block in prop::collection::vec(any::<u8>(), 0..64)) {
            prop_assert_eq!(unpacked(&block).ok(), snap_unpacked(&block));
        }

        /// A small length in front gets further than an arbitrary one
        #[test]
        fn verdicts_on_arbitrary_elements_are_those_of_snap(
            len in 0..128u8,
            elements in prop::collection::vec(prop_oneof![any::<u8>(), 0..16u8], 0..40),
        ) {
            let block = [&[len][..], &elements].concat();
            prop_assert_eq!(unpacked(&block).ok(), snap_unpacked(&block));
        }
    }

    #[test]
    fn lengths_at_every_edge_survive() {
        let edges = [
            0, 1, 2, 3, 4, 15, 16, 17, 18, 59, 60, 61, 62, 63, 64, 65, 127, 128, 255, 256, 257, 258, 16383, 16384,
            16385,
        ];
        let edges = edges.into_iter().chain(65533..65540).chain(131_070..131_075);
        for len in edges {
            for data in [vec![0; len], noise(len), periodic(len, 67), periodic(len, 7)] {
                check_round_trips(&data, table_len(len));
            }
        }
    }

    #[test]
    fn every_offset_and_length_of_a_copy_survives() {
        for period in 1..80 {
            for len in 1..80 {
                check_round_trips(&periodic(period + len, period), MIN_TABLE);
            }
        }
    }

    #[test]
    fn the_largest_message_survives() {
        let data = periodic((1 << 24) - 1, 100);
        let block = packed(&data, MAX_TABLE);
        assert!(block.len() < data.len() / 20);
        assert!(unpacked(&block).as_deref() == Ok(&data[..]));
        assert!(snap_unpacked(&block).as_deref() == Some(&data[..]));
    }

    #[test]
    fn no_input_exceeds_the_bound() {
        for len in [0, 1, 60, 61, 127, 128, 256, 257, 9000, 16384, 65535, 65536, 65537, 65600, 131_072, 200_000] {
            for gap in [1, 59, 60, 61, 62, 63, 65, 256, 257, 258, 300] {
                for table_len in [0, 256, 1024, MAX_TABLE] {
                    let data = worst(len, gap);
                    // `packed` provides no more than the bound
                    assert!(packed(&data, table_len).len() <= max_compressed_len(len));
                }
            }
        }
    }

    #[test]
    fn the_bound_is_tight() {
        let len = 65536;
        let growth = packed(&worst(len, 61), MAX_TABLE).len() - len;
        let bound = max_compressed_len(len) - len;
        assert!(growth > bound / 2, "{growth} of {bound}");
    }

    #[test]
    fn the_bound_saturates() {
        assert_eq!(max_compressed_len(0), 7);
        assert_eq!(max_compressed_len(usize::MAX), usize::MAX);
    }

    #[test]
    fn table_lengths_are_powers_of_two_within_limits() {
        let expected =
            [(0, 256), (256, 256), (257, 512), (8192, 8192), (8193, 16384), (16384, 16384), (usize::MAX, 16384)];
        for (len, table) in expected {
            assert_eq!(table_len(len), table, "{len}");
        }
    }

    #[test]
    fn only_the_useful_part_of_a_table_is_touched() {
        let mut table = [0xa5a5; 1000];
        let mut block = [0; 200];
        compress(&[7; 100], &mut block, &mut table).unwrap();
        assert!(table[256..].iter().all(|&entry| entry == 0xa5a5));
    }

    #[test]
    fn ratio_is_about_that_of_snap() {
        let words: Vec<_> = noise(1200).chunks(6).map(<[u8]>::to_vec).collect();
        let choice = noise(30_000);
        let data: Vec<_> =
            choice.chunks(2).flat_map(|pair| words[usize::from(pair[0].min(pair[1])) % 200].clone()).collect();
        let reference = snap_packed(&data).len();
        assert!(packed(&data, MAX_TABLE).len() < reference * 103 / 100);
        assert!(packed(&data, 1024).len() < reference * 3 / 2);
    }

    #[test]
    fn too_small_an_output_is_left_alone() {
        let data = [1; 100];
        let mut short = [0xee; max_compressed_len(100) - 1];
        assert_eq!(compress(&data, &mut short, &mut [0; 256]), Err(OutputTooSmall));
        assert!(short.iter().all(|&byte| byte == 0xee));

        let mut short = [0xee; 99];
        assert_eq!(decompress(&packed(&data, 256), &mut short), Err(OutputTooSmall));
        assert!(short.iter().all(|&byte| byte == 0xee));
    }

    fn refusal(block: &[u8]) -> Option<SnappyError> {
        assert!(snap_unpacked(block).is_none());
        unpacked(block).err()
    }

    #[test]
    fn each_fault_has_its_name() {
        let cases: [(&[u8], SnappyError); 19] = [
            (&[], BadLength),
            (&[0x80], BadLength),
            (&[0x80, 0x80, 0x80, 0x80, 0x80, 0x00], BadLength),
            (&[0xff, 0xff, 0xff, 0xff, 0x1f, 0x00], BadLength),
            (&[0x01, 0x00], Truncated),
            (&[0x02, 0x04, b'a'], Truncated),
            (&[0x02, 0xf0], Truncated),
            (&[0x02, 0xf4, 0x01], Truncated),
            (&[0x02, 0x00, b'a', 0x01], Truncated),
            (&[0x02, 0x00, b'a', 0x02, 0x01], Truncated),
            (&[0x02, 0x00, b'a', 0x03, 0x01, 0x00, 0x00], Truncated),
            (&[0x05, 0x00, b'a', 0x01, 0x00], BadOffset),
            (&[0x05, 0x00, b'a', 0x01, 0x02], BadOffset),
            (&[0x02, 0x02, 0x01, 0x00], BadOffset),
            (&[0x01, 0x04, b'a', b'b'], TooLong),
            (&[0x04, 0x00, b'a', 0x01, 0x01], TooLong),
            (&[0x03, 0x00, b'a'], TooShort),
            (&[0x06, 0x00, b'a', 0x01, 0x01], TooShort),
            (&[0x01], TooShort),
        ];
        for (block, fault) in cases {
            assert_eq!(refusal(block), Some(fault), "{block:02x?}");
        }
    }

    #[test]
    fn copies_of_all_kinds_are_understood() {
        for copy in [&[0x01, 0x02][..], &[0x0e, 0x02, 0x00], &[0x0f, 0x02, 0x00, 0x00, 0x00]] {
            let block = [&[0x06, 0x04, b'a', b'b'], copy].concat();
            assert_eq!(unpacked(&block).as_deref(), Ok(&b"ababab"[..]));
        }
    }

    #[test]
    fn a_literal_of_four_gigabytes_is_refused() {
        let block = [0x05, 0x00, 0x41, 0xfc, 0xfe, 0xff, 0xff, 0xff];
        assert_eq!(refusal(&block), Some(Truncated));
        let block = [0x05, 0x00, 0x41, 0xfc, 0xff, 0xff, 0xff, 0xff];
        assert_eq!(refusal(&block), Some(Truncated));
    }

    #[test]
    fn a_bomb_is_refused_by_its_header() {
        let bomb = [&[0xff, 0xff, 0xff, 0xff, 0x0f][..], &[0; 1000]].concat();
        assert_eq!(decompressed_len(&bomb), Err(TooShort));
        assert_eq!(decompressed_len(&[0x40, 0, 0, 0]), Ok(64));
        assert_eq!(decompressed_len(&[0x41, 0, 0, 0]), Err(TooShort));
    }

    #[test]
    fn the_densest_block_is_no_bomb() {
        let copies = [0xfe, 0x01, 0x00].repeat(1000);
        let block = [&[0x81, 0xf4, 0x03, 0x00, b'a'][..], &copies].concat();
        assert_eq!(unpacked(&block), Ok(vec![b'a'; 64_001]));
    }

    #[test]
    fn the_longest_input_for_a_room_fits_and_is_about_the_longest() {
        for room in (0..5_000).chain([1 << 20, 0xff_ffff]) {
            let len = max_input(room);
            assert!(len == 0 || max_compressed_len(len) <= room, "{room}");
            assert!(max_compressed_len(len + 2) > room, "{room}");
        }
    }
}

//! From data to a block: a search for repetitions, and the writing of what it finds

use core::mem;

use super::SnappyError::{self, BadLength, OutputTooSmall};
use super::{COPY_1, COPY_2, LITERAL, MAX_COPY, STEP, copy_bytes};

/// Entries of the smallest hash table that [`compress`] makes use of
pub(super) const MIN_TABLE: usize = 256;

/// Entries of the largest hash table that [`compress`] makes use of
pub(super) const MAX_TABLE: usize = 16384;

/// Data is compressed in pieces of this size, so that a position fits in a table entry and an
/// offset in two bytes
const PIECE: usize = 1 << 16;

/// The search ends this far from the end of a piece
///
/// A repetition there would save almost nothing. And at each position of the search, as many bytes can be read.
const MARGIN: usize = 12;

/// Length of the shortest repetition that is looked for
const MIN_MATCH: usize = 4;

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

/// The longest input whose block always fits into `room` bytes
///
/// The inverse of [`max_compressed_len`].
pub(crate) const fn max_input(room: usize) -> usize {
    let room = room.saturating_sub(7);
    let rest = room % 65;
    (room / 65).saturating_mul(64).saturating_add(if rest < 63 { rest } else { 63 })
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

/// Number of entries that [`compress`] uses of a table for `len` bytes, 0 if it is too small
pub(crate) fn used_len(table: usize, len: usize) -> usize {
    let power = table.checked_ilog2().map_or(0, |log| 1usize.wrapping_shl(log));
    if power < MIN_TABLE { 0 } else { power.min(table_len(len)) }
}

/// Writes `input` as one block to the start of `output` and returns the size of the block
///
/// Any `table` is accepted, whatever it holds. The largest power of two of its entries, at most
/// [`table_len`], is cleared and used. With fewer than [`MIN_TABLE`] nothing is searched, and the block
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
    // The bound above excludes a full output
    let left = elements(len, input, table, output).ok_or(OutputTooSmall)?;
    Ok(space.wrapping_sub(left))
}

/// Writes a whole block; returns how much of the output it leaves, `None` if it does not fit
fn elements(len: u32, input: &[u8], table: &mut [u16], out: &mut [u8]) -> Option<usize> {
    let mut out = varint(out, len)?;
    for piece in input.chunks(PIECE) {
        let mut done = 0;
        if let Some(matcher) = Matcher::new(piece, table) {
            (out, done) = matcher.run(out)?;
        }
        let rest = piece.get(done..)?;
        if !rest.is_empty() {
            out = literal(out, rest)?;
        }
    }
    Some(out.len())
}

/// The `N` bytes at `at`
#[inline(always)]
fn load<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}

/// Number of leading bytes that are equal, of two slices of one length
#[inline(always)]
fn common_prefix(a: &[u8], b: &[u8]) -> usize {
    let (a_words, a_tail) = a.as_chunks();
    let (b_words, b_tail) = b.as_chunks();
    let mut len = 0usize;
    for (x, y) in a_words.iter().zip(b_words) {
        let difference = usize::from_le_bytes(*x) ^ usize::from_le_bytes(*y);
        if difference != 0 {
            return len.wrapping_add(difference.trailing_zeros() as usize >> 3);
        }
        len = len.wrapping_add(x.len());
    }
    let tail = a_tail.iter().zip(b_tail).take_while(|(x, y)| x == y).count();
    len.wrapping_add(tail)
}

/// Search for repetitions in one piece
struct Matcher<'a> {
    piece: &'a [u8],
    /// Where the word with this hash was last seen, at first zero, which is verified like any other
    /// position
    table: &'a mut [u16],
}

impl<'a> Matcher<'a> {
    /// `None` if the piece or the table is too small
    fn new(piece: &'a [u8], table: &'a mut [u16]) -> Option<Self> {
        let len = used_len(table.len(), piece.len());
        let worth_it = len >= MIN_TABLE && piece.len() > MARGIN;
        let table = table.get_mut(..len).filter(|_| worth_it)?;
        table.fill(0);
        Some(Self { piece, table })
    }

    /// Writes literals and copies; returns what is left of the output, and how much of the piece is done
    // Never inlined, so that its caller's variables take no registers from it
    #[inline(never)]
    fn run(mut self, mut out: &mut [u8]) -> Option<(&mut [u8], usize)> {
        let mut done = 0usize;
        while let Some((mut at, mut seen)) = self.find(done.wrapping_add(1)) {
            out = quick_literal(out, self.piece.get(done..)?, at.wrapping_sub(done))?;
            loop {
                let len = self.match_len(at, seen)?;
                out = copy(out, at.wrapping_sub(seen), len)?;
                at = at.wrapping_add(len);
                match self.find_here(at) {
                    Some(next) => seen = next,
                    None => break,
                }
            }
            done = at;
        }
        Some((out, done))
    }

    /// First repetition at `at` or later, and where it was seen
    // Not `inline(always)`: the compiler first optimises the function alone, and then removes its bounds checks
    #[inline]
    fn find(&mut self, mut at: usize) -> Option<(usize, usize)> {
        // After 32 failures every second position is tried, and so on: data that does not compress is
        // skipped quickly
        let mut skip = 32usize;
        loop {
            let step = skip >> 5;
            // Four failures share a step; where size does not matter, the compiler unrolls this
            for _ in 0..4 {
                let word = self.word(at)?;
                let seen = self.note(word, at)?;
                if self.word(seen)? == word {
                    return Some((at, seen));
                }
                at = at.wrapping_add(step);
            }
            skip = skip.wrapping_add(step << 2);
        }
    }

    /// Where the word at `at`, the end of a match, was seen
    #[inline(always)]
    fn find_here(&mut self, at: usize) -> Option<usize> {
        let before = at.checked_sub(1)?;
        self.note(self.word(before)?, before)?;
        let word = self.word(at)?;
        let seen = self.note(word, at)?;
        (self.word(seen)? == word).then_some(seen)
    }

    /// Length of the repetition at `at` of what is at `seen`, a word at least
    #[inline(always)]
    fn match_len(&self, at: usize, seen: usize) -> Option<usize> {
        // Most repetitions are shorter than the margin
        let difference = self.after_word(at)? ^ self.after_word(seen)?;
        if difference != 0 {
            return Some((difference.trailing_zeros() as usize >> 3).wrapping_add(MIN_MATCH));
        }
        let later = self.piece.get(at.wrapping_add(MARGIN)..)?;
        let earlier = self.piece.get(seen.wrapping_add(MARGIN)..)?;
        Some(common_prefix(earlier.get(..later.len())?, later).wrapping_add(MARGIN))
    }

    /// What follows the word at `at` within the margin
    #[inline(always)]
    fn after_word(&self, at: usize) -> Option<u64> {
        let [_, _, _, _, rest @ ..] = self.load::<MARGIN>(at)?;
        Some(u64::from_le_bytes(rest))
    }

    /// The word at `at`
    #[inline(always)]
    fn word(&self, at: usize) -> Option<u32> {
        self.load(at).map(u32::from_le_bytes)
    }

    /// The `N` bytes at `at`, at most as many as the margin
    #[inline(always)]
    fn load<const N: usize>(&self, at: usize) -> Option<[u8; N]> {
        // With this one check the compiler drops the others
        if at > self.piece.len().checked_sub(MARGIN)? {
            return None;
        }
        load(self.piece, at)
    }

    /// Notes `at` as the position of `word`; returns the one noted for its hash before
    #[inline(always)]
    fn note(&mut self, word: u32, at: usize) -> Option<usize> {
        let hash = u64::from(word).wrapping_mul(0x79b1_85eb) >> 26;
        // A mask proves that the index is in the table
        let mask = self.table.len().wrapping_sub(1);
        let slot = self.table.get_mut(hash as usize & mask)?;
        Some(usize::from(mem::replace(slot, at as u16)))
    }
}

// The functions below write to the start of `out` and return the rest, `None` if it is too small. They may
// write bytes beyond their element. The next element overwrites these bytes; after the last one they stay,
// and are not a part of the block.

#[inline(always)]
fn put<const N: usize>(out: &mut [u8], bytes: [u8; N]) -> Option<&mut [u8]> {
    let (to, rest) = out.split_first_chunk_mut()?;
    *to = bytes;
    Some(rest)
}

fn varint(mut out: &mut [u8], mut value: u32) -> Option<&mut [u8]> {
    while value >= 0x80 {
        out = put(out, [value as u8 | 0x80])?;
        value >>= 7;
    }
    put(out, [value as u8])
}

/// The first `len` bytes of `data`, at least one, as a literal: one move if there are few
#[inline(always)]
fn quick_literal<'o>(out: &'o mut [u8], data: &[u8], len: usize) -> Option<&'o mut [u8]> {
    let last = len.wrapping_sub(1);
    if len <= STEP
        && let (Some([tag, to @ ..]), Some(from)) = (out.first_chunk_mut::<{ 1 + STEP }>(), data.first_chunk())
    {
        *tag = (last as u8) << 2 | LITERAL;
        *to = *from;
        return out.get_mut(len.wrapping_add(1)..);
    }
    literal(out, data.get(..len)?)
}

/// `data`, at least one byte, as a literal
// Cold, so that the callers keep their registers for what is more frequent
#[cold]
#[inline(never)]
fn literal<'o>(out: &'o mut [u8], data: &[u8]) -> Option<&'o mut [u8]> {
    let last = data.len().wrapping_sub(1);
    let out = match last {
        0..60 => put(out, [(last as u8) << 2 | LITERAL])?,
        60..256 => put(out, [60 << 2 | LITERAL, last as u8])?,
        _ => put(out, [61 << 2 | LITERAL, last as u8, (last >> 8) as u8])?,
    };
    let (to, rest) = out.split_at_mut_checked(data.len())?;
    copy_bytes(to, data);
    Some(rest)
}

/// Copies of `len` bytes together, at least four, from `offset` bytes back
#[inline(always)]
fn copy(mut out: &mut [u8], offset: usize, mut len: usize) -> Option<&mut [u8]> {
    while len >= MAX_COPY + MIN_MATCH {
        out = put(out, copy_2(offset, MAX_COPY))?;
        len = len.wrapping_sub(MAX_COPY);
    }
    if len > MAX_COPY {
        // Leaves enough for one more copy
        out = put(out, copy_2(offset, 60))?;
        len = len.wrapping_sub(60);
    }
    let mut element = copy_2(offset, len);
    let (to, _) = out.split_first_chunk_mut()?;
    let short = len < 12 && offset < 1 << 11;
    if short {
        element[0] = ((offset >> 8) as u8) << 5 | (len.wrapping_sub(MIN_MATCH) as u8) << 2 | COPY_1;
    }
    *to = element;
    out.get_mut(3usize.wrapping_sub(usize::from(short))..)
}

#[inline(always)]
fn copy_2(offset: usize, len: usize) -> [u8; 3] {
    [(len.wrapping_sub(1) as u8) << 2 | COPY_2, offset as u8, (offset >> 8) as u8]
}

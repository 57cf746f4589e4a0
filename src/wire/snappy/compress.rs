//! From data to a block: a search for repetitions, and the sink that writes what it finds

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

/// The search ends this far from the end of a piece: a repetition there would save almost
/// nothing
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
    let mut sink = Sink { free: output };
    // The bound above excludes a full sink
    elements(len, input, table, &mut sink).ok_or(OutputTooSmall)?;
    Ok(space.wrapping_sub(sink.free.len()))
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
        // After 32 failures every second position is tried, and so on: data that does not compress is
        // skipped quickly
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

    /// Copies of `len` bytes together, at least four, from `offset` bytes back
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

//! From a block to its data

use super::SnappyError::{self, BadLength, BadOffset, OutputTooSmall, TooLong, TooShort, Truncated};
use super::{LITERAL, MAX_COPY, STEP, copy_bytes};

/// Data length that a block of `size` bytes declares
///
/// `start` is the block, or at least its first five bytes.
///
/// A declared length that the rest of the block cannot make is refused, so the result is less
/// than 22 times `size`.
///
/// # Errors
///
/// [`SnappyError::BadLength`], [`SnappyError::TooShort`].
pub(crate) fn decompressed_len(start: &[u8], size: usize) -> Result<usize, SnappyError> {
    let (len, rest) = varint(start)?;
    let length_field = start.len().saturating_sub(rest.len());
    plausible(len, size.saturating_sub(length_field))
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
    let (len, src) = varint(block)?;
    Ok((plausible(len, src.len())?, src))
}

/// Declared length, unchecked, and what follows it
fn varint(block: &[u8]) -> Result<(u64, &[u8]), SnappyError> {
    let mut len = 0;
    let mut src = block;
    for shift in [0, 7, 14, 21, 28] {
        let (&byte, rest) = src.split_first().ok_or(BadLength)?;
        src = rest;
        len |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok((len, src));
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
    let rest = src.get(size..).ok_or(Truncated)?;
    let excess = 32u32.wrapping_sub((size as u32) << 3);
    Ok(((word(src) & u32::MAX.wrapping_shr(excess)) as usize, rest))
}

/// The first four bytes, with zeros for those that are missing
#[inline(always)]
fn word(src: &[u8]) -> u32 {
    match src.first_chunk() {
        Some(word) => u32::from_le_bytes(*word),
        None => short_word(src),
    }
}

#[cold]
#[inline(never)]
fn short_word(src: &[u8]) -> u32 {
    src.iter().rev().fold(0, |value, &byte| (value << 8) | u32::from(byte))
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

/// How a kind of copy is spelt
struct Form {
    /// Which bits of the word after the tag are offset
    low: u32,
    /// Which bits of the tag are the offset's high ones
    high: u8,
    /// Which bits of `tag >> 2` are the length
    len: u8,
    /// The length if those bits are zero
    shortest: u8,
}

/// By kind, of which the first is the literal
const FORMS: [Form; 4] = [
    Form { low: 0, high: 0, len: 0, shortest: 0 },
    Form { low: 0xff, high: 0xe0, len: 7, shortest: 4 },
    Form { low: 0xffff, high: 0, len: 63, shortest: 1 },
    Form { low: u32::MAX, high: 0, len: 63, shortest: 1 },
];

/// Carries out the copy with this tag; returns what follows it in the block, and where in the
/// output
#[inline(always)]
fn copy<'a>(tag: u8, src: &'a [u8], out: &mut [u8], at: usize) -> Result<(&'a [u8], usize), SnappyError> {
    // The kind of the next copy is unpredictable, so a table is much faster than a branch. The
    // number of bytes after the tag is computed, not looked up: the next element waits for it.
    let form = FORMS.get(usize::from(tag & 3)).ok_or(Truncated)?;
    let wide = word(src);
    let src = src.get(1usize << (tag & 3) >> 1..).ok_or(Truncated)?;
    let len = usize::from((tag >> 2 & form.len).wrapping_add(form.shortest));
    let offset = (wide & form.low) as usize | usize::from(tag & form.high) << 3;
    Ok((src, repeat(out, at, offset, len)?))
}

/// Writes `len` bytes at `at`, each equal to the one `offset` earlier; returns where they end
#[inline(always)]
fn repeat(out: &mut [u8], at: usize, offset: usize, len: usize) -> Result<usize, SnappyError> {
    if offset.wrapping_sub(1) >= at {
        return Err(BadOffset);
    }
    let end = at.wrapping_add(len);
    // The length is unpredictable, too: move as much as the longest copy has; later elements overwrite
    // the excess
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

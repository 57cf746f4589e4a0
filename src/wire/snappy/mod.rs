//! Raw Snappy blocks, the form of every payload after the Hellos (EIP-706)
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

mod compress;
mod decompress;
mod store;
#[cfg(test)]
mod tests;

use core::fmt;

pub(crate) use compress::{compress, max_compressed_len, max_input, table_len, used_len};
pub(crate) use decompress::{decompress, decompressed_len};
pub(crate) use store::store;

/// Length of the longest copy in one element
const MAX_COPY: usize = 64;

/// Short literals and near copies are moved in steps of this size
const STEP: usize = 16;

const LITERAL: u8 = 0;
const COPY_1: u8 = 1;
const COPY_2: u8 = 2;

/// Why a block was refused, or could not be written
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
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
            Self::BadLength => "invalid length in front of the block",
            Self::Truncated => "block ends inside an element",
            Self::BadOffset => "copy from outside of the data",
            Self::TooLong => "block makes more than it declares",
            Self::TooShort => "block makes less than it declares",
            Self::OutputTooSmall => "the output buffer is too small",
        })
    }
}

impl core::error::Error for SnappyError {}

/// `memcpy`, without the panic of `copy_from_slice`
// If it were inlined, the compiler would merge it with the moves of constant size, which are faster
// on their own
#[inline(never)]
fn copy_bytes(to: &mut [u8], from: &[u8]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to = *from;
    }
}

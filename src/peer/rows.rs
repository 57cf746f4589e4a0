//! The memory for the table of a link's protocols: the end of the caller's transmit buffer, or the heap
//!
//! A row is kept as bytes, since no other type can be put into the caller's bytes, which have no alignment.

use super::growable::GrowableRows;
use crate::invariant::must;

/// What a link keeps of one protocol
pub(super) type Row = [Word; WORDS];
/// A number, little-endian, or a name
pub(super) type Word = [u8; 8];
const WORDS: usize = 13;

/// Bytes of the rows of so many protocols
pub(super) const fn rows_len(protocols: usize) -> usize {
    size_of::<Row>().saturating_mul(protocols)
}

/// As many rows as a link has protocols, or more
#[derive(Debug)]
pub(super) enum Rows<'buf> {
    Fixed(&'buf mut [Row]),
    #[cfg_attr(not(feature = "alloc"), expect(dead_code, reason = "there is no heap"))]
    Growable(GrowableRows),
}

impl<'buf> Rows<'buf> {
    pub(super) const fn none() -> Self {
        Self::Fixed(&mut [])
    }

    #[cfg(feature = "alloc")]
    pub(super) fn growable() -> Self {
        Self::Growable(GrowableRows::default())
    }

    /// Takes rows for so many protocols from the end of `bytes`; returns the rest, too
    pub(super) fn cut(bytes: &'buf mut [u8], protocols: usize) -> (&'buf mut [u8], Self) {
        let at = bytes.len().saturating_sub(rows_len(protocols));
        let (rest, end) = must(bytes.split_at_mut_checked(at), "the rows are a part of the buffer");
        let (words, _) = end.as_chunks_mut();
        (rest, Self::Fixed(words.as_chunks_mut().0))
    }

    pub(super) fn get(&self) -> &[Row] {
        match self {
            Self::Fixed(rows) => rows,
            Self::Growable(rows) => rows.get(),
        }
    }

    pub(super) fn get_mut(&mut self) -> &mut [Row] {
        match self {
            Self::Fixed(rows) => rows,
            Self::Growable(rows) => rows.get_mut(),
        }
    }
}

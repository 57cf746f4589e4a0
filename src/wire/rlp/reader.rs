//! Reading RLP items from a slice

use super::{MAX_DEPTH, RlpError};
use crate::invariant::must;

/// A single RLP item without its header
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Item<'a> {
    /// A string of bytes
    String(&'a [u8]),
    /// A list, as the concatenation of its encoded items
    List(&'a [u8]),
}

/// A cursor over consecutive RLP items
///
/// Each method reads one item and moves past it; after an error the cursor stays where it was.
#[derive(Debug, Clone, Copy)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// A cursor at the first item in `bytes`
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Reads the next item, whatever its kind
    ///
    /// # Errors
    /// `Truncated` or `NonCanonicalLength`. The items inside a list are not checked.
    pub fn item(&mut self) -> Result<Item<'a>, RlpError> {
        let (item, rest) = split_item(self.rest)?;
        self.rest = rest;
        Ok(item)
    }

    /// Reads the next item, which must be a list, and returns a cursor over its items
    ///
    /// # Errors
    /// As for [`Reader::item`], and `ExpectedList`.
    pub fn list(&mut self) -> Result<Reader<'a>, RlpError> {
        match split_item(self.rest)? {
            (Item::List(payload), rest) => {
                self.rest = rest;
                Ok(Reader::new(payload))
            }
            (Item::String(_), _) => Err(RlpError::ExpectedList),
        }
    }

    /// Like [`Reader::list`], for a list that must be the last item
    ///
    /// # Errors
    /// As for [`Reader::list`], and `TrailingBytes`.
    pub fn only_list(mut self) -> Result<Reader<'a>, RlpError> {
        let list = self.list()?;
        self.finish()?;
        Ok(list)
    }

    /// Reads the next item, which must be a string
    ///
    /// # Errors
    /// As for [`Reader::item`], and `ExpectedString`.
    pub fn bytes(&mut self) -> Result<&'a [u8], RlpError> {
        match split_item(self.rest)? {
            (Item::String(bytes), rest) => {
                self.rest = rest;
                Ok(bytes)
            }
            (Item::List(_), _) => Err(RlpError::ExpectedString),
        }
    }

    /// Reads the next item, which must be a string of exactly `N` bytes
    ///
    /// # Errors
    /// As for [`Reader::bytes`], and `WrongLength`.
    pub fn array<const N: usize>(&mut self) -> Result<&'a [u8; N], RlpError> {
        let mut ahead = *self;
        let array = ahead.bytes()?.try_into().map_err(|_| RlpError::WrongLength)?;
        *self = ahead;
        Ok(array)
    }

    /// Reads the next item, which must be a canonical integer of at most 64 bits
    ///
    /// # Errors
    /// As for [`Reader::bytes`], `LeadingZero` and `IntegerTooLarge`.
    pub fn uint(&mut self) -> Result<u64, RlpError> {
        let mut ahead = *self;
        let bytes = ahead.bytes()?;
        if bytes.first() == Some(&0) {
            return Err(RlpError::LeadingZero);
        }
        if bytes.len() > size_of::<u64>() {
            return Err(RlpError::IntegerTooLarge);
        }
        *self = ahead;
        Ok(big_endian(bytes))
    }

    /// Moves past the next item without reading it, and returns its encoding
    ///
    /// # Errors
    /// As for [`Reader::item`].
    pub fn raw(&mut self) -> Result<&'a [u8], RlpError> {
        let start = self.rest;
        self.item()?;
        let len = start.len().saturating_sub(self.rest.len());
        Ok(must(start.get(..len), "the item lies in what was read"))
    }

    /// Checks that no item is left
    ///
    /// # Errors
    /// `TrailingBytes`.
    pub const fn finish(self) -> Result<(), RlpError> {
        if self.rest.is_empty() { Ok(()) } else { Err(RlpError::TrailingBytes) }
    }

    /// Whether no item is left
    pub const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The bytes that have not been read
    pub const fn remaining(&self) -> &'a [u8] {
        self.rest
    }

    /// Reads the next item and every item inside it, nested at most [`MAX_DEPTH`] deep
    pub(super) fn validate_item(&mut self) -> Result<(), RlpError> {
        self.validate_nested(MAX_DEPTH)
    }

    fn validate_nested(&mut self, depth: usize) -> Result<(), RlpError> {
        let Item::List(payload) = self.item()? else {
            return Ok(());
        };
        let depth = depth.checked_sub(1).ok_or(RlpError::TooDeep)?;
        let mut items = Reader::new(payload);
        while !items.is_empty() {
            items.validate_nested(depth)?;
        }
        Ok(())
    }
}

/// Splits the first item off `bytes`
fn split_item(bytes: &[u8]) -> Result<(Item<'_>, &[u8]), RlpError> {
    let (&prefix, rest) = bytes.split_first().ok_or(RlpError::Truncated)?;
    match prefix {
        0x00..=0x7f => {
            let (single, rest) = bytes.split_at_checked(1).ok_or(RlpError::Truncated)?;
            Ok((Item::String(single), rest))
        }
        0x80..=0xbf => {
            let (string, rest) = split_payload(prefix & 0x7f, 0x37, rest)?;
            match string {
                [single] if *single < 0x80 => Err(RlpError::NonCanonicalLength),
                _ => Ok((Item::String(string), rest)),
            }
        }
        0xc0..=0xff => {
            let (list, rest) = split_payload(prefix & 0x3f, 0x37, rest)?;
            Ok((Item::List(list), rest))
        }
    }
}

/// Splits off a payload whose length is `code`, or is spelt in `code - short` bytes
fn split_payload(code: u8, short: u8, rest: &[u8]) -> Result<(&[u8], &[u8]), RlpError> {
    let (len, rest) = match code.checked_sub(short) {
        None | Some(0) => (usize::from(code), rest),
        Some(size) => {
            let (spelt, rest) = rest.split_at_checked(usize::from(size)).ok_or(RlpError::Truncated)?;
            let len = big_endian(spelt);
            if spelt.first() == Some(&0) || len <= u64::from(short) {
                return Err(RlpError::NonCanonicalLength);
            }
            (usize::try_from(len).map_err(|_| RlpError::Truncated)?, rest)
        }
    };
    rest.split_at_checked(len).ok_or(RlpError::Truncated)
}

/// The integer that at most eight big-endian bytes spell
fn big_endian(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |value, byte| (value << 8) | u64::from(*byte))
}

//! Checked RLP over slices: a [`Reader`] that refuses every non-canonical form, and a [`Writer`]
//!
//! Both work without an allocator, so that a subprotocol on a microcontroller is written the same
//! way as one on a server:
//!
//! ```
//! use devp2p_proto::rlp::{Reader, RlpError, Writer};
//!
//! let mut buffer = [0; 64];
//! let mut writer = Writer::new(&mut buffer);
//! writer.list(|list| {
//!     list.uint(68);
//!     list.bytes(b"genesis");
//! });
//! let message = writer.finish()?;
//!
//! let mut list = Reader::new(message).only_list()?;
//! assert_eq!(list.uint()?, 68);
//! assert_eq!(list.bytes()?, b"genesis");
//! list.finish()?;
//! # Ok::<(), RlpError>(())
//! ```
//!
//! Source: the RLP section of Ethereum's Yellow Paper, appendix B. Canonical means: the shortest
//! form of every length, no leading zero in an integer or a length, and a single byte below 0x80 as
//! itself.

use core::fmt;

/// Why bytes are not the canonical RLP that was expected
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum RlpError {
    /// An item ends beyond the bytes that are there
    Truncated,
    /// Bytes follow where the item or list should have ended
    TrailingBytes,
    /// A string stands where a list is expected
    ExpectedList,
    /// A list stands where a string is expected
    ExpectedString,
    /// A length or a single byte is not in its shortest form
    NonCanonicalLength,
    /// An integer has a leading zero
    LeadingZero,
    /// An integer is larger than the type that is to hold it
    IntegerTooLarge,
    /// A string has another length than the field allows
    WrongLength,
    /// Lists are nested deeper than [`MAX_DEPTH`]
    TooDeep,
    /// The writer's buffer is too small
    BufferFull,
}

impl fmt::Display for RlpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Truncated => "item is truncated",
            Self::TrailingBytes => "unexpected bytes after the item",
            Self::ExpectedList => "expected a list",
            Self::ExpectedString => "expected a string",
            Self::NonCanonicalLength => "length is not canonical",
            Self::LeadingZero => "integer has a leading zero",
            Self::IntegerTooLarge => "integer is too large",
            Self::WrongLength => "string has the wrong length",
            Self::TooDeep => "lists are nested too deeply",
            Self::BufferFull => "buffer is full",
        })
    }
}

impl core::error::Error for RlpError {}

/// How deep lists may be nested in what [`validate`] accepts
pub const MAX_DEPTH: usize = 32;

/// Checks that `bytes` are exactly one canonical RLP item, at every level
///
/// Bounded: lists nest at most [`MAX_DEPTH`] deep, and the work is linear in the length of `bytes`.
///
/// # Errors
/// The first deviation from canonical RLP, reading from the left.
pub fn validate(bytes: &[u8]) -> Result<(), RlpError> {
    let mut reader = Reader::new(bytes);
    reader.validate_item(MAX_DEPTH)?;
    reader.finish()
}

/// Decodes `bytes`, which must be exactly one canonical item, by the `rlp` crate
///
/// # Errors
/// What [`validate`] finds, since the `rlp` crate by itself takes trailing bytes and some malformed
/// items in silence; then what the type's own decoder finds.
#[cfg(feature = "alloc")]
pub fn decode<T: ::rlp::Decodable>(bytes: &[u8]) -> Result<T, ::rlp::DecoderError> {
    use ::rlp::DecoderError;
    validate(bytes).map_err(|error| match error {
        RlpError::TrailingBytes => DecoderError::RlpIsTooBig,
        RlpError::Truncated => DecoderError::RlpIsTooShort,
        RlpError::TooDeep => DecoderError::Custom("lists are nested too deeply"),
        _ => DecoderError::RlpInvalidIndirection,
    })?;
    ::rlp::decode(bytes)
}

/// A single RLP item, its header taken off
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
    /// `Truncated` or `NonCanonicalLength`. The items inside a list are not looked at.
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

    /// Moves past the next item without looking at it, and returns its encoding
    ///
    /// # Errors
    /// As for [`Reader::item`].
    pub fn raw(&mut self) -> Result<&'a [u8], RlpError> {
        let start = self.rest;
        self.item()?;
        let len = start.len().saturating_sub(self.rest.len());
        Ok(start.get(..len).unwrap_or_default())
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

    fn validate_item(&mut self, depth: usize) -> Result<(), RlpError> {
        let Item::List(payload) = self.item()? else {
            return Ok(());
        };
        let depth = depth.checked_sub(1).ok_or(RlpError::TooDeep)?;
        let mut items = Reader::new(payload);
        while !items.is_empty() {
            items.validate_item(depth)?;
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

/// Writes RLP items into a slice
///
/// An overflow is remembered and told once, by [`Writer::finish`], so that what writes a message
/// need not check every field.
#[derive(Debug)]
pub struct Writer<'a> {
    buffer: &'a mut [u8],
    len: usize,
    full: bool,
}

impl<'a> Writer<'a> {
    /// A writer at the start of `buffer`
    pub const fn new(buffer: &'a mut [u8]) -> Self {
        Self { buffer, len: 0, full: false }
    }

    /// Writes a string
    pub fn bytes(&mut self, bytes: &[u8]) {
        match bytes {
            [single] if *single < 0x80 => {}
            _ => self.header(0x80, bytes.len()),
        }
        self.raw(bytes);
    }

    /// Writes an integer
    pub fn uint(&mut self, value: u64) {
        let spelt = value.to_be_bytes();
        let zeros = usize::try_from(value.leading_zeros() / 8).unwrap_or_default();
        self.bytes(spelt.get(zeros..).unwrap_or_default());
    }

    /// Writes a list of whatever `items` writes
    ///
    /// The header is put in front once the length is known, so a list costs one move of its bytes.
    pub fn list(&mut self, items: impl FnOnce(&mut Self)) {
        let start = self.len;
        items(self);
        let payload = self.len.saturating_sub(start);
        self.header(0xc0, payload);
        let Some(list) = self.buffer.get_mut(start..self.len) else {
            return;
        };
        if payload <= list.len() {
            list.rotate_left(payload);
        }
    }

    /// Writes bytes that are RLP already
    pub fn raw(&mut self, bytes: &[u8]) {
        let end = self.len.saturating_add(bytes.len());
        match self.buffer.get_mut(self.len..end) {
            Some(target) if !self.full => {
                super::copy(target, bytes);
                self.len = end;
            }
            _ => self.full = true,
        }
    }

    /// What has been written
    ///
    /// # Errors
    /// `BufferFull` if anything did not fit.
    pub fn finish(self) -> Result<&'a [u8], RlpError> {
        match self.buffer.get(..self.len) {
            Some(written) if !self.full => Ok(written),
            _ => Err(RlpError::BufferFull),
        }
    }

    fn header(&mut self, base: u8, len: usize) {
        match u8::try_from(len) {
            Ok(short @ 0..=0x37) => self.raw(&[base.wrapping_add(short)]),
            _ => {
                let spelt = len.to_be_bytes();
                let zeros = usize::try_from(len.leading_zeros() / 8).unwrap_or_default();
                let digits = spelt.get(zeros..).unwrap_or_default();
                let size = u8::try_from(digits.len()).unwrap_or_default();
                self.raw(&[base.wrapping_add(0x37).wrapping_add(size)]);
                self.raw(digits);
            }
        }
    }
}

/// How many bytes an integer takes when written
pub const fn uint_len(value: u64) -> usize {
    match value {
        0..=0x7f => 1,
        _ => 9_usize.saturating_sub((value.leading_zeros() / 8) as usize),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::vec::Vec;

    #[test]
    fn non_canonical_forms_are_named() {
        for (bytes, error) in [
            (&[][..], RlpError::Truncated),
            (&[0x81], RlpError::Truncated),
            (&[0x81, 0x05], RlpError::NonCanonicalLength),
            (&[0xb8, 0x37], RlpError::NonCanonicalLength),
            (&[0xb9, 0x00, 0x40], RlpError::NonCanonicalLength),
            (&[0xf8, 0x37], RlpError::NonCanonicalLength),
            (&[0xbf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], RlpError::Truncated),
            (&[0xc2, 0x01], RlpError::Truncated),
            (&[0xc2, 0x82, 0x01], RlpError::Truncated),
            (&[0xc0, 0xc0], RlpError::TrailingBytes),
        ] {
            assert_eq!(validate(bytes), Err(error), "{bytes:02x?}");
        }
    }

    #[test]
    fn integers_are_canonical_or_refused() {
        for (bytes, value) in [
            (&[0x80][..], Ok(0)),
            (&[0x01], Ok(1)),
            (&[0x7f], Ok(0x7f)),
            (&[0x81, 0x80], Ok(0x80)),
            (&[0x82, 0x01, 0x00], Ok(0x100)),
            (&[0x88, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], Ok(u64::MAX)),
            (&[0x89, 1, 0, 0, 0, 0, 0, 0, 0, 0], Err(RlpError::IntegerTooLarge)),
            (&[0x00], Err(RlpError::LeadingZero)),
            (&[0x82, 0x00, 0x01], Err(RlpError::LeadingZero)),
            (&[0xc0], Err(RlpError::ExpectedString)),
        ] {
            assert_eq!(Reader::new(bytes).uint(), value, "{bytes:02x?}");
        }
    }

    #[test]
    fn nesting_is_bounded() {
        assert_eq!(validate(&nested(MAX_DEPTH)), Ok(()));
        assert_eq!(validate(&nested(MAX_DEPTH + 1)), Err(RlpError::TooDeep));
        assert_eq!(validate(&nested(1_000)), Err(RlpError::TooDeep));
    }

    /// `depth` lists, each in the one before
    fn nested(depth: usize) -> Vec<u8> {
        let mut buffer = std::vec![0; depth * 4];
        let mut writer = Writer::new(&mut buffer);
        fn nest(writer: &mut Writer<'_>, depth: usize) {
            writer.list(|list| {
                if depth > 1 {
                    nest(list, depth - 1);
                }
            });
        }
        nest(&mut writer, depth);
        writer.finish().unwrap().to_vec()
    }

    #[test]
    fn a_failed_read_moves_nothing() {
        let mut reader = Reader::new(&[0x82, 0x00, 0x01]);
        assert_eq!(reader.uint(), Err(RlpError::LeadingZero));
        assert_eq!(reader.array::<3>(), Err(RlpError::WrongLength));
        assert!(matches!(reader.list(), Err(RlpError::ExpectedList)));
        assert_eq!(reader.bytes(), Ok(&[0x00, 0x01][..]));
    }

    #[test]
    fn an_overflow_is_told_at_the_end() {
        let mut buffer = [0; 4];
        let mut writer = Writer::new(&mut buffer);
        writer.list(|list| list.bytes(b"four"));
        assert_eq!(writer.finish(), Err(RlpError::BufferFull));
    }

    /// A tree of items, to be written by the `rlp` crate and by ours
    #[derive(Debug, Clone)]
    enum Tree {
        Bytes(Vec<u8>),
        Uint(u64),
        List(Vec<Tree>),
    }

    impl rlp::Encodable for Tree {
        fn rlp_append(&self, stream: &mut rlp::RlpStream) {
            match self {
                Self::Bytes(bytes) => bytes.rlp_append(stream),
                Self::Uint(value) => value.rlp_append(stream),
                Self::List(items) => _ = stream.append_list::<Tree, Tree>(items),
            }
        }
    }

    impl Tree {
        fn write(&self, writer: &mut Writer<'_>) {
            match self {
                Self::Bytes(bytes) => writer.bytes(bytes),
                Self::Uint(value) => writer.uint(*value),
                Self::List(items) => writer.list(|list| items.iter().for_each(|item| item.write(list))),
            }
        }

        fn check(&self, reader: &mut Reader<'_>) {
            match self {
                Self::Bytes(bytes) => assert_eq!(reader.bytes(), Ok(&bytes[..])),
                Self::Uint(value) => assert_eq!(reader.uint(), Ok(*value)),
                Self::List(items) => {
                    let mut list = reader.list().unwrap();
                    items.iter().for_each(|item| item.check(&mut list));
                    list.finish().unwrap();
                }
            }
        }
    }

    fn tree() -> impl Strategy<Value = Tree> {
        let leaf = prop_oneof![
            prop::collection::vec(any::<u8>(), 0..80).prop_map(Tree::Bytes),
            any::<u64>().prop_map(Tree::Uint),
            (0u64..300).prop_map(Tree::Uint),
        ];
        leaf.prop_recursive(4, 64, 8, |inner| prop::collection::vec(inner, 0..8).prop_map(Tree::List))
    }

    proptest! {
        #[test]
        fn writes_what_the_rlp_crate_writes_and_reads_it_back(tree in tree()) {
            let oracle = rlp::encode(&tree);
            let mut buffer = std::vec![0; oracle.len()];
            let mut writer = Writer::new(&mut buffer);
            tree.write(&mut writer);
            let written = writer.finish().unwrap();
            prop_assert_eq!(written, &oracle[..]);
            prop_assert_eq!(validate(written), Ok(()));
            let mut reader = Reader::new(written);
            tree.check(&mut reader);
            prop_assert!(reader.is_empty());
        }

        #[test]
        fn what_is_accepted_is_the_canonical_form(bytes in prop::collection::vec(any::<u8>(), 0..12)) {
            if validate(&bytes).is_ok() {
                let mut buffer = std::vec![0; bytes.len()];
                let mut writer = Writer::new(&mut buffer);
                rewrite(&mut Reader::new(&bytes), &mut writer);
                prop_assert_eq!(writer.finish(), Ok(&bytes[..]));
            }
        }

        #[test]
        fn an_integer_takes_as_many_bytes_as_announced(value in prop_oneof![any::<u64>(), 0u64..0x200]) {
            let mut buffer = [0; 9];
            let mut writer = Writer::new(&mut buffer);
            writer.uint(value);
            prop_assert_eq!(writer.finish().unwrap().len(), uint_len(value));
        }
    }

    fn rewrite(reader: &mut Reader<'_>, writer: &mut Writer<'_>) {
        while !reader.is_empty() {
            match reader.item().unwrap() {
                Item::String(bytes) => writer.bytes(bytes),
                Item::List(payload) => writer.list(|list| rewrite(&mut Reader::new(payload), list)),
            }
        }
    }
}

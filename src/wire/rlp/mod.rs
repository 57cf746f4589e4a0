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

mod reader;
#[cfg(test)]
mod tests;
mod writer;

use core::fmt;

pub use reader::{Item, Reader};
pub use writer::{Writer, uint_len};

/// Why bytes are not the canonical RLP that was expected
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
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

/// The deepest nesting of lists that [`validate`] accepts
pub const MAX_DEPTH: usize = 32;

/// Checks that `bytes` are exactly one canonical RLP item, at every level
///
/// Bounded: lists nest at most [`MAX_DEPTH`] deep, and the work is linear in the length of `bytes`.
///
/// # Errors
/// The first deviation from canonical RLP, reading from the left.
pub fn validate(bytes: &[u8]) -> Result<(), RlpError> {
    let mut reader = Reader::new(bytes);
    reader.validate_item()?;
    reader.finish()
}

/// Decodes `bytes`, which must be exactly one canonical item, by the `rlp` crate
///
/// # Errors
/// The error of [`validate`], since the `rlp` crate by itself accepts trailing bytes and some
/// malformed items; then the error of the type's own decoder.
#[cfg(feature = "rlp")]
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

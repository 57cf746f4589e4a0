//! A payload as it is handed out

use core::fmt;
use core::ops::{Deref, Range};

use super::growable::Growable;
use crate::invariant::must;

/// The payload of a message from the peer
///
/// Derefs to the bytes. Under `alloc` it converts into `bytes::Bytes`, under `rlp` it decodes into any
/// `rlp::Decodable`. Prints its length only.
pub struct Payload<'a> {
    source: Source<'a>,
    wire_len: usize,
}

/// Where a payload is
enum Source<'a> {
    Slice(&'a [u8]),
    /// A part of a buffer that can be handed over
    Buffer {
        buffer: &'a mut Growable,
        part: Range<usize>,
    },
}

impl<'a> Payload<'a> {
    pub(super) const fn slice(bytes: &'a [u8], wire_len: usize) -> Self {
        Self { source: Source::Slice(bytes), wire_len }
    }

    pub(super) const fn buffer(buffer: &'a mut Growable, part: Range<usize>, wire_len: usize) -> Self {
        Self { source: Source::Buffer { buffer, part }, wire_len }
    }

    /// How many bytes the message took on the wire, as a frame and compressed
    pub const fn wire_len(&self) -> usize {
        self.wire_len
    }

    /// Takes the payload out of the link
    ///
    /// A growable buffer hands over its memory without a copy, and the link uses the memory again once
    /// all its `Bytes` are dropped. The payload is copied if it would hold more memory than twice its own
    /// length plus 4 KiB, and if it is in the caller's buffers.
    #[cfg(feature = "alloc")]
    pub fn into_bytes(self) -> bytes::Bytes {
        match self.source {
            Source::Slice(bytes) => bytes::Bytes::copy_from_slice(bytes),
            Source::Buffer { buffer, part } => buffer.give(part),
        }
    }

    /// Decodes the payload
    ///
    /// # Errors
    /// As for [`rlp::decode`](crate::rlp::decode).
    #[cfg(feature = "rlp")]
    pub fn decode<T: rlp::Decodable>(&self) -> Result<T, rlp::DecoderError> {
        crate::wire::rlp::decode(self)
    }
}

#[cfg(feature = "alloc")]
impl From<Payload<'_>> for bytes::Bytes {
    fn from(payload: Payload<'_>) -> Self {
        payload.into_bytes()
    }
}

impl Deref for Payload<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.source {
            Source::Slice(bytes) => bytes,
            Source::Buffer { buffer, part } => must(buffer.bytes().get(part.clone()), "the payload is in the buffer"),
        }
    }
}

impl AsRef<[u8]> for Payload<'_> {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl fmt::Debug for Payload<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Payload({} bytes)", self.len())
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Payload<'_> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "Payload({} bytes)", self.len());
    }
}

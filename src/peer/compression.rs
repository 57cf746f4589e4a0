//! How payloads are encoded

use crate::p2p::hello;
use crate::wire::snappy::{self, SnappyError};

/// How the payloads on a link are encoded (EIP-706)
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compression {
    None,
    Snappy,
}

impl Compression {
    /// The encoding with a peer of this version of the base protocol
    pub(super) const fn with_version(version: u64) -> Self {
        if version >= hello::SNAPPY_VERSION { Self::Snappy } else { Self::None }
    }

    /// The length of the payload that an encoding claims; the encoding has `size` bytes and begins with `start`
    pub(super) fn payload_len(self, start: &[u8], size: usize) -> Result<usize, SnappyError> {
        match self {
            Self::None => Ok(size),
            Self::Snappy => snappy::decompressed_len(start, size),
        }
    }

    /// The most that a payload of `len` bytes takes
    pub(super) const fn max_len(self, len: usize) -> usize {
        match self {
            Self::None => len,
            Self::Snappy => snappy::max_compressed_len(len),
        }
    }

    /// The longest payload that always fits into `len` bytes, `None` if not even an empty one does
    pub(super) const fn max_input(self, len: usize) -> Option<usize> {
        match self {
            Self::None => Some(len),
            Self::Snappy if len < snappy::max_compressed_len(0) => None,
            Self::Snappy => Some(snappy::max_input(len)),
        }
    }
}

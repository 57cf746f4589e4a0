//! What becomes of a message of a protocol: it is taken, skipped, or a violation
//!
//! The verdict depends only on the start of a body and on its size. A body that is larger than any body of the base
//! protocol is judged twice:
//!
//! > When its first block has come: the body is stored if its message will be taken. Of any other body only the MAC
//! > is computed. The first block is not authenticated yet, so nothing else follows from it.
//! >
//! > When the MAC of the whole body is right: now the verdict takes effect.

use super::compression::Compression;
use super::config::Larger;
use super::limits::{MAX_MESSAGE, max_body};
use super::protocols::{Protocols, Route};
use crate::p2p::message::{self, BASE_LENGTH};
use crate::protocol::ProtocolId;
use crate::violation::Violation;

/// What becomes of a message that is no violation
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Its payload will have `len` bytes, which its limit permits
    Take { protocol: ProtocolId, code: u64, len: usize },
    /// Its payload would have `len` bytes, as the peer claims
    Skip { protocol: ProtocolId, code: u64, len: usize },
}

/// Judges a body of `size` bytes that begins with `start`: its first block, or all of it
///
/// A message of the base protocol is not judged here, unless its body is too large for one.
pub(super) fn judge(
    start: &[u8],
    size: usize,
    protocols: &Protocols<'_>,
    compression: Compression,
) -> Result<Verdict, Violation> {
    let (id, payload) = message::split(start)?;
    if id < BASE_LENGTH {
        return Err(Violation::FrameTooLarge { size });
    }
    let Route { protocol, code, limit, larger } = protocols.route(id)?;
    // The largest payload that is read, even if it is not taken.
    let read = match larger {
        Larger::Refused => limit,
        Larger::Skipped => MAX_MESSAGE,
    };
    if size > max_body(read) {
        return Err(Violation::FrameTooLarge { size });
    }
    let encoded = size.saturating_sub(start.len()).saturating_add(payload.len());
    let len = compression.payload_len(payload, encoded).map_err(Violation::MalformedCompression)?;
    if len > read {
        Err(Violation::PayloadTooLarge { size: len })
    } else if len <= limit && size <= max_body(limit) {
        Ok(Verdict::Take { protocol, code, len })
    } else if size <= max_body(len) {
        Ok(Verdict::Skip { protocol, code, len })
    } else {
        Err(Violation::FrameTooLarge { size })
    }
}

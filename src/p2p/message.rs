//! Message ids, and the messages that carry nothing

use crate::error::Violation;
use crate::wire::rlp::{self, Reader, RlpError};

/// Ids below this belong to the base protocol, shared protocols begin here
pub(crate) const BASE_LENGTH: u64 = 0x10;

/// The most bytes that a payload of the base protocol may have, in every client
pub(crate) const MAX_BASE_PAYLOAD: usize = 2048;

/// The most bytes that a message id takes
pub(crate) const MAX_ID_LEN: usize = rlp::uint_len(u64::MAX);

pub(crate) const HELLO: u64 = 0;
pub(crate) const DISCONNECT: u64 = 1;
pub(crate) const PING: u64 = 2;
pub(crate) const PONG: u64 = 3;

/// The payload of Ping and Pong: an empty list
pub(crate) const EMPTY_LIST: [u8; 1] = [0xc0];

/// Splits the body of a frame into message id and payload
pub(crate) fn split(body: &[u8]) -> Result<(u64, &[u8]), Violation> {
    if body.is_empty() {
        return Err(Violation::EmptyFrame);
    }
    let mut reader = Reader::new(body);
    let id = reader.uint().map_err(Violation::MalformedMessageId)?;
    Ok((id, reader.remaining()))
}

/// Checks the payload of a Ping or Pong: an item whose content does not matter, or nothing at all
pub(crate) fn check_empty(payload: &[u8]) -> Result<(), RlpError> {
    if payload.is_empty() { Ok(()) } else { rlp::validate(payload) }
}

//! The messages of the base protocol, and message ids

use crate::invariant::must;
use crate::violation::Violation;
use crate::wire::rlp::{self, Reader, RlpError};
use crate::wire::snappy;

/// Ids below this belong to the base protocol; the ids of shared protocols begin here
pub(crate) const BASE_LENGTH: u64 = 0x10;

/// The most bytes that a payload of the base protocol may have, in every client
pub(crate) const MAX_BASE_PAYLOAD: usize = 2048;

/// The largest body of a frame of the base protocol
pub(crate) const MAX_BASE_BODY: usize = 1 + MAX_BASE_PAYLOAD;

/// The most bytes that a message id takes
pub(crate) const MAX_ID_LEN: usize = rlp::uint_len(u64::MAX);

/// The payload of Ping and Pong: an empty list
pub(crate) const EMPTY_LIST: [u8; 1] = [0xc0];

/// The messages of the base protocol; the other ids below [`BASE_LENGTH`] are reserved
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(crate) enum Base {
    Hello,
    Disconnect,
    Ping,
    Pong,
}

/// What the link has to know of a message of the base protocol
pub(crate) struct Row {
    message: Base,
    id: u64,
    /// The largest payload of ours for which the transmit buffer keeps capacity free
    ///
    /// Hello has none, since it leaves before messages of protocols are taken. At most one message of
    /// each other kind is unsent at a time.
    reserved: Option<usize>,
}

/// The messages of the base protocol in the order of [`Base`]: a new one is a variant there and a row here
pub(crate) const TABLE: &[Row] = &[
    Row { message: Base::Hello, id: 0, reserved: None },
    Row { message: Base::Disconnect, id: 1, reserved: Some(super::disconnect::MAX_LEN) },
    Row { message: Base::Ping, id: 2, reserved: Some(EMPTY_LIST.len()) },
    Row { message: Base::Pong, id: 3, reserved: Some(EMPTY_LIST.len()) },
];

impl Row {
    /// The length of the largest body for which capacity is kept free, at the worst compression of Snappy
    pub(crate) const fn reserved_body(&self) -> Option<usize> {
        match self.reserved {
            Some(payload) => Some(rlp::uint_len(self.id).saturating_add(snappy::max_compressed_len(payload))),
            None => None,
        }
    }
}

impl Base {
    /// The message with this id, `None` if the id is reserved
    pub(crate) fn from_id(id: u64) -> Option<Self> {
        TABLE.iter().find(|row| row.id == id).map(|row| row.message)
    }

    pub(crate) fn id(self) -> u64 {
        must(TABLE.get(self as usize).map(|row| row.id), "every message has a row")
    }
}

/// Splits the body of a frame, or the start of one, into message id and payload
///
/// A string that is too long for an id, and a list, are refused by their first byte, so that the start of a body and
/// the whole body give the same error.
pub(crate) fn split(body: &[u8]) -> Result<(u64, &[u8]), Violation> {
    let malformed = |error| Err(Violation::MalformedMessageId(error));
    match body {
        [] => return Err(Violation::EmptyFrame),
        [LONGER_STRING..LIST, ..] => return malformed(RlpError::IntegerTooLarge),
        [LIST..=u8::MAX, ..] => return malformed(RlpError::ExpectedString),
        _ => {}
    }
    let mut reader = Reader::new(body);
    let id = reader.uint().map_err(Violation::MalformedMessageId)?;
    Ok((id, reader.remaining()))
}

/// The first byte of a string that is longer than an id, and the first byte of a list, in RLP
const LONGER_STRING: u8 = 0x80 + MAX_ID_LEN as u8;
const LIST: u8 = 0xc0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_message_stands_in_its_row() {
        for (index, row) in TABLE.iter().enumerate() {
            assert_eq!(row.message as usize, index);
            assert_eq!(row.message.id(), row.id);
            assert_eq!(Base::from_id(row.id), Some(row.message));
            assert_eq!(row.reserved.is_none(), row.message == Base::Hello, "a running link sends it");
        }
        assert_eq!(Base::from_id(TABLE.len() as u64), None);
    }

    /// The message id, the payload, and the 7 bytes that Snappy may add
    #[test]
    fn the_bodies_for_which_capacity_is_kept_free() {
        let bodies: std::vec::Vec<_> = TABLE.iter().map(Row::reserved_body).collect();
        assert_eq!(bodies, [None, Some(1 + 10 + 7), Some(1 + 1 + 7), Some(1 + 1 + 7)]);
    }

    #[test]
    fn a_body_begins_with_its_message_id() {
        assert_eq!(split(&[0x82, 0x01, 0x00, 7, 8]), Ok((0x100, &[7, 8][..])));
        assert_eq!(split(&[0x80]), Ok((0, &[][..])));
        assert_eq!(split(&[]), Err(Violation::EmptyFrame));
        assert_eq!(split(&[0x00]), Err(Violation::MalformedMessageId(rlp::RlpError::LeadingZero)));
        let largest = [0x88, 1, 2, 3, 4, 5, 6, 7, 8, 9];
        assert_eq!(split(&largest), Ok((0x0102_0304_0506_0708, &[9][..])));
        for (first, error) in [
            (0x88, RlpError::Truncated),
            (0x89, RlpError::IntegerTooLarge),
            (0xbf, RlpError::IntegerTooLarge),
            (0xc0, RlpError::ExpectedString),
            (0xff, RlpError::ExpectedString),
        ] {
            assert_eq!(split(&[first]), Err(Violation::MalformedMessageId(error)), "{first:#x}");
        }
    }
}

//! Disconnect (rlpx.md §Disconnect)

use crate::invariant::must;
use crate::reason::DisconnectReason;
use crate::wire::rlp::{Item, Reader, RlpError, Writer};

/// The most bytes that an encoded Disconnect takes
pub(crate) const MAX_LEN: usize = 10;

/// Writes the payload as the specification has it: a list of the reason
pub(crate) fn encode(reason: DisconnectReason, out: &mut [u8; MAX_LEN]) -> &[u8] {
    let mut writer = Writer::new(out);
    writer.list(|list| list.uint(reason.code()));
    must(writer.finish().ok(), "a reason fits into its buffer")
}

/// Reads the payload in every form that clients send: `[reason]`, `[]`, a bare integer, or nothing
///
/// A missing reason reads as `REQUESTED`, and a number beyond 64 bits as the largest that fits.
pub(crate) fn decode(payload: &[u8]) -> Result<DisconnectReason, RlpError> {
    if payload.is_empty() {
        return Ok(DisconnectReason::REQUESTED);
    }
    let mut reader = Reader::new(payload);
    let item = reader.item()?;
    reader.finish()?;
    match item {
        Item::String(bytes) => integer(bytes),
        Item::List([]) => Ok(DisconnectReason::REQUESTED),
        Item::List(items) => integer(Reader::new(items).bytes()?),
    }
}

/// An integer in any form; leading zeros are accepted
fn integer(bytes: &[u8]) -> Result<DisconnectReason, RlpError> {
    let code = bytes.iter().fold(0_u64, |code, byte| match code.checked_mul(0x100) {
        Some(code) => code | u64::from(*byte),
        None => u64::MAX,
    });
    Ok(DisconnectReason::from_code(code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_understood() {
        for (payload, reason) in [
            (&[][..], DisconnectReason::REQUESTED),
            (&[0xc0], DisconnectReason::REQUESTED),
            (&[0x80], DisconnectReason::REQUESTED),
            (&[0x00], DisconnectReason::REQUESTED),
            (&[0x04], DisconnectReason::TOO_MANY_PEERS),
            (&[0xc1, 0x04], DisconnectReason::TOO_MANY_PEERS),
            (&[0xc1, 0x80], DisconnectReason::REQUESTED),
            (&[0xc1, 0x00], DisconnectReason::REQUESTED),
            (&[0xc2, 0x08, 0xc0], DisconnectReason::CLIENT_QUITTING),
            (&[0xc1, 0x10], DisconnectReason::SUBPROTOCOL),
            (&[0xc2, 0x81, 0xff], DisconnectReason::from_code(0xff)),
            (&[0x8a, 1, 0, 0, 0, 0, 0, 0, 0, 0, 5], DisconnectReason::from_code(u64::MAX)),
        ] {
            assert_eq!(decode(payload), Ok(reason), "{payload:02x?}");
        }
    }

    #[test]
    fn other_bytes_are_an_error() {
        for payload in [&[0xc1][..], &[0x04, 0x04], &[0xc1, 0xc0], &[0xff], &[0x81, 0x04]] {
            assert!(decode(payload).is_err(), "{payload:02x?}");
        }
    }

    #[test]
    fn ours_is_a_list_and_reads_back() {
        for code in (0..0x200).chain([u64::MAX]) {
            let mut out = [0; MAX_LEN];
            let payload = encode(DisconnectReason::from_code(code), &mut out);
            assert!(payload[0] >= 0xc0);
            assert_eq!(decode(payload), Ok(DisconnectReason::from_code(code)));
        }
    }
}

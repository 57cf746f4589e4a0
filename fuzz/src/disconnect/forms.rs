//! The payload of a Disconnect, and what it means

use rlp::Rlp;

use crate::input::Input;
use crate::items::{list, string};

/// A payload of some form
#[derive(Debug)]
pub(super) struct Form {
    pub(super) payload: Vec<u8>,
    /// The reason in the payload; `Some(None)` if it has none, `None` if its form does not determine that
    pub(super) meaning: Option<Option<u64>>,
}

impl Form {
    pub(super) fn from_input(input: &mut Input<'_>) -> Self {
        let form = input.byte();
        let digits = digits(input);
        let reason = string(&digits);
        let said = Some(number(&digits));
        let (payload, meaning) = match form % 16 {
            0 | 1 => (list(&reason), said),
            2 => (reason, said),
            3 => (list(&[]), Some(0)),
            4 => (Vec::new(), Some(0)),
            // What follows the reason in the list is ignored, whatever it is.
            5 => (list(&[&reason, input.bytes()].concat()), said),
            6 => (list(&[&reason[..], &string(&vec![form; usize::from(input.u16() % 2200)])].concat()), said),
            7 => (list(&[&reason[..], &list(&reason)].concat()), said),
            8 => (list(&list(&reason)), None),
            9 => (list(&list(&[])), None),
            10 => ([&list(&reason)[..], &[input.byte()]].concat(), None),
            11 => ([&reason[..], &reason].concat(), None),
            12 => (vec![0xf8, 0x01, digits.first().map_or(0x80, |digit| digit & 0x7f)], None),
            13 => (list(&[0x81, form & 0x7f]), None),
            // The list claims one byte more than there is, and its reason may claim too many bytes as well.
            14 => (vec![0xc2, form], None),
            _ => return Self { payload: input.bytes().to_vec(), meaning: None },
        };
        Self { payload, meaning: Some(meaning) }
    }
}

/// The bytes of an integer, with leading zeros, or of more than 64 bits
fn digits(input: &mut Input<'_>) -> Vec<u8> {
    let byte = input.byte();
    match input.byte() % 8 {
        0..=2 => vec![byte],
        3 => Vec::new(),
        4 => vec![0, byte],
        5 => [vec![0; usize::from(byte % 70)], input.bytes().to_vec()].concat(),
        6 => vec![0xff; usize::from(byte % 12)],
        _ => [&[byte], input.bytes()].concat(),
    }
}

/// The integer of these bytes, and the largest of 64 bits for larger ones
fn number(digits: &[u8]) -> u64 {
    let zeros = digits.iter().take_while(|digit| **digit == 0).count();
    let significant = &digits[zeros..];
    if significant.len() > 8 {
        return u64::MAX;
    }
    let mut bytes = [0; 8];
    bytes[8 - significant.len()..].copy_from_slice(significant);
    u64::from_be_bytes(bytes)
}

/// The reason in a payload that is not compressed, by the crate `rlp`; `None` if it has none of the known forms
pub(super) fn read(payload: &[u8]) -> Option<u64> {
    if payload.is_empty() {
        return Some(0);
    }
    let item = Rlp::new(payload);
    item.payload_info().ok().filter(|info| info.total() == payload.len())?;
    let reason = match item.data() {
        Ok([]) if item.is_list() => return Some(0),
        _ if item.is_list() => item.at(0).ok()?,
        _ => item,
    };
    reason.as_val::<Vec<u8>>().ok().map(|digits| number(&digits))
}

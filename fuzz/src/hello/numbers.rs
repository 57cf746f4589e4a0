//! Items in the place of a number in a Hello

use devp2p_proto::rlp::RlpError;

use crate::input::Input;
use crate::items;

/// An item, and its fault in a place where the specification requires an integer
type Malformed = (&'static [u8], RlpError);

const MALFORMED: [Malformed; 8] = [
    (&[0x82, 0x00, 0x05], RlpError::LeadingZero),
    (&[0x00], RlpError::LeadingZero),
    (&[0x89, 1, 0, 0, 0, 0, 0, 0, 0, 0], RlpError::IntegerTooLarge),
    (&[0xc0], RlpError::ExpectedString),
    (&[0xc1, 0x05], RlpError::ExpectedString),
    (&[0x81, 0x05], RlpError::NonCanonicalLength),
    (&[0xb8, 0x01, 0x85], RlpError::NonCanonicalLength),
    (&[0x89, 0, 0, 0, 0, 0, 0, 0, 0, 5], RlpError::LeadingZero),
];

/// One of the usual numbers, any number, or an item that is not a number; returns its encoding too
pub(super) fn number(input: &mut Input<'_>, usual: &[u64], malformed: &mut Vec<RlpError>) -> (u64, Vec<u8>) {
    let value = match input.byte() {
        0xf8.. => {
            let (item, error) = input.pick(&MALFORMED);
            malformed.push(error);
            return (0, item.to_vec());
        }
        0xe0.. => u64::from(input.u16()) << (input.byte() % 64),
        choice => usual[usize::from(choice) % usual.len()],
    };
    (value, items::uint(value))
}

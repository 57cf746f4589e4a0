//! Why a handshake packet is refused

use crate::violation::Violation;
use crate::wire::rlp::RlpError;

/// Why a handshake packet is refused
///
/// As small as it can be, so that it is returned in a register. A [`Violation`] has bytes that most of its variants
/// do not use. They are copies of the stack, where the curve arithmetic has left secrets, and would be returned with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    TooLarge,
    TooShort,
    PreEip8,
    InvalidPublicKey,
    TagMismatch,
    Malformed(RlpError),
    InvalidSignature,
}

impl From<Refusal> for Violation {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::TooLarge => Self::HandshakeTooLarge,
            Refusal::TooShort => Self::HandshakeTooShort,
            Refusal::PreEip8 => Self::PreEip8Handshake,
            Refusal::InvalidPublicKey => Self::InvalidPublicKey,
            Refusal::TagMismatch => Self::HandshakeTagMismatch,
            Refusal::Malformed(error) => Self::MalformedHandshake(error),
            Refusal::InvalidSignature => Self::InvalidSignature,
        }
    }
}

//! The outcome that the specification requires for a plaintext (rlpx.md §Initial Handshake, EIP-8)

use devp2p_proto::{Cause, Role, Violation};
use rlp::Rlp;

use super::curve;

/// What is wrong with a packet
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    TooLarge,
    TooShort,
    PreEip8,
    PublicKey,
    Tag,
    Malformed,
    Signature,
    /// The stream ends before the packet does
    Incomplete,
}

impl Fault {
    /// The fault that a cause names
    pub(super) const fn of(cause: Cause) -> Option<Self> {
        Some(match cause {
            Cause::Violation(Violation::HandshakeTooLarge) => Self::TooLarge,
            Cause::Violation(Violation::HandshakeTooShort) => Self::TooShort,
            Cause::Violation(Violation::PreEip8Handshake) => Self::PreEip8,
            Cause::Violation(Violation::InvalidPublicKey) => Self::PublicKey,
            Cause::Violation(Violation::HandshakeTagMismatch) => Self::Tag,
            Cause::Violation(Violation::MalformedHandshake(_)) => Self::Malformed,
            Cause::Violation(Violation::InvalidSignature) => Self::Signature,
            Cause::ReceiveClosed => Self::Incomplete,
            _ => return None,
        })
    }
}

/// The expected outcome of a packet
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Expected {
    Accepted,
    /// With one of these
    Refused(Vec<Fault>),
    Unknown,
}

/// The expected outcome of a packet with this plaintext
pub(super) fn expected(role: Role, text: &[u8]) -> Expected {
    let mut faults = Vec::new();
    match fields(role, text).as_deref() {
        Some([signature, key, nonce]) => {
            if !curve::is_key(key) {
                faults.push(Fault::PublicKey);
            }
            if !curve::is_signature(signature, || token(key, nonce)) {
                faults.push(Fault::Signature);
            }
        }
        Some([key, _]) if curve::is_key(key) => {}
        Some(_) => faults.push(Fault::PublicKey),
        None => faults.push(Fault::Malformed),
    }
    if faults.is_empty() { Expected::Accepted } else { Expected::Refused(faults) }
}

/// The fields before the version: signature, key and nonce of auth, or key and nonce of ack
///
/// `None` unless the plaintext begins with a list that begins with these fields and a version. The value of the version
/// is ignored, and so is everything after it.
pub(super) fn fields(role: Role, text: &[u8]) -> Option<Vec<&[u8]>> {
    let lengths: &[usize] = if role == Role::Recipient { &[65, 64, 32] } else { &[64, 32] };
    let (Kind::List, mut rest, _) = item(text)? else { return None };
    let mut fields = Vec::new();
    for len in lengths {
        let (Kind::String, field, after) = item(rest)? else { return None };
        (field.len() == *len).then(|| fields.push(field))?;
        rest = after;
    }
    item(rest)?;
    Some(fields)
}

enum Kind {
    String,
    List,
}

/// The content of the first item, which must be canonical, and the bytes after the item
fn item(bytes: &[u8]) -> Option<(Kind, &[u8], &[u8])> {
    let rlp = Rlp::new(bytes);
    let info = rlp.payload_info().ok()?;
    let (content, rest) = bytes[info.header_len..].split_at(info.value_len);
    let kind = if rlp.is_list() { Kind::List } else { Kind::String };
    // The crate checks the form of a single byte only when it reads its value.
    let is_longer_than_needed = matches!((&kind, content), (Kind::String, [0..0x80])) && info.header_len > 0;
    (!is_longer_than_needed).then_some((kind, content, rest))
}

/// The token that the initiator with this key signs for the link, whose secret key has the value 1 in every byte
pub(super) fn token(key: &[u8], nonce: &[u8]) -> Option<[u8; 32]> {
    let mut token = curve::agree(1, key)?;
    token.iter_mut().zip(nonce).for_each(|(byte, nonce)| *byte ^= nonce);
    Some(token)
}

//! What a peer did wrong

use core::fmt;

use crate::reason::DisconnectReason;
use crate::wire::rlp::RlpError;
use crate::wire::snappy::SnappyError;

/// What a peer did that no correct peer does
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Violation {
    /// A handshake packet announced more than 2048 bytes
    HandshakeTooLarge,
    /// A handshake packet announced fewer bytes than its envelope takes
    HandshakeTooShort,
    /// A handshake packet had the form from before EIP-8, which no current client sends
    PreEip8Handshake,
    /// A public key was not a point of the curve
    InvalidPublicKey,
    /// A handshake packet was damaged, or was encrypted to another key
    HandshakeTagMismatch,
    /// The body of a handshake packet was not a well-formed auth or ack
    MalformedHandshake(RlpError),
    /// The signature in auth was malformed, or is no signature of any key
    InvalidSignature,
    /// The MAC of a frame's header was wrong
    HeaderMacMismatch,
    /// The MAC of a frame's body was wrong
    BodyMacMismatch,
    /// The body of a frame was empty, without even a message id
    EmptyFrame,
    /// A frame announced more than the largest permitted message takes
    FrameTooLarge {
        /// The announced size of the body, in bytes
        size: usize,
    },
    /// A message id was not a canonical integer
    MalformedMessageId(RlpError),
    /// A message id was outside every shared range
    UnknownMessageId(u64),
    /// A payload was not a Snappy block
    MalformedCompression(SnappyError),
    /// A payload was larger than the limit for its message
    PayloadTooLarge {
        /// The size of the payload, decompressed, in bytes
        size: usize,
    },
    /// A message other than Hello or Disconnect came before Hello
    ExpectedHello {
        /// The message id that came
        id: u64,
    },
    /// Hello was malformed
    MalformedHello(RlpError),
    /// Hello named a version of the base protocol from before RLPx v4
    IncompatibleVersion(u64),
    /// Hello named a node id of zeros
    NullIdentity,
    /// Hello named another node id than the handshake
    UnexpectedIdentity,
    /// The peer has the key of this node
    ConnectedToSelf,
    /// Disconnect was in none of the known encodings
    MalformedDisconnect(RlpError),
}

impl Violation {
    /// The reason with which the link ends
    pub const fn reason(self) -> DisconnectReason {
        match self {
            Self::IncompatibleVersion(_) => DisconnectReason::INCOMPATIBLE_VERSION,
            Self::NullIdentity => DisconnectReason::NULL_IDENTITY,
            Self::UnexpectedIdentity => DisconnectReason::UNEXPECTED_IDENTITY,
            Self::ConnectedToSelf => DisconnectReason::CONNECTED_TO_SELF,
            _ => DisconnectReason::BREACH_OF_PROTOCOL,
        }
    }

    /// Whether the violation is answered with a Disconnect
    ///
    /// After a wrong MAC the two sides no longer agree on the stream, or a third party is sending. After
    /// a failed handshake there are no keys to encrypt a Disconnect with.
    pub const fn is_answered(self) -> bool {
        !matches!(
            self,
            Self::HandshakeTooLarge
                | Self::HandshakeTooShort
                | Self::PreEip8Handshake
                | Self::InvalidPublicKey
                | Self::HandshakeTagMismatch
                | Self::MalformedHandshake(_)
                | Self::InvalidSignature
                | Self::HeaderMacMismatch
                | Self::BodyMacMismatch
        )
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HandshakeTooLarge => f.write_str("handshake packet is larger than 2048 bytes"),
            Self::HandshakeTooShort => f.write_str("handshake packet is too short"),
            Self::PreEip8Handshake => f.write_str("handshake packet has the form from before EIP-8"),
            Self::InvalidPublicKey => f.write_str("public key is not on the curve"),
            Self::HandshakeTagMismatch => f.write_str("handshake packet cannot be authenticated"),
            Self::MalformedHandshake(error) => write!(f, "malformed handshake packet: {error}"),
            Self::InvalidSignature => f.write_str("invalid signature in auth"),
            Self::HeaderMacMismatch => f.write_str("wrong MAC of a frame header"),
            Self::BodyMacMismatch => f.write_str("wrong MAC of a frame body"),
            Self::EmptyFrame => f.write_str("frame without a message id"),
            Self::FrameTooLarge { size } => write!(f, "frame of {size} bytes is too large"),
            Self::MalformedMessageId(error) => write!(f, "malformed message id: {error}"),
            Self::UnknownMessageId(id) => write!(f, "message id {id:#x} is outside every shared range"),
            Self::MalformedCompression(error) => write!(f, "malformed compression: {error}"),
            Self::PayloadTooLarge { size } => write!(f, "payload of {size} bytes is too large"),
            Self::ExpectedHello { id } => write!(f, "message id {id:#x} came before Hello"),
            Self::MalformedHello(error) => write!(f, "malformed Hello: {error}"),
            Self::IncompatibleVersion(version) => write!(f, "base protocol version {version} is not supported"),
            Self::NullIdentity => f.write_str("Hello with a null node id"),
            Self::UnexpectedIdentity => f.write_str("Hello with another node id than the handshake"),
            Self::ConnectedToSelf => f.write_str("connected to self"),
            Self::MalformedDisconnect(error) => write!(f, "malformed Disconnect: {error}"),
        }
    }
}

impl core::error::Error for Violation {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::MalformedHandshake(error)
            | Self::MalformedMessageId(error)
            | Self::MalformedHello(error)
            | Self::MalformedDisconnect(error) => Some(error),
            Self::MalformedCompression(error) => Some(error),
            _ => None,
        }
    }
}

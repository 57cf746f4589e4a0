//! Everything that can go wrong, by whose doing
//!
//! What the *peer* does wrong is a [`Violation`] and ends the link; why a link ended is its
//! [`Cause`]. What the *caller* asks in vain is refused by a small error of the operation's own, and
//! a refusal changes nothing.

use core::fmt;

use crate::protocol::ProtocolId;
use crate::reason::DisconnectReason;
use crate::wire::rlp::RlpError;
pub use crate::wire::snappy::SnappyError;

/// What a peer did that no correct peer does
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Violation {
    /// A handshake packet announced more than 2048 bytes
    HandshakeTooLarge,
    /// A handshake packet announced fewer bytes than its envelope takes
    HandshakeTooShort,
    /// A handshake packet had the form from before EIP-8, which is dead on the network
    PreEip8Handshake,
    /// A public key was not a point of the curve
    InvalidPublicKey,
    /// A handshake packet was damaged or meant for another key
    HandshakeTagMismatch,
    /// The body of a handshake packet was not what auth and ack are made of
    MalformedHandshake(RlpError),
    /// The signature in auth was not one that a client makes
    InvalidSignature,
    /// The MAC of a frame's header was wrong
    HeaderMacMismatch,
    /// The MAC of a frame's body was wrong
    BodyMacMismatch,
    /// A frame had no room for a message id
    EmptyFrame,
    /// A frame announced more than the largest message takes
    FrameTooLarge {
        /// The announced size of the body, in bytes
        size: usize,
    },
    /// A message id was not a canonical integer
    MalformedMessageId(RlpError),
    /// A message id lay outside every shared range
    UnknownMessageId(u64),
    /// A payload was not a Snappy block
    MalformedCompression(SnappyError),
    /// A payload is larger than was agreed
    PayloadTooLarge {
        /// The size of the payload, decompressed, in bytes
        size: usize,
    },
    /// Another message came where Hello had to
    ExpectedHello {
        /// The message id that came
        id: u64,
    },
    /// Hello was not what Hello is made of
    MalformedHello(RlpError),
    /// Hello named a version of the base protocol from before RLPx v4
    IncompatibleVersion(u64),
    /// Hello named a node id of zeros
    NullIdentity,
    /// Hello named another node id than the handshake proved
    UnexpectedIdentity,
    /// The peer proved this node's own key
    ConnectedToSelf,
    /// Disconnect was in none of the forms that it is seen in
    MalformedDisconnect(RlpError),
    /// Ping or Pong held something that is not RLP
    MalformedPing(RlpError),
}

impl Violation {
    /// The reason that the link ends with
    pub const fn reason(self) -> DisconnectReason {
        match self {
            Self::IncompatibleVersion(_) => DisconnectReason::IncompatibleVersion,
            Self::NullIdentity => DisconnectReason::NullIdentity,
            Self::UnexpectedIdentity => DisconnectReason::UnexpectedIdentity,
            Self::ConnectedToSelf => DisconnectReason::ConnectedToSelf,
            _ => DisconnectReason::BreachOfProtocol,
        }
    }

    /// Whether the peer is told
    ///
    /// A failed MAC means that what arrives is not the peer's, or not in step with it, and a failed
    /// handshake leaves no keys to tell it with.
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
            Self::UnknownMessageId(id) => write!(f, "message id {id:#x} is in no shared range"),
            Self::MalformedCompression(error) => write!(f, "malformed compression: {error}"),
            Self::PayloadTooLarge { size } => write!(f, "payload of {size} bytes is too large"),
            Self::ExpectedHello { id } => write!(f, "message id {id:#x} came instead of Hello"),
            Self::MalformedHello(error) => write!(f, "malformed Hello: {error}"),
            Self::IncompatibleVersion(version) => write!(f, "base protocol version {version} is not supported"),
            Self::NullIdentity => f.write_str("Hello with a null node id"),
            Self::UnexpectedIdentity => f.write_str("Hello with another node id than was proven"),
            Self::ConnectedToSelf => f.write_str("connected to self"),
            Self::MalformedDisconnect(error) => write!(f, "malformed Disconnect: {error}"),
            Self::MalformedPing(error) => write!(f, "malformed Ping or Pong: {error}"),
        }
    }
}

impl core::error::Error for Violation {}

/// What can run out of time
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Timeout {
    /// Both stages of the handshake together
    Handshake,
    /// Any byte from the peer
    Read,
    /// The answer to a Ping
    Pong,
    /// Progress in sending
    Write,
}

impl fmt::Display for Timeout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Handshake => "handshake timeout",
            Self::Read => "read timeout",
            Self::Pong => "pong timeout",
            Self::Write => "write timeout",
        })
    }
}

/// Why a protocol gave up
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum ProtocolError {
    /// With a reason of its own, which goes to the peer
    Reason(DisconnectReason),
    /// The peer's message could not be decoded, or its code means nothing
    BadMessage,
    /// For any other reason
    Other,
}

impl ProtocolError {
    /// The reason that the peer is told
    pub const fn reason(self) -> DisconnectReason {
        match self {
            Self::Reason(reason) => reason,
            Self::BadMessage => DisconnectReason::BreachOfProtocol,
            Self::Other => DisconnectReason::Subprotocol,
        }
    }
}

impl fmt::Display for ProtocolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reason(reason) => reason.fmt(f),
            Self::BadMessage => f.write_str("bad message"),
            Self::Other => f.write_str("failure"),
        }
    }
}

impl core::error::Error for ProtocolError {}

/// Why a link ended: who, and what happened
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Cause {
    /// The peer sent Disconnect
    Remote(DisconnectReason),
    /// The driver asked for it
    Local(DisconnectReason),
    /// A protocol of this node has finished
    ProtocolReturned(ProtocolId),
    /// A protocol of this node has failed
    ProtocolFailed(ProtocolId, ProtocolError),
    /// The peer broke the rules
    Violation(Violation),
    /// The two have no protocol in common
    NothingShared,
    /// Something did not happen in time
    Timeout(Timeout),
    /// The peer's stream came to its end, or reading failed
    ReceiveClosed,
    /// Writing failed
    SendFailed,
}

impl Cause {
    /// The reason in the terms of the wire
    pub const fn reason(self) -> DisconnectReason {
        match self {
            Self::Remote(reason) | Self::Local(reason) => reason,
            Self::ProtocolReturned(_) => DisconnectReason::ClientQuitting,
            Self::ProtocolFailed(_, error) => error.reason(),
            Self::Violation(violation) => violation.reason(),
            Self::NothingShared => DisconnectReason::UselessPeer,
            Self::Timeout(Timeout::Write) | Self::ReceiveClosed | Self::SendFailed => DisconnectReason::TcpError,
            Self::Timeout(Timeout::Handshake | Timeout::Read | Timeout::Pong) => DisconnectReason::PingTimeout,
        }
    }

    /// Whether the peer asked for it
    pub const fn is_remote(self) -> bool {
        matches!(self, Self::Remote(_))
    }

    /// The reason that goes into our Disconnect, `None` if the peer is sent none
    ///
    /// There is none either before the encryption handshake is complete.
    pub const fn sent_reason(self) -> Option<DisconnectReason> {
        match self {
            Self::Remote(_) | Self::ReceiveClosed | Self::SendFailed | Self::Timeout(Timeout::Write) => None,
            Self::Violation(violation) if !violation.is_answered() => None,
            _ => Some(self.reason()),
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Remote(reason) => write!(f, "remote disconnected: {reason}"),
            Self::Local(reason) => write!(f, "disconnected: {reason}"),
            Self::ProtocolReturned(protocol) => write!(f, "{protocol} finished"),
            Self::ProtocolFailed(protocol, error) => write!(f, "{protocol} failed: {error}"),
            Self::Violation(violation) => write!(f, "violation by the peer: {violation}"),
            Self::NothingShared => f.write_str("no protocol in common"),
            Self::Timeout(timeout) => timeout.fmt(f),
            Self::ReceiveClosed => f.write_str("connection closed by the peer"),
            Self::SendFailed => f.write_str("sending failed"),
        }
    }
}

impl core::error::Error for Cause {}

/// Why a configuration cannot be used
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum ConfigError {
    /// More protocols than a link can carry
    TooManyProtocols {
        /// The most that fit
        max: usize,
    },
    /// A protocol's name is empty, longer than 8 bytes, or not printable ASCII
    InvalidName(ProtocolId),
    /// A protocol is listed twice, with the same name and version
    DuplicateProtocol(ProtocolId),
    /// The ranges of message ids do not fit into 64 bits
    RangesTooLarge,
    /// The client id is longer than [`MAX_CLIENT_ID`](crate::MAX_CLIENT_ID) bytes
    ClientIdTooLong,
    /// A timeout of zero, where that would end every link at once
    ZeroTimeout,
    /// A message limit smaller than the base protocol needs, or larger than a frame can hold
    InvalidMessageLimit {
        /// The smallest limit, in bytes
        min: usize,
        /// The largest limit, in bytes
        max: usize,
    },
    /// The receive buffer is too small
    ReceiveBufferTooSmall {
        /// The size needed, in bytes
        needed: usize,
    },
    /// The transmit buffer is too small
    TransmitBufferTooSmall {
        /// The size needed, in bytes
        needed: usize,
    },
    /// The remote's id is not a point of the curve, so there can be no such node
    InvalidRemote,
    /// The entropy is zero, constant or repeats, so no generator made it
    WeakEntropy,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooManyProtocols { max } => write!(f, "more than {max} protocols"),
            Self::InvalidName(protocol) => write!(f, "{protocol}: a name is 1 to 8 printable ASCII characters"),
            Self::DuplicateProtocol(protocol) => write!(f, "{protocol} is listed twice"),
            Self::RangesTooLarge => f.write_str("the ranges of message ids do not fit into 64 bits"),
            Self::ClientIdTooLong => f.write_str("the client id is too long"),
            Self::ZeroTimeout => f.write_str("a timeout is zero"),
            Self::InvalidMessageLimit { min, max } => write!(f, "a message limit is {min} to {max} bytes"),
            Self::ReceiveBufferTooSmall { needed } => write!(f, "the receive buffer needs {needed} bytes"),
            Self::TransmitBufferTooSmall { needed } => write!(f, "the transmit buffer needs {needed} bytes"),
            Self::InvalidRemote => f.write_str("the remote's id is not a public key"),
            Self::WeakEntropy => f.write_str("the entropy was not made by a random generator"),
        }
    }
}

impl core::error::Error for ConfigError {}

/// Why a message was not taken for sending
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum WriteError {
    /// No room now; [`Action::Writable`](crate::Action::Writable) says when
    Full,
    /// The message could never be sent over this link
    TooLarge,
    /// The code is beyond the protocol's length
    InvalidCode,
    /// The message's `Encodable` has begun a list and not filled it
    Unfinished,
    /// The protocol is not shared with the peer
    NotShared,
    /// The link is not ready for messages yet
    NotReady,
    /// The link has ended or is about to
    Closed,
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full => f.write_str("no room for the message now"),
            Self::TooLarge => f.write_str("the message is too large for this link"),
            Self::InvalidCode => f.write_str("the message code is beyond the protocol's length"),
            Self::Unfinished => f.write_str("the message has a list that is not complete"),
            Self::NotShared => f.write_str("the protocol is not shared with the peer"),
            Self::NotReady => f.write_str("the link is not ready"),
            Self::Closed => f.write_str("the link has ended"),
        }
    }
}

impl core::error::Error for WriteError {}

/// Why an event was refused; nothing has changed
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Refused {
    /// A message was not taken for sending
    Write(WriteError),
    /// More bytes were reported as sent than there were to send
    SentTooMuch,
    /// The protocol that is said to have returned is not running on this link
    NotRunning,
}

impl From<WriteError> for Refused {
    fn from(error: WriteError) -> Self {
        Self::Write(error)
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Write(error) => error.fmt(f),
            Self::SentTooMuch => f.write_str("more bytes reported as sent than there were"),
            Self::NotRunning => f.write_str("the protocol is not running on this link"),
        }
    }
}

impl core::error::Error for Refused {}

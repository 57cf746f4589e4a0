//! Why a link has ended

use devp2p_proto::{Cause as Ended, Timeout, Timer as Running, Violation as Breach};

use crate::text::CapabilityText;

/// Why a link has ended: who ended it, and what happened. `devp2p_link_cause_text` says it in English
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Cause {
    /// What happened
    pub kind: CauseKind,
    /// The peer's violation, for `DEVP2P_CAUSE_KIND_VIOLATION`
    pub violation: Violation,
    /// The number of the reason (rlpx.md, Disconnect)
    pub reason: u64,
    /// The reason in our Disconnect, or `DEVP2P_NEVER` if none is sent
    pub sent_reason: u64,
    /// The protocol, for `DEVP2P_CAUSE_KIND_PROTOCOL_RETURNED` and `DEVP2P_CAUSE_KIND_PROTOCOL_FAILED`
    pub protocol: usize,
    /// Its name and version
    pub capability: CapabilityText,
}

/// What ended a link
#[repr(u32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CauseKind {
    /// Something that this version of the interface has no name for
    Other = 0,
    /// The peer sent Disconnect
    Remote,
    /// The driver called `devp2p_link_disconnect`
    Local,
    /// A protocol of this node has finished
    ProtocolReturned,
    /// A protocol of this node has failed
    ProtocolFailed,
    /// The peer broke the rules
    Violation,
    /// The two nodes have no protocol in common
    NothingShared,
    /// The handshake took too long
    HandshakeTimeout,
    /// The peer was silent for too long
    ReadTimeout,
    /// The rest of a frame of the peer did not come
    FrameTimeout,
    /// The peer did not answer a Ping
    PongTimeout,
    /// The transport did not take the unsent bytes
    WriteTimeout,
    /// The stream of the peer ended, or reading failed
    ReceiveClosed,
    /// Writing failed
    SendFailed,
}

/// What a peer did that no correct peer does
#[repr(u32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Violation {
    /// Nothing
    None = 0,
    /// Something that this version of the interface has no name for
    Other,
    /// A handshake packet announced more than 2048 bytes
    HandshakeTooLarge,
    /// A handshake packet announced fewer bytes than its envelope takes
    HandshakeTooShort,
    /// A handshake packet had the form from before EIP-8
    PreEip8Handshake,
    /// A public key was not a point of the curve
    InvalidPublicKey,
    /// A handshake packet was damaged, or was encrypted to another key
    HandshakeTagMismatch,
    /// The body of a handshake packet was malformed
    MalformedHandshake,
    /// The signature in auth was malformed, or is no signature of any key
    InvalidSignature,
    /// The MAC of a frame's header was wrong
    HeaderMacMismatch,
    /// The MAC of a frame's body was wrong
    BodyMacMismatch,
    /// The body of a frame was empty
    EmptyFrame,
    /// A frame announced more than the largest permitted message takes
    FrameTooLarge,
    /// A message id was not a canonical integer
    MalformedMessageId,
    /// A message id was outside every shared range
    UnknownMessageId,
    /// A payload was not a Snappy block
    MalformedCompression,
    /// A payload was larger than the limit for its message
    PayloadTooLarge,
    /// A message other than Hello or Disconnect came before Hello
    ExpectedHello,
    /// Hello was malformed
    MalformedHello,
    /// Hello named a version of the base protocol from before RLPx v4
    IncompatibleVersion,
    /// Hello named a node id of zeros
    NullIdentity,
    /// Hello named another node id than the handshake
    UnexpectedIdentity,
    /// The peer has the key of this node
    ConnectedToSelf,
    /// Disconnect was in none of the known encodings
    MalformedDisconnect,
}

/// A timer of a link
#[repr(u32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timer {
    /// One that this version of the interface has no name for
    Other = 0,
    /// Limits the time of the handshake
    Handshake,
    /// Sends the next Ping
    Ping,
    /// Limits the time until our Ping is answered
    Pong,
    /// Limits the silence of the peer
    Read,
    /// Limits the time of an incomplete frame of the peer
    Frame,
    /// Limits the time for which the transport takes nothing
    Write,
    /// Limits the time until the transport has taken all bytes
    Drain,
    /// Gives back memory that is not needed
    Memory,
    /// Limits the time until the peer closes the connection
    Linger,
}

impl From<Ended> for Cause {
    fn from(cause: Ended) -> Self {
        let (protocol, capability) = match cause {
            Ended::ProtocolReturned { protocol, capability } | Ended::ProtocolFailed { protocol, capability, .. } => {
                (protocol.0, capability.into())
            }
            _ => (0, CapabilityText::NONE),
        };
        Self {
            kind: cause.into(),
            violation: match cause {
                Ended::Violation(violation) => violation.into(),
                _ => Violation::None,
            },
            reason: cause.reason().code(),
            sent_reason: cause.sent_reason().map_or(crate::sizes::DEVP2P_NEVER, |reason| reason.code()),
            protocol,
            capability,
        }
    }
}

impl From<Ended> for CauseKind {
    fn from(cause: Ended) -> Self {
        match cause {
            Ended::Remote(_) => Self::Remote,
            Ended::Local(_) => Self::Local,
            Ended::ProtocolReturned { .. } => Self::ProtocolReturned,
            Ended::ProtocolFailed { .. } => Self::ProtocolFailed,
            Ended::Violation(_) => Self::Violation,
            Ended::NothingShared => Self::NothingShared,
            Ended::Timeout(Timeout::Handshake) => Self::HandshakeTimeout,
            Ended::Timeout(Timeout::Read) => Self::ReadTimeout,
            Ended::Timeout(Timeout::Frame) => Self::FrameTimeout,
            Ended::Timeout(Timeout::Pong) => Self::PongTimeout,
            Ended::Timeout(Timeout::Write) => Self::WriteTimeout,
            Ended::ReceiveClosed => Self::ReceiveClosed,
            Ended::SendFailed => Self::SendFailed,
            _ => Self::Other,
        }
    }
}

impl From<Breach> for Violation {
    fn from(violation: Breach) -> Self {
        match violation {
            Breach::HandshakeTooLarge => Self::HandshakeTooLarge,
            Breach::HandshakeTooShort => Self::HandshakeTooShort,
            Breach::PreEip8Handshake => Self::PreEip8Handshake,
            Breach::InvalidPublicKey => Self::InvalidPublicKey,
            Breach::HandshakeTagMismatch => Self::HandshakeTagMismatch,
            Breach::MalformedHandshake(_) => Self::MalformedHandshake,
            Breach::InvalidSignature => Self::InvalidSignature,
            Breach::HeaderMacMismatch => Self::HeaderMacMismatch,
            Breach::BodyMacMismatch => Self::BodyMacMismatch,
            Breach::EmptyFrame => Self::EmptyFrame,
            Breach::FrameTooLarge { .. } => Self::FrameTooLarge,
            Breach::MalformedMessageId(_) => Self::MalformedMessageId,
            Breach::UnknownMessageId(_) => Self::UnknownMessageId,
            Breach::MalformedCompression(_) => Self::MalformedCompression,
            Breach::PayloadTooLarge { .. } => Self::PayloadTooLarge,
            Breach::ExpectedHello { .. } => Self::ExpectedHello,
            Breach::MalformedHello(_) => Self::MalformedHello,
            Breach::IncompatibleVersion(_) => Self::IncompatibleVersion,
            Breach::NullIdentity => Self::NullIdentity,
            Breach::UnexpectedIdentity => Self::UnexpectedIdentity,
            Breach::ConnectedToSelf => Self::ConnectedToSelf,
            Breach::MalformedDisconnect(_) => Self::MalformedDisconnect,
            _ => Self::Other,
        }
    }
}

impl From<Running> for Timer {
    fn from(timer: Running) -> Self {
        match timer {
            Running::Handshake => Self::Handshake,
            Running::Ping => Self::Ping,
            Running::Pong => Self::Pong,
            Running::Read => Self::Read,
            Running::Frame => Self::Frame,
            Running::Write => Self::Write,
            Running::Drain => Self::Drain,
            Running::Memory => Self::Memory,
            Running::Linger => Self::Linger,
            _ => Self::Other,
        }
    }
}

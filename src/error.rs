//! The errors of refused calls: one small error for each operation
//!
//! A refused call changes nothing.

use core::error::Error;
use core::fmt;

use crate::protocol::{Capability, ProtocolId};
use crate::rlpx::InvalidSecretKey;

/// Why a configuration was refused
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum ConfigError {
    /// The bytes of the node's key are no secret key
    InvalidSecretKey,
    /// There are more protocols than a link can carry
    TooManyProtocols {
        /// The most that fit
        max: usize,
    },
    /// The name of the protocol at this position is empty, longer than 8 bytes, or not printable ASCII
    InvalidName(ProtocolId),
    /// A protocol is listed twice, with the same name and version
    DuplicateProtocol(Capability),
    /// The ranges of message ids do not fit into 64 bits
    RangesTooLarge,
    /// More message codes of the protocol have limits of their own than a link can hold
    TooManyCodeLimits {
        /// The protocol
        protocol: ProtocolId,
        /// The most that a protocol can have
        max: usize,
    },
    /// A message code has two limits, or cannot have one
    ///
    /// It cannot have one if it is not below the protocol's length, or above `u32::MAX`.
    InvalidCodeLimit {
        /// The protocol
        protocol: ProtocolId,
        /// The message code
        code: u64,
    },
    /// The client id is longer than [`MAX_CLIENT_ID`](crate::MAX_CLIENT_ID) bytes
    ClientIdTooLong,
    /// A timeout that would end every link at once is zero
    ZeroTimeout,
    /// The read timeout is not longer than the time from one Ping to the next
    ReadBeforePing,
    /// A message limit is smaller than the base protocol needs, or larger than a frame can hold
    InvalidMessageLimit {
        /// The smallest limit, in bytes
        min: usize,
        /// The largest limit, in bytes
        max: usize,
    },
}

impl From<InvalidSecretKey> for ConfigError {
    fn from(_: InvalidSecretKey) -> Self {
        Self::InvalidSecretKey
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidSecretKey => InvalidSecretKey.fmt(f),
            Self::TooManyProtocols { max } => write!(f, "there are more than {max} protocols"),
            Self::InvalidName(protocol) => write!(f, "{protocol}: a name is 1 to 8 printable ASCII characters"),
            Self::DuplicateProtocol(capability) => write!(f, "{capability} is listed twice"),
            Self::RangesTooLarge => f.write_str("the ranges of message ids do not fit into 64 bits"),
            Self::TooManyCodeLimits { protocol, max } => {
                write!(f, "{protocol}: more than {max} message codes have limits of their own")
            }
            Self::InvalidCodeLimit { protocol, code } => {
                write!(f, "{protocol}: message code {code} cannot have a limit, or has two")
            }
            Self::ClientIdTooLong => f.write_str("the client id is too long"),
            Self::ZeroTimeout => f.write_str("a timeout is zero"),
            Self::ReadBeforePing => f.write_str("the read timeout is not longer than the ping interval"),
            Self::InvalidMessageLimit { min, max } => write!(f, "a message limit must be {min} to {max} bytes"),
        }
    }
}

impl Error for ConfigError {}

/// Why a link was not started
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum StartError {
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
    /// There are fewer slots than protocols
    TooFewSlots {
        /// The number needed
        needed: usize,
    },
    /// The remote's id is not a point of the curve, so no node can have it
    InvalidRemote,
    /// The entropy is zero, constant or repeats itself, so no random generator made it
    WeakEntropy,
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ReceiveBufferTooSmall { needed } => write!(f, "the receive buffer needs {needed} bytes"),
            Self::TransmitBufferTooSmall { needed } => write!(f, "the transmit buffer needs {needed} bytes"),
            Self::TooFewSlots { needed } => write!(f, "{needed} slots for protocols are needed"),
            Self::InvalidRemote => f.write_str("the remote's id is not a public key"),
            Self::WeakEntropy => f.write_str("the entropy was not made by a random generator"),
        }
    }
}

impl Error for StartError {}

/// Why a message was not taken for sending
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum WriteError {
    /// Earlier messages of the protocol are unsent, or our Hello is unsent in the caller's buffer
    ///
    /// [`Action::Writable`](crate::Action::Writable) says when to retry.
    Full,
    /// The message is larger than this link can send
    TooLarge,
    /// The code is not below the protocol's length
    InvalidCode,
    /// The message's `Encodable` has begun a list and has not completed it
    Unfinished,
    /// The protocol is not shared with the peer
    NotShared,
    /// The link is not ready for messages yet
    NotReady,
    /// The link has ended or is about to end
    Closed,
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full => "earlier messages of the protocol are unsent",
            Self::TooLarge => "the message is too large for this link",
            Self::InvalidCode => "the message code is not below the protocol's length",
            Self::Unfinished => "the message has a list that is not complete",
            Self::NotShared => "the protocol is not shared with the peer",
            Self::NotReady => "the link is not ready",
            Self::Closed => "the link has ended",
        })
    }
}

impl Error for WriteError {}

/// Why no Ping was sent
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum PingError {
    /// The link is not ready for messages yet
    NotReady,
    /// The link has ended or is about to end
    Closed,
}

impl fmt::Display for PingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotReady => "the link is not ready",
            Self::Closed => "the link has ended",
        })
    }
}

impl Error for PingError {}

/// More bytes were reported as sent than were unsent
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct SentTooMuch;

impl fmt::Display for SentTooMuch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("more bytes were reported as sent than were unsent")
    }
}

impl Error for SentTooMuch {}

/// The protocol in the call is not shared with the peer
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct NotShared;

impl fmt::Display for NotShared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the protocol is not shared with the peer")
    }
}

impl Error for NotShared {}

/// Why an event that was given by value was refused
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Refused {
    /// [`write`](crate::PeerState::write) refused it
    Write(WriteError),
    /// [`ping`](crate::PeerState::ping) refused it
    Ping(PingError),
    /// [`sent`](crate::PeerState::sent) refused it
    Sent(SentTooMuch),
    /// [`protocol_returned`](crate::PeerState::protocol_returned) refused it
    ProtocolReturned(NotShared),
}

macro_rules! refused_from {
    ($($error:ident => $variant:ident),*) => {$(
        impl From<$error> for Refused {
            fn from(error: $error) -> Self {
                Self::$variant(error)
            }
        }
    )*};
}

refused_from!(WriteError => Write, PingError => Ping, SentTooMuch => Sent, NotShared => ProtocolReturned);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Write(error) => error.fmt(f),
            Self::Ping(error) => error.fmt(f),
            Self::Sent(error) => error.fmt(f),
            Self::ProtocolReturned(error) => error.fmt(f),
        }
    }
}

impl Error for Refused {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(match self {
            Self::Write(error) => error,
            Self::Ping(error) => error,
            Self::Sent(error) => error,
            Self::ProtocolReturned(error) => error,
        })
    }
}

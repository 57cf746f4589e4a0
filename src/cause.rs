//! Why a link ended

use core::error::Error;
use core::fmt;

use crate::protocol::{Capability, ProtocolId};
use crate::reason::DisconnectReason;
use crate::violation::Violation;

/// Why a link ended: who ended it, and what happened
///
/// Under `serde` it serializes as its reason, whether the remote has sent Disconnect, and its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Cause {
    /// The peer sent Disconnect
    Remote(DisconnectReason),
    /// The driver called [`disconnect`](crate::PeerState::disconnect)
    Local(DisconnectReason),
    /// A protocol of this node has finished
    ProtocolReturned {
        /// The position of the protocol in the configuration
        protocol: ProtocolId,
        /// Its name and version
        capability: Capability,
    },
    /// A protocol of this node has failed
    ProtocolFailed {
        /// The position of the protocol in the configuration
        protocol: ProtocolId,
        /// Its name and version
        capability: Capability,
        /// Why it failed
        error: ProtocolError,
    },
    /// The peer broke the rules
    Violation(Violation),
    /// The two nodes have no protocol in common
    NothingShared,
    /// Something did not happen in time
    Timeout(Timeout),
    /// The stream from the peer ended, or reading failed
    ReceiveClosed,
    /// Writing failed
    SendFailed,
}

impl Cause {
    /// The [`DisconnectReason`] of this cause
    pub const fn reason(self) -> DisconnectReason {
        match self {
            Self::Remote(reason) | Self::Local(reason) => reason,
            Self::ProtocolReturned { .. } => DisconnectReason::CLIENT_QUITTING,
            Self::ProtocolFailed { error, .. } => error.reason(),
            Self::Violation(violation) => violation.reason(),
            Self::NothingShared => DisconnectReason::USELESS_PEER,
            Self::Timeout(Timeout::Write) | Self::ReceiveClosed | Self::SendFailed => DisconnectReason::TCP_ERROR,
            Self::Timeout(Timeout::Handshake | Timeout::Read | Timeout::Frame | Timeout::Pong) => {
                DisconnectReason::PING_TIMEOUT
            }
        }
    }

    /// Whether the peer has sent Disconnect
    pub const fn is_remote(self) -> bool {
        matches!(self, Self::Remote(_))
    }

    /// The reason in our Disconnect, `None` if no Disconnect is sent
    ///
    /// No Disconnect is sent before the encryption handshake is complete, whatever the cause.
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
            Self::ProtocolReturned { capability, .. } => write!(f, "{capability} finished"),
            Self::ProtocolFailed { capability, error, .. } => write!(f, "{capability} failed: {error}"),
            Self::Violation(violation) => write!(f, "violation by the peer: {violation}"),
            Self::NothingShared => f.write_str("no protocol in common"),
            Self::Timeout(timeout) => timeout.fmt(f),
            Self::ReceiveClosed => f.write_str("connection closed by the peer"),
            Self::SendFailed => f.write_str("sending failed"),
        }
    }
}

impl Error for Cause {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Violation(violation) => Some(violation),
            Self::ProtocolFailed { error, .. } => Some(error),
            _ => None,
        }
    }
}

/// What ran out of time
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Timeout {
    /// Both stages of the handshake together
    Handshake,
    /// The peer was silent for too long
    Read,
    /// The rest of a frame from the peer did not come
    Frame,
    /// The peer did not answer a Ping
    Pong,
    /// The transport did not take the unsent bytes
    Write,
}

impl fmt::Display for Timeout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Handshake => "handshake timeout",
            Self::Read => "read timeout",
            Self::Frame => "frame timeout",
            Self::Pong => "pong timeout",
            Self::Write => "write timeout",
        })
    }
}

/// Why a protocol failed
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum ProtocolError {
    /// For a reason of its own, which the peer is told
    Reason(DisconnectReason),
    /// A message from the peer could not be decoded, or its code has no meaning
    BadMessage,
    /// It failed in another way
    Other,
}

impl ProtocolError {
    /// The reason with which the link ends
    pub const fn reason(self) -> DisconnectReason {
        match self {
            Self::Reason(reason) => reason,
            Self::BadMessage => DisconnectReason::BREACH_OF_PROTOCOL,
            Self::Other => DisconnectReason::SUBPROTOCOL,
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

impl Error for ProtocolError {}

#[cfg(feature = "serde")]
impl serde::Serialize for Cause {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let mut fields = serializer.serialize_struct("Cause", 3)?;
        fields.serialize_field("reason", &self.reason().code())?;
        fields.serialize_field("remote", &self.is_remote())?;
        fields.serialize_field("text", &Text(self))?;
        fields.end()
    }
}

/// A cause as its text
#[cfg(feature = "serde")]
struct Text<'a>(&'a Cause);

#[cfg(feature = "serde")]
impl serde::Serialize for Text<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self.0)
    }
}

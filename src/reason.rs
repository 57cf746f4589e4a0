//! Why a link ends, as the wire says it

use core::fmt;

/// The reason in a Disconnect message (rlpx.md §Disconnect)
///
/// A number without a name survives the round trip as [`DisconnectReason::Other`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum DisconnectReason {
    /// 0x00: somebody asked for it
    Requested,
    /// 0x01: the transport failed
    TcpError,
    /// 0x02: a breach of protocol
    BreachOfProtocol,
    /// 0x03: no protocol in common
    UselessPeer,
    /// 0x04: no room for another peer
    TooManyPeers,
    /// 0x05: the two are connected already
    AlreadyConnected,
    /// 0x06: no common version of the base protocol
    IncompatibleVersion,
    /// 0x07: the node id was null
    NullIdentity,
    /// 0x08: the client is quitting
    ClientQuitting,
    /// 0x09: the node id is not the one that was expected
    UnexpectedIdentity,
    /// 0x0a: the node has dialled itself
    ConnectedToSelf,
    /// 0x0b: nothing was heard for too long
    PingTimeout,
    /// 0x10: a reason of a subprotocol's own
    Subprotocol,
    /// Any other number; use [`DisconnectReason::from_code`] to make one, so that named numbers
    /// keep their names
    Other(u64),
}

impl DisconnectReason {
    /// The reason with this number
    pub const fn from_code(code: u64) -> Self {
        match code {
            0x00 => Self::Requested,
            0x01 => Self::TcpError,
            0x02 => Self::BreachOfProtocol,
            0x03 => Self::UselessPeer,
            0x04 => Self::TooManyPeers,
            0x05 => Self::AlreadyConnected,
            0x06 => Self::IncompatibleVersion,
            0x07 => Self::NullIdentity,
            0x08 => Self::ClientQuitting,
            0x09 => Self::UnexpectedIdentity,
            0x0a => Self::ConnectedToSelf,
            0x0b => Self::PingTimeout,
            0x10 => Self::Subprotocol,
            other => Self::Other(other),
        }
    }

    /// The reason's number
    pub const fn code(self) -> u64 {
        match self {
            Self::Requested => 0x00,
            Self::TcpError => 0x01,
            Self::BreachOfProtocol => 0x02,
            Self::UselessPeer => 0x03,
            Self::TooManyPeers => 0x04,
            Self::AlreadyConnected => 0x05,
            Self::IncompatibleVersion => 0x06,
            Self::NullIdentity => 0x07,
            Self::ClientQuitting => 0x08,
            Self::UnexpectedIdentity => 0x09,
            Self::ConnectedToSelf => 0x0a,
            Self::PingTimeout => 0x0b,
            Self::Subprotocol => 0x10,
            Self::Other(code) => code,
        }
    }
}

impl fmt::Display for DisconnectReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Requested => "disconnect requested",
            Self::TcpError => "transport error",
            Self::BreachOfProtocol => "breach of protocol",
            Self::UselessPeer => "useless peer",
            Self::TooManyPeers => "too many peers",
            Self::AlreadyConnected => "already connected",
            Self::IncompatibleVersion => "incompatible protocol version",
            Self::NullIdentity => "null node identity",
            Self::ClientQuitting => "client quitting",
            Self::UnexpectedIdentity => "unexpected identity",
            Self::ConnectedToSelf => "connected to self",
            Self::PingTimeout => "ping timeout",
            Self::Subprotocol => "subprotocol reason",
            Self::Other(code) => return write!(f, "unknown reason {code:#x}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::format;

    #[test]
    fn every_number_survives_a_round_trip_and_prints() {
        for code in (0..=0x1ff).chain([u64::from(u32::MAX), u64::MAX]) {
            let reason = DisconnectReason::from_code(code);
            assert_eq!(reason.code(), code);
            assert!(!format!("{reason} {reason:?}").is_empty());
        }
    }
}

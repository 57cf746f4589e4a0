//! The reason in a Disconnect, as it is on the wire

use core::fmt;

/// The reason in a Disconnect message (rlpx.md §Disconnect)
///
/// A number. The numbers that the specification names are constants here. Any other number is kept,
/// and prints as a number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DisconnectReason(u64);

impl DisconnectReason {
    /// 0x00: the disconnect was requested
    pub const REQUESTED: Self = Self(0x00);
    /// 0x01: the transport failed
    pub const TCP_ERROR: Self = Self(0x01);
    /// 0x02: a breach of protocol
    pub const BREACH_OF_PROTOCOL: Self = Self(0x02);
    /// 0x03: no protocol in common
    pub const USELESS_PEER: Self = Self(0x03);
    /// 0x04: the node has too many peers
    pub const TOO_MANY_PEERS: Self = Self(0x04);
    /// 0x05: the two nodes are connected already
    pub const ALREADY_CONNECTED: Self = Self(0x05);
    /// 0x06: no common version of the base protocol
    pub const INCOMPATIBLE_VERSION: Self = Self(0x06);
    /// 0x07: the node id was null
    pub const NULL_IDENTITY: Self = Self(0x07);
    /// 0x08: the client is quitting
    pub const CLIENT_QUITTING: Self = Self(0x08);
    /// 0x09: the node id is not the expected one
    pub const UNEXPECTED_IDENTITY: Self = Self(0x09);
    /// 0x0a: the node has dialled itself
    pub const CONNECTED_TO_SELF: Self = Self(0x0a);
    /// 0x0b: nothing was heard for too long
    pub const PING_TIMEOUT: Self = Self(0x0b);
    /// 0x10: a subprotocol has a reason of its own
    pub const SUBPROTOCOL: Self = Self(0x10);

    /// The reason with this number
    pub const fn from_code(code: u64) -> Self {
        Self(code)
    }

    /// The number of the reason
    pub const fn code(self) -> u64 {
        self.0
    }

    /// The name of the reason, `None` if the specification gives it none
    pub const fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::REQUESTED => "disconnect requested",
            Self::TCP_ERROR => "transport error",
            Self::BREACH_OF_PROTOCOL => "breach of protocol",
            Self::USELESS_PEER => "useless peer",
            Self::TOO_MANY_PEERS => "too many peers",
            Self::ALREADY_CONNECTED => "already connected",
            Self::INCOMPATIBLE_VERSION => "incompatible protocol version",
            Self::NULL_IDENTITY => "null node identity",
            Self::CLIENT_QUITTING => "client quitting",
            Self::UNEXPECTED_IDENTITY => "unexpected identity",
            Self::CONNECTED_TO_SELF => "connected to self",
            Self::PING_TIMEOUT => "ping timeout",
            Self::SUBPROTOCOL => "subprotocol reason",
            _ => return None,
        })
    }
}

/// The name, or the number where there is no name
impl fmt::Display for DisconnectReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "unknown reason {:#x}", self.0),
        }
    }
}

impl fmt::Debug for DisconnectReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "DisconnectReason({:#04x}, {name})", self.0),
            None => write!(f, "DisconnectReason({:#04x})", self.0),
        }
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for DisconnectReason {
    fn format(&self, f: defmt::Formatter<'_>) {
        match self.name() {
            Some(name) => defmt::write!(f, "{=str}", name),
            None => defmt::write!(f, "unknown reason {=u64:#x}", self.0),
        }
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

    #[test]
    fn a_name_prints_where_there_is_one() {
        assert_eq!(format!("{}", DisconnectReason::TOO_MANY_PEERS), "too many peers");
        assert_eq!(format!("{:?}", DisconnectReason::TOO_MANY_PEERS), "DisconnectReason(0x04, too many peers)");
        assert_eq!(format!("{}", DisconnectReason::from_code(0x0c)), "unknown reason 0xc");
        assert_eq!(format!("{:?}", DisconnectReason::from_code(0x0c)), "DisconnectReason(0x0c)");
    }
}

//! What a test node does to the peer that dials it

use devp2p_proto::{DisconnectReason, Protocol};

/// The kinds of test nodes
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Sends Hello with this name and Status, answers Pings, and closes after the peer's Disconnect
    Honest(&'static str),
    /// Like `Honest`, but without a Status
    Silent,
    /// Like `Honest`, but with a message of 64 KiB before Status, which is larger than `ping` takes
    Loud,
    /// Nobody listens
    Absent,
    /// Sends Disconnect in place of Hello
    Full,
    /// Sends Hello, and then Disconnect
    Fickle,
    /// Has no protocol in common with the peer
    Stranger,
    /// Has another key than its URL says
    WrongKey,
    /// Answers auth with a page of HTTP
    Web,
    /// Answers auth with noise of the right length
    Noise,
    /// Completes the handshake, and then sends a Hello whose MAC is wrong
    WrongMac,
    /// Completes the handshake, and then sends a Hello with the id of another node
    Impostor,
    /// Completes the handshake, and then announces a Hello of 16 MiB
    Oversized,
    /// Sends a Status that cannot be decoded
    BadStatus,
    /// Closes at this point
    Vanishes(Then),
    /// Sends nothing more from this point on, but does not close
    Hangs(Then),
}

/// The last thing that a node does before it closes or hangs
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Then {
    Accepted,
    HandshakeDone,
    HelloSaid,
    StatusSent,
}

/// A name that would clear a terminal and be a formula in a spreadsheet
pub const HOSTILE_NAME: &str = "=cmd|'/c calc'!A1\x1b[2J\r\n,\"x\"/v1";
/// The same name, as a link shows it
pub const HOSTILE_NAME_SHOWN: &str = "=cmd|'/c calc'!A1?[2J??,\"x\"/v1";

impl Kind {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Honest(name) => name,
            _ => "fleet/v1",
        }
    }

    pub fn protocols(self) -> Vec<Protocol<'static>> {
        match self {
            Self::Stranger => vec![Protocol::new("bzz", 1, 4)],
            _ => vec![Protocol::new("eth", 69, 18), Protocol::new("snap", 1, 8)],
        }
    }

    /// With which Disconnect it answers auth
    pub fn refuses(self) -> Option<DisconnectReason> {
        (self == Self::Full).then_some(DisconnectReason::TOO_MANY_PEERS)
    }
}

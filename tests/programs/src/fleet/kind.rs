//! What a node does to whoever dials it

use devp2p_proto::{DisconnectReason, Protocol};

/// The ways of nodes
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Says Hello under this name and sends its Status, answers Pings, and closes when told goodbye
    Honest(&'static str),
    /// The same without a Status
    Silent,
    /// The same after a message of 64 KiB, which is more than a guest needs to keep
    Loud,
    /// Nobody listens
    Absent,
    /// Sends Disconnect in place of Hello
    Full,
    /// Says Hello, and then Disconnect
    Fickle,
    /// Has no protocol in common with anybody
    Stranger,
    /// Has another key than its URL says
    WrongKey,
    /// Answers auth with a page of HTTP
    Web,
    /// Answers auth with noise of the right length
    Noise,
    /// Shakes hands, and then sends a Hello whose MAC is wrong
    WrongMac,
    /// Shakes hands, and then says Hello with the id of another node
    Impostor,
    /// Shakes hands, and then announces a Hello of 16 MiB
    Oversized,
    /// Sends a Status that is none
    BadStatus,
    /// Closes when it is dialled
    Vanishes(Then),
    /// Does nothing more, but does not close either
    Hangs(Then),
}

/// How far a node comes
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Then {
    Accepted,
    HandshakeDone,
    HelloSaid,
    StatusSent,
}

/// A name that would clear a terminal and be a formula in a spreadsheet
pub const HOSTILE_NAME: &str = "=cmd|'/c calc'!A1\x1b[2J\r\n,\"x\"/v1";
/// The same as a link shows it
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

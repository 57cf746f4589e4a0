//! Why a node is given up

use devp2p_proto::rlp::RlpError;
use devp2p_proto::{DisconnectReason, ProtocolError};

use super::message::{Block, ForkId, Hash};

/// What the node did, or what it is
#[derive(Clone, Copy)]
pub enum Failure {
    /// Speaks another version than was agreed on
    OtherVersion { theirs: u64, agreed: u64 },
    /// Is on another network
    OtherNetwork { theirs: u64, ours: u64 },
    /// Has another genesis block
    OtherGenesis { theirs: Hash, ours: Hash },
    /// Has other forks
    OtherForks { theirs: ForkId, ours: ForkId },
    /// Said nothing where it had to
    Silent,
    /// Does not have a header that it must have
    NoHeader(Block),
    /// Sent a message with this code before Status, or without being asked
    OutOfTurn(u64),
    /// Answered a request that was not made, or not last
    OtherRequest(u64),
    /// Sent what is not the RLP that it should be
    Malformed(RlpError),
    /// Sent a header that has another hash than the one that was asked for
    OtherHash { theirs: Hash, asked: Hash },
    /// Has told another number of a block than stands in its header
    OtherNumber { header: u64, told: u64 },
}

impl Failure {
    /// What the link is told, and so the reason on the wire
    pub const fn error(&self) -> ProtocolError {
        match self {
            Self::OtherVersion { .. }
            | Self::OtherNetwork { .. }
            | Self::OtherGenesis { .. }
            | Self::OtherForks { .. } => ProtocolError::Other,
            Self::Silent | Self::NoHeader(_) => ProtocolError::Reason(DisconnectReason::USELESS_PEER),
            Self::OutOfTurn(_)
            | Self::OtherRequest(_)
            | Self::Malformed(_)
            | Self::OtherHash { .. }
            | Self::OtherNumber { .. } => ProtocolError::BadMessage,
        }
    }
}

impl From<RlpError> for Failure {
    fn from(error: RlpError) -> Self {
        Self::Malformed(error)
    }
}

/// What follows "the node"
impl defmt::Format for Failure {
    fn format(&self, f: defmt::Formatter<'_>) {
        match self {
            Self::OtherVersion { theirs, agreed } => {
                defmt::write!(f, "speaks eth/{=u64} after eth/{=u64} was agreed on", theirs, agreed);
            }
            Self::OtherNetwork { theirs, ours } => defmt::write!(f, "is on network {=u64}, not {=u64}", theirs, ours),
            Self::OtherGenesis { theirs, ours } => defmt::write!(f, "has the genesis {}, not {}", theirs, ours),
            Self::OtherForks { theirs, ours } => defmt::write!(f, "has the fork id {}, not {}", theirs, ours),
            Self::Silent => defmt::write!(f, "says nothing"),
            Self::NoHeader(block) => defmt::write!(f, "does not have the header of {}", block),
            Self::OutOfTurn(code) => defmt::write!(f, "sent a message of code {=u64} out of turn", code),
            Self::OtherRequest(id) => defmt::write!(f, "answered request {=u64}, which is not open", id),
            Self::Malformed(error) => defmt::write!(f, "sent a malformed message: {}", error),
            Self::OtherHash { theirs, asked } => {
                defmt::write!(f, "sent a header that hashes to {}, not to {}", theirs, asked);
            }
            Self::OtherNumber { header, told } => {
                defmt::write!(f, "has told the number {=u64} of the block with header {=u64}", told, header);
            }
        }
    }
}

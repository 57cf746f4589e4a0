//! Why `eth` or `snap` gives up on a peer

use std::fmt;

use devp2p_drivers::eth::status::Mismatch;
use devp2p_proto::{DisconnectReason, ProtocolError};
use rlp::{Decodable, DecoderError};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The peer is on another chain, which is no fault
    OtherChain(Mismatch),
    /// The peer did what the protocol does not allow
    Breach(String),
    /// The peer is not able to do what it is needed for
    Useless(String),
}

impl Failure {
    /// What the link is told, and so the reason on the wire
    pub const fn error(&self) -> ProtocolError {
        match self {
            Self::OtherChain(_) => ProtocolError::Other,
            Self::Breach(_) => ProtocolError::BadMessage,
            Self::Useless(_) => ProtocolError::Reason(DisconnectReason::USELESS_PEER),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherChain(mismatch) => write!(f, "the node is not on our chain: {mismatch}"),
            Self::Breach(what) => write!(f, "the node broke the protocol: {what}"),
            Self::Useless(what) => write!(f, "the node is of no use: {what}"),
        }
    }
}

/// Decodes a message, or names what could not be decoded
pub fn decode<T: Decodable>(name: &str, payload: &[u8]) -> Result<T, Failure> {
    devp2p_proto::rlp::decode(payload).map_err(|error| {
        let why = match error {
            DecoderError::Custom(why) => why.to_string(),
            other => other.to_string(),
        };
        Failure::Breach(format!("{name} cannot be decoded: {why}"))
    })
}

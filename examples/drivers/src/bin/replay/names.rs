//! The names of protocols and of their messages

use std::borrow::Cow;

use devp2p_drivers::eth::message;
use devp2p_drivers::journal::Offer;
use devp2p_proto::ProtocolId;

use crate::happening::Layer;

/// The messages of `snap/1` (caps/snap.md), by their codes
const SNAP: [&str; 8] = [
    "GetAccountRange",
    "AccountRange",
    "GetStorageRanges",
    "StorageRanges",
    "GetByteCodes",
    "ByteCodes",
    "GetTrieNodes",
    "TrieNodes",
];

/// The protocols that a node offers, in the order of its configuration
pub struct Names(Vec<Offer>);

impl Names {
    pub fn new(offers: &[Offer]) -> Self {
        Self(offers.to_vec())
    }

    /// Name and version of each protocol
    pub fn capabilities(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(|offer| format!("{}/{}", offer.name, offer.version))
    }

    pub fn capability(&self, protocol: ProtocolId) -> String {
        self.capabilities().nth(protocol.0).unwrap_or_else(|| protocol.to_string())
    }

    /// The layer of a protocol; a call that was refused may name one that no node offers
    pub fn layer(&self, protocol: ProtocolId) -> Layer {
        if protocol.0 < self.0.len() { Layer::Protocol(protocol) } else { Layer::Link }
    }

    /// The name of a message, or its code if the protocol or the code is unknown
    pub fn message(&self, protocol: ProtocolId, code: u64) -> Cow<'static, str> {
        let known = self.0.get(protocol.0).and_then(|offer| match offer.name.as_str() {
            "eth" => message::known_name(code),
            "snap" => usize::try_from(code).ok().and_then(|code| SNAP.get(code).copied()),
            _ => None,
        });
        known.map_or_else(|| format!("code {code:#04x}").into(), Cow::from)
    }
}

//! What a link and a node report about themselves, in the shape of geth's `admin_peers` and
//! `admin_nodeInfo`

use heapless::Vec;

use super::config::Config;
use super::limits::MAX_PROTOCOLS;
use super::protocols::{SharedProtocol, kept};
use super::remote::RemoteHello;
use crate::enode::Enode;
use crate::node_id::{NodeHash, NodeId};
use crate::protocol::{Capability, Name, ProtocolId};

/// What only the driver knows of a connection
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Network<'a> {
    /// This side's address, as text
    pub local_address: &'a str,
    /// The peer's address, as text
    pub remote_address: &'a str,
    /// Whether the peer is exempt from limits
    pub trusted: bool,
    /// Whether the driver always keeps this peer
    pub is_static: bool,
}

/// What a protocol reports about itself
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum ProtocolInfo<P> {
    /// Its own handshake is not over; shown as `"handshake"`
    Handshake,
    /// What it reports
    Info(P),
}

/// A link as geth's `admin_peers` shows one
///
/// Under `serde` it serializes to the same JSON.
#[derive(Debug, Clone)]
pub struct PeerInfo<'a, P> {
    /// The remote's key
    pub node_id: NodeId,
    /// The hash by which geth names the remote
    pub id: NodeHash,
    /// The remote's client id
    pub name: &'a str,
    /// The remote's capabilities
    pub capabilities: &'a [Capability],
    /// The connection
    pub network: Network<'a>,
    /// Whether the remote dialled this node
    pub inbound: bool,
    protocols: Vec<(Name, ProtocolInfo<P>), MAX_PROTOCOLS>,
}

impl<'a, P> PeerInfo<'a, P> {
    pub(super) fn new(
        node_id: NodeId,
        hello: &'a RemoteHello,
        inbound: bool,
        network: Network<'a>,
        shared: impl Iterator<Item = SharedProtocol>,
        mut part: impl FnMut(SharedProtocol) -> Option<P>,
    ) -> Self {
        let entry = |shared: SharedProtocol| {
            let info = part(shared).map_or(ProtocolInfo::Handshake, ProtocolInfo::Info);
            (shared.capability.name, info)
        };
        Self {
            node_id,
            id: node_id.hash(),
            name: hello.client_id(),
            capabilities: hello.capabilities(),
            network,
            inbound,
            protocols: kept(shared.map(entry)),
        }
    }

    /// What the shared protocols report, by name
    pub fn protocols(&self) -> &[(Name, ProtocolInfo<P>)] {
        &self.protocols
    }

    /// The remote's enode URL, with the address that the driver gave
    pub fn enode(&self) -> Enode<&str> {
        Enode { node_id: self.node_id, address: self.network.remote_address }
    }
}

/// A node as geth's `admin_nodeInfo` shows it
///
/// Under `serde` it serializes to the same JSON, without the data of discovery.
#[derive(Debug, Clone)]
pub struct NodeInfo<'a, P> {
    /// The node's key
    pub node_id: NodeId,
    /// The hash by which geth names the node
    pub id: NodeHash,
    /// The node's client id
    pub name: &'a str,
    /// The IP address that the node listens on, as text
    pub ip: &'a str,
    /// The TCP port that the node listens on
    pub listener: u16,
    /// The address with the port, as text
    pub listen_address: &'a str,
    protocols: Vec<(Name, ProtocolInfo<P>), MAX_PROTOCOLS>,
}

impl<P> NodeInfo<'_, P> {
    /// What the offered protocols report, by name
    pub fn protocols(&self) -> &[(Name, ProtocolInfo<P>)] {
        &self.protocols
    }

    /// The node's enode URL
    pub fn enode(&self) -> Enode<&str> {
        Enode { node_id: self.node_id, address: self.listen_address }
    }
}

impl Config {
    /// The node as geth's `admin_nodeInfo` shows it
    ///
    /// The driver listens on `ip` and `listen_address`. `part` gives what each protocol reports about
    /// itself, or `None` while it reports nothing. If a name has several versions, the first is shown.
    pub fn node_info<'a, P>(
        &'a self,
        ip: &'a str,
        listen_address: &'a str,
        mut part: impl FnMut(ProtocolId, Capability) -> Option<P>,
    ) -> NodeInfo<'a, P> {
        let mut protocols = Vec::<(Name, ProtocolInfo<P>), MAX_PROTOCOLS>::new();
        for (index, capability) in self.capabilities().enumerate() {
            if protocols.iter().all(|(name, _)| *name != capability.name) {
                let info = part(ProtocolId(index), capability).map_or(ProtocolInfo::Handshake, ProtocolInfo::Info);
                // There are no more names than protocols, so this cannot be refused.
                let _ = protocols.push((capability.name, info));
            }
        }
        NodeInfo {
            node_id: self.node_id(),
            id: self.node_id().hash(),
            name: self.client_id(),
            ip,
            listener: self.listen_port(),
            listen_address,
            protocols,
        }
    }
}

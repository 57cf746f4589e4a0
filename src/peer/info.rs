//! What a link and a node say of themselves, in the shape of geth's `admin_peers` and
//! `admin_nodeInfo`

use core::fmt;

use heapless::{String, Vec};

use super::config::{Config, MAX_CLIENT_ID, MAX_PROTOCOLS};
use super::protocols::{SharedProtocol, kept};
use crate::node_id::{NodeHash, NodeId};
use crate::p2p::hello::Hello;
use crate::protocol::{Capability, Name, ProtocolId};

/// How many capabilities of a remote are kept; all of them take part in the matching
const MAX_KEPT: usize = MAX_PROTOCOLS;

/// What a remote said of itself in its Hello
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct RemoteHello {
    version: u64,
    client_id: String<MAX_CLIENT_ID>,
    capabilities: Vec<Capability, MAX_KEPT>,
    omitted: usize,
    listen_port: u64,
}

impl RemoteHello {
    pub(super) fn new(hello: &Hello<'_>) -> Self {
        let mut kept = Self {
            version: hello.version,
            client_id: printable(hello.client_id),
            listen_port: hello.listen_port,
            ..Self::default()
        };
        for capability in hello.capabilities() {
            if kept.capabilities.push(capability).is_err() {
                kept.omitted = kept.omitted.saturating_add(1);
            }
        }
        kept
    }

    /// The version of the base protocol that the remote speaks
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// The remote's client id, by convention `name/version/platform`
    ///
    /// At most [`MAX_CLIENT_ID`] bytes of it, and what is not printable ASCII replaced by `?`: it is
    /// the peer's text and may end up on a terminal.
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// The capabilities that the remote listed first, as many as a node of ours can have
    ///
    /// Names that cannot be shared are left out.
    pub fn capabilities(&self) -> &[Capability] {
        &self.capabilities
    }

    /// How many capabilities the remote listed beyond those
    pub const fn omitted_capabilities(&self) -> usize {
        self.omitted
    }

    /// The port that the remote says it listens on, 0 for none
    pub const fn listen_port(&self) -> u64 {
        self.listen_port
    }
}

fn printable<const N: usize>(bytes: &[u8]) -> String<N> {
    let mut text = String::new();
    for byte in bytes.iter().take(N) {
        // Each is one byte, and there is room for N; `collect` would panic where there is not.
        _ = text.push(if matches!(byte, b' '..=b'~') { char::from(*byte) } else { '?' });
    }
    text
}

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
    /// Whether the peer is one that is always kept
    pub is_static: bool,
}

/// What a protocol says of itself, if it says anything yet
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum ProtocolInfo<P> {
    /// Its own handshake is not over; shown as `"handshake"`
    Handshake,
    /// Its own part
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

    /// The shared protocols' own parts, by name
    pub fn protocols(&self) -> &[(Name, ProtocolInfo<P>)] {
        &self.protocols
    }

    /// The remote's enode URL, with the address that the driver gave
    pub fn enode(&self) -> Enode<'_> {
        Enode { node_id: self.node_id, address: self.network.remote_address }
    }
}

/// A node as geth's `admin_nodeInfo` shows it
///
/// Under `serde` it serializes to the same JSON, less what belongs to discovery.
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
    /// The offered protocols' own parts, by name
    pub fn protocols(&self) -> &[(Name, ProtocolInfo<P>)] {
        &self.protocols
    }

    /// The node's enode URL
    pub fn enode(&self) -> Enode<'_> {
        Enode { node_id: self.node_id, address: self.listen_address }
    }
}

impl Config {
    /// The node as geth's `admin_nodeInfo` shows it
    ///
    /// `ip` and `listen_address` are what the driver listens on; `part` gives each protocol's own
    /// part, or `None` while it has none. Of several versions of a name the first is shown.
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

/// An enode URL: `enode://ID@ADDRESS`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Enode<'a> {
    node_id: NodeId,
    address: &'a str,
}

impl fmt::Display for Enode<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "enode://{}@{}", self.node_id, self.address)
    }
}

#[cfg(feature = "serde")]
mod json {
    //! The JSON of geth's `admin` interface

    use serde::ser::{Serialize, SerializeMap, SerializeStruct, Serializer};

    use super::{Capability, Enode, Name, Network, NodeHash, NodeInfo, PeerInfo, ProtocolInfo};

    macro_rules! serialize_as_text {
        ($($type:ty),*) => {$(
            impl Serialize for $type {
                fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    serializer.collect_str(self)
                }
            }
        )*};
    }

    serialize_as_text!(Capability, Enode<'_>, Name, NodeHash);

    impl<P: Serialize> Serialize for ProtocolInfo<P> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            match self {
                Self::Handshake => serializer.serialize_str("handshake"),
                Self::Info(info) => info.serialize(serializer),
            }
        }
    }

    struct Protocols<'a, P>(&'a [(Name, ProtocolInfo<P>)]);

    impl<P: Serialize> Serialize for Protocols<'_, P> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let mut map = serializer.serialize_map(Some(self.0.len()))?;
            self.0.iter().try_for_each(|(name, info)| map.serialize_entry(name, info))?;
            map.end()
        }
    }

    struct Connection<'a> {
        network: Network<'a>,
        inbound: bool,
    }

    impl Serialize for Connection<'_> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let mut fields = serializer.serialize_struct("network", 5)?;
            fields.serialize_field("localAddress", self.network.local_address)?;
            fields.serialize_field("remoteAddress", self.network.remote_address)?;
            fields.serialize_field("inbound", &self.inbound)?;
            fields.serialize_field("trusted", &self.network.trusted)?;
            fields.serialize_field("static", &self.network.is_static)?;
            fields.end()
        }
    }

    impl<P: Serialize> Serialize for PeerInfo<'_, P> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let mut fields = serializer.serialize_struct("PeerInfo", 6)?;
            fields.serialize_field("enode", &self.enode())?;
            fields.serialize_field("id", &self.id)?;
            fields.serialize_field("name", self.name)?;
            fields.serialize_field("caps", self.capabilities)?;
            fields.serialize_field("network", &Connection { network: self.network, inbound: self.inbound })?;
            fields.serialize_field("protocols", &Protocols(&self.protocols))?;
            fields.end()
        }
    }

    struct Ports {
        listener: u16,
    }

    impl Serialize for Ports {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let mut fields = serializer.serialize_struct("ports", 2)?;
            // Discovery is somebody else's; geth shows 0 where it is off.
            fields.serialize_field("discovery", &0)?;
            fields.serialize_field("listener", &self.listener)?;
            fields.end()
        }
    }

    impl<P: Serialize> Serialize for NodeInfo<'_, P> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let mut fields = serializer.serialize_struct("NodeInfo", 7)?;
            fields.serialize_field("id", &self.id)?;
            fields.serialize_field("name", self.name)?;
            fields.serialize_field("enode", &self.enode())?;
            fields.serialize_field("ip", self.ip)?;
            fields.serialize_field("ports", &Ports { listener: self.listener })?;
            fields.serialize_field("listenAddr", self.listen_address)?;
            fields.serialize_field("protocols", &Protocols(&self.protocols))?;
            fields.end()
        }
    }
}

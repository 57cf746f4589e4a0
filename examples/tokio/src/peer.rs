//! The node at the other end of a link

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use devp2p_proto::{
    Capability, DisconnectReason, Network, NodeId, PeerInfo, PeerState, RemoteHello, Role, SharedProtocol, Traffic,
};

use crate::control::Control;

/// What is known about a peer, and a handle to its link
///
/// A clone is the same peer. It may be kept after the link has ended.
#[derive(Clone)]
pub struct Peer(Arc<Inner>);

struct Inner {
    node_id: NodeId,
    client_id: Box<str>,
    capabilities: Box<[Capability]>,
    shared: Box<[SharedProtocol]>,
    role: Role,
    address: Option<SocketAddr>,
    control: Control,
}

impl Peer {
    /// The peer of a link whose protocols are agreed on; `None` before
    pub fn new(link: &PeerState<'_>, address: Option<SocketAddr>, control: Control) -> Option<Self> {
        let (node_id, hello) = (link.remote_id()?, link.remote_hello()?);
        Some(Self(Arc::new(Inner {
            node_id,
            client_id: RemoteHello::client_id(hello).into(),
            capabilities: hello.capabilities().into(),
            shared: link.shared().collect(),
            role: link.role(),
            address,
            control,
        })))
    }

    /// The key of the peer
    pub fn node_id(&self) -> NodeId {
        self.0.node_id
    }

    /// The client id of the peer, printable ASCII
    pub fn client_id(&self) -> &str {
        &self.0.client_id
    }

    /// The capabilities that the peer has listed
    pub fn capabilities(&self) -> &[Capability] {
        &self.0.capabilities
    }

    /// The protocols that both nodes run
    pub fn shared(&self) -> &[SharedProtocol] {
        &self.0.shared
    }

    /// Whether the peer has dialled this node
    pub fn is_inbound(&self) -> bool {
        self.0.role == Role::Recipient
    }

    /// The peer's address; `None` if the stream of the link was not made by the node
    pub fn address(&self) -> Option<SocketAddr> {
        self.0.address
    }

    /// Ends the link with this reason, which the peer is told
    pub fn disconnect(&self, reason: DisconnectReason) {
        self.0.control.disconnect(reason);
    }

    /// Lets the link's task call `look` with the link and its counters; `None` when the link has ended
    pub async fn inspect<T: Send + 'static>(
        &self,
        look: impl FnOnce(&PeerState<'static>) -> T + Send + 'static,
    ) -> Option<T> {
        self.0.control.inspect(look).await
    }

    /// Lets the link's task call `read` with this peer's entry, as in geth's `admin_peers`
    ///
    /// The entry has the counters of each protocol. `None` when the link has ended.
    pub async fn info<T: Send + 'static>(
        &self,
        read: impl FnOnce(PeerInfo<'_, Traffic>) -> T + Send + 'static,
    ) -> Option<T> {
        let address = self.address().map(|address| address.to_string()).unwrap_or_default();
        let look = move |link: &PeerState<'static>| {
            let network = Network { remote_address: &address, ..Network::default() };
            link.peer_info(network, |shared| link.traffic(shared.protocol)).map(read)
        };
        self.inspect(look).await.flatten()
    }
}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peer")
            .field("node_id", &self.node_id())
            .field("client_id", &self.client_id())
            .field("address", &self.address())
            .finish_non_exhaustive()
    }
}

//! A node: the links that it accepts and dials, and the protocols on them

mod builder;
mod error;
mod link;
mod links;
mod listener;
mod member;
mod tasks;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use devp2p_proto::{DisconnectReason, Enode, NodeId, SecretKey};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::peer::Peer;
use builder::Shared;
pub use builder::{Builder, Candidate};
pub use error::{BuildError, LinkError};
pub use link::LinkHandle;
use link::{Done, Origin, open};
use member::Permits;
use tasks::Tasks;

/// A node of the network
///
/// A clone is the same node. When the last clone is dropped, all links are closed at once; call
/// [`shutdown`](Self::shutdown) before, so that the peers are told a reason.
#[derive(Debug, Clone)]
pub struct Node {
    shared: Arc<Shared>,
    tasks: Arc<Tasks>,
    address: Option<SocketAddr>,
}

impl Node {
    /// Makes a node with this key; the client id is by convention `name/version/platform`
    pub fn builder(key: SecretKey, client_id: &str) -> Builder<'_> {
        Builder::new(key, client_id)
    }

    /// The id of the node
    pub fn id(&self) -> NodeId {
        self.shared.config.node_id()
    }

    /// The URL by which others dial this node; `None` if it does not listen
    ///
    /// The URL has the address that the node listens on. Other nodes may be unable to reach this address.
    pub fn enode(&self) -> Option<Enode> {
        self.address.map(|address| Enode { node_id: self.id(), address })
    }

    /// Opens a link to a node over TCP
    ///
    /// The timeout of the handshake also limits connecting.
    pub fn dial(&self, node: Enode) -> LinkHandle {
        let (shared, tasks) = (Arc::clone(&self.shared), Arc::downgrade(&self.tasks));
        let (done, handle) = Done::new();
        let patience = shared.timeouts.handshake;
        let dial = async move {
            let connected = timeout(patience, TcpStream::connect(node.address)).await;
            match connected.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
                Ok(socket) => {
                    // The link itself puts frames together, so TCP need not wait for more bytes.
                    _ = socket.set_nodelay(true);
                    open(&shared, &tasks, socket, Origin::Dialled(node.node_id, Some(node.address)), done);
                }
                Err(error) => done.fail(LinkError::Connect(error)),
            }
        };
        self.tasks.prepare(dial);
        handle
    }

    /// Opens a link to a node over a stream that is connected to it
    pub fn connect<S: AsyncRead + AsyncWrite + Send + Unpin + 'static>(&self, stream: S, node: NodeId) -> LinkHandle {
        self.open(stream, Origin::Dialled(node, None))
    }

    /// Runs a link over a stream that somebody has opened to this node
    ///
    /// The limits on inbound links are those of the listener, and do not apply.
    pub fn accept<S: AsyncRead + AsyncWrite + Send + Unpin + 'static>(&self, stream: S) -> LinkHandle {
        self.open(stream, Origin::Accepted(None, Permits::default()))
    }

    fn open<S: AsyncRead + AsyncWrite + Send + Unpin + 'static>(&self, stream: S, origin: Origin) -> LinkHandle {
        let (done, handle) = Done::new();
        open(&self.shared, &Arc::downgrade(&self.tasks), stream, origin, done);
        handle
    }

    /// The peers with which protocols are agreed on
    pub fn peers(&self) -> Vec<Peer> {
        self.shared.links.peers()
    }

    /// Ends the listener and all links, and waits for them
    ///
    /// Each peer is told the reason. The timeouts for writing and lingering limit how long all of this may take. If the
    /// future is dropped, the links that are left are closed at once. From the first poll on, the node makes no more
    /// links. A second call waits for the first one.
    pub async fn shutdown(&self, reason: DisconnectReason) {
        self.tasks.stop();
        self.shared.links.disconnect(reason);
        let _ending = self.tasks.ending.lock().await;
        let [mut preparing, mut links] = self.tasks.take();
        preparing.shutdown().await;
        let join = async { while links.join_next().await.is_some() {} };
        if timeout(self.shared.patience(), join).await.is_err() {
            tracing::debug!(links = links.len(), "closed unfinished");
        }
        links.shutdown().await;
    }
}

/// A new key from the randomness of the system
///
/// # Errors
/// If the system has no randomness.
pub fn random_key() -> Result<SecretKey, getrandom::Error> {
    loop {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes)?;
        // Nearly all numbers of 32 bytes are keys.
        if let Ok(key) = SecretKey::from_bytes(bytes) {
            return Ok(key);
        }
    }
}

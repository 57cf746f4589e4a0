//! A node: the links that it accepts and dials, and the protocols on them

mod builder;
mod error;
mod links;
mod listener;
mod member;
mod tasks;

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};

use devp2p_proto::{Buffers, Cause, DisconnectReason, Enode, Entropy, Instant, NodeId, PeerState, SecretKey};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::time::timeout;
use tracing::Instrument;

use crate::control::control;
use crate::driver::Driver;
use crate::peer::Peer;
pub use builder::{Builder, Candidate};
pub use error::{BuildError, LinkError};
use member::{Member, Permits};
use tasks::Tasks;

use builder::Shared;

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

/// A link that the node was asked for, as a future: ready when the link has ended, with the cause
///
/// The handle may be dropped: the link does not depend on it.
#[derive(Debug)]
pub struct LinkHandle(oneshot::Receiver<Result<Cause, LinkError>>);

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
        let (shared, links) = (Arc::clone(&self.shared), Arc::downgrade(&self.tasks));
        let (done, handle) = Done::new();
        let patience = shared.timeouts.handshake;
        let dial = async move {
            let connected = timeout(patience, TcpStream::connect(node.address)).await;
            match connected.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
                Ok(socket) => {
                    // The link itself puts frames together, so TCP need not wait for more bytes.
                    _ = socket.set_nodelay(true);
                    open(&shared, &links, socket, Origin::Dialled(node.node_id, Some(node.address)), done);
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
    /// Each peer is told the reason. The link's own timeouts limit how long the peer may take to read what is unsent.
    /// If the future is dropped, the links that are left are closed at once. From the first poll on, the node makes no
    /// more links.
    pub async fn shutdown(&self, reason: DisconnectReason) {
        self.tasks.stop_preparing().await;
        let mut links = self.tasks.take_links();
        self.shared.links.disconnect(reason);
        while links.join_next().await.is_some() {}
    }
}

/// How a link came to be
enum Origin {
    Dialled(NodeId, Option<SocketAddr>),
    Accepted(Option<SocketAddr>, Permits),
}

/// The other end of a [`LinkHandle`]
struct Done(oneshot::Sender<Result<Cause, LinkError>>);

impl Done {
    fn new() -> (Self, LinkHandle) {
        let (done, handle) = oneshot::channel();
        (Self(done), LinkHandle(handle))
    }

    fn fail(self, error: LinkError) {
        self.tell(Err(error));
    }

    fn tell(self, outcome: Result<Cause, LinkError>) {
        // The handle may have been dropped.
        _ = self.0.send(outcome);
    }
}

/// Starts the task of a link, or says why there is none
fn open<S: AsyncRead + AsyncWrite + Send + Unpin + 'static>(
    shared: &Arc<Shared>,
    tasks: &Weak<Tasks>,
    stream: S,
    origin: Origin,
    done: Done,
) {
    let link = match start(shared, &origin) {
        Ok(link) => link,
        Err(error) => return done.fail(error),
    };
    let (address, permits) = match origin {
        Origin::Dialled(_, address) => (address, Permits::default()),
        Origin::Accepted(address, permits) => (address, permits),
    };
    let span = tracing::debug_span!("link", ?address, role = ?link.role());
    let (control, commands) = control();
    let member = Member::new(shared, address, permits, control);
    // In a box, so that the task does not store the driver twice: as the value that it begins with, and as the future
    // that it waits for.
    let mut driver = Box::new(Driver::new(Instant::ZERO, link, stream, member, commands).with_queue(shared.queue));
    let task = async move {
        let cause = (&mut *driver).await;
        drop(driver);
        tracing::debug!(%cause, "ended");
        done.tell(Ok(cause));
    };
    if let Some(tasks) = tasks.upgrade() {
        // After a shutdown the task is dropped, and `done` with it: the handle then gives `LinkError::Dropped`.
        tasks.run(task.instrument(span));
    }
}

fn start(shared: &Shared, origin: &Origin) -> Result<PeerState<'static>, LinkError> {
    let mut entropy = [0; Entropy::SIZE];
    getrandom::fill(&mut entropy).map_err(LinkError::Randomness)?;
    let entropy = Entropy::from_bytes(entropy);
    let (now, config, buffers) = (Instant::ZERO, &shared.config, Buffers::growable());
    let link = match origin {
        Origin::Dialled(node, _) => PeerState::initiator(now, config, *node, entropy, buffers),
        Origin::Accepted(..) => PeerState::recipient(now, config, entropy, buffers),
    };
    link.map_err(|refused| LinkError::Start(refused.into()))
}

impl Future for LinkHandle {
    type Output = Result<Cause, LinkError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context).map(|outcome| outcome.unwrap_or(Err(LinkError::Dropped)))
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

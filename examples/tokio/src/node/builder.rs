//! What a node is made of

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use devp2p_proto::{Config, ConfigError, DisconnectReason, NodeId, Protocol, SecretKey, Timeouts};
use tokio::net::{TcpListener, ToSocketAddrs};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

use super::links::Links;
use super::listener::listen;
use super::tasks::Tasks;
use super::{BuildError, Node};
use crate::driver::QUEUE;
use crate::ending::GRACE;
use crate::subprotocol::{Offer, Subprotocol};

/// Makes a [`Node`]
pub struct Builder<'a> {
    key: SecretKey,
    client_id: &'a str,
    offers: Vec<Offer>,
    admit: Option<Admit>,
    timeouts: Timeouts,
    max_message: Option<usize>,
    queue: usize,
    max_peers: usize,
    max_inbound: usize,
    max_handshakes: usize,
}

/// A node that wants to be a peer
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Candidate {
    /// The key that the node claims; only after it was admitted does it prove that it has this key
    pub node_id: NodeId,
    /// Its address; `None` if the stream was given to [`Node::accept`]
    pub address: Option<SocketAddr>,
}

pub type Admit = Box<dyn Fn(&Candidate) -> Result<(), DisconnectReason> + Send + Sync>;

/// What all links of a node have in common
pub struct Shared {
    pub config: Config,
    pub offers: Vec<Offer>,
    pub admit: Option<Admit>,
    pub timeouts: Timeouts,
    pub queue: usize,
    /// How many more links the listener may accept
    pub inbound: Arc<Semaphore>,
    /// How many more links of the listener may be in their handshakes
    pub handshakes: Arc<Semaphore>,
    pub links: Links,
}

impl Shared {
    /// How long a link may take to end
    ///
    /// What is unsent has to leave, the peer may linger, the stream is closed, and the protocols return.
    pub fn patience(&self) -> Duration {
        let Timeouts { write, linger, .. } = self.timeouts;
        [write, linger, write, GRACE].into_iter().fold(Duration::ZERO, Duration::saturating_add)
    }
}

impl<'a> Builder<'a> {
    pub(super) fn new(key: SecretKey, client_id: &'a str) -> Self {
        Self {
            key,
            client_id,
            offers: Vec::new(),
            admit: None,
            timeouts: Timeouts::default(),
            max_message: None,
            queue: QUEUE,
            max_peers: 50,
            max_inbound: 50,
            max_handshakes: 25,
        }
    }

    /// Offers a protocol; the function is called for each link that has it
    #[must_use]
    pub fn protocol<P: Subprotocol>(mut self, make: impl Fn() -> P + Send + Sync + 'static) -> Self {
        self.offers.push(Offer::new(make));
        self
    }

    /// Decides whether to admit a node that dials this one, as soon as it claims a key
    ///
    /// A node that is refused is told the reason. If the function panics, the node is refused, too.
    ///
    /// The function is called in the task of the link, so it must not block.
    #[must_use]
    pub fn admit(mut self, admit: impl Fn(&Candidate) -> Result<(), DisconnectReason> + Send + Sync + 'static) -> Self {
        self.admit = Some(Box::new(admit));
        self
    }

    /// Sets the time limits of each link
    #[must_use]
    pub fn timeouts(self, timeouts: Timeouts) -> Self {
        Self { timeouts, ..self }
    }

    /// Limits the payload of every message, in both directions; 16 MiB by default
    #[must_use]
    pub fn max_message(self, bytes: usize) -> Self {
        Self { max_message: Some(bytes), ..self }
    }

    /// Sets the limit of each queue of a protocol, in bytes; 128 KiB by default
    ///
    /// There are two queues for each protocol of a link. A queue holds at most its limit and one more message.
    #[must_use]
    pub fn queue(self, bytes: usize) -> Self {
        Self { queue: bytes, ..self }
    }

    /// Sets how many peers there may be, dialled ones included; 50 by default
    ///
    /// Further nodes are told that there are too many peers.
    #[must_use]
    pub fn max_peers(self, count: usize) -> Self {
        Self { max_peers: count, ..self }
    }

    /// Sets how many links of the listener there may be, those in their handshakes included; 50 by default
    ///
    /// Other connections are closed before they cost any computation.
    #[must_use]
    pub fn max_inbound(self, count: usize) -> Self {
        Self { max_inbound: count, ..self }
    }

    /// Sets how many links of the listener may be in their handshakes; 25 by default
    ///
    /// Other connections wait in the system's queue.
    #[must_use]
    pub fn max_handshakes(self, count: usize) -> Self {
        Self { max_handshakes: count, ..self }
    }

    /// A node that does not listen: it dials, and runs links over the streams that it is given
    ///
    /// # Errors
    /// [`BuildError::Config`] if a protocol, the client id or a limit is refused, and [`BuildError::NoRuntime`].
    pub fn build(self) -> Result<Node, BuildError> {
        self.node(None)
    }

    /// A node that also listens on this address
    ///
    /// # Errors
    /// As for [`build`](Self::build); [`BuildError::Listen`] if the node cannot listen on the address.
    pub async fn listen(self, address: impl ToSocketAddrs) -> Result<Node, BuildError> {
        let listener = TcpListener::bind(address).await.map_err(BuildError::Listen)?;
        let address = listener.local_addr().map_err(BuildError::Listen)?;
        let node = self.node(Some(address))?;
        node.tasks.prepare(listen(listener, Arc::clone(&node.shared), Arc::downgrade(&node.tasks)));
        Ok(node)
    }

    fn node(self, address: Option<SocketAddr>) -> Result<Node, BuildError> {
        let runtime = Handle::try_current().map_err(|_| BuildError::NoRuntime)?;
        let shared = Arc::new(self.shared(address.map_or(0, |address| address.port()))?);
        Ok(Node { shared, tasks: Arc::new(Tasks::new(runtime)), address })
    }

    fn shared(self, port: u16) -> Result<Shared, ConfigError> {
        let protocols: Vec<Protocol<'static>> = self.offers.iter().map(|offer| offer.protocol).collect();
        let config = Config::new(self.key, self.client_id, &protocols)?.with_timeouts(self.timeouts)?;
        let config = match self.max_message {
            Some(len) => config.with_max_message(len)?,
            None => config,
        };
        let permits = |count: usize| Arc::new(Semaphore::new(count.min(Semaphore::MAX_PERMITS)));
        Ok(Shared {
            config: config.with_listen_port(port),
            offers: self.offers,
            admit: self.admit,
            timeouts: self.timeouts,
            queue: self.queue,
            inbound: permits(self.max_inbound),
            handshakes: permits(self.max_handshakes),
            links: Links::new(self.max_peers),
        })
    }
}

impl fmt::Debug for Builder<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("node_id", &self.config.node_id()).finish_non_exhaustive()
    }
}

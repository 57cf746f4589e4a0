//! What can be asked of a link without changing it

use core::fmt;
use core::time::Duration;

use super::PeerState;
use super::admin::{Network, PeerInfo};
use super::counters::{Liveness, Traffic};
use super::protocols::SharedProtocol;
use super::remote::{Greeting, Remote, RemoteHello};
use super::state::{Role, Stage};
use crate::cause::Cause;
use crate::node_id::NodeId;
use crate::protocol::ProtocolId;
use crate::time::Instant;

/// # Observers
impl PeerState<'_> {
    /// Where the link is in its life
    pub const fn stage(&self) -> Stage {
        self.state.stage()
    }

    /// Why the link has ended or is about to end, `None` before that
    pub const fn cause(&self) -> Option<Cause> {
        self.state.cause()
    }

    /// Which node opened the connection
    pub const fn role(&self) -> Role {
        self.role
    }

    /// Whether the driver [holds input](Self::hold_input)
    pub const fn is_input_held(&self) -> bool {
        self.held
    }

    /// The id of this node
    pub const fn local_id(&self) -> NodeId {
        self.local_id
    }

    /// The id that the remote claims, `None` before the handshake
    ///
    /// A claim until [`is_remote_proven`](Self::is_remote_proven).
    pub const fn remote_id(&self) -> Option<NodeId> {
        match &self.remote {
            Remote::Unknown | Remote::Dialled(_) => None,
            Remote::Claimed(id) | Remote::Proven(id) => Some(*id),
        }
    }

    /// Whether a frame of the remote had a valid MAC, which only the owner of its key could make
    pub const fn is_remote_proven(&self) -> bool {
        matches!(&self.remote, Remote::Proven(_))
    }

    /// What the remote said about itself in its Hello, `None` before that
    pub const fn remote_hello(&self) -> Option<&RemoteHello> {
        match &self.greeting {
            Greeting::Theirs(hello) => Some(hello),
            Greeting::Ours { .. } => None,
        }
    }

    /// The protocols shared with the remote and their message ids, in the order of the configuration
    ///
    /// Empty before Hello. Does not change when the link ends.
    pub fn shared(&self) -> impl Iterator<Item = SharedProtocol> + '_ {
        self.protocols.shared()
    }

    /// The traffic of a protocol, `None` if there is no such protocol
    pub fn traffic(&self, protocol: ProtocolId) -> Option<Traffic> {
        self.protocols.traffic(protocol)
    }

    /// The Pings and Pongs so far
    pub const fn liveness(&self) -> Liveness {
        self.liveness
    }

    /// How long the link has existed
    pub fn age(&self, now: Instant) -> Duration {
        self.clock.peek(now).saturating_since(self.started)
    }

    /// The link as geth's `admin_peers` shows one, `None` before Hello
    ///
    /// `part` gives what each shared protocol reports about itself, or `None` while it reports nothing.
    pub fn peer_info<'a, P>(
        &'a self,
        network: Network<'a>,
        part: impl FnMut(SharedProtocol) -> Option<P>,
    ) -> Option<PeerInfo<'a, P>> {
        let (id, hello) = (self.remote_id()?, self.remote_hello()?);
        let inbound = self.role == Role::Recipient;
        Some(PeerInfo::new(id, hello, inbound, network, self.shared(), part))
    }
}

impl fmt::Debug for PeerState<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PeerState")
            .field("role", &self.role)
            .field("stage", &self.stage())
            .field("cause", &self.cause())
            .field("remote", &self.remote_id())
            .field("unsent", &self.unsent().len())
            .finish_non_exhaustive()
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for PeerState<'_> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "PeerState({}, {}, {} bytes unsent)", self.role, self.stage(), self.unsent().len());
    }
}

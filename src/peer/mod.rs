//! The link itself: a state machine that events drive and that actions come out of

mod action;
mod buffers;
mod config;
mod egress;
mod ending;
mod growable;
mod info;
mod ingress;
#[cfg(feature = "__internal")]
#[doc(hidden)]
pub mod internal;
mod liveness;
mod protocols;
mod receive;
mod state;
mod timers;
mod transmit;

use core::fmt;
use core::time::Duration;

pub use action::{Action, Direction, Event, MessageEvent, Payload, Ready};
pub use buffers::Buffers;
pub use config::{Config, MAX_CLIENT_ID, MAX_MESSAGE, MAX_PROTOCOLS, MIN_MESSAGE, Protocol, Timeouts};
pub use info::{Enode, Network, NodeInfo, PeerInfo, ProtocolInfo, RemoteHello};
pub use liveness::Liveness;
pub use protocols::{Counters, SharedProtocol, Traffic};
pub use state::Stage;
pub use timers::Timer;

use crate::error::{Cause, ConfigError, Refused};
use crate::node_id::NodeId;
use crate::protocol::ProtocolId;
use crate::rlpx::Entropy;
use crate::rlpx::handshake::{Initiator, Recipient, StartError};
use crate::time::Instant;
use config::ClientId;
use egress::Egress;
use ingress::Ingress;
use protocols::Protocols;
use state::{Pending, Place, State};
use timers::Timers;

/// One peer link, from the first byte of the handshake to the parting Disconnect
///
/// Events go in by methods that take the time as an argument, actions come out of
/// [`poll`](Self::poll), and [`next_timeout`](Self::next_timeout) says when to come back without an
/// event. The crate's front page has the loop that ties them together. No method blocks, allocates
/// with caller-provided buffers, or panics.
///
/// Methods come in four kinds: constructors; what happened (`receive`, `sent`, `handle_timeout`, …);
/// what the application wants (`write`, `disconnect`, …); and observers, which change nothing.
pub struct PeerState<'buf> {
    state: State,
    pending: Pending,
    ingress: Ingress<'buf>,
    egress: Egress<'buf>,
    protocols: Protocols,
    timers: Timers,
    liveness: Liveness,
    timeouts: Timeouts,
    limits: buffers::Limits,
    local: Local,
    remote: Remote,
    role: Role,
    started: Instant,
    /// The latest time that was ever given
    now: Instant,
    /// Where typed messages are encoded before they are sealed
    #[cfg(feature = "alloc")]
    scratch: Option<rlp::RlpStream>,
}

/// Who opened the connection
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Role {
    /// This node dialled
    Initiator,
    /// This node was dialled
    Recipient,
}

/// What goes into our Hello
struct Local {
    id: NodeId,
    client_id: ClientId,
    listen_port: u16,
}

/// What is known of the remote
#[expect(clippy::large_enum_variant, reason = "without an allocator there is nowhere else to put a Hello")]
enum Remote {
    Unknown,
    /// The one that was dialled
    Expected(NodeId),
    /// The one that has proven its key
    Proven(NodeId),
    Greeted(NodeId, RemoteHello),
}

impl Remote {
    /// The id as far as it is known, zeros otherwise
    fn id(&self) -> NodeId {
        match self {
            Self::Unknown => NodeId::new([0; 64]),
            Self::Expected(id) | Self::Proven(id) | Self::Greeted(id, _) => *id,
        }
    }
}

impl<'buf> PeerState<'buf> {
    /// A link to the node `remote`, on a connection that this node has opened
    ///
    /// The first [`Action::Send`] is there to be polled. The arithmetic for it is left to that call,
    /// when the link is where it stays: a constructor returns some kilobytes, which on a small
    /// stack do not go together with it.
    ///
    /// # Errors
    /// `ReceiveBufferTooSmall` and `TransmitBufferTooSmall` with the size that is needed,
    /// `InvalidRemote` if `remote` is no public key, `WeakEntropy`. The buffers are gone with a refusal.
    #[inline(never)] // the frames of the two would add up in a caller that uses either
    pub fn initiator(
        now: Instant,
        config: &Config,
        remote: NodeId,
        entropy: Entropy,
        buffers: Buffers<'buf>,
    ) -> Result<Self, ConfigError> {
        buffers.check(config)?;
        let handshake = Initiator::new(&config.identity, remote, entropy).map_err(config_error)?;
        let state = State::Dialling { handshake };
        Self::new(now, config, state, Role::Initiator, Remote::Expected(remote), buffers)
    }

    /// A link on a connection that another node has opened
    ///
    /// # Errors
    /// `ReceiveBufferTooSmall` and `TransmitBufferTooSmall` with the size that is needed,
    /// `WeakEntropy`. The buffers are gone with a refusal.
    #[inline(never)] // the frames of the two would add up in a caller that uses either
    pub fn recipient(
        now: Instant,
        config: &Config,
        entropy: Entropy,
        buffers: Buffers<'buf>,
    ) -> Result<Self, ConfigError> {
        buffers.check(config)?;
        let handshake = Recipient::new(&config.identity, entropy).map_err(config_error)?;
        let state = State::AwaitAuth { handshake };
        Self::new(now, config, state, Role::Recipient, Remote::Unknown, buffers)
    }

    /// A `Result`, so that the constructors have nothing to move into one
    #[inline(never)]
    fn new(
        now: Instant,
        config: &Config,
        state: State,
        role: Role,
        remote: Remote,
        Buffers { receive, transmit, table }: Buffers<'buf>,
    ) -> Result<Self, ConfigError> {
        let mut timers = Timers::new();
        timers.set(Timer::Handshake, now, config.timeouts.handshake);
        let local =
            Local { id: config.node_id(), client_id: config.client_id.clone(), listen_port: config.listen_port };
        Ok(Self {
            state,
            pending: Pending::Nothing,
            ingress: Ingress::new(receive),
            egress: Egress::new(transmit, table, config.limits.send_window),
            protocols: Protocols::new(&config.protocols),
            timers,
            liveness: Liveness::default(),
            timeouts: config.timeouts,
            limits: config.limits,
            local,
            remote,
            role,
            started: now,
            now,
            #[cfg(feature = "alloc")]
            scratch: None,
        })
    }

    /// The memory of a link that is done with, for the next one
    ///
    /// For buffers that were given away for good, in a static; those that are lent to one link after
    /// the other come back by themselves. They are as the link left them: what was said on it last
    /// is still there.
    pub fn into_buffers(self) -> Buffers<'buf> {
        let Self { ingress: Ingress { arena, .. }, egress: Egress { store, table, .. }, .. } = self;
        Buffers { receive: arena, transmit: store, table }
    }

    /// The next thing to do, `None` if there is nothing until the next event
    ///
    /// Actions follow from the state, they are not queued: `Authenticated`, `Ready` or `Deliver`
    /// first, then `Writable`, then `Send`, and `Disconnect` last. `Send` is offered again and again
    /// until [`sent`](Self::sent) covers it, and is never in the way of the others: a driver whose
    /// socket is full leaves the loop at `Send` and comes back with the next event.
    pub fn poll(&mut self) -> Option<Action<'_>> {
        match core::mem::replace(&mut self.pending, Pending::Nothing) {
            Pending::Authenticated => return Some(Action::Authenticated(self.remote.id())),
            Pending::Ready => return self.ready(),
            Pending::Message { protocol, code, place, wire_len } => {
                return Some(Action::Deliver { protocol, code, payload: self.take_payload(place, wire_len) });
            }
            Pending::Nothing => {}
        }
        match self.state {
            State::Dialling { .. } => self.dial(),
            State::Admission { .. } => self.admit(),
            _ => {}
        }
        if let Some(protocol) = self.take_writable() {
            return Some(Action::Writable(protocol));
        }
        if !self.egress.is_empty() {
            return Some(Action::Send(self.egress.unsent()));
        }
        match &mut self.state {
            State::Closed { cause, told: told @ false } => {
                *told = true;
                Some(Action::Disconnect(*cause))
            }
            _ => None,
        }
    }

    /// Feeds any event by value; a thin form of the methods for journals and fuzzers
    ///
    /// Returns how many bytes were taken, which is 0 for everything but [`Event::Receive`].
    ///
    /// # Errors
    /// What the event's own method refuses; nothing changes then.
    pub fn handle(&mut self, now: Instant, event: Event<'_>) -> Result<usize, Refused> {
        match event {
            Event::Receive(bytes) => return Ok(self.receive(now, bytes)),
            Event::ReceiveClosed => self.receive_closed(now),
            Event::HoldInput(held) => self.hold_input(now, held),
            Event::Timeout => self.handle_timeout(now),
            Event::Write { protocol, code, payload } => self.write(now, protocol, code, payload).map(|_| ())?,
            Event::Ping => self.ping(now)?,
            Event::Sent(len) => self.sent(now, len)?,
            Event::SendFailed => self.send_failed(now),
            Event::ProtocolReturned(protocol, outcome) => self.protocol_returned(now, protocol, outcome)?,
            Event::Disconnect(reason) => self.disconnect(now, reason),
        }
        Ok(0)
    }

    /// Says whether the driver holds input back because it has no room for another message
    ///
    /// While it does, the read and Pong deadlines stand still: the peer is not timed out for our
    /// slowness. Everything else goes on. Saying the same again does nothing.
    pub fn hold_input(&mut self, now: Instant, held: bool) {
        self.advance_clock(now);
        self.timers.hold_input(self.now, held);
    }

    fn ready(&self) -> Option<Action<'_>> {
        match &self.remote {
            Remote::Greeted(_, hello) => Some(Action::Ready(Ready { hello, protocols: &self.protocols })),
            _ => None,
        }
    }

    fn take_payload(&mut self, place: Place, wire_len: usize) -> Payload<'_> {
        match (&mut self.ingress.arena, place) {
            (buffers::Arena::Fixed { bytes, .. }, Place::Frame { start, end }) => {
                Payload::slice(bytes.get(start..end).unwrap_or_default(), wire_len)
            }
            (buffers::Arena::Fixed { bytes, frame }, Place::Message { len }) => {
                let end = frame.saturating_add(len);
                Payload::slice(bytes.get(*frame..end).unwrap_or_default(), wire_len)
            }
            (buffers::Arena::Growable { frame, .. }, Place::Frame { start, end }) => {
                Payload::buffer(frame, start, end, wire_len)
            }
            (buffers::Arena::Growable { message, .. }, Place::Message { len }) => {
                Payload::buffer(message, 0, len, wire_len)
            }
        }
    }

    /// Time as the link sees it never goes back
    fn advance_clock(&mut self, now: Instant) {
        self.now = self.now.max(now);
    }
}

/// Observers
impl PeerState<'_> {
    /// When [`handle_timeout`](Self::handle_timeout) is to be called next, if nothing else happens
    ///
    /// May change with every other call. `None` while nothing is waited for.
    pub fn next_timeout(&self) -> Option<Instant> {
        self.timers.next().map(|(deadline, _)| deadline)
    }

    /// What [`next_timeout`](Self::next_timeout) is about
    pub fn next_timer(&self) -> Option<Timer> {
        self.timers.next().map(|(_, timer)| timer)
    }

    /// Where the link is in its life
    pub const fn stage(&self) -> Stage {
        self.state.stage()
    }

    /// Why the link has ended or is about to, `None` while it has not
    pub const fn cause(&self) -> Option<Cause> {
        self.state.cause()
    }

    /// Who opened the connection
    pub const fn role(&self) -> Role {
        self.role
    }

    /// The id of this node
    pub const fn local_id(&self) -> NodeId {
        self.local.id
    }

    /// The id that the remote has proven to have, `None` before that
    pub const fn remote_id(&self) -> Option<NodeId> {
        match &self.remote {
            Remote::Unknown | Remote::Expected(_) => None,
            Remote::Proven(id) | Remote::Greeted(id, _) => Some(*id),
        }
    }

    /// What the remote said of itself, `None` before it has
    pub const fn remote_hello(&self) -> Option<&RemoteHello> {
        match &self.remote {
            Remote::Greeted(_, hello) => Some(hello),
            _ => None,
        }
    }

    /// The protocols shared with the remote and their message ids, in the order of the configuration
    ///
    /// Empty before Hello; stays as it was after the end.
    pub fn shared(&self) -> impl Iterator<Item = SharedProtocol> + '_ {
        self.protocols.shared()
    }

    /// What has gone over the link for a protocol, `None` if there is no such protocol
    pub fn traffic(&self, protocol: ProtocolId) -> Option<Traffic> {
        self.protocols.traffic(protocol)
    }

    /// How many bytes wait to be sent
    pub fn unsent(&self) -> usize {
        self.egress.unsent_len()
    }

    /// How long the link has existed
    pub fn age(&self, now: Instant) -> Duration {
        self.now.max(now).saturating_since(self.started)
    }

    /// The link as geth's `admin_peers` shows one, `None` before Hello
    ///
    /// `part` gives each shared protocol's own part, or `None` while it has none.
    pub fn peer_info<'a, P>(
        &'a self,
        network: Network<'a>,
        part: impl FnMut(SharedProtocol) -> Option<P>,
    ) -> Option<PeerInfo<'a, P>> {
        match &self.remote {
            Remote::Greeted(id, hello) => {
                let inbound = self.role == Role::Recipient;
                Some(PeerInfo::new(*id, hello, inbound, network, self.shared(), part))
            }
            _ => None,
        }
    }
}

const fn config_error(error: StartError) -> ConfigError {
    match error {
        StartError::WeakEntropy => ConfigError::WeakEntropy,
        StartError::InvalidRemote => ConfigError::InvalidRemote,
    }
}

impl fmt::Debug for PeerState<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PeerState")
            .field("role", &self.role)
            .field("stage", &self.stage())
            .field("cause", &self.cause())
            .field("remote", &self.remote_id())
            .field("unsent", &self.unsent())
            .finish_non_exhaustive()
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for PeerState<'_> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "PeerState({}, {}, {} bytes unsent)", self.role, self.stage(), self.unsent());
    }
}

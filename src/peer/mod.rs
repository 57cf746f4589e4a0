//! The link itself: a state machine that events drive and that actions come out of

mod action;
mod admin;
#[cfg(feature = "serde")]
mod admin_json;
mod buffers;
mod compression;
mod config;
mod deadlines;
mod egress;
mod ending;
mod event;
mod growable;
mod ingress;
#[cfg(feature = "__internal")]
#[doc(hidden)]
pub mod internal;
mod limits;
mod liveness;
mod observe;
mod payload;
mod protocols;
mod receive;
mod remote;
mod share;
mod start;
mod state;
mod timers;
mod transmit;
mod write;

pub use action::{Action, Direction, MessageEvent, Ready};
pub use admin::{Network, NodeInfo, PeerInfo, ProtocolInfo};
pub use buffers::Buffers;
pub use config::{Config, Protocol, Timeouts};
pub use deadlines::Timer;
pub use event::{Event, Handled};
pub use limits::{MAX_CLIENT_ID, MAX_MESSAGE, MAX_PROTOCOLS, MIN_MESSAGE};
pub use observe::{Liveness, Role};
pub use payload::Payload;
pub use protocols::{Counters, SharedProtocol, Traffic};
pub use remote::RemoteHello;
pub use start::NotStarted;
pub use state::Stage;

use crate::logging::{LinkName, event};
use crate::node_id::NodeId;
use crate::time::Instant;
use config::ClientId;
use deadlines::Deadlines;
use egress::Egress;
use ingress::Ingress;
use limits::Limits;
use protocols::Protocols;
use remote::Remote;
use state::{Pending, State};

/// One peer link, from the first byte of the handshake to the last Disconnect
///
/// Events go in through methods that take the time as an argument. Actions come out of
/// [`poll`](Self::poll), and [`next_timeout`](Self::next_timeout) says when to come back without an
/// event. The front page of the crate has the loop that ties them together. No method blocks,
/// allocates with buffers of the caller's, or panics.
///
/// The methods are of four kinds: constructors; actions and time, to be asked for; events, for what
/// happened; requests, for what the application wants. Observers change nothing.
pub struct PeerState<'buf> {
    state: State,
    pending: Pending,
    /// Whether the driver has no room for another message
    held: bool,
    ingress: Ingress<'buf>,
    egress: Egress<'buf>,
    protocols: Protocols,
    deadlines: Deadlines,
    liveness: Liveness,
    timeouts: Timeouts,
    limits: Limits,
    local: Local,
    remote: Remote,
    role: Role,
    started: Instant,
    /// The latest time that was ever given
    now: Instant,
    /// Where typed messages are encoded before they are sealed
    #[cfg(feature = "rlp")]
    scratch: Option<rlp::RlpStream>,
}

/// What goes into our Hello
struct Local {
    id: NodeId,
    client_id: ClientId,
    listen_port: u16,
}

/// # Actions
impl PeerState<'_> {
    /// The next thing to do, `None` if there is nothing until the next event
    ///
    /// Actions follow from the state and are not queued: `IdentityClaimed`, `Ready` or `Deliver` first,
    /// then `Writable`, then `Send`, and `Disconnect` last. `Send` is offered again until
    /// [`sent`](Self::sent) covers it, and never keeps the others back: a driver whose socket is full
    /// leaves the loop at `Send` and comes back with the next event. While the driver
    /// [holds input](Self::hold_input), everything but `Deliver` comes.
    #[must_use = "an action that is dropped is lost: a message, or the end of the link"]
    pub fn poll(&mut self) -> Option<Action<'_>> {
        if !self.is_message_held() {
            match core::mem::replace(&mut self.pending, Pending::Nothing) {
                Pending::IdentityClaimed => return self.remote.id().map(Action::IdentityClaimed),
                Pending::Ready => return self.ready(),
                Pending::Message { protocol, code, place, wire_len } => {
                    self.wake_input_timers();
                    let payload = self.ingress.hand_out(place, wire_len);
                    return Some(Action::Deliver { protocol, code, payload });
                }
                Pending::Nothing => {}
            }
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

    fn ready(&self) -> Option<Action<'_>> {
        match &self.remote {
            Remote::Greeted(_, hello) => Some(Action::Ready(Ready { hello, protocols: &self.protocols })),
            _ => None,
        }
    }

    /// Whether a message waits that the driver has no room for; the end of the link lifts the hold
    const fn is_message_held(&self) -> bool {
        self.held && matches!(self.pending, Pending::Message { .. }) && self.state.cause().is_none()
    }

    /// The only way from one state to another
    fn set_state(&mut self, next: State) {
        event!(debug, "link {}: {:?} -> {:?}", LinkName(self.remote.id()), self.state.stage(), next.stage());
        self.state = next;
    }

    /// Time as the link sees it never goes back
    fn advance_clock(&mut self, now: Instant) {
        self.now = self.now.max(now);
    }
}

//! The link itself: a state machine that takes events and gives actions

// The parts of a link, none of which knows `PeerState`
mod action;
mod admin;
#[cfg(feature = "serde")]
mod admin_json;
mod buffers;
mod clock;
mod compression;
mod config;
mod counters;
mod deadlines;
mod egress;
mod growable;
mod ingress;
mod limits;
mod payload;
mod protocols;
mod remote;
mod share;
mod state;
mod verdict;

// What a link does, in the order in which the documentation of `PeerState` lists it
mod start;

mod poll;

mod timers;

mod receive;

mod transmit;

mod event;

mod write;

mod liveness;

mod ending;

mod observe;

// What many links do at the same time
pub mod batch;

#[cfg(any(fuzzing, feature = "__internal"))]
mod fuzzing;
#[cfg(feature = "__internal")]
#[doc(hidden)]
pub mod internal;

pub use action::{Action, Direction, MessageEvent, Ready};
pub use admin::{Network, NodeInfo, PeerInfo, ProtocolInfo};
pub use buffers::Buffers;
pub use config::{Config, Protocol, Timeouts};
pub use counters::{Counters, Liveness, Traffic};
pub use deadlines::Timer;
pub use event::{Event, Handled};
#[cfg(fuzzing)]
#[doc(hidden)]
pub use fuzzing::past_handshake;
pub use limits::{MAX_CLIENT_ID, MAX_CODE_LIMITS, MAX_MESSAGE, MAX_PROTOCOLS, MIN_MESSAGE};
pub use payload::Payload;
pub use protocols::{ProtocolSlot, SharedProtocol};
pub use remote::RemoteHello;
pub use start::NotStarted;
pub use state::{Role, Stage};

use crate::logging::{LinkName, event};
use crate::node_id::NodeId;
use crate::time::Instant;
use clock::Clock;
use config::Delays;
use deadlines::Deadlines;
use egress::Egress;
use ingress::Ingress;
use protocols::Protocols;
use remote::{Greeting, Remote};
use state::{End, Pending, Phase, State};

/// One peer link, from the first byte of the handshake to the last Disconnect
///
/// Events go in through methods that take the time as an argument. Actions come out of
/// [`poll`](Self::poll), and [`next_timeout`](Self::next_timeout) says when to call
/// [`handle_timeout`](Self::handle_timeout) if no event happens before. The front page of the crate has
/// the loop that connects them. No method blocks or panics. With the caller's buffers, no method
/// allocates except `write_rlp`.
///
/// There are five kinds of methods: constructors; actions and time, which the driver asks for; events,
/// which tell the link what happened; requests, which tell it what the application wants; and
/// observers, which change nothing.
pub struct PeerState<'buf> {
    state: State,
    pending: Pending,
    /// Whether the driver holds input
    held: bool,
    ingress: Ingress<'buf>,
    egress: Egress<'buf>,
    protocols: Protocols<'buf>,
    deadlines: Deadlines,
    liveness: Liveness,
    timeouts: Delays,
    send_window: usize,
    local_id: NodeId,
    remote: Remote,
    greeting: Greeting,
    role: Role,
    clock: Clock,
    started: Instant,
    /// The position in the stream up to which bytes have to leave before the drain timer goes off
    drain_to: u64,
    /// Where typed messages are encoded before they are sealed
    #[cfg(feature = "rlp")]
    scratch: Option<alloc::boxed::Box<rlp::RlpStream>>,
}

impl PeerState<'_> {
    /// The only way to a state in which the link has ended
    fn end(&mut self, end: End) {
        let before = self.state.stage();
        self.state.end(end);
        self.log_stage(before);
    }

    /// The only way from one phase of a link with keys to another
    fn set_phase(&mut self, next: Phase) {
        let before = self.state.stage();
        if let State::Established { phase, .. } = &mut self.state {
            *phase = next;
        }
        self.log_stage(before);
    }

    /// Logs that the stage has changed
    fn log_stage(&self, before: Stage) {
        event!(debug, "link {}: {:?} -> {:?}", LinkName(self.remote.id()), before, self.state.stage());
    }

    fn advance_clock(&mut self, now: Instant) {
        if self.clock.advance(now) {
            self.restart_overdue_timers();
        }
    }
}

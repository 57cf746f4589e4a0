//! The packets and frames that a link makes and reads by itself, known by what they have changed
//!
//! A call of the link seals at most one of them, and opens at most one.

use devp2p_proto::{Cause, DisconnectReason, Instant, Liveness, PeerState, Role, Stage, Timer};

use crate::happening::{Kind, Layer};

/// What can be observed of a link between two calls
#[derive(Clone, Copy)]
pub struct Seen {
    pub stage: Stage,
    pub cause: Option<Cause>,
    pub liveness: Liveness,
    pub unsent: usize,
    /// Whether the Hello of the peer was read
    pub greeted: bool,
    pub wants_input: bool,
    pub is_input_held: bool,
    /// The timer that goes off next
    pub timer: Option<(Instant, Timer)>,
}

impl Seen {
    pub fn of(link: &PeerState<'_>) -> Self {
        Self {
            stage: link.stage(),
            cause: link.cause(),
            liveness: link.liveness(),
            unsent: link.unsent().len(),
            greeted: link.remote_hello().is_some(),
            wants_input: link.wants_input(),
            is_input_held: link.is_input_held(),
            timer: link.next_timeout().zip(link.next_timer()),
        }
    }

    /// The cause, if it is another one than before
    pub fn new_cause(&self, before: &Self) -> Option<Cause> {
        self.cause.filter(|_| self.cause != before.cause)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Frame {
    Auth,
    Ack,
    Hello,
    Disconnect(DisconnectReason),
    Ping,
    Pong,
}

impl Frame {
    /// What this node has sealed
    pub fn sealed(before: &Seen, after: &Seen, role: Role) -> Option<Self> {
        if let Some(reason) = after.new_cause(before).and_then(Cause::sent_reason) {
            return Some(Self::Disconnect(reason));
        }
        if after.liveness.pings_sent > before.liveness.pings_sent {
            return Some(Self::Ping);
        }
        if after.liveness.pongs_sent > before.liveness.pongs_sent {
            return Some(Self::Pong);
        }
        match (before.stage, role) {
            (Stage::Handshake, Role::Initiator) => Some(Self::Auth),
            (Stage::Handshake, Role::Recipient) => Some(Self::Ack),
            (Stage::Admission, _) => Some(Self::Hello),
            _ => None,
        }
    }

    /// What this node has read
    pub fn opened(before: &Seen, after: &Seen, role: Role) -> Option<Self> {
        if after.greeted && !before.greeted {
            return Some(Self::Hello);
        }
        if let Some(Cause::Remote(reason)) = after.new_cause(before) {
            return Some(Self::Disconnect(reason));
        }
        if after.liveness.pings_received > before.liveness.pings_received {
            return Some(Self::Ping);
        }
        if after.liveness.pongs_received > before.liveness.pongs_received {
            return Some(Self::Pong);
        }
        match (before.stage, after.stage, role) {
            (Stage::Handshake, Stage::Admission, Role::Initiator) => Some(Self::Ack),
            (Stage::Handshake, Stage::Admission, Role::Recipient) => Some(Self::Auth),
            _ => None,
        }
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::Ack => "ack",
            Self::Hello => "Hello",
            Self::Disconnect(_) => "Disconnect",
            Self::Ping => "Ping",
            Self::Pong => "Pong",
        }
    }

    /// The message id (rlpx.md §"p2p" Capability)
    pub const fn code(self) -> Option<u64> {
        match self {
            Self::Auth | Self::Ack => None,
            Self::Hello => Some(0),
            Self::Disconnect(_) => Some(1),
            Self::Ping => Some(2),
            Self::Pong => Some(3),
        }
    }

    pub const fn kind(self) -> Kind {
        match self {
            Self::Auth | Self::Ack => Kind::Handshake,
            _ => Kind::Message,
        }
    }

    pub const fn layer(self) -> Layer {
        match self {
            Self::Auth | Self::Ack => Layer::Rlpx,
            _ => Layer::Base,
        }
    }
}

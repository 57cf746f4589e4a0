//! What is done with one node: Hello, the Status of `eth` if it is asked for, one Ping, and Disconnect

use std::rc::Rc;
use std::time::Duration;

use devp2p_drivers::eth::message::STATUS;
use devp2p_drivers::eth::status::Status;
use devp2p_drivers::link::Out;
use devp2p_drivers::readiness::{End, Talk};
use devp2p_proto::{Capability, DisconnectReason, Instant, Notice, PeerState, ProtocolId};

use super::list::Listed;
use super::outcome::{Outcome, Stage};
use super::row::{Chain, Facts, Greeting, Row};
use super::slots::Slot;
use crate::courtesy::{self, PAUSE};

/// What all visits have in common
pub struct Plan {
    /// Whether the Status of `eth` is waited for
    pub eth: bool,
    /// The longest time for one node in total
    pub limit: Duration,
    /// The longest time for a Status
    pub timeout: Duration,
    pub linger: Duration,
}

pub struct Visit {
    plan: Rc<Plan>,
    listed: Listed,
    facts: Facts,
    step: Step,
    /// When the outcome is decided at the latest
    deadline: Option<Instant>,
}

enum Step {
    /// Up to Hello
    Greeting {
        stage: Stage,
        _slot: Slot,
    },
    /// The Status must come by then
    AwaitStatus {
        until: Option<Instant>,
    },
    /// The Ping is sent then, or as soon as the node's Status is answered
    Pause {
        until: Option<Instant>,
    },
    AwaitPong,
    /// The outcome is decided; the socket is closed by then, whatever the node does
    Leaving {
        outcome: Outcome,
        until: Option<Instant>,
    },
}

impl Visit {
    pub fn new(plan: &Rc<Plan>, listed: Listed, slot: Slot, now: Instant) -> Self {
        let step = Step::Greeting { stage: Stage::Connection, _slot: slot };
        let deadline = now.checked_add(plan.limit);
        Self { plan: Rc::clone(plan), listed, facts: Facts::default(), step, deadline }
    }

    /// Whether the next turn may have curve arithmetic to do
    pub const fn is_greeting(&self) -> bool {
        matches!(self.step, Step::Greeting { .. })
    }

    /// Notes that the program is to end
    pub fn interrupt(&mut self, now: Instant) {
        if let Some(stage) = self.stage() {
            self.decide(now, Outcome::Interrupted(stage));
        }
    }

    /// The result of the visit
    pub fn finish(self, end: End) -> Row {
        let stage = self.stage().unwrap_or(Stage::Pong);
        let outcome = match (self.step, end) {
            (Step::Leaving { outcome, .. }, _) => outcome,
            (_, End::Unconnected(error)) => Outcome::Unreachable(error),
            (_, End::Cause(cause)) => Outcome::of(cause, stage),
        };
        Row { listed: self.listed, outcome, facts: self.facts }
    }

    /// What is waited for, if the outcome is not decided yet
    const fn stage(&self) -> Option<Stage> {
        match self.step {
            Step::Greeting { stage, .. } => Some(stage),
            Step::AwaitStatus { .. } => Some(Stage::Status),
            // The Ping is sent whether or not the node sends anything.
            Step::Pause { .. } | Step::AwaitPong => Some(Stage::Pong),
            Step::Leaving { .. } => None,
        }
    }

    fn decide(&mut self, now: Instant, outcome: Outcome) {
        self.step = Step::Leaving { outcome, until: now.checked_add(self.plan.linger) };
    }

    /// Decides the outcome, and disconnects
    fn leave(&mut self, out: &mut Out<'_>, outcome: Outcome, reason: DisconnectReason) {
        self.decide(out.now(), outcome);
        out.disconnect(reason);
    }

    /// Hellos are exchanged
    fn greet(&mut self, now: Instant, link: &PeerState<'_>) {
        self.facts.greeting = Greeting::of(link);
        let speaks_eth = link.shared().any(|shared| is_eth(shared.capability));
        self.step = if self.plan.eth && speaks_eth {
            Step::AwaitStatus { until: now.checked_add(self.plan.timeout) }
        } else {
            Step::Pause { until: now.checked_add(PAUSE) }
        };
    }

    fn take(&mut self, out: &mut Out<'_>, protocol: ProtocolId, code: u64, payload: &[u8]) {
        let capability = out.link().shared().find(|shared| shared.protocol == protocol).map(|shared| shared.capability);
        let Some(capability) = capability else {
            return;
        };
        if let Some((code, payload)) = courtesy::answer(capability, code, payload) {
            // These answers are small and few; one for which there is no capacity is left out.
            let _ = out.send(protocol, code, &payload);
        }
        if is_eth(capability) && code == STATUS {
            self.take_status(out, payload);
        }
    }

    /// Takes the node's Status, which has been answered: the node accepts a Ping now
    fn take_status(&mut self, out: &mut Out<'_>, payload: &[u8]) {
        match (&self.step, rlp::decode::<Status>(payload)) {
            (Step::AwaitStatus { .. }, Err(error)) => {
                let outcome = Outcome::BadStatus(error.to_string());
                self.leave(out, outcome, DisconnectReason::BREACH_OF_PROTOCOL);
            }
            (Step::AwaitStatus { .. } | Step::Pause { .. }, status) => {
                self.facts.chain =
                    status.ok().map(|it| Chain { network: it.network, genesis: it.genesis, fork_id: it.fork_id });
                self.ping(out);
            }
            _ => {}
        }
    }

    fn ping(&mut self, out: &mut Out<'_>) {
        self.step = Step::AwaitPong;
        // If the link has ended, no Ping is sent; the end is the outcome.
        let _ = out.ping();
    }

    fn advance(&mut self, to: Stage) {
        if let Step::Greeting { stage, .. } = &mut self.step {
            *stage = to;
        }
    }

    fn time_out(&mut self, out: &mut Out<'_>, stage: Stage) {
        self.leave(out, Outcome::TimedOut(stage), DisconnectReason::PING_TIMEOUT);
    }
}

impl Talk for Visit {
    fn connected(&mut self) {
        self.advance(Stage::Handshake);
    }

    fn hear(&mut self, notice: Notice, out: &mut Out<'_>) {
        match notice {
            Notice::IdentityClaimed(_) => self.advance(Stage::Hello),
            Notice::Ready if self.is_greeting() => self.greet(out.now(), out.link()),
            Notice::Message { protocol, code, payload } => self.take(out, protocol, code, &payload),
            Notice::Pong(time) if matches!(self.step, Step::AwaitPong) => {
                self.facts.round_trip = Some(time);
                self.leave(out, Outcome::Reached, DisconnectReason::CLIENT_QUITTING);
            }
            _ => {}
        }
    }

    fn proceed(&mut self, out: &mut Out<'_>) -> bool {
        let now = out.now();
        let is_due = |until: Option<Instant>| until.is_some_and(|until| until <= now);
        let Some(stage) = self.stage() else {
            return false;
        };
        if let Some(cause) = out.link().cause() {
            // A node that shares nothing with us has still sent its Hello.
            self.facts.greeting = self.facts.greeting.take().or_else(|| Greeting::of(out.link()));
            self.decide(now, Outcome::of(cause, stage));
            return false;
        }
        match self.step {
            _ if is_due(self.deadline) => self.time_out(out, stage),
            Step::AwaitStatus { until } if is_due(until) => self.time_out(out, stage),
            Step::Pause { until } if is_due(until) => self.ping(out),
            _ => return false,
        }
        true
    }

    fn next_timeout(&self, _now: Instant) -> Option<Instant> {
        match self.step {
            Step::Greeting { .. } | Step::AwaitPong => self.deadline,
            Step::AwaitStatus { until } | Step::Pause { until } => until.min(self.deadline),
            Step::Leaving { until, .. } => until,
        }
    }

    /// The node has had enough time to close the connection
    fn is_over(&self, now: Instant) -> bool {
        matches!(self.step, Step::Leaving { until: Some(until), .. } if until <= now)
    }
}

fn is_eth(capability: Capability) -> bool {
    capability.name.as_str() == "eth"
}

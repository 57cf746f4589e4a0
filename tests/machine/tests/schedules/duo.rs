//! Two links that are connected to each other

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use devp2p_proto::internal::past_handshake;
use devp2p_proto::{Buffers, Cause, DisconnectReason, Instant, PeerState, ProtocolId, Role, Stage, WriteError};
use devp2p_testing::{ALPHA, BETA, Node, Pair, Pipe, Seen};

use crate::explore::Machine;
use crate::remote::id_of;
use crate::solo::{LARGE, SMALL, limited, payload};
use crate::view::{View, abandon, check};

/// Where a pair starts
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// Both have the keys
    Admission,
    Running,
    /// Both have written as much as they can, and the network takes nothing
    Full,
    /// One has sent its Disconnect, and the other has not read it
    Closing,
}

/// 0 is the initiator, and 1 is the recipient
type Side = usize;

/// What happens to a pair
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// One turn of a driver's loop
    Turn(Side),
    /// One turn of a driver that reads no more than half a frame
    SmallTurn(Side),
    Write(Side, ProtocolId, usize),
    Ping(Side),
    /// The driver has no room, or has room again
    Hold(Side),
    /// The network takes nothing from this side, or everything again
    Stall(Side),
    Disconnect(Side),
    SendFailed(Side),
    /// The stream from this side ends
    Close(Side),
    /// The link that wants to be woken first is woken
    Timeout,
}

/// Two links, and what their drivers and their protocols did
pub struct Duo {
    pair: Pair<'static>,
    held: [bool; 2],
    told: [bool; 2],
    /// The lengths of the messages that were taken from each side, by protocol
    written: [[Vec<usize>; 2]; 2],
    /// The driver or the network has ended something
    disturbed: bool,
    /// Writing has failed: only a Disconnect is read since
    severed: [bool; 2],
    /// How often a protocol was refused that did not wait yet
    refusals: [usize; 2],
}

impl Duo {
    fn link(&mut self, side: Side) -> &mut PeerState<'static> {
        &mut self.node(side).link
    }

    fn node(&mut self, side: Side) -> &mut Node<'static> {
        if side == 0 { &mut self.pair.initiator } else { &mut self.pair.recipient }
    }

    fn pipe(&mut self, from: Side) -> &mut Pipe {
        if from == 0 { &mut self.pair.to_recipient } else { &mut self.pair.to_initiator }
    }

    fn turn(&mut self, side: Side, max_read: usize) -> bool {
        let Pair { now, initiator, recipient, to_recipient, to_initiator } = &mut self.pair;
        let (node, input, output) = match side {
            0 => (initiator, to_initiator, to_recipient),
            _ => (recipient, to_recipient, to_initiator),
        };
        node.max_read = max_read;
        node.turn(*now, input, output)
    }

    fn write(&mut self, side: Side, protocol: ProtocolId, len: usize) -> bool {
        let now = self.pair.now;
        let before = View::of(self.link(side));
        let capacity = before.capacity[protocol.0];
        let outcome = self.link(side).write(now, protocol, 0, payload(len));
        let taken = outcome.is_ok();
        assert_eq!(taken, capacity.is_some_and(|capacity| len <= capacity), "{capacity:?}");
        if taken {
            self.written[side][protocol.0].push(len);
        }
        let waits = self.waits(side);
        self.refusals[side] += usize::from(outcome == Err(WriteError::Full) && !waits);
        taken || self.waits(side) != waits
    }

    /// Whether a protocol was refused, and not told since that it can write
    fn waits(&mut self, side: Side) -> bool {
        let told = self.node(side).seen.iter().filter(|seen| matches!(seen, Seen::Writable(_))).count();
        self.refusals[side] > told
    }

    fn timeout(&mut self) -> bool {
        let wakes = [0, 1].map(|side| self.link(side).next_timeout());
        let Some(at) = wakes.into_iter().flatten().min() else { return false };
        self.pair.now = at;
        for side in [0, 1] {
            self.link(side).handle_timeout(at);
            assert!(self.link(side).next_timeout().is_none_or(|next| next > at), "the deadline moves");
        }
        true
    }

    /// Messages arrive in order, and all those that were written before a Disconnect that was read
    fn check_messages(&mut self, from: Side, complete: bool) {
        let seen = std::mem::take(&mut self.node(1 - from).seen);
        for protocol in [ALPHA, BETA] {
            let arrived: Vec<_> = seen.iter().filter_map(|seen| length(seen, protocol)).collect();
            let written = &self.written[from][protocol.0];
            assert!(written.starts_with(&arrived), "{arrived:?} of {written:?}");
            assert!(!complete || *written == arrived, "{arrived:?} of {written:?}");
        }
        let ends = seen.iter().filter(|seen| matches!(seen, Seen::Disconnect(_))).count();
        assert!(ends <= 1 && (ends == 0 || matches!(seen.last(), Some(Seen::Disconnect(_)))));
        self.node(1 - from).seen = seen;
    }

    /// What one side says is explained by the other side or by the network
    fn check_causes(&mut self) {
        for side in [0, 1] {
            let (cause, other) = (self.link(side).cause(), self.link(1 - side).cause());
            match cause {
                Some(Cause::Remote(reason)) => {
                    assert_eq!(other.and_then(Cause::sent_reason), Some(reason));
                    self.check_messages(1 - side, self.told[side] && !self.severed[side]);
                }
                Some(Cause::Violation(_) | Cause::NothingShared) => panic!("nobody has broken a rule: {cause:?}"),
                Some(Cause::ReceiveClosed) => assert!(self.disturbed || other.is_some()),
                _ => self.check_messages(1 - side, false),
            }
        }
    }

    /// The network does all that it can for three minutes
    fn heal(mut self) {
        for side in [0, 1] {
            let now = self.pair.now;
            self.link(side).hold_input(now, false);
            self.node(side).max_read = usize::MAX;
            self.pipe(side).capacity = usize::MAX;
        }
        self.pair.advance(Duration::from_secs(180));
        let stages = [0, 1].map(|side| self.link(side).stage());
        if stages == [Stage::Running; 2] {
            (0..2).for_each(|side| self.check_messages(side, true));
        } else {
            assert_eq!(stages, [Stage::Closed; 2], "if one has ended, so has the other");
        }
        self.told = [self.pair.initiator.ended, self.pair.recipient.ended];
        self.check_causes();
    }

    fn side_key(&mut self, side: Side) -> u64 {
        let (now, held, told) = (self.pair.now, self.held[side], self.node(side).ended);
        let waits = self.waits(side);
        let mut hasher = DefaultHasher::new();
        let view = View::of(self.link(side));
        view.hash(now, &mut hasher);
        (view.unsent.len(), view.capacity, held, told, waits).hash(&mut hasher);
        let pipe = self.pipe(side);
        (pipe.waiting(), pipe.is_closed(), pipe.capacity == 0).hash(&mut hasher);
        abandon(self.link(side), now, told).hash(&mut hasher);
        hasher.finish()
    }
}

/// Whether the alphabet is not restricted to what finds most
fn every_event() -> bool {
    std::env::var_os("DEVP2P_EVERY_EVENT").is_some()
}

/// The length of a message of this protocol
fn length(seen: &Seen, to: ProtocolId) -> Option<usize> {
    match seen {
        Seen::Deliver(protocol, 0, bytes) if *protocol == to => {
            assert_eq!(bytes, payload(bytes.len()));
            Some(bytes.len())
        }
        _ => None,
    }
}

fn ready(mut duo: Duo, events: &[Event]) -> Duo {
    duo.pair.settle();
    duo.pair.initiator.seen.clear();
    duo.pair.recipient.seen.clear();
    events.iter().for_each(|event| assert!(duo.apply(*event)));
    duo
}

impl Machine for Duo {
    type Start = Start;
    type Event = Event;

    fn start(start: Start) -> Self {
        let link = |seed, role, remote| {
            past_handshake(Instant::ZERO, limited(seed), role, id_of(remote), Buffers::growable()).unwrap()
        };
        let pair = Pair {
            now: Instant::ZERO,
            initiator: Node::new(link(1, Role::Initiator, 2)),
            recipient: Node::new(link(2, Role::Recipient, 1)),
            to_recipient: Pipe::new(),
            to_initiator: Pipe::new(),
        };
        let (held, told, severed, written) = ([false; 2], [false; 2], [false; 2], Default::default());
        let duo = Self { pair, held, told, written, disturbed: false, severed, refusals: [0; 2] };
        let fill = |side| [Event::Stall(side), Event::Write(side, ALPHA, LARGE), Event::Write(side, ALPHA, LARGE)];
        match start {
            Start::Admission => duo,
            Start::Running => ready(duo, &[]),
            Start::Full => ready(duo, &[fill(0), fill(1)].concat()),
            Start::Closing => ready(duo, &[Event::Write(0, BETA, LARGE), Event::Disconnect(0), Event::Turn(0)]),
        }
    }

    fn alphabet() -> Vec<Event> {
        let of = |side| {
            let few = [Event::Turn(side), Event::Write(side, ALPHA, LARGE), Event::Hold(side), Event::Stall(side)];
            let ends = [Event::Disconnect(side), Event::SendFailed(side)];
            let more = [Event::SmallTurn(side), Event::Write(side, BETA, SMALL), Event::Ping(side), Event::Close(side)];
            [&few[..], &ends, if every_event() { &more[..] } else { &[] }].concat()
        };
        [&of(0)[..], &of(1), &[Event::Timeout]].concat()
    }

    fn apply(&mut self, event: Event) -> bool {
        let now = self.pair.now;
        let happened = match event {
            Event::Turn(side) => self.turn(side, usize::MAX),
            Event::SmallTurn(side) => self.turn(side, 40),
            Event::Write(side, protocol, len) => self.write(side, protocol, len),
            Event::Ping(side) => self.link(side).ping(now).is_ok(),
            Event::Hold(side) => {
                self.held[side] = !self.held[side];
                let held = self.held[side];
                self.link(side).hold_input(now, held);
                true
            }
            Event::Stall(side) => {
                self.pipe(side).capacity = if self.pipe(side).capacity == 0 { usize::MAX } else { 0 };
                true
            }
            Event::Disconnect(side) => {
                self.link(side).disconnect(now, DisconnectReason::REQUESTED);
                true
            }
            Event::SendFailed(side) => {
                (self.disturbed, self.severed[side]) = (true, true);
                self.link(side).send_failed(now);
                true
            }
            Event::Close(side) => {
                self.disturbed = true;
                !self.pipe(side).is_closed() && {
                    self.pipe(side).close();
                    true
                }
            }
            Event::Timeout => self.timeout(),
        };
        if happened {
            let now = self.pair.now;
            (0..2).for_each(|side| check(self.link(side), now));
            self.told = [self.pair.initiator.ended, self.pair.recipient.ended];
            self.check_causes();
        }
        happened
    }

    fn key(mut self) -> u64 {
        let (disturbed, mut severed) = (self.disturbed, self.severed);
        severed.sort_unstable();
        // The two sides differ in their names only.
        let mut sides = [self.side_key(0), self.side_key(1)];
        sides.sort_unstable();
        let mut hasher = DefaultHasher::new();
        (sides, disturbed, severed).hash(&mut hasher);
        hasher.finish()
    }

    fn experiments(&self) -> usize {
        1
    }

    fn experiment(self, _: usize) {
        self.heal();
    }
}

//! Two links in virtual time, for tests that read as scripts
//!
//! [`Pair`] joins an initiator and a recipient by two byte pipes and a clock that jumps from one
//! wake-up to the next. What the links do is kept as [`Seen`] values. Take this file for tests of
//! your own protocols: it needs nothing but the crate's public surface. [`schedule`] makes random
//! scripts for a pair, and [`remote`] is a peer that says what no correct link would.
#![allow(dead_code, reason = "every test binary uses a part of it")]

pub mod remote;
pub mod schedule;

use std::collections::VecDeque;
use std::time::Duration;

use devp2p_proto::{
    Action, Buffers, Cause, Config, Entropy, Instant, NodeId, PeerState, Protocol, ProtocolId, SecretKey, WriteError,
};

/// What a driver sees of its link, with everything owned
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    Authenticated(NodeId),
    Ready(Vec<String>),
    Deliver(ProtocolId, u64, Vec<u8>),
    Writable(ProtocolId),
    Disconnect(Cause),
}

/// What a socket pair does with the bytes of one direction
#[derive(Debug, Default)]
pub struct Pipe {
    waiting: VecDeque<u8>,
    /// How many bytes may wait, as in the buffers of two sockets
    pub capacity: usize,
    /// Everything that was ever written
    pub log: Vec<u8>,
    closed: bool,
}

impl Pipe {
    /// One that never stalls
    pub fn new() -> Self {
        Self { capacity: usize::MAX, ..Self::default() }
    }

    fn write(&mut self, bytes: &[u8]) -> usize {
        let len = bytes.len().min(self.capacity.saturating_sub(self.waiting.len()));
        self.waiting.extend(&bytes[..len]);
        self.log.extend(&bytes[..len]);
        len
    }

    /// Flips one bit of a byte that has not arrived
    pub fn flip(&mut self, index: usize, bit: u8) {
        self.waiting[index] ^= 1 << bit;
    }

    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }
}

/// One side: a link and what it did
pub struct Node<'buf> {
    pub link: PeerState<'buf>,
    pub seen: Vec<Seen>,
    /// The driver takes no messages and says so
    pub held: bool,
    /// The driver has been told that the link has ended
    pub over: bool,
    /// The most bytes that are fed at once
    pub chunk: usize,
    /// What the driver does as soon as it has seen something
    pub react: Option<fn(&mut PeerState<'_>, Instant, &Seen)>,
    told_closed: bool,
}

impl<'buf> Node<'buf> {
    pub fn new(link: PeerState<'buf>) -> Self {
        Self { link, seen: Vec::new(), held: false, over: false, chunk: usize::MAX, react: None, told_closed: false }
    }

    /// One turn of the driver's loop; returns whether anything happened
    pub fn turn(&mut self, now: Instant, input: &mut Pipe, output: &mut Pipe) -> bool {
        let drained = self.drain(now, output);
        let fed = self.feed(now, input);
        if self.over {
            output.closed = true;
            input.waiting.clear();
        }
        drained | fed
    }

    fn drain(&mut self, now: Instant, output: &mut Pipe) -> bool {
        let mut progress = false;
        while let Some(action) = self.link.poll() {
            if let Action::Send(bytes) = action {
                let len = output.write(bytes);
                if len == 0 {
                    break;
                }
                self.link.sent(now, len).unwrap();
            } else {
                let seen = observe(action);
                self.over |= matches!(seen, Seen::Disconnect(_));
                if let Some(react) = self.react {
                    react(&mut self.link, now, &seen);
                }
                self.seen.push(seen);
            }
            progress = true;
        }
        progress
    }

    fn feed(&mut self, now: Instant, input: &mut Pipe) -> bool {
        if self.held || self.over {
            return false;
        }
        if input.waiting.is_empty() {
            let tell = input.closed && !self.told_closed;
            if tell {
                self.told_closed = true;
                self.link.receive_closed(now);
            }
            return tell;
        }
        let bytes = input.waiting.make_contiguous();
        let len = bytes.len().min(self.chunk);
        let taken = self.link.receive(now, &bytes[..len]);
        input.waiting.drain(..taken);
        taken > 0
    }

    /// Why the link ended, as the driver was told
    pub fn cause(&self) -> Option<Cause> {
        self.seen.iter().find_map(|seen| match seen {
            Seen::Disconnect(cause) => Some(*cause),
            _ => None,
        })
    }

    /// The messages that were delivered
    pub fn delivered(&self) -> Vec<(ProtocolId, u64, Vec<u8>)> {
        let message = |seen: &Seen| match seen {
            Seen::Deliver(protocol, code, payload) => Some((*protocol, *code, payload.clone())),
            _ => None,
        };
        self.seen.iter().filter_map(message).collect()
    }
}

/// An action with everything owned; `Send` is none that a test looks at
pub fn observe(action: Action<'_>) -> Seen {
    match action {
        Action::Authenticated(id) => Seen::Authenticated(id),
        Action::Ready(ready) => {
            Seen::Ready(ready.shared().map(|s| format!("{}@{}+{}", s.capability, s.offset, s.length)).collect())
        }
        Action::Deliver { protocol, code, payload } => Seen::Deliver(protocol, code, payload.to_vec()),
        Action::Writable(protocol) => Seen::Writable(protocol),
        Action::Disconnect(cause) => Seen::Disconnect(cause),
        other => panic!("not to be observed: {other:?}"),
    }
}

/// Two nodes, the two directions between them, and the time
pub struct Pair<'buf> {
    pub now: Instant,
    pub initiator: Node<'buf>,
    pub recipient: Node<'buf>,
    /// From the initiator to the recipient
    pub forth: Pipe,
    /// From the recipient to the initiator
    pub back: Pipe,
}

impl Pair<'static> {
    /// Two nodes with growable buffers that have not exchanged anything
    pub fn new(initiator: &Config, recipient: &Config) -> Self {
        Self::with_buffers(initiator, recipient, Buffers::growable(), Buffers::growable())
    }

    /// Two nodes with the same two protocols, up and running
    pub fn running() -> Self {
        let mut pair = Self::new(&config(1, PROTOCOLS), &config(2, PROTOCOLS));
        pair.settle();
        pair.initiator.seen.clear();
        pair.recipient.seen.clear();
        pair
    }
}

impl<'buf> Pair<'buf> {
    pub fn with_buffers(initiator: &Config, recipient: &Config, ours: Buffers<'buf>, theirs: Buffers<'buf>) -> Self {
        let now = Instant::ZERO;
        let remote = recipient.node_id();
        Self {
            now,
            initiator: Node::new(PeerState::initiator(now, initiator, remote, entropy(1), ours).unwrap()),
            recipient: Node::new(PeerState::recipient(now, recipient, entropy(2), theirs).unwrap()),
            forth: Pipe::new(),
            back: Pipe::new(),
        }
    }

    /// One turn of each driver's loop; returns whether anything happened
    pub fn step(&mut self) -> bool {
        let sent = self.initiator.turn(self.now, &mut self.back, &mut self.forth);
        let answered = self.recipient.turn(self.now, &mut self.forth, &mut self.back);
        sent | answered
    }

    /// Runs both drivers until neither has anything to do before time moves on
    pub fn settle(&mut self) {
        for _ in 0..10_000_000 {
            if !self.step() {
                return;
            }
        }
        panic!("the two never come to rest");
    }

    /// Lets time pass, with every wake-up at its moment
    pub fn pass(&mut self, time: Duration) {
        let end = self.now.checked_add(time).unwrap();
        self.settle();
        while let Some(wake) = self.next_wake().filter(|wake| *wake <= end) {
            self.now = self.now.max(wake);
            for link in [&mut self.initiator.link, &mut self.recipient.link] {
                link.handle_timeout(self.now);
                assert!(link.next_timeout().is_none_or(|next| next > self.now), "the deadline has not moved: {link:?}");
            }
            self.settle();
        }
        self.now = end;
    }

    fn next_wake(&self) -> Option<Instant> {
        let links = [&self.initiator.link, &self.recipient.link];
        links.into_iter().filter_map(PeerState::next_timeout).min()
    }

    pub fn causes(&self) -> (Option<Cause>, Option<Cause>) {
        (self.initiator.cause(), self.recipient.cause())
    }
}

/// Two protocols that both sides of most tests share
pub const PROTOCOLS: &[Protocol<'static>] = &[Protocol::new("alpha", 1, 4), Protocol::new("beta", 2, 3)];
pub const ALPHA: ProtocolId = ProtocolId(0);
pub const BETA: ProtocolId = ProtocolId(1);

pub fn key(seed: u8) -> SecretKey {
    SecretKey::from_bytes([seed; 32]).unwrap()
}

pub fn config(seed: u8, protocols: &[Protocol<'_>]) -> Config {
    Config::new(key(seed), &format!("test/{seed}"), protocols).unwrap()
}

/// Bytes that look random and are the same for the same seed
pub fn noise(seed: u64, len: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    std::iter::repeat_with(next).take(len).collect()
}

pub fn entropy(seed: u64) -> Entropy {
    Entropy::from_rng(|bytes| bytes.copy_from_slice(&noise(seed, bytes.len())))
}

/// Writes on behalf of a protocol
pub fn write(
    node: &mut Node<'_>,
    now: Instant,
    protocol: ProtocolId,
    code: u64,
    payload: &[u8],
) -> Result<(), WriteError> {
    node.link.write(now, protocol, code, payload).map(|_| ())
}

//! A node: its rule of gossip, its ends of links, and what is to happen to the node

use std::collections::BTreeMap;
use std::sync::Arc;

use devp2p_proto::{Config, Entropy, Instant, SecretKey};
use fastrand::Rng;

use crate::end::{ConnectionId, End, Heard, Mail, Signal};
use crate::gossip::{Gossip, Input, Peer};
use crate::library::{Item, Library};
use crate::message::Message;
use crate::plan::{Fate, Lie};
use crate::traffic::Traffic;

/// What a node needs to open a link
pub struct Identity {
    pub config: Config,
    random: Rng,
}

impl Identity {
    pub fn new(number: usize, library: &Library, mut random: Rng) -> Self {
        let key = std::iter::repeat_with(|| {
            let mut bytes = [0; 32];
            random.fill(&mut bytes);
            SecretKey::from_bytes(bytes).ok()
        });
        let key = key.flatten().next().expect("nearly every number is a key");
        let protocols = [Message::protocol(library.largest())];
        let config = Config::new(key, &format!("network/{number}"), &protocols).expect("the protocol is valid");
        Self { config, random }
    }

    pub fn entropy(&mut self) -> Entropy {
        Entropy::from_rng(|bytes| self.random.fill(bytes))
    }
}

/// When a node first got an item, and from which node; `None` if the node has made the item
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival {
    pub at: Instant,
    pub from: Option<usize>,
}

/// What is to happen to a node
enum Event {
    Dial(usize),
    Arrives(usize, ConnectionId, Signal),
    Made(Item),
    Vanish,
    Return,
    Lie(Lie),
}

pub struct Node {
    identity: Identity,
    pub fate: Fate,
    library: Arc<Library>,
    pub ends: Vec<End>,
    rule: Gossip,
    /// In the order of their times, and at the same time in the order in which they were scheduled
    events: BTreeMap<(Instant, u64), Event>,
    scheduled: u64,
    /// When something happens next
    next: Instant,
    is_away: bool,
    /// What this node has sent and the network has not collected
    pub mail: Vec<Mail>,
    pub arrivals: BTreeMap<Item, Arrival>,
    /// How many of its ends of links have ended, by cause
    pub endings: BTreeMap<String, u64>,
}

impl Node {
    pub fn new(identity: Identity, fate: Fate, library: Arc<Library>, ends: Vec<End>) -> Self {
        let mut identity = identity;
        let rule = Gossip::new(identity.random.fork());
        let mut node = Self {
            identity,
            fate,
            library,
            ends,
            rule,
            events: BTreeMap::new(),
            scheduled: 0,
            next: Instant::MAX,
            is_away: false,
            mail: Vec::new(),
            arrivals: BTreeMap::new(),
            endings: BTreeMap::new(),
        };
        match fate {
            Fate::Steady | Fate::Stalls(..) => {}
            Fate::Vanishes(at) => node.schedule(at, Event::Vanish),
            Fate::Returns(at, back) => {
                node.schedule(at, Event::Vanish);
                node.schedule(back, Event::Return);
            }
            Fate::Lies(at, lie) => node.schedule(at, Event::Lie(lie)),
        }
        node
    }

    pub fn dial(&mut self, at: Instant, end: usize) {
        self.schedule(at, Event::Dial(end));
    }

    pub fn make(&mut self, at: Instant, item: Item) {
        self.schedule(at, Event::Made(item));
    }

    pub fn deliver(&mut self, mail: Mail) {
        self.schedule(mail.at, Event::Arrives(mail.to.end, mail.connection, mail.signal));
    }

    fn schedule(&mut self, at: Instant, event: Event) {
        self.events.insert((at, self.scheduled), event);
        self.scheduled += 1;
        self.next = self.next.min(self.awake(at));
    }

    /// When something happens next
    pub const fn next(&self) -> Instant {
        self.next
    }

    /// All that this node has sent
    pub fn traffic(&mut self) -> Traffic {
        self.ends.iter_mut().map(End::traffic).fold(Traffic::default(), |mut sum, sent| {
            sum += &sent;
            sum
        })
    }

    /// Does everything that is due before this time
    pub fn run_until(&mut self, end: Instant) {
        while self.next < end {
            let now = self.next;
            self.step(now);
            self.next = self.awake(self.soonest());
        }
    }

    /// The time at which the node does what is due at `at`: later if the node stands still at that time
    fn awake(&self, at: Instant) -> Instant {
        match self.fate {
            Fate::Stalls(from, to) if (from..to).contains(&at) => to,
            _ => at,
        }
    }

    fn soonest(&self) -> Instant {
        let event = self.events.keys().next().map(|(at, _)| *at);
        let links = self.ends.iter().filter_map(End::next).min();
        let rule = self.rule.next_timeout().filter(|_| !self.is_away);
        [event, links, rule].into_iter().flatten().min().unwrap_or(Instant::MAX)
    }

    /// One event, and all timers whose time has come
    fn step(&mut self, now: Instant) {
        if let Some(event) = self.events.first_entry().filter(|event| event.key().0 <= now) {
            let event = event.remove();
            self.happen(now, event);
        }
        for end in 0..self.ends.len() {
            if self.ends[end].next().is_some_and(|at| at <= now) {
                self.turn(now, end);
            }
        }
        if !self.is_away && self.rule.next_timeout().is_some_and(|at| at <= now) {
            self.tell(now, Input::Timeout);
        }
    }

    fn happen(&mut self, now: Instant, event: Event) {
        match event {
            Event::Dial(end) => self.ends[end].dial(now, &mut self.mail),
            Event::Arrives(..) if self.is_away => {}
            Event::Arrives(end, connection, signal) => {
                let was_ready = self.ends[end].is_ready();
                self.ends[end].arrive(now, (connection, signal), &mut self.identity, &mut self.mail);
                if was_ready && !self.ends[end].is_ready() {
                    // The peer has dialled again, which has ended the old connection.
                    self.tell(now, Input::Disconnected(Peer(end)));
                }
                self.turn(now, end);
            }
            Event::Made(item) => {
                self.arrivals.entry(item).or_insert(Arrival { at: now, from: None });
                self.tell(now, Input::Made(item));
            }
            Event::Vanish => self.vanish(now),
            Event::Return => {
                self.is_away = false;
                self.ends.iter_mut().for_each(|end| end.dial(now, &mut self.mail));
            }
            Event::Lie(lie) => {
                for end in 0..self.ends.len() {
                    self.ends[end].lie(now, lie, &mut self.identity.random);
                    self.turn(now, end);
                }
            }
        }
    }

    fn vanish(&mut self, now: Instant) {
        self.is_away = true;
        for end in 0..self.ends.len() {
            self.ends[end].reset();
            self.tell(now, Input::Disconnected(Peer(end)));
        }
    }

    /// Lets a link do what it can, and the rule react to what was heard
    fn turn(&mut self, now: Instant, end: usize) {
        let mut heard = Vec::new();
        self.ends[end].turn(now, &self.library, &mut heard, &mut self.mail);
        for heard in heard {
            match heard {
                Heard::Ready => self.tell(now, Input::Connected(Peer(end))),
                Heard::Message(message) => {
                    if message.is_whole() {
                        let from = Some(self.ends[end].peer.node);
                        self.arrivals.entry(message.item).or_insert(Arrival { at: now, from });
                    }
                    self.tell(now, Input::Received(Peer(end), message));
                }
                Heard::Ended(cause) => {
                    *self.endings.entry(cause.to_string()).or_default() += 1;
                    self.tell(now, Input::Disconnected(Peer(end)));
                }
            }
        }
    }

    /// Tells the rule what has happened, and sends what it wants to say
    fn tell(&mut self, now: Instant, input: Input) {
        let mut out = Vec::new();
        self.rule.handle(now, input, &mut out);
        for (Peer(end), message) in out {
            self.ends[end].send(now, message, &self.library);
            self.turn(now, end);
        }
    }
}

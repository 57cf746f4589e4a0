//! The loop over all nodes

use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant as Clock};

use devp2p_drivers::journal::Offer;
use devp2p_drivers::link::RecordedLink;
use devp2p_drivers::readiness::{Links, Peer};
use devp2p_proto::{
    Buffers, Config, ConfigError, DisconnectReason, Entropy, Instant, NodeId, PeerState, Protocol, SecretKey,
    StartError,
};
use mio::net::TcpStream;
use mio::{Events, Token, Waker};

use super::interrupt::wake_on_interrupt;
use super::list::Listed;
use super::outcome::Outcome;
use super::report::Report;
use super::row::{Facts, Row};
use super::slots::{Slot, Slots};
use super::visit::{Plan, Visit};
use crate::courtesy;
use crate::options::Many;

const WAKER: Token = Token(0);
/// The largest message that is kept; larger ones are skipped, since only Status is of interest
const MAX_MESSAGE: usize = 4096;
/// Answers are smaller than that, and there is one at a time
const SEND_WINDOW: usize = 16 * 1024;
/// How many links may be open for each handshake that may be under way
const OPEN: usize = 8;
/// How many turns may include curve arithmetic before the sockets are looked at again
///
/// A Pong may wait in its socket during these turns, and its round trip then seems longer.
const GREETINGS_A_ROUND: usize = 16;
/// How long to wait with dialling when the system has no free socket; the wait is over when a link ends
const PAUSE: Duration = Duration::from_millis(100);
/// "Too many open files" in the system, and in the process, on Linux, macOS and the BSDs
const ENFILE: i32 = 23;
const EMFILE: i32 = 24;

pub struct Sweep {
    links: Links<Visit>,
    nodes: std::vec::IntoIter<Listed>,
    /// The next node, if the system had no socket for it, and when to try again
    held: Option<(Listed, Instant)>,
    config: Config,
    plan: Rc<Plan>,
    slots: Slots,
    most_open: usize,
    started: Clock,
    interrupted: Arc<AtomicBool>,
}

impl Sweep {
    pub fn new(nodes: Vec<Listed>, options: &Many) -> Result<Self, String> {
        let linger = options.timeouts.linger;
        let plan = Plan { eth: options.eth, limit: options.limit, timeout: options.timeout, linger };
        let links = Links::new().map_err(|error| error.to_string())?;
        let interrupted = Waker::new(links.registry(), WAKER).and_then(wake_on_interrupt);
        Ok(Self {
            links,
            nodes: nodes.into_iter(),
            held: None,
            config: config(options).map_err(|error| error.to_string())?,
            plan: Rc::new(plan),
            slots: Slots::new(options.at_once),
            most_open: options.at_once.saturating_mul(OPEN),
            started: Clock::now(),
            interrupted: interrupted.map_err(|error| error.to_string())?,
        })
    }

    /// Visits all nodes, and returns how many were left out because of an interrupt
    pub fn run(mut self, report: &mut Report) -> io::Result<usize> {
        let mut events = Events::with_capacity(1024);
        loop {
            self.dial(report);
            if self.links.is_empty() && (self.held.is_none() || self.is_interrupted()) {
                return Ok(self.nodes.len() + usize::from(self.held.is_some()));
            }
            self.links.wait(self.now(), self.patience(report), &mut events)?;
            self.round(&events, report);
        }
    }

    /// The time on the clock of the links
    fn now(&self) -> Instant {
        Instant::from(self.started.elapsed())
    }

    /// The longest wait, apart from the timers of the links
    fn patience(&self, report: &Report) -> Option<Duration> {
        let held = self.held.as_ref().map(|(_, until)| until.saturating_since(self.now()));
        held.into_iter().chain(report.patience()).min()
    }

    /// Gives a turn to every link to which something has happened
    fn round(&mut self, events: &Events, report: &mut Report) {
        let mut greetings = 0;
        for token in self.links.turns(self.now(), events) {
            if token == WAKER {
                self.heed_interrupt();
            } else if self.links.talk(token).is_some_and(Visit::is_greeting) && greetings == GREETINGS_A_ROUND {
                self.links.defer(token);
            } else {
                greetings += usize::from(self.links.talk(token).is_some_and(Visit::is_greeting));
                self.turn(token, report);
            }
        }
        if report.is_unheard() && !self.is_interrupted() {
            self.stop();
        }
        report.tick();
    }

    fn turn(&mut self, token: Token, report: &mut Report) {
        // The clock is read for each turn, since the turns before it may have taken milliseconds.
        if let Some(ended) = self.links.turn(self.now(), token) {
            report.add(ended.talk.finish(ended.end));
            // The link that has ended leaves a free socket.
            if let Some((_, until)) = &mut self.held {
                *until = Instant::ZERO;
            }
        }
    }

    fn heed_interrupt(&mut self) {
        if self.is_interrupted() {
            self.stop();
        }
    }

    fn is_interrupted(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed)
    }

    /// Dials no more nodes, and disconnects from all
    fn stop(&mut self) {
        let now = self.now();
        self.interrupted.store(true, Ordering::Relaxed);
        self.links.for_each(|peer| {
            peer.talk.interrupt(now);
            peer.disconnect(now, DisconnectReason::CLIENT_QUITTING);
        });
    }

    /// Dials as many nodes as the limits permit
    fn dial(&mut self, report: &mut Report) {
        while self.links.len() < self.most_open
            && !self.is_interrupted()
            && let Some(slot) = self.slots.take()
            && let Some(listed) = self.next()
        {
            match TcpStream::connect(listed.node.address) {
                Ok(socket) => self.add(listed, slot, socket, report),
                Err(error) if matches!(error.raw_os_error(), Some(EMFILE | ENFILE)) => {
                    self.held = self.now().checked_add(PAUSE).map(|until| (listed, until));
                }
                Err(error) => report.add(unvisited(listed, Outcome::Unreachable(error))),
            }
        }
    }

    fn next(&mut self) -> Option<Listed> {
        match self.held {
            Some((_, until)) if self.now() < until => None,
            Some((listed, _)) => {
                self.held = None;
                Some(listed)
            }
            None => self.nodes.next(),
        }
    }

    fn add(&mut self, listed: Listed, slot: Slot, socket: TcpStream, report: &mut Report) {
        let now = self.now();
        match self.link(now, listed.node.node_id) {
            Ok(link) => self.links.add(Peer::dialled(link, socket, Visit::new(&self.plan, listed, slot, now))),
            Err(error) => report.add(unvisited(listed, Outcome::Unusable(error.to_string()))),
        }
    }

    fn link(&self, now: Instant, remote: NodeId) -> Result<RecordedLink, StartError> {
        let entropy = Entropy::from_rng(fill);
        Ok(PeerState::initiator(now, &self.config, remote, entropy, Buffers::growable())?.into())
    }
}

fn unvisited(listed: Listed, outcome: Outcome) -> Row {
    Row { listed, outcome, facts: Facts::default() }
}

/// The configuration of this node, with limits that bound the memory of each link
fn config(options: &Many) -> Result<Config, ConfigError> {
    let mut key = [0; 32];
    fill(&mut key);
    let key = SecretKey::from_bytes(key)?;
    let protocols: Vec<_> = options.offers.iter().map(protocol).collect();
    let mut timeouts = options.timeouts;
    // The program sends the only Ping, so the link sends none. Each visit has a time limit, so a node that is silent
    // needs no read timeout.
    timeouts.ping = Duration::MAX;
    timeouts.read = Duration::MAX;
    timeouts.pong = options.timeout;
    timeouts.handshake = timeouts.handshake.min(options.limit);
    let config = Config::new(key, courtesy::NAME, &protocols)?.with_send_window(SEND_WINDOW);
    config.with_timeouts(timeouts)
}

fn protocol(offer: &Offer) -> Protocol<'_> {
    let limit = offer.max_message.min(MAX_MESSAGE);
    Protocol::new(&offer.name, offer.version, offer.length).with_max_message(limit).skip_larger()
}

fn fill(bytes: &mut [u8]) {
    getrandom::fill(bytes).expect("the system has randomness");
}

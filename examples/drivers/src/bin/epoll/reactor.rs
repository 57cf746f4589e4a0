//! One loop over a listener and all links

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use devp2p_drivers::app::{Conversation, Node};
use devp2p_drivers::readiness::{End, Ended, Links, Peer};
use devp2p_drivers::say::say;
use devp2p_proto::batch::Occupancy;
use devp2p_proto::{DisconnectReason, Enode, Instant};
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Token, Waker};

const LISTENER: Token = Token(0);
const WAKER: Token = Token(1);
/// How long not to accept after that has failed, as it does when there are as many sockets as may be
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

pub struct Reactor {
    node: Arc<Node>,
    listener: Option<TcpListener>,
    links: Links<Conversation>,
    quit: Arc<AtomicBool>,
    ended: usize,
    /// When to accept again after that has failed
    accept_at: Option<Instant>,
    /// How full the lanes were in which links open their messages
    occupancy: Occupancy,
}

impl Reactor {
    pub fn new(node: Arc<Node>) -> io::Result<Self> {
        let (links, quit) = (Links::new()?, Arc::new(AtomicBool::new(false)));
        Ok(Self { node, listener: None, links, quit, ended: 0, accept_at: None, occupancy: Occupancy::default() })
    }

    pub fn quit_on_interrupt(&self) -> io::Result<()> {
        let (waker, quit) = (Waker::new(self.links.registry(), WAKER)?, Arc::clone(&self.quit));
        let handler = move || {
            quit.store(true, Ordering::Relaxed);
            // A loop that is over need not be woken.
            let _ = waker.wake();
        };
        ctrlc::set_handler(handler).map_err(io::Error::other)
    }

    pub fn listen(&mut self, address: SocketAddr) -> io::Result<SocketAddr> {
        let mut listener = TcpListener::bind(address)?;
        self.links.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
        let address = listener.local_addr()?;
        self.node.listening(address);
        self.listener = Some(listener);
        Ok(address)
    }

    pub fn dial(&mut self, remote: Enode) {
        let talk = Conversation::new(&self.node);
        match (TcpStream::connect(remote.address), self.node.initiator(remote.node_id)) {
            (Ok(socket), Ok(link)) => self.links.add(Peer::dialled(link, socket, talk)),
            (Err(error), _) => talk.report().failed("to connect", &error),
            (_, Err(error)) => talk.report().failed("to start", &error),
        }
    }

    fn accept(&mut self) {
        while let Some(listener) = &self.listener {
            match listener.accept() {
                Ok((socket, _)) if !self.node.may_accept(self.links.len()) => drop(socket),
                Ok((socket, _)) => self.start(socket),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(_) => return self.accept_later(self.node.now().checked_add(ACCEPT_PAUSE)),
            }
        }
    }

    fn start(&mut self, socket: TcpStream) {
        let talk = Conversation::new(&self.node);
        match self.node.recipient() {
            Ok(link) => self.links.add(Peer::accepted(link, socket, talk)),
            Err(error) => talk.report().failed("to start", &error),
        }
    }

    fn accept_later(&mut self, at: Option<Instant>) {
        self.links.change_timer(LISTENER, self.accept_at, at);
        self.accept_at = at;
    }

    /// Runs until nothing is left to wait for
    pub fn run(&mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(1024);
        while !self.is_over() {
            self.run_once(&mut events, None)?;
        }
        if self.node.options.lanes {
            let Occupancy { steps, permutations } = self.occupancy;
            let mean = 100.0 * self.occupancy.mean();
            say(format_args!("lanes: {mean:.0} % full, {permutations} permutations in {steps} steps"));
        }
        Ok(())
    }

    fn is_over(&self) -> bool {
        self.links.is_empty() && (self.listener.is_none() || self.node.is_done(self.ended))
    }

    /// Waits for something to happen, at most this long, and gives a turn to every link that it concerns
    pub fn run_once(&mut self, events: &mut Events, patience: Option<Duration>) -> io::Result<()> {
        self.links.wait(self.node.now(), patience, events)?;
        let now = self.node.now();
        let turns = self.links.turns(now, events);
        self.turn(now, &turns);
        // After the turns, so that links which have ended leave room.
        if turns.contains(&LISTENER) {
            self.accept_later(None);
            self.accept();
        }
        if turns.contains(&WAKER) {
            self.quit();
        }
        Ok(())
    }

    fn quit(&mut self) {
        if self.quit.load(Ordering::Relaxed) {
            self.listener = None;
            let now = self.node.now();
            self.links.for_each(|peer| peer.disconnect(now, DisconnectReason::CLIENT_QUITTING));
        }
    }

    fn turn(&mut self, now: Instant, tokens: &[Token]) {
        let group = if self.node.options.one_by_one { 1 } else { tokens.len().max(1) };
        for tokens in tokens.chunks(group) {
            let occupancy = self.links.turn_together(now, tokens, |Ended { talk, link, end }| {
                match end {
                    End::Cause(cause) => talk.ended(link, cause),
                    End::Unconnected(error) => talk.report().failed("to connect", &error),
                }
                self.ended += 1;
            });
            self.occupancy.add(occupancy);
        }
    }

    pub fn links(&self) -> usize {
        self.links.len()
    }
}

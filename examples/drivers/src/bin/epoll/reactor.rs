//! One loop over a listener and all links

use std::collections::HashMap;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use devp2p_drivers::app::{Conversation, Node};
use devp2p_drivers::link::{Link, StartError};
use devp2p_proto::{DisconnectReason, Enode, Instant};
use mio::event::Event;
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token, Waker};

use crate::drive::{Peer, Turn};
use crate::timers::Timers;

const LISTENER: Token = Token(0);
const WAKER: Token = Token(1);
/// How long not to accept after that has failed, as it does when there are as many sockets as may be
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

pub struct Reactor {
    node: Arc<Node>,
    poll: Poll,
    listener: Option<TcpListener>,
    links: HashMap<Token, Box<Entry>>,
    next_token: usize,
    timers: Timers,
    /// Links that are to have a turn without waiting for anything
    ready: Vec<Token>,
    /// What is read goes through here, so that a link on which nothing is said needs no buffer
    scratch: Box<[u8]>,
    quit: Arc<AtomicBool>,
    ended: usize,
    /// When to accept again after that has failed
    accept_at: Option<Instant>,
}

struct Entry {
    peer: Peer,
    wake: Option<Instant>,
}

impl Reactor {
    pub fn new(node: Arc<Node>) -> io::Result<Self> {
        Ok(Self {
            node,
            poll: Poll::new()?,
            listener: None,
            links: HashMap::new(),
            next_token: 2,
            timers: Timers::default(),
            ready: Vec::new(),
            scratch: vec![0; 64 * 1024].into_boxed_slice(),
            quit: Arc::new(AtomicBool::new(false)),
            ended: 0,
            accept_at: None,
        })
    }

    pub fn quit_on_interrupt(&self) -> io::Result<()> {
        let (waker, quit) = (Waker::new(self.poll.registry(), WAKER)?, Arc::clone(&self.quit));
        let handler = move || {
            quit.store(true, Ordering::Relaxed);
            // A loop that is over need not be woken.
            let _ = waker.wake();
        };
        ctrlc::set_handler(handler).map_err(io::Error::other)
    }

    pub fn listen(&mut self, address: SocketAddr) -> io::Result<SocketAddr> {
        let mut listener = TcpListener::bind(address)?;
        self.poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
        let address = listener.local_addr()?;
        self.node.listening(address);
        self.listener = Some(listener);
        Ok(address)
    }

    pub fn dial(&mut self, remote: Enode) {
        let talk = Conversation::new(&self.node);
        match TcpStream::connect(remote.address) {
            Ok(socket) => self.add(socket, talk, |node| node.initiator(remote.node_id)),
            Err(error) => talk.report().failed("to connect", &error),
        }
    }

    fn accept(&mut self) {
        while let Some(listener) = &self.listener {
            match listener.accept() {
                Ok((socket, _)) if !self.node.may_accept(self.links.len()) => drop(socket),
                Ok((socket, _)) => self.add(socket, Conversation::new(&self.node), Node::recipient),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(_) => return self.accept_later(self.node.now().checked_add(ACCEPT_PAUSE)),
            }
        }
    }

    fn accept_later(&mut self, at: Option<Instant>) {
        self.timers.change(LISTENER, self.accept_at, at);
        self.accept_at = at;
    }

    fn add(
        &mut self,
        mut socket: TcpStream,
        talk: Conversation,
        start: impl FnOnce(&Node) -> Result<Link, StartError>,
    ) {
        let token = Token(self.next_token);
        self.next_token += 1;
        // Frames are put together here, so nothing is to be waited for.
        let _ = socket.set_nodelay(true);
        let interest = Interest::READABLE | Interest::WRITABLE;
        match (start(&self.node), self.poll.registry().register(&mut socket, token, interest)) {
            (Ok(link), Ok(())) => {
                self.links.insert(token, Box::new(Entry { peer: Peer::new(link, socket, talk), wake: None }));
                self.ready.push(token);
            }
            (Err(error), _) => talk.report().failed("to start", &error),
            (_, Err(error)) => talk.report().failed("to be registered", &error),
        }
    }

    /// Runs until nothing is left to wait for
    pub fn run(&mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(1024);
        while !self.is_over() {
            self.run_once(&mut events, None)?;
        }
        Ok(())
    }

    fn is_over(&self) -> bool {
        self.links.is_empty() && (self.listener.is_none() || self.node.is_done(self.ended))
    }

    /// Waits for something to happen, at most this long, and lets every link have a turn that it concerns
    pub fn run_once(&mut self, events: &mut Events, patience: Option<Duration>) -> io::Result<()> {
        let now = self.node.now();
        let wake = self.timers.next().map(|at| at.saturating_since(now)).into_iter().chain(patience).min();
        let wait = if self.ready.is_empty() { wake } else { Some(Duration::ZERO) };
        match self.poll.poll(events, wait) {
            Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error),
            _ => {}
        }
        let mut turns = std::mem::take(&mut self.ready);
        turns.extend(events.iter().filter_map(|event| self.note(event)));
        let now = self.node.now();
        turns.extend(self.timers.due(now));
        turns.sort_unstable();
        turns.dedup();
        turns.into_iter().for_each(|token| self.turn(now, token));
        Ok(())
    }

    /// Takes an event, and returns the link that it concerns
    fn note(&mut self, event: &Event) -> Option<Token> {
        match event.token() {
            LISTENER => self.accept(),
            WAKER => self.quit(),
            token => {
                let readable = event.is_readable() || event.is_read_closed() || event.is_error();
                let writable = event.is_writable() || event.is_write_closed() || event.is_error();
                self.links.get_mut(&token)?.peer.note(readable, writable);
                return Some(token);
            }
        }
        None
    }

    fn quit(&mut self) {
        if self.quit.load(Ordering::Relaxed) {
            self.listener = None;
            let now = self.node.now();
            self.links.values_mut().for_each(|entry| entry.peer.disconnect(now, DisconnectReason::CLIENT_QUITTING));
            self.ready.extend(self.links.keys());
        }
    }

    fn turn(&mut self, now: Instant, token: Token) {
        if token == LISTENER {
            self.accept_later(None);
            self.accept();
        }
        let Some(entry) = self.links.get_mut(&token) else {
            return;
        };
        let wake = match entry.peer.turn(now, &mut self.scratch) {
            Turn::Wait(wake) => wake,
            Turn::Again => {
                self.ready.push(token);
                entry.wake
            }
            Turn::Over(cause) => {
                self.ended += 1;
                self.timers.change(token, entry.wake, None);
                // Closes the socket, which ends its registration too.
                self.links.remove(&token).into_iter().for_each(|entry| entry.peer.ended(cause));
                return;
            }
        };
        self.timers.change(token, entry.wake, wake);
        entry.wake = wake;
    }

    pub fn links(&self) -> usize {
        self.links.len()
    }
}

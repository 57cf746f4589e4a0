//! All links of a thread: their sockets' events, their timers, and whose turn it is

use std::collections::HashMap;
use std::io::{self, ErrorKind};
use std::time::Duration;

use devp2p_proto::batch::Occupancy;
use devp2p_proto::{Cause, Connection, Instant, Turn};
use mio::{Events, Interest, Poll, Registry, Token};

use super::Talk;
use super::peer::{Next, Peer};
use super::timers::Timers;
use crate::link::RecordedLink;

/// The tokens below this one are for the sockets and wakers of the program itself
const FIRST_LINK: Token = Token(2);

/// The most bytes of one read
const READ_LEN: usize = 64 * 1024;

pub struct Links<T> {
    poll: Poll,
    entries: HashMap<Token, Box<Entry<T>>>,
    next_token: Token,
    timers: Timers<Token>,
    /// Links that are to have a turn without waiting for anything
    ready: Vec<Token>,
    /// What is read goes through here, so that a link on which no messages are sent needs no buffer
    buffer: Box<[u8]>,
}

struct Entry<T> {
    peer: Peer<T>,
    wake: Option<Instant>,
}

/// What is left of a link that has ended
pub struct Ended<T> {
    pub talk: T,
    pub link: RecordedLink,
    pub end: End,
}

pub enum End {
    Cause(Cause),
    /// There was never a connection
    Unconnected(io::Error),
}

impl<T: Talk> Links<T> {
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            poll: Poll::new()?,
            entries: HashMap::new(),
            next_token: FIRST_LINK,
            timers: Timers::default(),
            ready: Vec::new(),
            buffer: vec![0; 16 * READ_LEN].into_boxed_slice(),
        })
    }

    /// Where the program registers sockets and wakers of its own
    pub fn registry(&self) -> &Registry {
        self.poll.registry()
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub fn add(&mut self, mut peer: Peer<T>) {
        let token = self.next_token;
        self.next_token = Token(token.0 + 1);
        // The link puts whole frames together, so the system need not wait for more bytes.
        let _ = peer.socket.stream.set_nodelay(true);
        let interest = Interest::READABLE | Interest::WRITABLE;
        if let Err(error) = self.poll.registry().register(&mut peer.socket.stream, token, interest) {
            peer.fail(error);
        }
        if !peer.is_pending() {
            self.ready.push(token);
        }
        let wake = peer.next_timeout();
        self.timers.change(token, None, wake);
        self.entries.insert(token, Box::new(Entry { peer, wake }));
    }

    /// Moves the wake-up of one of the program's own tokens from `old` to `new`
    pub fn change_timer(&mut self, token: Token, old: Option<Instant>, new: Option<Instant>) {
        self.timers.change(token, old, new);
    }

    /// Applies `change` to every link, and gives each link a turn in the next round
    pub fn for_each(&mut self, mut change: impl FnMut(&mut Peer<T>)) {
        self.entries.values_mut().for_each(|entry| change(&mut entry.peer));
        self.ready.extend(self.entries.keys());
    }

    /// Waits for something to happen, at most this long
    pub fn wait(&mut self, now: Instant, patience: Option<Duration>, events: &mut Events) -> io::Result<()> {
        let wake = self.timers.next().map(|at| at.saturating_since(now)).into_iter().chain(patience).min();
        let wait = if self.ready.is_empty() { wake } else { Some(Duration::ZERO) };
        match self.poll.poll(events, wait) {
            Err(error) if error.kind() != ErrorKind::Interrupted => Err(error),
            _ => Ok(()),
        }
    }

    /// Takes the events, and returns whose turn it is: links, and tokens of the program's own
    pub fn turns(&mut self, now: Instant, events: &Events) -> Vec<Token> {
        let mut turns = std::mem::take(&mut self.ready);
        for event in events {
            if let Some(entry) = self.entries.get_mut(&event.token()) {
                entry.peer.socket.note(event);
            }
            turns.push(event.token());
        }
        turns.extend(self.timers.due(now));
        turns.sort_unstable();
        turns.dedup();
        turns
    }

    /// Puts the turn of a link off to the next round
    pub fn defer(&mut self, token: Token) {
        self.ready.push(token);
    }

    /// What is done on this link
    pub fn talk(&self, token: Token) -> Option<&T> {
        self.entries.get(&token).map(|entry| &entry.peer.talk)
    }

    /// Gives a link its turn; returns what is left of the link if it has ended
    pub fn turn(&mut self, now: Instant, token: Token) -> Option<Ended<T>> {
        let mut entry = self.entries.remove(&token)?;
        let next = entry.peer.turn(now, &mut self.buffer[..READ_LEN]);
        self.after(token, entry, next)
    }

    /// Gives links their turns, all together; `ended` gets what is left of each link that has ended
    pub fn turn_together(&mut self, now: Instant, tokens: &[Token], mut ended: impl FnMut(Ended<T>)) -> Occupancy {
        if let [token] = tokens {
            // One link alone is served faster by itself.
            self.turn(now, *token).into_iter().for_each(ended);
            return Occupancy::default();
        }
        let mut turns: Vec<_> = tokens
            .iter()
            .filter_map(|token| {
                let mut entry = self.entries.remove(token)?;
                let outcome = entry.peer.begin(now).map(|()| Turn::Again);
                Some((*token, entry, outcome))
            })
            .collect();
        let parties = turns.iter_mut().filter_map(|(_, entry, outcome)| Some(entry.peer.party(outcome.as_mut().ok()?)));
        let occupancy = Connection::turns(now, parties, &mut self.buffer, |outcome, turn| *outcome = turn);
        for (token, mut entry, outcome) in turns {
            let next = outcome.map_or_else(|next| next, |turn| entry.peer.end(now, turn));
            self.after(token, entry, next).into_iter().for_each(&mut ended);
        }
        occupancy
    }

    /// Keeps a link that has had its turn, or returns what is left of it
    fn after(&mut self, token: Token, mut entry: Box<Entry<T>>, next: Next) -> Option<Ended<T>> {
        let wake = match &next {
            Next::Wait(wake) => *wake,
            Next::Again => {
                self.ready.push(token);
                entry.wake
            }
            Next::Over(_) | Next::Unconnected(_) => None,
        };
        self.timers.change(token, entry.wake, wake);
        entry.wake = wake;
        let end = match next {
            Next::Wait(_) | Next::Again => {
                self.entries.insert(token, entry);
                return None;
            }
            Next::Over(cause) => End::Cause(cause),
            Next::Unconnected(error) => End::Unconnected(error),
        };
        // The socket is closed, which ends its registration too.
        let (talk, link) = entry.peer.into_parts();
        Some(Ended { talk, link, end })
    }
}

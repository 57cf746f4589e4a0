//! Many nodes in one thread, honest ones and others, for `ping --nodes` to visit
//!
//! - [`Kind`]: what a node does to the peer that dials it
//! - `place.rs`: where a node listens, and its identity; `guest.rs`: one inbound connection; `script.rs`: the bytes of
//!   the nodes that send wrong ones
//!
//! Nothing here is timed: a node that hangs does so until the peer closes. So what a peer sees does not depend on how
//! busy the machine is, apart from the peer's own time limits.

mod guest;
mod kind;
mod place;
mod script;

use std::collections::HashMap;
use std::io::{self, ErrorKind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use devp2p_proto::Enode;
use mio::{Events, Interest, Poll, Token, Waker};

use guest::Guest;
pub use kind::{HOSTILE_NAME, HOSTILE_NAME_SHOWN, Kind, Then};
use place::Place;

use crate::NEVER;

const WAKER: Token = Token(usize::MAX);

/// The nodes, which run until this is dropped
pub struct Fleet {
    /// Each node of each kind, in the order in which they were asked for
    pub nodes: Vec<(Kind, Enode)>,
    seen: Arc<Seen>,
    quit: Arc<AtomicBool>,
    waker: Waker,
    thread: Option<JoinHandle<()>>,
}

/// Counts of the inbound connections
#[derive(Default)]
struct Seen {
    open: AtomicUsize,
    most: AtomicUsize,
    all: AtomicUsize,
    goodbyes: AtomicUsize,
    /// When the first connection was accepted, and when the last one ended
    times: Mutex<Option<(Instant, Instant)>>,
}

impl Seen {
    fn come(&self) {
        self.all.fetch_add(1, Ordering::Relaxed);
        let open = 1 + self.open.fetch_add(1, Ordering::Relaxed);
        self.most.fetch_max(open, Ordering::Relaxed);
        let now = Instant::now();
        self.times.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert((now, now));
    }

    fn go(&self) {
        self.open.fetch_sub(1, Ordering::Release);
        if let Some((_, last)) = &mut *self.times.lock().unwrap_or_else(PoisonError::into_inner) {
            *last = Instant::now();
        }
    }
}

impl Fleet {
    /// So many nodes of each kind, each with a key and a port of its own
    pub fn start(kinds: &[(Kind, usize)]) -> io::Result<Self> {
        raise_limit();
        let kinds = kinds.iter().flat_map(|(kind, count)| std::iter::repeat_n(*kind, *count));
        let places: Vec<_> = kinds.map(Place::new).collect::<io::Result<_>>()?;
        let nodes = places.iter().map(|place| (place.kind, place.node)).collect();
        let (poll, seen) = (Poll::new()?, Arc::new(Seen::default()));
        let (quit, waker) = (Arc::new(AtomicBool::new(false)), Waker::new(poll.registry(), WAKER)?);
        let mut harbour = Harbour { poll, places, guests: HashMap::new(), next: 0, seen: Arc::clone(&seen) };
        harbour.open()?;
        let over = Arc::clone(&quit);
        let thread = thread::Builder::new().name("fleet".into()).spawn(move || harbour.run(&over))?;
        Ok(Self { nodes, seen, quit, waker, thread: Some(thread) })
    }

    /// The most connections that were open at one time
    pub fn most_open(&self) -> usize {
        self.seen.most.load(Ordering::Relaxed)
    }

    /// All connections so far
    pub fn visits(&self) -> usize {
        self.seen.all.load(Ordering::Relaxed)
    }

    /// How many peers have disconnected with `CLIENT_QUITTING`, once all connections have ended
    pub fn goodbyes(&self) -> usize {
        let deadline = Instant::now() + NEVER;
        while self.seen.open.load(Ordering::Acquire) > 0 {
            assert!(Instant::now() < deadline, "guests stay");
            thread::sleep(Duration::from_millis(10));
        }
        self.seen.goodbyes.load(Ordering::Relaxed)
    }

    /// From the first connection to the end of the last
    pub fn busy(&self) -> Option<Duration> {
        let times = self.seen.times.lock().unwrap_or_else(PoisonError::into_inner);
        times.map(|(first, last)| last - first)
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        self.quit.store(true, Ordering::Relaxed);
        // A thread that has failed need not be woken; the test has failed then, too.
        let _ = self.waker.wake();
        let outcome = self.thread.take().map(JoinHandle::join);
        assert!(thread::panicking() || matches!(outcome, Some(Ok(()))), "the fleet failed");
    }
}

/// Lets this process, and those that it starts, open as many files as it may
///
/// Every listener and every connection is one, and many systems begin with 1024.
#[cfg(unix)]
fn raise_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    // If it cannot be raised, a small fleet still works.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
}

#[cfg(not(unix))]
const fn raise_limit() {}

/// All listeners, and all connections
struct Harbour {
    poll: Poll,
    places: Vec<Place>,
    guests: HashMap<Token, Guest>,
    /// Counts connections; their tokens come after those of the places
    next: usize,
    seen: Arc<Seen>,
}

impl Harbour {
    fn open(&mut self) -> io::Result<()> {
        for (index, listener) in
            self.places.iter_mut().enumerate().filter_map(|(i, place)| Some((i, place.listener.as_mut()?)))
        {
            self.poll.registry().register(listener, Token(index), Interest::READABLE)?;
        }
        Ok(())
    }

    fn run(&mut self, over: &AtomicBool) {
        let mut events = Events::with_capacity(1024);
        while !over.load(Ordering::Relaxed) {
            match self.poll.poll(&mut events, None) {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                outcome => outcome.expect("events"),
            }
            for token in events.iter().map(|event| event.token()) {
                if token.0 < self.places.len() { self.accept(token.0) } else { self.turn(token) }
            }
        }
    }

    fn accept(&mut self, index: usize) {
        let place = &self.places[index];
        while let Some(listener) = &place.listener {
            let mut socket = match listener.accept() {
                Ok((socket, _)) => socket,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) => panic!("{:?}: {error}", place.kind),
            };
            let token = Token(self.places.len() + self.next);
            self.next += 1;
            let interest = Interest::READABLE | Interest::WRITABLE;
            self.poll.registry().register(&mut socket, token, interest).expect("a socket");
            self.guests.insert(token, Guest::new(place, socket));
            self.seen.come();
        }
    }

    fn turn(&mut self, token: Token) {
        if self.guests.get_mut(&token).is_some_and(Guest::is_over)
            && let Some(guest) = self.guests.remove(&token)
        {
            self.seen.goodbyes.fetch_add(usize::from(guest.was_told_goodbye()), Ordering::Relaxed);
            self.seen.go();
        }
    }
}

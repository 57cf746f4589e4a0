//! A driver for one link, for programs that do one thing after the other
//!
//! [`Session::next`] runs the link until something happens that the program has to know, or the time that
//! it asked for has come. All in one thread, on a blocking socket with timeouts.

use std::fmt;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant as Clock};

use bytes::Bytes;
use devp2p_proto::{Action, Buffers, Cause, DisconnectReason, Enode, Event, Instant, Link as _, ProtocolId};

use crate::journal::Setup;
use crate::link::{RecordedLink, StartError};
use crate::transient::is_transient;

/// How long a write may keep the loop from looking after its input
const WRITE_PATIENCE: Duration = Duration::from_millis(10);
/// A read with a timeout of zero would wait for ever
const SHORTEST_WAIT: Duration = Duration::from_millis(1);
/// How long Ctrl-C may go unnoticed, since nothing wakes a thread that reads
const LONGEST_WAIT: Duration = Duration::from_millis(100);

/// Set by the first Ctrl-C; each session tells the program of it once
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

pub struct Session {
    link: RecordedLink,
    /// Also written to, through a reference
    socket: BufReader<TcpStream>,
    /// How many Pongs the program has been told of
    pongs: u64,
    /// Whether the program has been told that it is to end
    told: bool,
    /// The origin of the link's clock
    started: Clock,
}

/// What a program has to know
#[derive(Debug)]
pub enum Happening {
    /// Protocols are agreed on
    Ready,
    Message {
        protocol: ProtocolId,
        code: u64,
        payload: Bytes,
    },
    /// A message that was refused as `Full` would now be taken
    Writable(ProtocolId),
    /// The answer to [`Session::ping`], and how long it took
    Pong(Duration),
    /// The time that was asked for has come
    Elapsed,
    /// Somebody at the keyboard, or the system, wants the program to end
    Interrupted,
    Ended(Cause),
}

impl Session {
    /// Connects to a node; from here on Ctrl-C is a [`Happening`]
    ///
    /// The timeout for connecting is that of the handshake that follows.
    ///
    /// `record` names the file of the link's journal, if one is to be kept.
    pub fn dial(node: Enode, setup: &Setup, record: Option<&str>) -> Result<Self, DialError> {
        // What is wrong on this side is said before anybody is called.
        setup.link(Buffers::growable()).map_err(StartError::from)?;
        let socket = TcpStream::connect_timeout(&node.address, setup.timeouts.handshake);
        let socket = socket.map_err(DialError::Unreachable)?;
        let started = Clock::now();
        Self::new(RecordedLink::start(setup, record)?, socket, started).map_err(DialError::Unreachable)
    }

    /// Takes an inbound connection
    pub fn accept(socket: TcpStream, setup: &Setup) -> Result<Self, DialError> {
        let started = Clock::now();
        Self::new(RecordedLink::start(setup, None)?, socket, started).map_err(DialError::Unreachable)
    }

    fn new(link: RecordedLink, socket: TcpStream, started: Clock) -> io::Result<Self> {
        socket.set_nodelay(true)?;
        socket.set_write_timeout(Some(WRITE_PATIENCE))?;
        interrupt_politely();
        Ok(Self { link, socket: BufReader::with_capacity(64 * 1024, socket), pongs: 0, told: false, started })
    }

    /// Runs the link until something happens, at most until `deadline` by the link's clock
    ///
    /// After `Ended` there is nothing more to come.
    pub fn next(&mut self, deadline: Option<Instant>) -> Happening {
        loop {
            // 1. Do what the link asks for.
            if let Some(happening) = self.act().or_else(|| self.pong()) {
                return happening;
            }
            if is_interrupted() && !std::mem::replace(&mut self.told, true) {
                return Happening::Interrupted;
            }
            if deadline.is_some_and(|deadline| deadline <= self.now()) {
                return Happening::Elapsed;
            }
            // 2. Wait for bytes, at most until the link or the program wants to be woken, and 3. give the link
            //    what came.
            self.receive(deadline);
            // 4. Let time pass.
            self.link.tell(self.now(), Event::Timeout);
        }
    }

    /// Carries out actions until there is one to tell of, or none that can be carried out
    fn act(&mut self) -> Option<Happening> {
        loop {
            let now = self.now();
            match self.link.poll()? {
                Action::Ready(_) => return Some(Happening::Ready),
                Action::Deliver { protocol, code, payload } => {
                    return Some(Happening::Message { protocol, code, payload: payload.into_bytes() });
                }
                Action::Writable(protocol) => return Some(Happening::Writable(protocol)),
                Action::Disconnect(cause) => return Some(Happening::Ended(cause)),
                Action::Send(bytes) => match self.socket.get_ref().write(bytes) {
                    Ok(len) => self.link.tell(now, Event::Sent(len)),
                    // The socket is full. The link keeps what it has; input goes on.
                    Err(error) if is_transient(&error) => return None,
                    Err(_) => self.link.tell(now, Event::SendFailed),
                },
                // Everybody is admitted who has the key that was dialled.
                _ => {}
            }
        }
    }

    fn pong(&mut self) -> Option<Happening> {
        let liveness = self.link.liveness();
        let is_new = std::mem::replace(&mut self.pongs, liveness.pongs_received) < liveness.pongs_received;
        liveness.round_trip.filter(|_| is_new).map(Happening::Pong)
    }

    /// Waits for input, and gives the link as much of it as it takes
    fn receive(&mut self, deadline: Option<Instant>) {
        let patience = self.patience(deadline);
        if !self.link.wants_input() {
            // A message is held, or a Pong is owed that only fits once the socket has taken what is unsent.
            return thread::sleep(patience);
        }
        // That the timeout could not be set shows when reading fails.
        let _ = self.socket.get_ref().set_read_timeout(Some(patience));
        let input = self.socket.fill_buf();
        let now = Instant::from(self.started.elapsed());
        match input {
            Ok(bytes @ [_, ..]) => {
                let taken = self.link.receive(now, bytes);
                self.socket.consume(taken);
            }
            Err(error) if is_transient(&error) => {}
            Ok([]) | Err(_) => self.link.tell(now, Event::ReceiveClosed),
        }
    }

    fn patience(&self, deadline: Option<Instant>) -> Duration {
        let longest = if self.link.unsent().is_empty() { LONGEST_WAIT } else { WRITE_PATIENCE };
        let next = self.link.next_timeout().into_iter().chain(deadline).min();
        next.map_or(longest, |at| at.saturating_since(self.now()).clamp(SHORTEST_WAIT, longest))
    }

    /// Sends a Ping; the answer is a [`Happening::Pong`]
    pub fn ping(&mut self) {
        // A link that has ended sends none, and its end is told anyway.
        let _ = self.link.handle(self.now(), Event::Ping);
    }

    /// The link and its time, for writing
    pub fn link(&mut self) -> (&mut RecordedLink, Instant) {
        let now = self.now();
        (&mut self.link, now)
    }

    /// The link, for looking at it
    pub const fn state(&self) -> &RecordedLink {
        &self.link
    }

    /// Sends Disconnect and waits until the link has ended; what still comes is ignored
    pub fn leave(&mut self, reason: DisconnectReason) -> Cause {
        self.link.tell(self.now(), Event::Disconnect(reason));
        self.wait_for_end()
    }

    pub fn wait_for_end(&mut self) -> Cause {
        loop {
            if let Happening::Ended(cause) = self.next(None) {
                return cause;
            }
        }
    }

    /// Completes the journal
    pub fn finish(mut self) -> io::Result<()> {
        self.link.finish()
    }

    /// The link's clock
    pub fn now(&self) -> Instant {
        Instant::from(self.started.elapsed())
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // The peer may have closed already.
        let _ = self.socket.get_ref().shutdown(Shutdown::Both);
    }
}

/// Makes every session of this process tell the program that it is to end
pub fn interrupt() {
    INTERRUPTED.store(true, Ordering::Relaxed);
}

/// Whether the program is to end
pub fn is_interrupted() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}

/// Why there is no session
#[derive(Debug)]
pub enum DialError {
    Start(StartError),
    Unreachable(io::Error),
}

impl From<StartError> for DialError {
    fn from(error: StartError) -> Self {
        Self::Start(error)
    }
}

impl fmt::Display for DialError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start(error) => error.fmt(f),
            Self::Unreachable(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for DialError {}

/// The first interrupt asks the program to end, the second one ends it
pub fn interrupt_politely() {
    let mut asked = false;
    let handler = move || {
        if std::mem::replace(&mut asked, true) {
            std::process::exit(130);
        }
        interrupt();
    };
    // Without a handler the process still ends, only less politely.
    let _ = ctrlc::set_handler(handler);
}

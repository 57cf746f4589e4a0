//! A driver for one dialled link, for programs that do one thing after the other
//!
//! [`Session::next`] runs the link until something happens that the program has to know, or the time that
//! it asked for has come. One thread runs the link; another one reads the socket, so that waiting for bytes,
//! for time and for Ctrl-C is waiting for one channel.

use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant as Clock};

use bytes::Bytes;
use devp2p_proto::{Action, Buffers, Cause, DisconnectReason, Instant, ProtocolId};

use crate::enode::Enode;
use crate::journal::Setup;
use crate::link::{Link, StartError};

/// How long a connect may take
const CONNECT_PATIENCE: Duration = Duration::from_secs(5);
/// How long a write may keep the loop from looking after its input
const WRITE_PATIENCE: Duration = Duration::from_millis(10);

pub struct Session {
    link: Link,
    socket: TcpStream,
    inbox: Receiver<Input>,
    piece: Piece,
    ping: Ping,
    /// How long the last Ping took, until it is told
    pong: Option<Duration>,
    /// The origin of the link's clock
    started: Clock,
}

/// What wakes the loop
enum Input {
    Bytes(Vec<u8>, Clock),
    Closed,
    Interrupt,
}

/// Bytes that the link is taking, and when they came
struct Piece {
    bytes: Vec<u8>,
    taken: usize,
    arrived: Clock,
}

/// The link counts in milliseconds, which is coarse for round trips: this driver has a better clock
#[derive(Clone, Copy)]
enum Ping {
    Idle,
    Leaving,
    Left(Clock),
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
    /// `record` names the file of the link's journal, if one is to be kept.
    pub fn dial(node: Enode, setup: &Setup, record: Option<&str>) -> Result<Self, DialError> {
        // What is wrong on this side is said before anybody is called.
        setup.link(Buffers::growable()).map_err(StartError::from)?;
        let socket = TcpStream::connect_timeout(&node.address, CONNECT_PATIENCE).map_err(DialError::Unreachable)?;
        let started = Clock::now();
        Self::new(Link::start(setup, record)?, socket, started).map_err(DialError::Unreachable)
    }

    fn new(link: Link, socket: TcpStream, started: Clock) -> io::Result<Self> {
        socket.set_nodelay(true)?;
        socket.set_write_timeout(Some(WRITE_PATIENCE))?;
        // A bounded channel: when the program is slow, reading stops, and TCP tells the peer.
        let (sender, inbox) = sync_channel(4);
        interrupt_by(sender.clone());
        let reader = socket.try_clone()?;
        thread::spawn(move || read_all(reader, &sender));
        let piece = Piece { bytes: Vec::new(), taken: 0, arrived: started };
        Ok(Self { link, socket, inbox, piece, ping: Ping::Idle, pong: None, started })
    }

    /// Runs the link until something happens, at most until `deadline` by the link's clock
    ///
    /// After `Ended` there is nothing more to come.
    pub fn next(&mut self, deadline: Option<Instant>) -> Happening {
        loop {
            // 1. Do what the link asks for, and give it the input that is there.
            if let Some(happening) = self.act() {
                return happening;
            }
            if self.feed() {
                if let Some(time) = self.pong.take() {
                    return Happening::Pong(time);
                }
                continue;
            }
            if deadline.is_some_and(|deadline| deadline <= self.now()) {
                return Happening::Elapsed;
            }
            // 2. Wait, at most until the link or the program wants to be woken.
            if self.wait(deadline) {
                return Happening::Interrupted;
            }
            // 3. Let time pass.
            self.link.handle_timeout(self.now());
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
                Action::Send(bytes) => {
                    let begun = Clock::now();
                    match self.socket.write(bytes) {
                        Ok(len) => self.note_sent(now, len, begun),
                        // The socket is full. The link keeps what it has; input goes on.
                        Err(error) if is_patience(&error) => return None,
                        Err(_) => self.link.send_failed(now),
                    }
                }
                // Everybody is admitted who has the key that was dialled.
                _ => {}
            }
        }
    }

    fn note_sent(&mut self, now: Instant, len: usize, begun: Clock) {
        self.link.sent(now, len).expect("no more than was offered");
        if matches!(self.ping, Ping::Leaving) && self.link.unsent().len() == 0 {
            self.ping = Ping::Left(begun);
        }
    }

    /// Gives the link input, up to one message, and returns whether it took some
    fn feed(&mut self) -> bool {
        if self.piece.taken == self.piece.bytes.len() {
            return false;
        }
        let (now, answered) = (self.now(), self.link.liveness().pongs_received);
        let rest = &self.piece.bytes[self.piece.taken..];
        let taken = self.link.receive(now, rest);
        self.piece.taken += taken;
        if let Ping::Left(left) = self.ping
            && self.link.liveness().pongs_received > answered
        {
            self.ping = Ping::Idle;
            self.pong = Some(self.piece.arrived.saturating_duration_since(left));
        }
        taken > 0
    }

    /// Waits for input, and returns whether it was an interrupt
    fn wait(&mut self, deadline: Option<Instant>) -> bool {
        let patience = match self.link.unsent().len() {
            0 => self.until_next(deadline),
            _ => WRITE_PATIENCE,
        };
        // A whole piece waits only while the socket is full, and the link for room to answer a Ping.
        if self.piece.taken < self.piece.bytes.len() {
            thread::sleep(patience.min(WRITE_PATIENCE));
            return false;
        }
        match self.inbox.recv_timeout(patience) {
            Ok(Input::Bytes(bytes, arrived)) => self.piece = Piece { bytes, taken: 0, arrived },
            Ok(Input::Closed) => self.link.receive_closed(self.now()),
            Ok(Input::Interrupt) => return true,
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
        }
        false
    }

    fn until_next(&self, deadline: Option<Instant>) -> Duration {
        let next = self.link.next_timeout().into_iter().chain(deadline).min();
        next.map_or(Duration::MAX, |at| at.saturating_since(self.now()))
    }

    /// Sends a Ping; the answer is a [`Happening::Pong`]
    pub fn ping(&mut self) {
        let sent = self.link.liveness().pings_sent;
        let now = self.now();
        if self.link.ping(now).is_ok() && self.link.liveness().pings_sent > sent {
            self.ping = Ping::Leaving;
        }
    }

    /// The link and its time, for writing
    pub fn link(&mut self) -> (&mut Link, Instant) {
        let now = self.now();
        (&mut self.link, now)
    }

    /// The link, for looking at it
    pub const fn state(&self) -> &Link {
        &self.link
    }

    /// This side's address and the peer's, as text
    pub fn addresses(&self) -> [String; 2] {
        [self.socket.local_addr(), self.socket.peer_addr()]
            .map(|address| address.map_or_else(|_| String::new(), |address| address.to_string()))
    }

    /// Says goodbye and waits until the link has ended; what still comes is ignored
    pub fn leave(&mut self, reason: DisconnectReason) -> Cause {
        let now = self.now();
        self.link.disconnect(now, reason);
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
        Instant::from_millis(self.started.elapsed().as_millis() as u64)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // Ends the reading thread too; that the peer may have closed already is no matter.
        let _ = self.socket.shutdown(Shutdown::Both);
    }
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
fn interrupt_by(sender: SyncSender<Input>) {
    let mut asked = false;
    let handler = move || {
        if std::mem::replace(&mut asked, true) || sender.send(Input::Interrupt).is_err() {
            std::process::exit(130);
        }
    };
    // A program that cannot be interrupted politely is interrupted the other way.
    let _ = ctrlc::set_handler(handler);
}

/// Hands over what comes until the stream ends
fn read_all(mut socket: TcpStream, sender: &SyncSender<Input>) {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let input = match socket.read(&mut buffer) {
            Ok(len @ 1..) => Input::Bytes(buffer[..len].to_vec(), Clock::now()),
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Ok(0) | Err(_) => Input::Closed,
        };
        let closed = matches!(input, Input::Closed);
        if sender.send(input).is_err() || closed {
            return;
        }
    }
}

fn is_patience(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
}

//! The run loop of one link, a turn at a time

use std::io::{self, ErrorKind, Read, Write};
use std::mem;

use devp2p_proto::{Cause, DisconnectReason, Event, Instant};
use mio::net::TcpStream;

use super::Talk;
use crate::link::Link;

pub struct Peer<T> {
    pub socket: TcpStream,
    pub talk: T,
    link: Link,
    connection: Connection,
    /// Whether the socket has bytes for us and room for ours, as far as is known: events tell of a change only
    readable: bool,
    writable: bool,
    /// Input that the link has not taken yet
    kept: Vec<u8>,
}

enum Connection {
    /// Under way; the timeout of the handshake also limits connecting
    Pending,
    Open,
    Failed(io::Error),
}

/// What a link waits for after its turn
pub enum Turn {
    /// An event, or this time
    Wait(Option<Instant>),
    /// Nothing: there is more to do when the others have had their turns
    Again,
    Over(Cause),
    /// There is no connection, and none will come
    Unconnected(io::Error),
}

impl<T: Talk> Peer<T> {
    /// A link on a socket that is still connecting
    ///
    /// The link does nothing before the socket is connected, so an unreachable node costs no curve arithmetic.
    pub const fn dialled(link: Link, socket: TcpStream, talk: T) -> Self {
        Self::new(link, socket, talk, Connection::Pending)
    }

    pub const fn accepted(link: Link, socket: TcpStream, talk: T) -> Self {
        Self::new(link, socket, talk, Connection::Open)
    }

    const fn new(link: Link, socket: TcpStream, talk: T, connection: Connection) -> Self {
        Self { socket, talk, link, connection, readable: false, writable: false, kept: Vec::new() }
    }

    pub const fn is_pending(&self) -> bool {
        matches!(self.connection, Connection::Pending)
    }

    /// Makes this error the outcome of the next turn
    pub fn fail(&mut self, error: io::Error) {
        self.connection = Connection::Failed(error);
    }

    /// Notes what the socket is ready for
    pub fn note(&mut self, readable: bool, writable: bool) {
        self.readable |= readable;
        self.writable |= writable;
    }

    pub fn disconnect(&mut self, now: Instant, reason: DisconnectReason) {
        self.link.tell(now, Event::Disconnect(reason));
    }

    /// What is left when the socket is closed
    pub fn into_parts(self) -> (T, Link) {
        (self.talk, self.link)
    }

    pub fn next_timeout(&self) -> Option<Instant> {
        self.link.next_timeout()
    }

    /// One turn: at most one read into `scratch`, all that follows from it, and at most one write
    pub fn turn(&mut self, now: Instant, scratch: &mut [u8]) -> Turn {
        if let Some(turn) = self.connect(now) {
            return turn;
        }
        self.try_turn(now, scratch).unwrap_or_else(Turn::Over)
    }

    /// Looks whether the connection is open; if not, returns the outcome of the turn
    fn connect(&mut self, now: Instant) -> Option<Turn> {
        match mem::replace(&mut self.connection, Connection::Open) {
            Connection::Open => return None,
            Connection::Failed(error) => return Some(Turn::Unconnected(error)),
            Connection::Pending => {}
        }
        match self.socket.take_error() {
            Ok(Some(error)) | Err(error) => return Some(Turn::Unconnected(error)),
            Ok(None) => {}
        }
        if self.socket.peer_addr().is_ok() {
            self.talk.connected();
            return None;
        }
        self.connection = Connection::Pending;
        self.link.tell(now, Event::Timeout);
        // If the link has ended, the turn goes on, and polling the link tells the cause. The link has no keys yet, so
        // it sends nothing.
        self.link.cause().is_none().then(|| Turn::Wait(self.link.next_timeout()))
    }

    fn try_turn(&mut self, now: Instant, scratch: &mut [u8]) -> Result<Turn, Cause> {
        self.receive(now, scratch)?;
        // 4. Let time pass.
        self.link.tell(now, Event::Timeout);
        self.act(now)?;
        let sent = self.send(now);
        // 2. Wait, unless there is more to do.
        let input = self.readable || !self.kept.is_empty();
        if sent || input && self.link.wants_input() {
            return Ok(Turn::Again);
        }
        Ok(Turn::Wait(self.link.next_timeout().into_iter().chain(self.talk.next_timeout(now)).min()))
    }

    /// 1. Do what the link asks for
    fn act(&mut self, now: Instant) -> Result<(), Cause> {
        self.talk.act(now, &mut self.link).map_or(Ok(()), Err)
    }

    /// Writes once, and returns whether there may be more to do at once
    fn send(&mut self, now: Instant) -> bool {
        if !self.writable || self.link.unsent().is_empty() {
            return false;
        }
        match self.socket.write(self.link.unsent()) {
            Ok(len) => self.link.tell(now, Event::Sent(len)),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => self.writable = false,
            // A Disconnect of the peer may still be there to be read.
            Err(_) => self.link.tell(now, Event::SendFailed),
        }
        self.writable
    }

    /// 3. Give the link what came
    fn receive(&mut self, now: Instant, scratch: &mut [u8]) -> Result<(), Cause> {
        if !self.kept.is_empty() {
            let mut kept = mem::take(&mut self.kept);
            let taken = self.feed(now, &kept)?;
            // If all of it was taken, the memory is freed. Otherwise one flood would occupy it until the end.
            if taken < kept.len() {
                kept.drain(..taken);
                self.kept = kept;
            }
        } else if self.readable && self.link.wants_input() {
            match self.socket.read(scratch) {
                Ok(0) => self.link.tell(now, Event::ReceiveClosed),
                Ok(len) => {
                    let taken = self.feed(now, &scratch[..len])?;
                    self.kept.extend_from_slice(&scratch[taken..len]);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.readable = false,
                Err(_) => self.link.tell(now, Event::ReceiveClosed),
            }
        }
        Ok(())
    }

    /// Gives the link bytes for as long as it takes them, and returns how many that were
    fn feed(&mut self, now: Instant, bytes: &[u8]) -> Result<usize, Cause> {
        let mut taken = 0;
        while taken < bytes.len() && self.link.wants_input() {
            taken += self.link.receive(now, &bytes[taken..]);
            self.act(now)?;
        }
        Ok(taken)
    }
}

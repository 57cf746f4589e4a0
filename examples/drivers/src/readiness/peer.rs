//! One link and its socket, a turn at a time

use std::io;
use std::mem;

use devp2p_proto::{Cause, Connection, DisconnectReason, Event, Instant, Notice, Party, PeerState, Turn};
use mio::net::TcpStream;

use super::Talk;
use super::socket::Socket;
use crate::link::{BACKLOG, Out, RecordedLink};

pub struct Peer<T> {
    pub socket: Socket,
    pub talk: T,
    connection: Connection<RecordedLink>,
    dial: Dial,
}

enum Dial {
    /// Under way; the timeout of the handshake also limits connecting
    Pending,
    Done,
    Failed(io::Error),
}

/// What follows a peer's turn
pub enum Next {
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
    pub const fn dialled(link: RecordedLink, socket: TcpStream, talk: T) -> Self {
        Self::new(link, socket, talk, Dial::Pending)
    }

    pub const fn accepted(link: RecordedLink, socket: TcpStream, talk: T) -> Self {
        Self::new(link, socket, talk, Dial::Done)
    }

    const fn new(link: RecordedLink, socket: TcpStream, talk: T, dial: Dial) -> Self {
        Self { socket: Socket::new(socket), talk, connection: Connection::new(link, BACKLOG), dial }
    }

    pub const fn is_pending(&self) -> bool {
        matches!(self.dial, Dial::Pending)
    }

    /// Makes this error the outcome of the next turn
    pub fn fail(&mut self, error: io::Error) {
        self.dial = Dial::Failed(error);
    }

    pub fn disconnect(&mut self, now: Instant, reason: DisconnectReason) {
        self.connection.out(now).disconnect(reason);
    }

    /// What is left when the socket is closed
    pub fn into_parts(self) -> (T, RecordedLink) {
        (self.talk, self.connection.into_inner())
    }

    pub fn next_timeout(&self) -> Option<Instant> {
        self.link().next_timeout()
    }

    fn link(&self) -> &PeerState<'static> {
        self.connection.link()
    }

    /// One turn, if the socket is connected
    pub fn turn(&mut self, now: Instant, buffer: &mut [u8]) -> Next {
        match self.begin(now) {
            Ok(()) => {
                let Party { connection, socket, handler, .. } = self.party(());
                let turn = connection.turn(now, socket, buffer, handler);
                self.end(now, turn)
            }
            Err(next) => next,
        }
    }

    /// What comes before a turn of the connection; if there is to be none, the outcome
    pub fn begin(&mut self, now: Instant) -> Result<(), Next> {
        self.connect(now)?;
        self.talk.proceed(&mut self.connection.out(now));
        Ok(())
    }

    /// What has a turn
    pub fn party<K>(&mut self, key: K) -> Party<'_, K, RecordedLink, Socket, impl FnMut(Notice, &mut Out<'_>)> {
        let Self { socket, talk, connection, .. } = self;
        Party { key, connection, socket, handler: |notice, out: &mut Out<'_>| talk.hear(notice, out) }
    }

    /// What follows from a turn of the connection
    pub fn end(&mut self, now: Instant, turn: Turn) -> Next {
        let Self { talk, connection, .. } = self;
        if let Turn::Ended(cause) = turn {
            return Next::Over(cause);
        }
        let proceeds = talk.proceed(&mut connection.out(now));
        if let Some(cause) = connection.link().cause().filter(|_| talk.is_over(now)) {
            return Next::Over(cause);
        }
        if proceeds || turn == Turn::Again {
            return Next::Again;
        }
        Next::Wait(connection.link().next_timeout().into_iter().chain(talk.next_timeout(now)).min())
    }

    /// Checks whether the connection is open; if not, returns the outcome of the turn
    fn connect(&mut self, now: Instant) -> Result<(), Next> {
        match mem::replace(&mut self.dial, Dial::Done) {
            Dial::Done => return Ok(()),
            Dial::Failed(error) => return Err(Next::Unconnected(error)),
            Dial::Pending => {}
        }
        match self.socket.stream.take_error() {
            Ok(Some(error)) | Err(error) => return Err(Next::Unconnected(error)),
            Ok(None) => {}
        }
        if self.socket.stream.peer_addr().is_ok() {
            self.talk.connected();
            return Ok(());
        }
        self.dial = Dial::Pending;
        self.connection.get_mut().tell(now, Event::Timeout);
        // If the link has ended, the turn goes on and tells the cause. The link has no keys yet, so it sends nothing.
        if self.link().cause().is_some() { Ok(()) } else { Err(Next::Wait(self.next_timeout())) }
    }
}

//! One link and its socket, a turn at a time

use std::io;
use std::mem;

use devp2p_proto::{Cause, Connection, DisconnectReason, Event, Instant, MAX_MESSAGE, PeerState, Turn};
use mio::net::TcpStream;

use super::Talk;
use super::socket::Socket;
use crate::link::RecordedLink;

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
        Self { socket: Socket::new(socket), talk, connection: Connection::new(link, MAX_MESSAGE), dial }
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
        match self.connect(now) {
            Ok(()) => self.talk_turn(now, buffer),
            Err(next) => next,
        }
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

    fn talk_turn(&mut self, now: Instant, buffer: &mut [u8]) -> Next {
        let Self { socket, talk, connection, .. } = self;
        talk.proceed(&mut connection.out(now));
        match connection.turn(now, socket, buffer, |notice, out| talk.hear(notice, out)) {
            Turn::Ended(cause) => Next::Over(cause),
            turn => {
                let proceeds = talk.proceed(&mut connection.out(now));
                if let Some(cause) = connection.link().cause().filter(|_| talk.is_over(now)) {
                    return Next::Over(cause);
                }
                if proceeds || turn == Turn::Again {
                    return Next::Again;
                }
                Next::Wait(connection.link().next_timeout().into_iter().chain(talk.next_timeout(now)).min())
            }
        }
    }
}

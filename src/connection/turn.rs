//! The steps of a turn, in their order

use std::io::{ErrorKind, Read, Write};
use std::mem;

use bytes::{Buf, Bytes};

use super::{Connection, Link, Notice, Out, Turn};
use crate::cause::Cause;
use crate::outbox::Outbox;
use crate::peer::{Action, Event, Handled, Stage};
use crate::time::Instant;

impl<L: Link> Connection<L> {
    /// One turn: reads at most once, does all that follows from it, and writes at most twice
    ///
    /// `socket` is connected, does not block, and keeps nothing back: `flush` is never called. The error `WouldBlock`
    /// means that the socket has nothing to read or no room at the moment, and `Interrupted` that the call is to be
    /// repeated. A read of 0 bytes, a write of 0 bytes and any other error mean that this direction has ended.
    ///
    /// What is read goes into `buffer`, which must not be empty. Its content means nothing between turns: one buffer
    /// can serve all connections of a thread. 64 KiB is the best length.
    ///
    /// `handler` is called for each notice. Its requests take effect in the same turn. If it panics, its notice is lost
    /// and the connection can go on. After the end of the link a turn does nothing and returns [`Turn::Ended`] again.
    pub fn turn(
        &mut self,
        now: Instant,
        socket: &mut (impl Read + Write),
        buffer: &mut [u8],
        handler: impl FnMut(Notice, &mut Out<'_, L>),
    ) -> Turn {
        Steps::new(now, self, socket, handler).run(buffer).unwrap_or_else(Turn::Ended)
    }
}

/// A turn under way
pub(super) struct Steps<'a, 'b, L, S, H> {
    now: Instant,
    pub(super) connection: &'a mut Connection<L>,
    socket: &'a mut S,
    handler: H,
    pub(super) input: Input<'b>,
    /// Whether the socket has had no room in this turn
    is_full: bool,
}

/// What a turn gives to the link
pub(super) enum Input<'b> {
    /// Nothing was read: the link wants nothing, the call was interrupted, or the stream has ended
    None,
    /// Nothing was read: the socket has nothing
    Blocked,
    /// What was read in this turn
    Read(&'b [u8]),
    /// What an earlier turn has read
    Kept(Bytes),
}

impl<'a, 'b, L: Link, S: Read + Write, H: FnMut(Notice, &mut Out<'_, L>)> Steps<'a, 'b, L, S, H> {
    pub(super) const fn new(now: Instant, connection: &'a mut Connection<L>, socket: &'a mut S, handler: H) -> Self {
        Self { now, connection, socket, handler, input: Input::None, is_full: false }
    }

    fn run(&mut self, mut buffer: &'b mut [u8]) -> Result<Turn, Cause> {
        self.begin(&mut buffer, usize::MAX)?;
        self.feed()?;
        self.end()
    }

    /// Sends what was asked for since the last turn, and takes input, at most `most` bytes of it from the socket
    ///
    /// The sending comes first, in case the peer waits for these bytes. The part that was read into is split off from
    /// `buffer`.
    pub(super) fn begin(&mut self, buffer: &mut &'b mut [u8], most: usize) -> Result<(), Cause> {
        self.act()?;
        self.send()?;
        let kept = mem::take(&mut self.connection.kept);
        if !kept.is_empty() {
            self.input = Input::Kept(kept);
        } else if self.connection.link().wants_input() {
            self.input = self.read(buffer, most);
        }
        Ok(())
    }

    fn read(&mut self, buffer: &mut &'b mut [u8], most: usize) -> Input<'b> {
        let room = buffer.len().min(most);
        let Some(free @ [_, ..]) = buffer.get_mut(..room) else {
            return Input::Blocked;
        };
        match self.socket.read(free) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Input::Blocked,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            // A stream that says it has read more than there was room for has failed, too.
            Ok(len @ 1..) if len <= room => {
                let (input, rest) = mem::take(buffer).split_at_mut_checked(len).unwrap_or_default();
                *buffer = rest;
                return Input::Read(input);
            }
            _ => self.tell(Event::ReceiveClosed),
        }
        Input::None
    }

    /// Gives the link its input until the link takes no more
    pub(super) fn feed(&mut self) -> Result<(), Cause> {
        loop {
            let input = self.input.bytes();
            if input.is_empty() || !self.connection.link().wants_input() {
                return Ok(());
            }
            match self.connection.link.handle(self.now, Event::Receive(input)) {
                Ok(Handled::Received(taken @ 1..)) => self.input.advance(taken),
                _ => return Ok(()),
            }
            self.act()?;
        }
    }

    /// Tells the link the time, sends what the turn has led to, and says what to wait for
    pub(super) fn end(&mut self) -> Result<Turn, Cause> {
        let is_blocked = matches!(self.input, Input::Blocked);
        self.keep();
        self.tell(Event::Timeout);
        self.act()?;
        if !self.is_full {
            self.send()?;
        }
        let link = self.connection.link();
        let (read, write) = (link.wants_input(), !link.unsent().is_empty());
        let waits = (!read || is_blocked) && (!write || self.is_full);
        Ok(if waits { Turn::Wait { read, write } } else { Turn::Again })
    }

    /// Writes once, if anything is unsent
    fn send(&mut self) -> Result<(), Cause> {
        let unsent = self.connection.link().unsent();
        if unsent.is_empty() {
            return Ok(());
        }
        let event = match self.socket.write(unsent) {
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(()),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                self.is_full = true;
                return Ok(());
            }
            Ok(len @ 1..) => Event::Sent(len),
            // The socket may still have a Disconnect of the peer to read.
            _ => Event::SendFailed,
        };
        // A stream that says it has written more than it was offered has failed, too.
        if self.connection.link.handle(self.now, event).is_err() {
            self.tell(Event::SendFailed);
        }
        self.act()
    }

    /// Tells the link of an event that it never refuses
    fn tell(&mut self, event: Event<'_>) {
        self.connection.out(self.now).tell(event);
    }

    /// Does all that the link asks for except sending, and returns the cause when the link has ended
    pub(super) fn act(&mut self) -> Result<(), Cause> {
        while let Some(notice) = self.connection.next(self.now)? {
            (self.handler)(notice, &mut self.connection.out(self.now));
        }
        Ok(())
    }
}

impl<L, S, H> Steps<'_, '_, L, S, H> {
    /// Keeps what the link has not taken for its next turn
    fn keep(&mut self) {
        let rest = mem::replace(&mut self.input, Input::None).into_rest();
        if !rest.is_empty() {
            self.connection.kept = rest;
        }
    }
}

/// If a handler panics, the input of its connection, and of those that have their turns together with it, is kept
impl<L, S, H> Drop for Steps<'_, '_, L, S, H> {
    fn drop(&mut self) {
        self.keep();
    }
}

impl Input<'_> {
    pub(super) fn bytes(&self) -> &[u8] {
        match self {
            Self::None | Self::Blocked => &[],
            Self::Read(bytes) => bytes,
            Self::Kept(bytes) => bytes,
        }
    }

    pub(super) fn advance(&mut self, len: usize) {
        match self {
            Self::None | Self::Blocked => {}
            Self::Read(bytes) => *bytes = bytes.get(len..).unwrap_or_default(),
            Self::Kept(bytes) => bytes.advance(len.min(bytes.len())),
        }
    }

    /// What the link has not taken; if that is nothing, the memory of the input is freed
    fn into_rest(self) -> Bytes {
        match self {
            Self::Kept(bytes) if !bytes.is_empty() => bytes,
            Self::Read(bytes) if !bytes.is_empty() => Bytes::copy_from_slice(bytes),
            _ => Bytes::new(),
        }
    }
}

impl<L: Link> Connection<L> {
    /// Does what the link asks for without the application, up to the next notice, and returns that notice
    fn next(&mut self, now: Instant) -> Result<Option<Notice>, Cause> {
        while let Some(action) = self.link.poll() {
            let notice = match action {
                Action::IdentityClaimed(id) => Notice::IdentityClaimed(id),
                Action::Ready(ready) => {
                    self.outboxes = ready.shared().map(|it| Outbox::new(it.protocol, self.backlog)).collect();
                    Notice::Ready
                }
                Action::Deliver { protocol, code, payload } => {
                    Notice::Message { protocol, code, payload: payload.into_bytes() }
                }
                Action::Skipped { protocol, code, size, wire_len } => {
                    Notice::Skipped { protocol, code, size, wire_len }
                }
                Action::Writable(protocol) => {
                    if !self.out(now).flush(protocol) {
                        continue;
                    }
                    Notice::Writable(protocol)
                }
                Action::Send(_) => break,
                Action::Disconnect(cause) => return Err(cause),
            };
            return Ok(Some(notice));
        }
        match self.link().cause() {
            // The link's last action came in an earlier turn.
            Some(cause) if self.link().stage() == Stage::Closed => Err(cause),
            _ => Ok(self.pong()),
        }
    }

    /// A Pong that the application was not told of
    fn pong(&mut self) -> Option<Notice> {
        let liveness = self.link().liveness();
        let is_new = mem::replace(&mut self.pongs, liveness.pongs_received) < liveness.pongs_received;
        liveness.round_trip.filter(|_| is_new).map(Notice::Pong)
    }
}

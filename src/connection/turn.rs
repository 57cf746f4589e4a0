//! The steps of a turn, in their order

use std::io::{Error, ErrorKind, Read, Write};
use std::mem;

use bytes::{Buf, Bytes};

use super::{Connection, Link, Notice, Out, Turn};
use crate::cause::Cause;
use crate::outbox::Outbox;
use crate::peer::{Action, Event, Handled};
use crate::time::Instant;

impl<L: Link> Connection<L> {
    /// One turn: reads at most once, does all that follows from it, and writes what the socket takes
    ///
    /// The socket must not block. `WouldBlock`, `TimedOut` and `Interrupted` mean that nothing was read or written; other
    /// errors, and a write of 0 bytes, mean that this direction has ended. `buffer` is for what is read, and its
    /// content means nothing between turns: one buffer, best of 64 KiB, can serve all connections of a thread.
    /// With an empty buffer nothing is read.
    ///
    /// `handler` is called for each notice. Its requests take effect in the same turn.
    pub fn turn(
        &mut self,
        now: Instant,
        socket: &mut (impl Read + Write),
        buffer: &mut [u8],
        mut handler: impl FnMut(Notice, &mut Out<'_, L>),
    ) -> Turn {
        match self.steps(now, socket, buffer, &mut handler) {
            Ok(waits) => self.next_turn(waits),
            Err(cause) => Turn::Ended(cause),
        }
    }

    fn next_turn(&self, waits: Waits) -> Turn {
        let (read, write) = (self.link().wants_input(), !self.link().unsent().is_empty());
        if read && !waits.read || write && !waits.write { Turn::Again } else { Turn::Wait { read, write } }
    }

    fn steps(
        &mut self,
        now: Instant,
        socket: &mut (impl Read + Write),
        buffer: &mut [u8],
        handler: &mut impl FnMut(Notice, &mut Out<'_, L>),
    ) -> Result<Waits, Cause> {
        // What was asked for since the last turn. It leaves before anything is read, in case the peer waits for it.
        self.act(now, handler)?;
        self.send(now, socket, handler)?;
        let read = self.kept.is_empty() && self.read(now, socket, buffer, handler)?;
        loop {
            self.feed_kept(now, handler)?;
            self.out(now).tell(Event::Timeout);
            self.act(now, handler)?;
            let write = self.send(now, socket, handler)?;
            // A Pong that has left may have been all that the link waited for.
            if self.kept.is_empty() || !self.link().wants_input() {
                return Ok(Waits { read, write });
            }
        }
    }

    /// Reads once, and returns whether there was nothing to read
    fn read(
        &mut self,
        now: Instant,
        socket: &mut impl Read,
        buffer: &mut [u8],
        handler: &mut impl FnMut(Notice, &mut Out<'_, L>),
    ) -> Result<bool, Cause> {
        if !self.link().wants_input() {
            return Ok(false);
        }
        if buffer.is_empty() {
            return Ok(true);
        }
        match socket.read(buffer).map(|len| buffer.get(..len)) {
            Ok(Some(input @ [_, ..])) => {
                let rest = self.feed(now, input, handler)?;
                self.kept = Bytes::copy_from_slice(rest);
            }
            Err(error) if is_transient(&error) => return Ok(error.kind() != ErrorKind::Interrupted),
            // A stream that says it has read more than there was room for has failed, too.
            _ => self.out(now).tell(Event::ReceiveClosed),
        }
        Ok(false)
    }

    fn feed_kept(&mut self, now: Instant, handler: &mut impl FnMut(Notice, &mut Out<'_, L>)) -> Result<(), Cause> {
        let mut kept = mem::take(&mut self.kept);
        let rest = self.feed(now, &kept, handler)?.len();
        kept.advance(kept.len().saturating_sub(rest));
        // If nothing is left, the memory is freed here.
        if !kept.is_empty() {
            self.kept = kept;
        }
        Ok(())
    }

    /// Gives the link bytes for as long as it takes them, and returns the rest
    fn feed<'a>(
        &mut self,
        now: Instant,
        mut bytes: &'a [u8],
        handler: &mut impl FnMut(Notice, &mut Out<'_, L>),
    ) -> Result<&'a [u8], Cause> {
        while !bytes.is_empty() && self.link().wants_input() {
            let Ok(Handled::Received(taken)) = self.link.handle(now, Event::Receive(bytes)) else {
                break;
            };
            bytes = bytes.get(taken..).unwrap_or_default();
            self.act(now, handler)?;
        }
        Ok(bytes)
    }

    /// Writes once if anything is unsent, and returns whether the socket was full
    fn send(
        &mut self,
        now: Instant,
        socket: &mut impl Write,
        handler: &mut impl FnMut(Notice, &mut Out<'_, L>),
    ) -> Result<bool, Cause> {
        let unsent = self.link().unsent();
        if unsent.is_empty() {
            return Ok(false);
        }
        let event = match socket.write(unsent) {
            Err(error) if is_transient(&error) => return Ok(error.kind() != ErrorKind::Interrupted),
            Ok(len @ 1..) => Event::Sent(len),
            // A Disconnect of the peer may still be there to be read.
            _ => Event::SendFailed,
        };
        // A stream that says it has written more than it was offered has failed, too.
        if self.link.handle(now, event).is_err() {
            self.out(now).tell(Event::SendFailed);
        }
        self.act(now, handler)?;
        Ok(false)
    }

    /// Does all that the link asks for except sending, and returns the cause when the link has ended
    fn act(&mut self, now: Instant, handler: &mut impl FnMut(Notice, &mut Out<'_, L>)) -> Result<(), Cause> {
        while let Some(notice) = self.next(now)? {
            handler(notice, &mut self.out(now));
        }
        Ok(())
    }

    /// The next notice; what the link asks for before it is done
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
        Ok(self.pong())
    }

    /// A Pong that the application was not told of
    fn pong(&mut self) -> Option<Notice> {
        let liveness = self.link().liveness();
        let is_new = mem::replace(&mut self.pongs, liveness.pongs_received) < liveness.pongs_received;
        liveness.round_trip.filter(|_| is_new).map(Notice::Pong)
    }
}

/// For what the socket was not ready in a turn
struct Waits {
    read: bool,
    write: bool,
}

/// Whether a socket has only nothing to do at the moment
fn is_transient(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
}

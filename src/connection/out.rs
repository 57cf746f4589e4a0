//! What an application asks of its link

use core::fmt;
use std::vec::Vec;

use super::Link;
use crate::cause::ProtocolError;
use crate::error::{NotShared, PingError, Refused, WriteError};
use crate::outbox::Outbox;
use crate::peer::{Event, PeerState};
use crate::protocol::ProtocolId;
use crate::reason::DisconnectReason;
use crate::time::Instant;

/// What the application asks of its link: to send messages, to hold input, to end
pub struct Out<'a, L> {
    now: Instant,
    link: &'a mut L,
    outboxes: &'a mut Vec<Outbox>,
}

impl<'a, L: Link> Out<'a, L> {
    pub(super) const fn new(now: Instant, link: &'a mut L, outboxes: &'a mut Vec<Outbox>) -> Self {
        Self { now, link, outboxes }
    }

    /// The time that was given to this turn, or to [`Connection::out`](super::Connection::out)
    pub const fn now(&self) -> Instant {
        self.now
    }

    /// The link, for its observers
    pub fn link(&self) -> &PeerState<'static> {
        self.link.state()
    }

    /// Sends a message, or keeps it until the link takes it
    ///
    /// Messages of a protocol leave in the order in which they were sent.
    ///
    /// # Errors
    /// As for [`Outbox::send`]: `Full` if the message has to wait and the backlog has no room for it. A message that
    /// has to wait is not checked before it is written; if the link then refuses it other than as `Full`, the link ends
    /// with [`Cause::ProtocolFailed`](crate::Cause::ProtocolFailed). `Closed` as soon as the link has a cause to end.
    pub fn send(&mut self, protocol: ProtocolId, code: u64, payload: &[u8]) -> Result<(), WriteError> {
        let Self { now, link, outboxes } = self;
        if link.state().cause().is_some() {
            return Err(WriteError::Closed);
        }
        let mut write = |protocol, code, payload: &[u8]| write(*now, *link, protocol, code, payload);
        match find(outboxes, protocol) {
            Some(outbox) => outbox.send(code, payload, write),
            None => write(protocol, code, payload),
        }
    }

    /// Sends a message that the `rlp` crate encodes; otherwise like [`send`](Self::send)
    ///
    /// # Errors
    /// As for [`send`](Self::send).
    #[cfg(feature = "rlp")]
    pub fn send_rlp<T: rlp::Encodable>(
        &mut self,
        protocol: ProtocolId,
        code: u64,
        message: &T,
    ) -> Result<(), WriteError> {
        self.send(protocol, code, &rlp::encode(message))
    }

    /// How many bytes of this protocol's messages wait, each message counted with [`Outbox::OVERHEAD`]
    ///
    /// 0 as soon as the link has a cause to end: those messages are never sent.
    pub fn waiting(&self, protocol: ProtocolId) -> usize {
        if self.link().cause().is_some() {
            return 0;
        }
        self.outboxes.iter().find(|outbox| outbox.protocol() == protocol).map_or(0, Outbox::bytes)
    }

    /// Sends a Ping; [`Notice::Pong`](super::Notice::Pong) tells of the answer
    ///
    /// # Errors
    /// As for [`PeerState::ping`].
    pub fn ping(&mut self) -> Result<(), PingError> {
        match self.link.handle(self.now, Event::Ping) {
            Err(Refused::Ping(error)) => Err(error),
            _ => Ok(()),
        }
    }

    /// Ends the link, as [`PeerState::disconnect`]; messages that wait in an outbox are not sent
    pub fn disconnect(&mut self, reason: DisconnectReason) {
        self.tell(Event::Disconnect(reason));
    }

    /// Ends the link because a protocol has finished or failed, as [`PeerState::protocol_returned`]
    ///
    /// Messages that wait in an outbox are not sent. A protocol that has finished calls this when its
    /// [`waiting`](Self::waiting) is 0.
    ///
    /// # Errors
    /// As for [`PeerState::protocol_returned`].
    pub fn protocol_returned(
        &mut self,
        protocol: ProtocolId,
        outcome: Result<(), ProtocolError>,
    ) -> Result<(), NotShared> {
        match self.link.handle(self.now, Event::ProtocolReturned(protocol, outcome)) {
            Err(Refused::ProtocolReturned(error)) => Err(error),
            _ => Ok(()),
        }
    }

    /// With `true`, no more messages come until a call with `false`, as [`PeerState::hold_input`]
    pub fn hold(&mut self, held: bool) {
        self.tell(Event::HoldInput(held));
    }

    /// Writes the messages that wait, and returns whether all of them are written
    pub(super) fn flush(&mut self, protocol: ProtocolId) -> bool {
        let Self { now, link, outboxes } = self;
        let Some(outbox) = find(outboxes, protocol) else {
            return true;
        };
        match outbox.flush(|protocol, code, payload| write(*now, *link, protocol, code, payload)) {
            Ok(()) => outbox.is_empty(),
            Err(WriteError::Closed) => false,
            // The message was taken from the application, so it cannot be refused any more.
            Err(_) => {
                _ = self.protocol_returned(protocol, Err(ProtocolError::Other));
                false
            }
        }
    }

    /// Tells the link of an event that it never refuses
    pub(super) fn tell(&mut self, event: Event<'_>) {
        _ = self.link.handle(self.now, event);
    }
}

fn find(outboxes: &mut [Outbox], protocol: ProtocolId) -> Option<&mut Outbox> {
    outboxes.iter_mut().find(|outbox| outbox.protocol() == protocol)
}

fn write<L: Link>(
    now: Instant,
    link: &mut L,
    protocol: ProtocolId,
    code: u64,
    payload: &[u8],
) -> Result<(), WriteError> {
    match link.handle(now, Event::Write { protocol, code, payload }) {
        Err(Refused::Write(error)) => Err(error),
        _ => Ok(()),
    }
}

impl<L: Link> fmt::Debug for Out<'_, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Out").field("now", &self.now).field("outboxes", &self.outboxes).finish_non_exhaustive()
    }
}

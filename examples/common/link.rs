//! A link that may keep a journal: `PeerState` with a witness
//!
//! Everything that changes a link goes through [`Link::handle`] and [`Link::poll`], so that is where it is
//! written down. What only observes is reached through `Deref`.
#![allow(dead_code, reason = "each program uses the part that it needs")]

use std::io;
use std::ops::Deref;

use devp2p_proto::{
    Action, Buffers, DisconnectReason, Event, Instant, PeerState, ProtocolError, ProtocolId, Refused, WriteError,
};
use rlp::Encodable;

use crate::journal::{Journal, Outcome, Polled, Setup, SetupError};

pub struct Link {
    state: PeerState<'static>,
    journal: Option<Journal>,
}

impl Link {
    pub fn new(setup: &Setup, journal: Option<Journal>) -> Result<Self, SetupError> {
        Ok(Self { state: setup.link(Buffers::growable())?, journal })
    }

    pub fn poll(&mut self) -> Option<Action<'_>> {
        let action = self.state.poll();
        if let Some(journal) = &mut self.journal {
            journal.polled(&Polled::new(action.as_ref()));
        }
        action
    }

    pub fn handle(&mut self, now: Instant, event: Event<'_>) -> Result<usize, Refused> {
        let result = self.state.handle(now, event);
        if let Some(journal) = &mut self.journal {
            journal.event(now, event, &Outcome::from(&result));
        }
        result
    }

    pub fn write(&mut self, now: Instant, protocol: ProtocolId, code: u64, payload: &[u8]) -> Result<(), WriteError> {
        self.handle(now, Event::Write { protocol, code, payload }).map(drop).map_err(write_error)
    }

    /// Without a journal the message is encoded where it is sealed; a journal wants its bytes
    pub fn write_rlp<T: Encodable>(
        &mut self,
        now: Instant,
        protocol: ProtocolId,
        code: u64,
        message: &T,
    ) -> Result<(), WriteError> {
        match &self.journal {
            None => self.state.write_rlp(now, protocol, code, message).map(drop),
            Some(_) => self.write(now, protocol, code, &rlp::encode(message)),
        }
    }

    pub fn ping(&mut self, now: Instant) -> Result<(), WriteError> {
        self.handle(now, Event::Ping).map(drop).map_err(write_error)
    }

    /// Ends the link with a protocol; nothing is left to do if it was not running
    pub fn protocol_returned(&mut self, now: Instant, protocol: ProtocolId, outcome: Result<(), ProtocolError>) {
        let _ = self.handle(now, Event::ProtocolReturned(protocol, outcome));
    }

    pub fn disconnect(&mut self, now: Instant, reason: DisconnectReason) {
        let _ = self.handle(now, Event::Disconnect(reason));
    }

    /// Completes the journal, if one was kept
    pub fn finish(&mut self) -> io::Result<()> {
        self.journal.take().map_or(Ok(()), Journal::finish)
    }
}

fn write_error(refused: Refused) -> WriteError {
    match refused {
        Refused::Write(error) => error,
        // The others do not belong to a write.
        _ => WriteError::NotReady,
    }
}

impl Deref for Link {
    type Target = PeerState<'static>;

    fn deref(&self) -> &Self::Target {
        &self.state
    }
}

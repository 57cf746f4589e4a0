//! A link that may keep a journal: `PeerState` with a witness
//!
//! What changes a link has the name that it has there, and is written down once it is done. What only observes
//! is reached through `Deref`.

use std::fmt;
use std::io;
use std::ops::Deref;

use devp2p_proto::{
    Action, Buffers, DisconnectReason, Event, Instant, MessageEvent, PeerState, ProtocolError, ProtocolId, Refused,
    WriteError,
};
use rlp::Encodable;

use crate::journal::{Journal, Outcome, Polled, Setup, SetupError};

pub struct Link {
    state: PeerState<'static>,
    /// Boxed, so that many links without one do not carry its size
    journal: Option<Box<Journal>>,
}

/// A link of which nothing is written down
impl From<PeerState<'static>> for Link {
    fn from(state: PeerState<'static>) -> Self {
        Self { state, journal: None }
    }
}

impl Link {
    /// `record` names the file of the link's journal, if one is to be kept
    pub fn start(setup: &Setup, record: Option<&str>) -> Result<Self, StartError> {
        let state = setup.link(Buffers::growable())?;
        let create = |path: &str| {
            Journal::create(path, setup).map(Box::new).map_err(|error| StartError::Journal(path.to_string(), error))
        };
        Ok(Self { state, journal: record.map(create).transpose()? })
    }

    pub fn poll(&mut self) -> Option<Action<'_>> {
        let action = self.state.poll();
        if let Some(journal) = &mut self.journal {
            journal.polled(&Polled::new(action.as_ref()));
        }
        action
    }

    pub fn receive(&mut self, now: Instant, bytes: &[u8]) -> usize {
        let taken = self.state.receive(now, bytes);
        self.note(now, Event::Receive(bytes), Ok(taken));
        taken
    }

    pub fn receive_closed(&mut self, now: Instant) {
        self.state.receive_closed(now);
        self.note(now, Event::ReceiveClosed, Ok(0));
    }

    pub fn hold_input(&mut self, now: Instant, held: bool) {
        self.state.hold_input(now, held);
        self.note(now, Event::HoldInput(held), Ok(0));
    }

    pub fn handle_timeout(&mut self, now: Instant) {
        self.state.handle_timeout(now);
        self.note(now, Event::Timeout, Ok(0));
    }

    pub fn write(
        &mut self,
        now: Instant,
        protocol: ProtocolId,
        code: u64,
        payload: &[u8],
    ) -> Result<MessageEvent, WriteError> {
        let result = self.state.write(now, protocol, code, payload);
        self.note(now, Event::Write { protocol, code, payload }, result.map(|_| 0).map_err(Refused::from));
        result
    }

    /// Without a journal the message is encoded where it is sealed; a journal wants its bytes
    pub fn write_rlp<T: Encodable>(
        &mut self,
        now: Instant,
        protocol: ProtocolId,
        code: u64,
        message: &T,
    ) -> Result<MessageEvent, WriteError> {
        match &self.journal {
            None => self.state.write_rlp(now, protocol, code, message),
            Some(_) => self.write(now, protocol, code, &rlp::encode(message)),
        }
    }

    pub fn ping(&mut self, now: Instant) -> Result<(), WriteError> {
        let result = self.state.ping(now);
        self.note(now, Event::Ping, result.map(|()| 0).map_err(Refused::from));
        result
    }

    pub fn sent(&mut self, now: Instant, len: usize) -> Result<(), Refused> {
        let result = self.state.sent(now, len);
        self.note(now, Event::Sent(len), result.map(|()| 0));
        result
    }

    pub fn send_failed(&mut self, now: Instant) {
        self.state.send_failed(now);
        self.note(now, Event::SendFailed, Ok(0));
    }

    pub fn protocol_returned(
        &mut self,
        now: Instant,
        protocol: ProtocolId,
        outcome: Result<(), ProtocolError>,
    ) -> Result<(), Refused> {
        let result = self.state.protocol_returned(now, protocol, outcome);
        self.note(now, Event::ProtocolReturned(protocol, outcome), result.map(|()| 0));
        result
    }

    pub fn disconnect(&mut self, now: Instant, reason: DisconnectReason) {
        self.state.disconnect(now, reason);
        self.note(now, Event::Disconnect(reason), Ok(0));
    }

    fn note(&mut self, now: Instant, event: Event<'_>, result: Result<usize, Refused>) {
        if let Some(journal) = &mut self.journal {
            journal.event(now, event, &Outcome::from(&result));
        }
    }

    /// Completes the journal, if one was kept
    pub fn finish(&mut self) -> io::Result<()> {
        self.journal.take().map_or(Ok(()), |journal| journal.finish())
    }
}

impl Deref for Link {
    type Target = PeerState<'static>;

    fn deref(&self) -> &Self::Target {
        &self.state
    }
}

/// Why there is no link
#[derive(Debug)]
pub enum StartError {
    /// The configuration makes none
    Setup(SetupError),
    /// The file cannot be written
    Journal(String, io::Error),
}

impl<E: Into<SetupError>> From<E> for StartError {
    fn from(error: E) -> Self {
        Self::Setup(error.into())
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Setup(error) => error.fmt(f),
            Self::Journal(path, error) => write!(f, "{path}: {error}"),
        }
    }
}

impl std::error::Error for StartError {}

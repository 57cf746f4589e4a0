//! A link that may keep a journal: `PeerState` with a witness
//!
//! `handle` and `poll` are all that changes a link, and what a journal is made of. What only observes is reached
//! through `Deref`.

use std::fmt;
use std::io;
use std::ops::Deref;

use devp2p_proto::{
    Action, Buffers, Event, Handled, Instant, Link, MAX_MESSAGE, Outbox, PeerState, ProtocolId, Refused, WriteError,
};

use crate::journal::{Journal, Outcome, Polled, Setup, SetupError};

/// How much may wait for a link in the outbox of a protocol: one message of any size
pub const BACKLOG: usize = MAX_MESSAGE + Outbox::OVERHEAD;

/// What an application asks of such a link
pub type Out<'a> = devp2p_proto::Out<'a, RecordedLink>;

pub struct RecordedLink {
    state: PeerState<'static>,
    /// Boxed, so that many links without one do not carry its size
    journal: Option<Box<Journal>>,
}

impl Link for RecordedLink {
    fn handle(&mut self, now: Instant, event: Event<'_>) -> Result<Handled, Refused> {
        let result = self.state.handle(now, event);
        if let Some(journal) = &mut self.journal {
            journal.event(now, event, &Outcome::new(&result));
        }
        result
    }

    fn poll(&mut self) -> Option<Action<'_>> {
        let action = self.state.poll();
        if let Some(journal) = &mut self.journal {
            journal.polled(&Polled::new(action.as_ref()));
        }
        action
    }

    fn state(&self) -> &PeerState<'static> {
        &self.state
    }

    fn batched(&mut self) -> Option<&mut PeerState<'static>> {
        self.journal.is_none().then_some(&mut self.state)
    }
}

/// A link of which nothing is written down
impl From<PeerState<'static>> for RecordedLink {
    fn from(state: PeerState<'static>) -> Self {
        Self { state, journal: None }
    }
}

impl RecordedLink {
    /// `record` names the file of the link's journal, if one is to be kept
    pub fn start(setup: &Setup, record: Option<&str>) -> Result<Self, StartError> {
        let state = setup.link(Buffers::growable())?;
        let create = |path: &str| {
            Journal::create(path, setup).map(Box::new).map_err(|error| StartError::Journal(path.to_string(), error))
        };
        Ok(Self { state, journal: record.map(create).transpose()? })
    }

    /// Tells the link of an event that it has no reason to refuse
    ///
    /// # Panics
    /// If it refuses: more was reported as sent than was unsent, or a protocol ended that is not shared.
    pub fn tell(&mut self, now: Instant, event: Event<'_>) {
        self.handle(now, event).expect("an event that has happened");
    }

    /// Gives the link input, and returns how much of it was taken
    pub fn receive(&mut self, now: Instant, bytes: &[u8]) -> usize {
        match self.handle(now, Event::Receive(bytes)) {
            Ok(Handled::Received(taken)) => taken,
            _ => 0,
        }
    }

    pub fn write(&mut self, now: Instant, protocol: ProtocolId, code: u64, payload: &[u8]) -> Result<(), WriteError> {
        match self.handle(now, Event::Write { protocol, code, payload }) {
            Err(Refused::Write(error)) => Err(error),
            _ => Ok(()),
        }
    }

    /// Completes the journal, if one was kept
    pub fn finish(&mut self) -> io::Result<()> {
        self.journal.take().map_or(Ok(()), |journal| journal.finish())
    }
}

impl Deref for RecordedLink {
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

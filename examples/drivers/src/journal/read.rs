//! Reading a journal

use std::fmt;

use devp2p_proto::rlp::{Reader, RlpError};
use devp2p_proto::{DisconnectReason, Event, Instant, ProtocolError, ProtocolId};

use super::{END, EVENT, MAGIC, Outcome, POLLED, Polled, Setup, small, text};

fn read_event<'a>(list: &mut Reader<'a>) -> Result<Option<Event<'a>>, RlpError> {
    Ok(Some(match list.uint()? {
        0 => Event::Receive(list.bytes()?),
        1 => Event::ReceiveClosed,
        2 => Event::HoldInput(list.uint()? != 0),
        3 => Event::Timeout,
        4 => Event::Write { protocol: ProtocolId(small(list)?), code: list.uint()?, payload: list.bytes()? },
        5 => Event::Ping,
        6 => Event::Sent(small(list)?),
        7 => Event::SendFailed,
        8 => Event::ProtocolReturned(ProtocolId(small(list)?), read_return(list)?),
        9 => Event::Disconnect(DisconnectReason::from_code(list.uint()?)),
        _ => return Ok(None),
    }))
}

fn read_return(list: &mut Reader<'_>) -> Result<Result<(), ProtocolError>, RlpError> {
    if let Ok(code) = list.uint() {
        return match code {
            0 => Ok(Err(ProtocolError::BadMessage)),
            1 => Ok(Err(ProtocolError::Other)),
            _ => Err(RlpError::IntegerTooLarge),
        };
    }
    let mut reason = list.list()?;
    if reason.is_empty() {
        return Ok(Ok(()));
    }
    Ok(Err(ProtocolError::Reason(DisconnectReason::from_code(reason.uint()?))))
}

/// One entry of a journal
pub enum Entry<'a> {
    Event { now: Instant, event: Event<'a>, outcome: Outcome },
    Polled(Polled),
    End,
}

/// A journal that is being read
pub struct Player<'a> {
    journal: &'a [u8],
    rest: Reader<'a>,
}

impl<'a> Player<'a> {
    pub fn open(journal: &'a [u8]) -> Result<(Setup, Self), Damage> {
        let Some(items) = journal.strip_prefix(MAGIC) else {
            return Err(if MAGIC.starts_with(journal) { Damage::Truncated } else { Damage::Foreign });
        };
        let mut player = Self { journal, rest: Reader::new(items) };
        let setup = player.item(|list| Setup::read(list).map(Some))?;
        Ok((setup, player))
    }

    /// The next entry, where the last one is [`Entry::End`]
    pub fn next_entry(&mut self) -> Result<Entry<'a>, Damage> {
        let entry = self.item(read_entry)?;
        match entry {
            Entry::End if !self.rest.is_empty() => Err(Damage::Malformed { offset: self.offset() }),
            entry => Ok(entry),
        }
    }

    fn item<T>(&mut self, read: impl FnOnce(Reader<'a>) -> Result<Option<T>, RlpError>) -> Result<T, Damage> {
        let malformed = Damage::Malformed { offset: self.offset() };
        let list = self.rest.list().map_err(|error| match error {
            RlpError::Truncated => Damage::Truncated,
            _ => malformed,
        })?;
        read(list).ok().flatten().ok_or(malformed)
    }

    fn offset(&self) -> usize {
        self.journal.len() - self.rest.remaining().len()
    }
}

/// `None` stands for an entry that a later version may know
fn read_entry(mut list: Reader<'_>) -> Result<Option<Entry<'_>>, RlpError> {
    let entry = match list.uint()? {
        tag if tag == u64::from(EVENT) => {
            let now = Instant::from_nanos(list.uint()?);
            let Some(event) = read_event(&mut list)? else {
                return Ok(None);
            };
            Entry::Event { now, event, outcome: Outcome(text(&mut list)?) }
        }
        tag if tag == u64::from(POLLED) => Entry::Polled(read_polled(&mut list)?),
        tag if tag == u64::from(END) => Entry::End,
        _ => return Ok(None),
    };
    list.finish()?;
    Ok(Some(entry))
}

fn read_polled(list: &mut Reader<'_>) -> Result<Polled, RlpError> {
    let text = text(list)?;
    let bytes = if list.is_empty() { None } else { Some((list.uint()?, *list.array()?)) };
    Ok(Polled { text, bytes })
}

/// Why a file is no whole journal
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Damage {
    Foreign,
    Truncated,
    Malformed { offset: usize },
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Foreign => f.write_str("not a journal of this version"),
            Self::Truncated => f.write_str("truncated: the journal ends before its last entry"),
            Self::Malformed { offset } => write!(f, "damaged: the entry at byte {offset} cannot be read"),
        }
    }
}

impl std::error::Error for Damage {}

//! Reading a journal

use std::fmt;
use std::io::{self, BufRead, Read};

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

/// A journal that is being read, with one entry at a time in memory
pub struct Player<R> {
    source: R,
    /// The entry that was read last, as it is in the file
    entry: Vec<u8>,
    /// Where the next entry begins
    offset: u64,
}

/// More bytes than an entry has: four times the largest message
const LARGEST_ENTRY: u64 = 1 << 26;

impl<R: BufRead> Player<R> {
    pub fn open(source: R) -> Result<(Setup, Self), Damage> {
        let mut player = Self { source, entry: Vec::new(), offset: 0 };
        let outcome = player.read(MAGIC.len() as u64);
        match outcome {
            Ok(()) if player.entry == MAGIC => {}
            Err(Damage::Truncated) if MAGIC.starts_with(&player.entry) => return Err(Damage::Truncated),
            Err(unreadable @ Damage::Unreadable(_)) => return Err(unreadable),
            _ => return Err(Damage::Foreign),
        }
        player.offset = MAGIC.len() as u64;
        let malformed = player.advance()?;
        let setup = Reader::new(&player.entry).list().and_then(Setup::read).map_err(|_| malformed)?;
        Ok((setup, player))
    }

    /// The next entry, where the last one is [`Entry::End`]
    pub fn next_entry(&mut self) -> Result<Entry<'_>, Damage> {
        let malformed = self.advance()?;
        let entry = Reader::new(&self.entry).list().and_then(read_entry).ok().flatten().ok_or(malformed)?;
        if matches!(entry, Entry::End) && !self.source.fill_buf()?.is_empty() {
            return Err(Damage::Malformed { offset: self.offset });
        }
        Ok(entry)
    }

    /// Reads the bytes of the next entry, and returns the damage if they are none
    fn advance(&mut self) -> Result<Damage, Damage> {
        let malformed = Damage::Malformed { offset: self.offset };
        self.entry.clear();
        self.read(1)?;
        let len = match self.entry[0] {
            // Not a list, which the reader of RLP refuses.
            ..0xc0 => 0,
            first @ 0xc0..0xf8 => u64::from(first - 0xc0),
            first => {
                self.read(u64::from(first - 0xf7))?;
                self.entry[1..].iter().fold(0, |len, byte| len << 8 | u64::from(*byte))
            }
        };
        if len > LARGEST_ENTRY {
            return Err(malformed);
        }
        self.read(len)?;
        self.offset += self.entry.len() as u64;
        Ok(malformed)
    }

    /// Reads so many more bytes of the entry
    fn read(&mut self, len: u64) -> Result<(), Damage> {
        let read = self.source.by_ref().take(len).read_to_end(&mut self.entry)?;
        if (read as u64) < len { Err(Damage::Truncated) } else { Ok(()) }
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
    Malformed { offset: u64 },
    Unreadable(io::ErrorKind),
}

impl From<io::Error> for Damage {
    fn from(error: io::Error) -> Self {
        Self::Unreadable(error.kind())
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Foreign => f.write_str("not a journal of this version"),
            Self::Truncated => f.write_str("truncated: the journal ends before its last entry"),
            Self::Malformed { offset } => write!(f, "damaged: the entry at byte {offset} cannot be read"),
            Self::Unreadable(kind) => kind.fmt(f),
        }
    }
}

impl std::error::Error for Damage {}

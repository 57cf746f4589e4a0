//! The node that answers

use devp2p_proto::rlp06::encode;
use devp2p_proto::{Instant, Outbox, PeerState, ProtocolError, WriteError};
use devp2p_testing::{Seen, noise};

use crate::message::{ANSWER, Answer, MAX_OPEN, MAX_PAGES, PAGES, QUESTION, Question, read};

/// How many pages the book has
const BOOK: u64 = 40;

/// What the library does when the link can write again
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flush {
    /// Writes answers until the link refuses one
    All,
    /// The planted mistake: writes one answer. The link has then refused nothing, so `Writable` does not come again,
    /// and the other answers wait forever
    One,
}

/// The book, and the answers that the link has refused
#[derive(Debug)]
pub(crate) struct Library {
    outbox: Outbox,
    flush: Flush,
}

impl Library {
    pub(crate) fn new(flush: Flush) -> Self {
        let limit = MAX_OPEN * (MAX_PAGES as usize * page(BOOK).len() + 32 + Outbox::OVERHEAD);
        Self { outbox: Outbox::new(PAGES, limit), flush }
    }

    pub(crate) fn react(&mut self, link: &mut PeerState<'_>, now: Instant, seen: &Seen) {
        let outcome = match seen {
            Seen::Deliver(PAGES, QUESTION, payload) => {
                read(payload).and_then(|question| self.answer(link, now, question))
            }
            Seen::Deliver(..) => Err(ProtocolError::BadMessage),
            Seen::Writable(_) => self.flush(link, now).or_else(unless_ended),
            _ => Ok(()),
        };
        if let Err(error) = outcome {
            _ = link.protocol_returned(now, PAGES, Err(error));
        }
    }

    fn answer(&mut self, link: &mut PeerState<'_>, now: Instant, question: Question) -> Result<(), ProtocolError> {
        let Question { first, count } = question;
        if count > MAX_PAGES {
            return Err(ProtocolError::BadMessage);
        }
        let pages = (first..first.saturating_add(count).min(BOOK)).map(page).collect();
        let answer = encode(&Answer { first, pages });
        self.outbox.send(ANSWER, &answer, |id, code, payload| link.write(now, id, code, payload)).or_else(unless_ended)
    }

    fn flush(&mut self, link: &mut PeerState<'_>, now: Instant) -> Result<(), WriteError> {
        let mut written = 0;
        self.outbox.flush(|id, code, payload| {
            if self.flush == Flush::One && written == 1 {
                return Err(WriteError::Full);
            }
            written += 1;
            link.write(now, id, code, payload)
        })
    }
}

/// The end of the link is not a failure of the protocol
fn unless_ended(error: WriteError) -> Result<(), ProtocolError> {
    match error {
        WriteError::Closed => Ok(()),
        // More questions than may be open at once
        WriteError::Full => Err(ProtocolError::BadMessage),
        _ => Err(ProtocolError::Other),
    }
}

/// A page of the book: later ones are longer, up to 400 bytes
fn page(number: u64) -> Vec<u8> {
    noise(number, 10 * number as usize)
}

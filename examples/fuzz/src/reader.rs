//! The node that asks

use std::collections::VecDeque;

use devp2p_proto::{Instant, PeerState, ProtocolError};
use devp2p_testing::Seen;

use crate::message::{ANSWER, Answer, MAX_OPEN, PAGES, QUESTION, Question, read};

/// The questions that have no answer yet, in their order
#[derive(Debug, Default)]
pub(crate) struct Reader {
    pub(crate) open: VecDeque<Question>,
}

impl Reader {
    /// Asks, unless too many questions are open or the link refuses the question
    pub(crate) fn ask(&mut self, link: &mut PeerState<'_>, now: Instant, question: Question) {
        if self.open.len() < MAX_OPEN && link.write_rlp(now, PAGES, QUESTION, &question).is_ok() {
            self.open.push_back(question);
        }
    }

    pub(crate) fn react(&mut self, link: &mut PeerState<'_>, now: Instant, seen: &Seen) {
        if let Seen::Deliver(PAGES, code, payload) = seen
            && let Err(error) = self.take(*code, payload)
        {
            _ = link.protocol_returned(now, PAGES, Err(error));
        }
    }

    fn take(&mut self, code: u64, payload: &[u8]) -> Result<(), ProtocolError> {
        let ANSWER = code else {
            return Err(ProtocolError::BadMessage);
        };
        let Answer { first, pages } = read(payload)?;
        let question = self.open.pop_front().ok_or(ProtocolError::BadMessage)?;
        let asked_for = first == question.first && pages.len() as u64 <= question.count;
        asked_for.then_some(()).ok_or(ProtocolError::BadMessage)
    }
}

//! The messages of `pages/1`

use devp2p_proto::rlp::decode;
use devp2p_proto::rlp06::{Decodable, DecoderError, Encodable, Rlp, RlpStream};
use devp2p_proto::{Protocol, ProtocolError, ProtocolId};

pub(crate) const PROTOCOL: Protocol<'static> = Protocol::new("pages", 1, 2).with_max_message(2048);
/// The place of the protocol in the configuration of both nodes
pub(crate) const PAGES: ProtocolId = ProtocolId(0);

pub(crate) const QUESTION: u64 = 0;
pub(crate) const ANSWER: u64 = 1;

/// The largest number of pages in one answer
pub(crate) const MAX_PAGES: u64 = 4;
/// The largest number of questions that wait for their answers
pub(crate) const MAX_OPEN: usize = 8;

/// Asks for `count` pages from `first` on
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Question {
    pub(crate) first: u64,
    pub(crate) count: u64,
}

/// The pages from `first` on that were asked for and that exist
///
/// Answers come in the order of the questions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) first: u64,
    pub(crate) pages: Vec<Vec<u8>>,
}

impl Encodable for Question {
    fn rlp_append(&self, stream: &mut RlpStream) {
        stream.begin_list(2).append(&self.first).append(&self.count);
    }
}

impl Decodable for Question {
    fn decode(rlp: &Rlp<'_>) -> Result<Self, DecoderError> {
        Ok(Self { first: rlp.val_at(0)?, count: rlp.val_at(1)? })
    }
}

impl Encodable for Answer {
    fn rlp_append(&self, stream: &mut RlpStream) {
        stream.begin_list(2).append(&self.first).append_list::<Vec<u8>, _>(&self.pages);
    }
}

impl Decodable for Answer {
    fn decode(rlp: &Rlp<'_>) -> Result<Self, DecoderError> {
        Ok(Self { first: rlp.val_at(0)?, pages: rlp.list_at(1)? })
    }
}

pub(crate) fn read<T: Decodable>(payload: &[u8]) -> Result<T, ProtocolError> {
    decode(payload).map_err(|_| ProtocolError::BadMessage)
}

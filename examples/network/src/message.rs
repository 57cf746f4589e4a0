//! What nodes say to each other about blocks and transactions, and its form on the wire

use devp2p_proto::Protocol;
use rlp::Rlp;

use crate::library::{Item, Kind, Library};

/// A message about one item
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message {
    pub act: Act,
    pub item: Item,
}

/// What a message does
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// The sender has the item; only the hash is sent
    Announce,
    /// The sender wants the item; only the hash is sent
    Ask,
    /// The whole item, to a node that has not asked for it
    Push,
    /// The whole item, to a node that has asked for it
    Answer,
}

pub const ACTS: [Act; 4] = [Act::Announce, Act::Ask, Act::Push, Act::Answer];
pub const KINDS: [Kind; 2] = [Kind::Block, Kind::Transaction];
/// How many message codes there are: each act for each kind of item
pub const CODES: usize = ACTS.len() * KINDS.len();

impl Message {
    /// The protocol of these messages, for contents of up to `largest` bytes
    pub const fn protocol(largest: usize) -> Protocol<'static> {
        /// What RLP needs for the length of a string
        const HEADER: usize = 9;
        Protocol::new("gossip", 1, CODES as u64).with_max_message(largest + HEADER)
    }

    pub fn code(self) -> u64 {
        (self.item.kind as usize * ACTS.len() + self.act as usize) as u64
    }

    /// Whether the item itself is in the message
    pub fn is_whole(self) -> bool {
        matches!(self.act, Act::Push | Act::Answer)
    }

    /// What a code stands for
    pub fn name_of(code: usize) -> String {
        let kind = match KINDS[code / ACTS.len()] {
            Kind::Block => "block",
            Kind::Transaction => "transaction",
        };
        let act = match ACTS[code % ACTS.len()] {
            Act::Announce => "announced",
            Act::Ask => "asked for",
            Act::Push => "pushed",
            Act::Answer => "answered",
        };
        format!("{kind} {act}")
    }

    pub fn encode(self, library: &Library) -> Vec<u8> {
        let content = library.content(self.item);
        let bytes = if self.is_whole() { &content.bytes } else { &content.hash[..] };
        rlp::encode(&bytes).into()
    }

    /// The message, unless its code or its form is wrong, or nobody has made the item
    pub fn decode(code: u64, payload: &[u8], library: &Library) -> Option<Self> {
        let code = usize::try_from(code).ok()?;
        let (kind, act) = (*KINDS.get(code / ACTS.len())?, ACTS[code % ACTS.len()]);
        let string = Rlp::new(payload);
        let data = string.data().ok().filter(|_| string.as_raw().len() == payload.len())?;
        let hash = match act {
            Act::Push | Act::Answer => devp2p_proto::keccak256(data),
            Act::Announce | Act::Ask => data.try_into().ok()?,
        };
        library.find(kind, &hash).map(|item| Self { act, item })
    }
}

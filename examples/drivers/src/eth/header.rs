//! Block headers: their hashes, and how each follows from the one before

use rlp::{Decodable, DecoderError, Encodable, Rlp, RlpStream};

use crate::eth::hash::Hash;
use crate::eth::message::append_encoded;

/// The fields that this program looks at, and the encoding that the hash is over
///
/// Forks add fields at the end, so those that are not known are covered by the hash and otherwise let be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    pub hash: Hash,
    pub parent: Hash,
    pub ommers_hash: Hash,
    pub state_root: Hash,
    pub transactions_root: Hash,
    pub receipts_root: Hash,
    pub number: u64,
    /// From Shanghai on (EIP-4895)
    pub withdrawals_root: Option<Hash>,
    encoded: Vec<u8>,
}

/// The fields that the Yellow Paper has
const OLDEST_FIELDS: usize = 15;
const WITHDRAWALS_ROOT: usize = 16;

impl Decodable for Header {
    fn decode(rlp: &Rlp<'_>) -> Result<Self, DecoderError> {
        if rlp.item_count()? < OLDEST_FIELDS {
            return Err(DecoderError::RlpIncorrectListLen);
        }
        let encoded = rlp.as_raw();
        Ok(Self {
            hash: Hash::of(encoded),
            parent: rlp.val_at(0)?,
            ommers_hash: rlp.val_at(1)?,
            state_root: rlp.val_at(3)?,
            transactions_root: rlp.val_at(4)?,
            receipts_root: rlp.val_at(5)?,
            number: rlp.val_at(8)?,
            withdrawals_root: rlp.at(WITHDRAWALS_ROOT).ok().map(|root| root.as_val()).transpose()?,
            encoded: encoded.to_vec(),
        })
    }
}

impl Encodable for Header {
    fn rlp_append(&self, stream: &mut RlpStream) {
        append_encoded(stream, &self.encoded);
    }
}

impl Header {
    /// Whether there is anything in the block's body
    pub fn has_body(&self) -> bool {
        let withdrawals = self.withdrawals_root.is_some_and(|root| root != Hash::empty_trie());
        self.transactions_root != Hash::empty_trie() || self.ommers_hash != Hash::empty_list() || withdrawals
    }

    pub fn has_receipts(&self) -> bool {
        self.receipts_root != Hash::empty_trie()
    }
}

/// The last header that was checked, and so what the next one must be
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tip {
    /// None yet: the first must be the genesis block
    Genesis(Hash),
    At {
        number: u64,
        hash: Hash,
    },
}

impl Tip {
    pub const fn next_number(self) -> u64 {
        match self {
            Self::Genesis(_) => 0,
            Self::At { number, .. } => number + 1,
        }
    }

    /// The tip with one more header, if that is the one which follows
    pub fn follow(self, header: &Header) -> Result<Self, String> {
        let expected = self.next_number();
        if header.number != expected {
            return Err(format!("header {} instead of header {expected}", header.number));
        }
        match self {
            Self::Genesis(hash) if header.hash != hash => {
                Err(format!("header 0 has the hash {}, but the genesis hash is {hash}", header.hash))
            }
            Self::At { hash, .. } if header.parent != hash => {
                let parent = header.parent;
                Err(format!(
                    "header {expected} has the parent hash {parent}, but the header before it has the hash {hash}"
                ))
            }
            _ => Ok(Self::At { number: expected, hash: header.hash }),
        }
    }
}

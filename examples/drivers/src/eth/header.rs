//! Block headers: their hashes, their limits, and the rules for a header and its parent

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
    pub gas_limit: u64,
    pub gas_used: u64,
    pub time: u64,
    /// How many bytes of extra data there are
    pub extra_data: usize,
    /// From Shanghai on (EIP-4895)
    pub withdrawals_root: Option<Hash>,
    encoded: Vec<u8>,
}

/// The longest encoding of a header, in bytes
///
/// The 21 fields of Prague take 742 bytes if each is as long as consensus permits. The rest leaves space for eight
/// fields of 32 bytes that later forks may add.
pub const MAX_HEADER: usize = 1024;

/// The fields that the Yellow Paper has
const OLDEST_FIELDS: usize = 15;
/// The 21 fields of Prague, and eight that later forks may add
const MOST_FIELDS: usize = 29;
const WITHDRAWALS_ROOT: usize = 16;

/// The largest permitted length of the extra data, in bytes (Yellow Paper, section 4.3.4)
const MAX_EXTRA_DATA: usize = 32;
/// The highest gas limit (EIP-1985)
const MAX_GAS_LIMIT: u64 = i64::MAX as u64;

impl Decodable for Header {
    fn decode(rlp: &Rlp<'_>) -> Result<Self, DecoderError> {
        let encoded = rlp.as_raw();
        if encoded.len() > MAX_HEADER {
            return Err(DecoderError::Custom("a header has more than 1024 bytes"));
        }
        if !(OLDEST_FIELDS..=MOST_FIELDS).contains(&rlp.item_count()?) {
            return Err(DecoderError::Custom("a header has a number of fields that no fork permits"));
        }
        Ok(Self {
            hash: Hash::of(encoded),
            parent: rlp.val_at(0)?,
            ommers_hash: rlp.val_at(1)?,
            state_root: rlp.val_at(3)?,
            transactions_root: rlp.val_at(4)?,
            receipts_root: rlp.val_at(5)?,
            number: rlp.val_at(8)?,
            gas_limit: rlp.val_at(9)?,
            gas_used: rlp.val_at(10)?,
            time: rlp.val_at(11)?,
            extra_data: rlp.at(12)?.data()?.len(),
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

impl Encodable for &Header {
    fn rlp_append(&self, stream: &mut RlpStream) {
        (**self).rlp_append(stream);
    }
}

impl Header {
    /// The encoded header, as it is sent and hashed
    pub fn encoded(&self) -> &[u8] {
        &self.encoded
    }

    /// Whether there is anything in the block's body
    pub fn has_body(&self) -> bool {
        let withdrawals = self.withdrawals_root.is_some_and(|root| root != Hash::empty_trie());
        self.transactions_root != Hash::empty_trie() || self.ommers_hash != Hash::empty_list() || withdrawals
    }

    pub fn has_receipts(&self) -> bool {
        self.receipts_root != Hash::empty_trie()
    }

    /// Whether the header is within the limits that consensus sets for every block but genesis
    pub fn check_limits(&self) -> Result<(), String> {
        let Self { number, gas_limit, gas_used, extra_data, .. } = self;
        // The hash determines the whole genesis block, and some genesis blocks have more extra data.
        if *number == 0 {
            return Ok(());
        }
        if *extra_data > MAX_EXTRA_DATA {
            return Err(format!(
                "header {number} has {extra_data} bytes of extra data; at most {MAX_EXTRA_DATA} are permitted"
            ));
        }
        if *gas_limit > MAX_GAS_LIMIT {
            return Err(format!("header {number} has a gas limit of {gas_limit}, which is above 2^63 - 1"));
        }
        if gas_used > gas_limit {
            return Err(format!("header {number} has {gas_used} gas used, above its gas limit of {gas_limit}"));
        }
        Ok(())
    }
}

/// The last header that was checked, and so what the next one must be
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tip {
    /// None yet: the first must be the genesis block
    Genesis(Hash),
    /// The hash of the last header, and the number of the next one
    At { hash: Hash, next: u64 },
}

impl Tip {
    pub const fn next_number(self) -> u64 {
        match self {
            Self::Genesis(_) => 0,
            Self::At { next, .. } => next,
        }
    }

    /// The tip with one more header, if that is the one which follows
    pub fn follow(self, header: &Header) -> Result<Self, String> {
        let expected = self.next_number();
        if header.number != expected {
            return Err(format!("header {} instead of header {expected}", header.number));
        }
        header.check_limits()?;
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
            _ => {
                let next = expected.checked_add(1).ok_or_else(|| format!("no block can follow block {expected}"))?;
                Ok(Self::At { hash: header.hash, next })
            }
        }
    }
}

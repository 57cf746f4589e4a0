//! Block bodies, and how the header vouches for them

use rlp::{Decodable, DecoderError, Encodable, Rlp, RlpStream};

use crate::eth::answer::PerBlock;
use crate::eth::hash::Hash;
use crate::eth::header::Header;
use crate::eth::message::Raw;
use crate::eth::trie::ordered_root;

/// Transactions, ommers, and from Shanghai on withdrawals, each as it is encoded in its trie
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body {
    pub transactions: Vec<Typed>,
    ommers: Raw,
    withdrawals: Option<Vec<Vec<u8>>>,
}

impl Decodable for Body {
    fn decode(rlp: &Rlp<'_>) -> Result<Self, DecoderError> {
        let withdrawals = match rlp.item_count()? {
            2 => None,
            3 => Some(rlp.at(2)?.iter().map(|withdrawal| withdrawal.as_raw().to_vec()).collect()),
            _ => return Err(DecoderError::RlpIncorrectListLen),
        };
        Ok(Self { transactions: rlp.list_at(0)?, ommers: rlp.val_at(1)?, withdrawals })
    }
}

impl Encodable for Body {
    fn rlp_append(&self, stream: &mut RlpStream) {
        stream.begin_list(2 + usize::from(self.withdrawals.is_some()));
        stream.begin_list(self.transactions.len());
        self.transactions.iter().for_each(|transaction| transaction.append_wrapped(stream));
        stream.append(&self.ommers);
        if let Some(withdrawals) = &self.withdrawals {
            stream.begin_list(withdrawals.len());
            for withdrawal in withdrawals {
                stream.append_raw(withdrawal, 1);
            }
        }
    }
}

impl PerBlock for Body {
    fn count(rlp: &Rlp<'_>) -> Result<usize, DecoderError> {
        let withdrawals = rlp.at(2).map_or(Ok(0), |withdrawals| withdrawals.item_count())?;
        Ok(rlp.at(0)?.item_count()?.saturating_add(withdrawals))
    }
}

impl Body {
    /// The body of a block that is empty according to its header
    pub fn empty(header: &Header) -> Self {
        let withdrawals = header.withdrawals_root.map(|_| Vec::new());
        Self { transactions: Vec::new(), ommers: Raw(vec![0xc0]), withdrawals }
    }

    /// Whether this is the body that the header speaks of
    pub fn check(&self, header: &Header) -> Result<(), String> {
        let number = header.number;
        if ordered_root(&self.transactions) != header.transactions_root {
            return Err(format!("the transactions of block {number} are not those of its header"));
        }
        if Hash::of(&self.ommers.0) != header.ommers_hash {
            return Err(format!("the ommers of block {number} are not those of its header"));
        }
        if self.withdrawals.as_deref().map(ordered_root) != header.withdrawals_root {
            return Err(format!("the withdrawals of block {number} are not those of its header"));
        }
        Ok(())
    }
}

/// A transaction or receipt as its trie has it: a list, or since EIP-2718 a type byte and what belongs to
/// that type
///
/// In messages the latter is wrapped up in a string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Typed(pub Vec<u8>);

impl Decodable for Typed {
    fn decode(rlp: &Rlp<'_>) -> Result<Self, DecoderError> {
        if rlp.is_list() {
            return Ok(Self(rlp.as_raw().to_vec()));
        }
        match rlp.data()? {
            typed @ [0..=0x7f, _, ..] => Ok(Self(typed.to_vec())),
            _ => Err(DecoderError::Custom("neither a list nor a typed envelope")),
        }
    }
}

impl Typed {
    /// Appends it in the form that messages have
    pub fn append_wrapped(&self, stream: &mut RlpStream) {
        match self.0.first() {
            Some(0..=0x7f) => stream.append(&self.0),
            _ => stream.append_raw(&self.0, 1),
        };
    }
}

impl AsRef<[u8]> for Typed {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

//! The messages of `eth`, as types that the `rlp` crate encodes and decodes
//!
//! See caps/eth.md of the devp2p specifications; request ids are those of EIP-2481. The crate's link carries
//! codes and payloads, and this is all that turns them into something with a meaning: a message type is a
//! struct with `Encodable` and `Decodable`.

use rlp::{Decodable, DecoderError, Encodable, Rlp, RlpStream};

use crate::eth::hash::Hash;

pub const STATUS: u64 = 0x00;
pub const NEW_BLOCK_HASHES: u64 = 0x01;
pub const TRANSACTIONS: u64 = 0x02;
pub const GET_BLOCK_HEADERS: u64 = 0x03;
pub const BLOCK_HEADERS: u64 = 0x04;
pub const GET_BLOCK_BODIES: u64 = 0x05;
pub const BLOCK_BODIES: u64 = 0x06;
pub const NEW_BLOCK: u64 = 0x07;
pub const NEW_POOLED_TRANSACTION_HASHES: u64 = 0x08;
pub const GET_POOLED_TRANSACTIONS: u64 = 0x09;
pub const POOLED_TRANSACTIONS: u64 = 0x0a;
pub const GET_RECEIPTS: u64 = 0x0f;
pub const RECEIPTS: u64 = 0x10;
/// From eth/69 on (EIP-7642)
pub const BLOCK_RANGE_UPDATE: u64 = 0x11;

/// The first version in which Status and BlockRangeUpdate tell a range of blocks (EIP-7642)
pub const RANGE_VERSION: u64 = 69;
/// The first version in which receipts come in pages (EIP-7975)
pub const PAGES_VERSION: u64 = 70;

/// The number of message codes of a version
pub const fn length(version: u64) -> u64 {
    if version >= RANGE_VERSION { BLOCK_RANGE_UPDATE + 1 } else { RECEIPTS + 1 }
}

/// What a code is called, for messages to people
pub const fn name(code: u64) -> &'static str {
    match known_name(code) {
        Some(name) => name,
        None => "message",
    }
}

/// The name of a code, `None` if `eth` has no such code
pub const fn known_name(code: u64) -> Option<&'static str> {
    Some(match code {
        STATUS => "Status",
        NEW_BLOCK_HASHES => "NewBlockHashes",
        TRANSACTIONS => "Transactions",
        GET_BLOCK_HEADERS => "GetBlockHeaders",
        BLOCK_HEADERS => "BlockHeaders",
        GET_BLOCK_BODIES => "GetBlockBodies",
        BLOCK_BODIES => "BlockBodies",
        NEW_BLOCK => "NewBlock",
        NEW_POOLED_TRANSACTION_HASHES => "NewPooledTransactionHashes",
        GET_POOLED_TRANSACTIONS => "GetPooledTransactions",
        POOLED_TRANSACTIONS => "PooledTransactions",
        GET_RECEIPTS => "GetReceipts",
        RECEIPTS => "Receipts",
        BLOCK_RANGE_UPDATE => "BlockRangeUpdate",
        _ => return None,
    })
}

/// A request or its answer: what it holds, and the number by which the two find each other
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Numbered<T> {
    pub id: u64,
    pub content: T,
}

impl<T: Encodable> Encodable for Numbered<T> {
    fn rlp_append(&self, stream: &mut RlpStream) {
        stream.begin_list(2).append(&self.id).append(&self.content);
    }
}

impl<T: Decodable> Decodable for Numbered<T> {
    fn decode(rlp: &Rlp<'_>) -> Result<Self, DecoderError> {
        expect_fields(rlp, 2)?;
        Ok(Self { id: rlp.val_at(0)?, content: rlp.val_at(1)? })
    }
}

/// A request for receipts or its answer from eth/70 on (EIP-7975), which may be one of several pages
///
/// In the request, `page` is the index of the first receipt that is wanted of the first block. In the answer,
/// `page` says whether the receipts of the last block go on in the next page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paged<P, T> {
    pub id: u64,
    pub page: P,
    pub content: T,
}

impl<P: Encodable, T: Encodable> Encodable for Paged<P, T> {
    fn rlp_append(&self, stream: &mut RlpStream) {
        stream.begin_list(3).append(&self.id).append(&self.page).append(&self.content);
    }
}

impl<P: Decodable, T: Decodable> Decodable for Paged<P, T> {
    fn decode(rlp: &Rlp<'_>) -> Result<Self, DecoderError> {
        expect_fields(rlp, 3)?;
        Ok(Self { id: rlp.val_at(0)?, page: rlp.val_at(1)?, content: rlp.val_at(2)? })
    }
}

/// How many headers, hashes or codes one answer may have
///
/// The reference client sends no more headers in an answer, and this program asks for no more of anything.
pub const MAX_LIST: usize = 1024;

/// A list of items of one type, which the `rlp` crate has no type for
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List<T>(pub Vec<T>);

impl<T: Encodable> Encodable for List<T> {
    fn rlp_append(&self, stream: &mut RlpStream) {
        stream.append_list(&self.0);
    }
}

impl<T: Decodable> Decodable for List<T> {
    fn decode(rlp: &Rlp<'_>) -> Result<Self, DecoderError> {
        list_of_at_most(MAX_LIST, rlp).map(Self)
    }
}

/// The hashes that a request names: all of them are checked, and as many as one answer may have are kept
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hashes(pub Vec<Hash>);

impl Decodable for Hashes {
    fn decode(rlp: &Rlp<'_>) -> Result<Self, DecoderError> {
        let mut hashes = Vec::with_capacity(rlp.item_count()?.min(MAX_LIST));
        for item in rlp {
            let hash = item.as_val()?;
            if hashes.len() < MAX_LIST {
                hashes.push(hash);
            }
        }
        Ok(Self(hashes))
    }
}

/// An item that is kept as it is encoded
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Raw(pub Vec<u8>);

impl Encodable for Raw {
    fn rlp_append(&self, stream: &mut RlpStream) {
        append_encoded(stream, &self.0);
    }
}

impl Decodable for Raw {
    fn decode(rlp: &Rlp<'_>) -> Result<Self, DecoderError> {
        Ok(Self(rlp.as_raw().to_vec()))
    }
}

/// Which headers are asked for
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GetBlockHeaders {
    pub origin: Origin,
    pub amount: u64,
    /// How many to leave out between two
    pub skip: u64,
    /// Towards genesis
    pub reverse: bool,
}

/// The block that a request begins with
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    Number(u64),
    Hash(Hash),
}

impl Encodable for GetBlockHeaders {
    fn rlp_append(&self, stream: &mut RlpStream) {
        stream.begin_list(4);
        match &self.origin {
            Origin::Number(number) => stream.append(number),
            Origin::Hash(hash) => stream.append(hash),
        };
        stream.append(&self.amount).append(&self.skip).append(&self.reverse);
    }
}

impl Decodable for GetBlockHeaders {
    fn decode(rlp: &Rlp<'_>) -> Result<Self, DecoderError> {
        expect_fields(rlp, 4)?;
        let origin = rlp.at(0)?;
        // Only the length tells a hash from a number.
        let origin = match origin.size() {
            32 => Origin::Hash(origin.as_val()?),
            _ => Origin::Number(origin.as_val()?),
        };
        Ok(Self { origin, amount: rlp.val_at(1)?, skip: rlp.val_at(2)?, reverse: rlp.val_at(3)? })
    }
}

/// Which blocks a node has by now
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockRange {
    pub earliest: u64,
    pub latest: u64,
    pub latest_hash: Hash,
}

impl BlockRange {
    /// Whether a node can have that: it has its latest block at least, and that has a hash
    pub fn is_possible(&self) -> bool {
        self.earliest <= self.latest && self.latest_hash != Hash::default()
    }
}

impl Encodable for BlockRange {
    fn rlp_append(&self, stream: &mut RlpStream) {
        stream.begin_list(3).append(&self.earliest).append(&self.latest).append(&self.latest_hash);
    }
}

impl Decodable for BlockRange {
    fn decode(rlp: &Rlp<'_>) -> Result<Self, DecoderError> {
        expect_fields(rlp, 3)?;
        Ok(Self { earliest: rlp.val_at(0)?, latest: rlp.val_at(1)?, latest_hash: rlp.val_at(2)? })
    }
}

/// Appends an item that is encoded already, inside of `Encodable::rlp_append`
///
/// Not `append_raw` alone: that counts an item, and the `append` around it would count it again, so that the
/// list ends one item early.
pub fn append_encoded(stream: &mut RlpStream, encoded: &[u8]) {
    let item = Rlp::new(encoded);
    if item.is_data() {
        return stream.encoder().encode_value(item.data().unwrap_or_default());
    }
    stream.begin_list(item.iter().count());
    for part in &item {
        stream.append_raw(part.as_raw(), 1);
    }
}

/// The items of a list; they are counted before the first of them is decoded
pub fn list_of_at_most<T: Decodable>(most: usize, rlp: &Rlp<'_>) -> Result<Vec<T>, DecoderError> {
    match rlp.item_count()? > most {
        true => Err(DecoderError::Custom("more items than an answer may have")),
        false => rlp.as_list(),
    }
}

/// The `rlp` crate reads the fields that it is asked for and does not mind further ones
pub fn expect_fields(rlp: &Rlp<'_>, count: usize) -> Result<(), DecoderError> {
    if rlp.item_count()? == count { Ok(()) } else { Err(DecoderError::RlpIncorrectListLen) }
}

//! Answers that hold, for each of several blocks, a list of small items
//!
//! A small item takes many times its length once it is decoded, so that the length of a message is no bound on
//! the memory. The number of items is, and they are counted before the first of them is decoded.

use rlp::{Decodable, DecoderError, Rlp};

/// How many transactions, withdrawals or receipts one answer may hold
///
/// That is 4096 for each of 32 blocks, where 4096 transfers use 86 million gas; or 2.7 billion gas in one block.
pub const MAX_ITEMS: usize = 1 << 17;

/// What one block has of a kind
pub trait PerBlock: Decodable {
    /// How many items there are, without decoding them
    fn count(rlp: &Rlp<'_>) -> Result<usize, DecoderError>;
}

/// One of these for each block that was asked for, as far as the peer has them
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocks<T>(pub Vec<T>);

impl<T: PerBlock> Decodable for Blocks<T> {
    fn decode(rlp: &Rlp<'_>) -> Result<Self, DecoderError> {
        rlp.item_count()?;
        let mut left = MAX_ITEMS;
        for block in rlp {
            // A block without items takes memory too.
            let items = T::count(&block)?.saturating_add(1);
            left = left.checked_sub(items).ok_or(DecoderError::Custom("more than 131072 items in one answer"))?;
        }
        rlp.as_list().map(Self)
    }
}

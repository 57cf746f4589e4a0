//! Answers that have a list of small items for each of several blocks
//!
//! A decoded small item takes many times its encoded length. So the length of a message does not bound the memory;
//! the number of items does. The items are counted before the first of them is decoded.

use rlp::{Decodable, DecoderError, Rlp};

/// How many transactions, withdrawals or receipts one answer may have
///
/// This permits 4096 items for each of 32 blocks, where 4096 transfers use 86 million gas. In a single block, so many
/// transfers would use 2.7 billion gas.
pub const MAX_ITEMS: usize = 1 << 17;

/// The items of one kind that belong to one block
pub trait PerBlock: Decodable {
    /// How many items there are, without decoding them
    fn count(rlp: &Rlp<'_>) -> Result<usize, DecoderError>;
}

/// One value for each requested block that the peer has
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocks<T>(pub Vec<T>);

impl<T: PerBlock> Decodable for Blocks<T> {
    fn decode(rlp: &Rlp<'_>) -> Result<Self, DecoderError> {
        rlp.item_count()?;
        let mut left = MAX_ITEMS;
        for block in rlp {
            // Each block counts as one more item, since a block without items takes memory too.
            let items = T::count(&block)?.saturating_add(1);
            left = left.checked_sub(items).ok_or(DecoderError::Custom("more than 131072 items in one answer"))?;
        }
        rlp.as_list().map(Self)
    }
}

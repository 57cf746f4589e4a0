//! The length in front of a block
//!
//! This is the complete list of differences from the crate `snap`. Each difference must occur for exactly its blocks.

use devp2p_proto::SnappyError;
use devp2p_proto::internal::snappy::decompressed_len;

/// The length of the longest length field
const LONGEST: usize = 5;

/// Checks the length that our code and the crate read from the start of `block`
pub(super) fn check(block: &[u8]) {
    let theirs = snap::raw::decompress_len(block).ok().map(|len| len as u64);
    let ours = decompressed_len(block, block.len());
    if block.is_empty() {
        // The crate says that an empty block has length 0, but refuses to decompress it.
        assert_eq!((theirs, ours), (Some(0), Err(SnappyError::BadLength)));
        return;
    }
    // A length that the elements cannot reach is refused before memory is allocated for it.
    let expected = match theirs {
        None => Err(SnappyError::BadLength),
        Some(len) if len > most(block) => Err(SnappyError::TooShort),
        Some(len) => Ok(len),
    };
    assert_eq!(ours.map(|len| len as u64), expected);
    // The link decides by the start of a block whether to store it.
    let start = &block[..block.len().min(LONGEST)];
    assert_eq!(decompressed_len(start, block.len()), ours);
}

/// How many bytes the elements of the block can decompress to at most: every three bytes may be a copy of 64
fn most(block: &[u8]) -> u64 {
    let header = 1 + block.iter().take_while(|byte| **byte >= 0x80).count();
    (block.len() - header) as u64 * 64 / 3
}

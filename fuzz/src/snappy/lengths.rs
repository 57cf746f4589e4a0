//! The length in front of a block
//!
//! This is the complete list of differences from the crate `snap`. Each difference must occur for exactly its blocks.

use devp2p_proto::SnappyError;
use devp2p_proto::internal::snappy::{claimed_len, decompressed_len};

/// Checks the length that our code and the crate read from the start of `block`
pub(super) fn check(block: &[u8]) {
    let theirs = snap::raw::decompress_len(block).ok().map(|len| len as u64);
    if block.is_empty() {
        // The crate says that an empty block has length 0, but refuses to decompress it.
        assert_eq!((theirs, claimed_len(block)), (Some(0), Err(SnappyError::BadLength)));
        return;
    }
    let claimed = claimed_len(block).ok();
    // Five bytes can declare a length of 35 bits. Our code returns it, so that the violation can name it.
    assert_eq!(claimed.filter(|len| *len <= u32::MAX.into()), theirs);
    assert!(claimed.is_none_or(|len| len < 1 << 35));
    // A length that the elements cannot reach is refused before memory is allocated for it.
    let expected = match theirs {
        None => Err(SnappyError::BadLength),
        Some(len) if len > most(block) => Err(SnappyError::TooShort),
        Some(len) => Ok(len),
    };
    assert_eq!(decompressed_len(block).map(|len| len as u64), expected);
}

/// How many bytes the elements of the block can decompress to at most: every three bytes may be a copy of 64
fn most(block: &[u8]) -> u64 {
    let header = 1 + block.iter().take_while(|byte| **byte >= 0x80).count();
    (block.len() - header) as u64 * 64 / 3
}

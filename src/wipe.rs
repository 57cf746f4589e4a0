//! Secrets that were on the stack

use zeroize::Zeroize;

/// How deep the calls go that leave secrets on the stack
///
/// What they leave below that is intermediate results of the curve library, none of which is a key.
const DEPTH: usize = if cfg!(feature = "std") { 16 * 1024 } else { 4 * 1024 };

/// Overwrites the part of the stack that earlier calls at this depth have used
///
/// A value that is returned or moved leaves a copy behind, which no destructor reaches.
#[inline(never)]
pub(crate) fn wipe_stack() {
    let mut bytes = [0_u8; DEPTH];
    bytes.zeroize();
}

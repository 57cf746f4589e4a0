//! Secrets that were on the stack
//!
//! A value that is returned or moved leaves a copy behind, which no destructor reaches, and so does a register
//! that is spilled. What called a function that left some overwrites the stack below itself afterwards.

use zeroize::Zeroize;

/// How deep curve arithmetic goes; with `std` it copies a table of 30 KB to the stack
const ARITHMETIC: usize = match size_of::<usize>() {
    _ if cfg!(feature = "std") => 64 * 1024,
    8 => 24 * 1024,
    _ => 7 * 1024,
};
/// How deep everything else goes
const REST: usize = if cfg!(feature = "std") { 16 * 1024 } else { 4 * 1024 };

const WORD: usize = size_of::<usize>();

/// Overwrites the stack below the function that has this, when that is left
///
/// For curve arithmetic. A guard and not a call at the end, so that a result goes straight to where the caller
/// wants it: a local variable would be another copy, above what is wiped.
pub(crate) struct WipesStack;

impl WipesStack {
    /// The stack is overwritten now too: drawing entropy and moving it has left copies
    pub(crate) fn before_and_after() -> Self {
        wipe_stack();
        Self
    }
}

impl Drop for WipesStack {
    #[inline(never)]
    fn drop(&mut self) {
        let mut words = [0_usize; ARITHMETIC / WORD];
        words.zeroize();
    }
}

/// Overwrites the part of the stack that calls without curve arithmetic have used at this depth
#[inline(never)]
pub(crate) fn wipe_stack() {
    let mut words = [0_usize; REST / WORD];
    words.zeroize();
}

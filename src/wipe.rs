//! Secrets that were on the stack
//!
//! A value that is returned or moved leaves a copy on the stack, which no destructor reaches. A spilled register
//! leaves one, too. The caller of a function that leaves such copies overwrites the stack below itself afterwards.

use zeroize::Zeroize;

/// How many bytes of stack curve arithmetic uses; with `std` it copies a table of 30 KB to the stack
const ARITHMETIC: usize = match size_of::<usize>() {
    _ if cfg!(feature = "std") => 64 * 1024,
    8 => 24 * 1024,
    _ => 7 * 1024,
};
/// How many bytes of stack everything else uses
const REST: usize = if cfg!(feature = "std") { 16 * 1024 } else { 4 * 1024 };

const WORD: usize = size_of::<usize>();

/// A guard: overwrites the stack below its function when the function returns
///
/// For curve arithmetic. A call at the end of the function would need the result in a local variable: another
/// copy, above the bytes that are wiped.
pub(crate) struct WipesStack;

impl WipesStack {
    /// Overwrites the stack now, too, since drawing and moving entropy has left copies
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

//! Secrets that were on the stack
//!
//! A value that is returned or moved leaves a copy on the stack, which no destructor reaches. A spilled register
//! leaves one, too. The caller of a function that leaves such copies overwrites the stack below itself afterwards.
//! The sizes below were measured (`tests/wiping`). They are numbers of machine words.

use zeroize::Zeroize;

/// Whether this is a microcontroller, whose stack is small. With an operating system, 32-bit processors that have few
/// registers, such as x86, use more of the stack.
const SMALL: bool = cfg!(all(target_os = "none", target_pointer_width = "32"));
/// The stack that curve arithmetic uses; with `std` it copies a table of 30 KB to the stack
pub(crate) const ARITHMETIC: usize = match SMALL {
    _ if cfg!(feature = "std") => words(64 * 1024),
    false => words(24 * 1024),
    true => words(7 * 1024),
};
/// The stack that a constructor of a link uses
pub(crate) const CONSTRUCTOR: usize = if SMALL { words(5 * 1024) } else { words(16 * 1024) };
/// The stack that everything else uses
pub(crate) const REST: usize = if cfg!(feature = "std") { words(16 * 1024) } else { words(4 * 1024) };

const fn words(bytes: usize) -> usize {
    bytes.div_euclid(size_of::<usize>())
}

/// A guard: overwrites the stack below its function when the function returns
///
/// A call at the end of the function would not do: it would need the result in a local variable, which is another
/// copy, above the words that are wiped.
pub(crate) struct WipesStack<const WORDS: usize>;

impl<const WORDS: usize> WipesStack<WORDS> {
    /// Overwrites the stack now, too, since drawing and moving entropy has left copies
    pub(crate) fn before_and_after() -> Self {
        overwrite::<WORDS>();
        Self
    }
}

impl<const WORDS: usize> Drop for WipesStack<WORDS> {
    fn drop(&mut self) {
        overwrite::<WORDS>();
    }
}

/// Overwrites the stack below the caller, as far as calls without curve arithmetic use it
pub(crate) fn wipe_stack() {
    overwrite::<REST>();
}

#[inline(never)]
fn overwrite<const WORDS: usize>() {
    let mut words = [0_usize; WORDS];
    words.zeroize();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_counted_in_whole_words() {
        let word = size_of::<usize>();
        assert_eq!([0, word - 1, word, 5 * word].map(words), [0, 0, 1, 5]);
        assert_eq!(words(24 * 1024) * word, 24 * 1024);
    }
}

//! How deep the stack has been
//!
//! The runtime paints the stack before `main`; what is no longer of that colour has been used.

use cortex_m_rt::STACK_PAINT_VALUE;

unsafe extern "C" {
    // Of these only the addresses mean something; they come from memory.x.
    static mut _stack_start: u32;
    static mut _stack_end: u32;
}

/// Bytes of stack that were ever used
pub fn deepest() -> usize {
    let (top, bottom) = (&raw mut _stack_start, &raw mut _stack_end);
    let mut word = bottom;
    // SAFETY: from the bottom up, all words up to `top` are stack, which is RAM; the read is volatile
    // because nobody has told the compiler of the paint.
    while word < top && unsafe { word.read_volatile() } == STACK_PAINT_VALUE {
        word = word.wrapping_add(1);
    }
    top as usize - word as usize
}

/// Bytes of stack below the caller
#[inline(always)]
pub fn free() -> usize {
    cortex_m::register::msp::read() as usize - &raw const _stack_end as usize
}

/// Calls `f` and returns how much stack it used
#[inline(never)]
pub fn used_by(f: impl FnOnce()) -> usize {
    let here = cortex_m::register::msp::read() as usize;
    repaint(here);
    f();
    let used_before = &raw const _stack_start as usize - here;
    deepest().saturating_sub(used_before)
}

fn repaint(end: usize) {
    // What this function itself keeps below `end` stays as it is.
    let end = end - 256;
    let mut word = &raw mut _stack_end;
    while (word as usize) < end {
        // SAFETY: stack that nobody uses: it is below the stack pointer, and interrupts are masked
        unsafe { word.write_volatile(STACK_PAINT_VALUE) };
        word = word.wrapping_add(1);
    }
}

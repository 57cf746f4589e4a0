//! What a thread takes from the heap, counted by the allocator of a test or of a benchmark
//!
//! The program makes [`Counting`] its global allocator. Each thread has counters of its own, so that tests do not count
//! each other.
#![allow(unsafe_code, reason = "a global allocator needs unsafe code")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// The allocator of the system, with counters
pub struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
    static IN_USE: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
}

/// How many allocations this thread has made, ever
pub fn allocations() -> usize {
    ALLOCATIONS.get()
}

/// How many bytes this thread has in use
pub fn in_use() -> isize {
    IN_USE.get()
}

/// The most bytes that this thread had in use since the last [`restart_peak`]
pub fn peak() -> isize {
    PEAK.get()
}

/// Lets [`peak`] begin with what is in use now
pub fn restart_peak() {
    PEAK.set(IN_USE.get());
}

fn note(allocations: usize, bytes: isize) {
    ALLOCATIONS.set(ALLOCATIONS.get() + allocations);
    IN_USE.set(IN_USE.get() + bytes);
    PEAK.set(PEAK.get().max(IN_USE.get()));
}

// SAFETY: every call goes to the system's allocator unchanged; counting does not allocate.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(1, layout.size() as isize);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        note(0, -(layout.size() as isize));
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        note(1, size as isize - layout.size() as isize);
        unsafe { System.realloc(memory, layout, size) }
    }
}

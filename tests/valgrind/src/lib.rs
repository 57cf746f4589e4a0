//! Client requests from a program on x86-64 to the valgrind that it runs in
//!
//! A request is a sequence of instructions that has no effect and that no compiler emits (the valgrind manual, "The
//! Client Request mechanism"). Without valgrind, or in a tool that does not know the request, it does nothing.
#![cfg(target_arch = "x86_64")]

pub mod callgrind;
pub mod memcheck;

use std::arch::asm;

/// Whether the program runs in valgrind
pub fn is_running() -> bool {
    const RUNNING_ON_VALGRIND: usize = 0x1001;
    request(RUNNING_ON_VALGRIND, [0; 3]) != 0
}

/// The base number of the requests of the tool that is named by these two letters
const fn tool(letters: [u8; 2]) -> usize {
    (letters[0] as usize) << 24 | (letters[1] as usize) << 16
}

/// Makes a request; arguments that are addresses must point to memory that the request may read or write
fn request(request: usize, [first, second, third]: [usize; 3]) -> usize {
    let arguments = [request, first, second, third, 0, 0];
    let mut result = 0_usize;
    // SAFETY: the instructions rotate one register by 128 bits in total, and exchange another one with itself. In
    // valgrind, the request accesses `arguments` and the memory to which they point.
    #[allow(unsafe_code, reason = "a request is made in assembly language")]
    unsafe {
        asm!(
            "rol rdi, 3",
            "rol rdi, 13",
            "rol rdi, 61",
            "rol rdi, 51",
            "xchg rbx, rbx",
            in("rax") &raw const arguments,
            inout("rdx") result,
        );
    }
    result
}

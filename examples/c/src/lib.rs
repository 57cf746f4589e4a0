//! A C interface to `devp2p-proto`
//!
//! `devp2p.h` is made of this crate by cbindgen. Each exported function checks what it is given, calls one method of
//! the library, and writes the result. `given.rs` makes slices and places of C's pointers; the unsafe blocks elsewhere are
//! calls of it, and the call of C's `fill`.
//!
//! # No panic
//!
//! A panic cannot unwind into C: a function of Rust that is `extern "C"` ends the process instead. But none comes.
//! The library does not panic, and `.ci/panic-free` shows that by its machine code. The lints below forbid all that
//! panics in this crate, and `examples/c/run` shows by the object code of this crate that no panicking function is called.
#![no_std]
#![allow(unsafe_code, reason = "the name of an exported function is not mangled, which counts as unsafe")]
#![deny(missing_docs, unreachable_pub, unsafe_op_in_unsafe_fn)]
#![deny(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::multiple_unsafe_ops_per_block,
    clippy::panic,
    clippy::string_slice,
    clippy::undocumented_unsafe_blocks,
    clippy::unreachable,
    clippy::unwrap_used
)]

#[cfg(feature = "std")]
extern crate std;

mod action;
mod cause;
mod config;
mod enode;
mod events;
mod given;
mod link;
mod observe;
mod sizes;
mod status;
mod text;

pub use action::*;
pub use cause::*;
pub use config::*;
pub use enode::*;
pub use events::*;
pub use link::*;
pub use observe::*;
pub use sizes::*;
pub use status::*;
pub use text::{CapabilityText, Id};

/// What happens if the impossible happens: the processor stops here, where a debugger finds it
#[cfg(not(feature = "std"))]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {
        core::hint::spin_loop();
    }
}

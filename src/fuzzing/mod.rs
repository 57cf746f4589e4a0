//! The bodies of the fuzz targets, which also run as ordinary tests
//!
//! A fuzzer cannot forge what it has no key for: under `cfg(fuzzing)` the MACs of frames and the
//! tags of handshake packets all pass. "Tampering is caught" is therefore asserted only where the
//! bodies run as tests.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::panic_in_result_fn,
    clippy::unwrap_used,
    reason = "to panic is what a fuzz target is for"
)]

mod input;
mod link;
mod monitor;
mod packets;
mod remote;
mod settings;
mod subject;
#[cfg(test)]
mod tests;

pub use link::link;
pub use packets::packets;

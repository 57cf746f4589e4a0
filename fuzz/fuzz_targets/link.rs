//! The body is in the crate, at `src/fuzzing/link.rs`
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| devp2p_proto::fuzzing::link(data));

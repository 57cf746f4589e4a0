//! The body is `devp2p_c_fuzz::calls`
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| devp2p_c_fuzz::calls(data));

#[cfg(not(fuzzing))]
fn main() {
    println!("Run it with: cargo +nightly fuzz run --fuzz-dir examples/c/fuzz calls");
}

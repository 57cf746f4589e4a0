//! The body is `devp2p_fuzz::pair`
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| devp2p_fuzz::pair(data));

#[cfg(not(fuzzing))]
fn main() {
    println!("Run it with: cargo +nightly fuzz run pair");
}

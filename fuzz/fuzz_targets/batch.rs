//! The body is `devp2p_fuzz::batch`
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| devp2p_fuzz::batch(data));

#[cfg(not(fuzzing))]
fn main() {
    println!("Run it with: cargo +nightly fuzz run batch");
}

//! The body is `devp2p_fuzz_example::run`, with the protocol with the planted mistake
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| devp2p_fuzz_example::run(data, devp2p_fuzz_example::Flush::One));

#[cfg(not(fuzzing))]
fn main() {
    println!("Run it with: examples/fuzz/run");
}

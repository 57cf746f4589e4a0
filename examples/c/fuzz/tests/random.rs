//! The target over inputs of a generator that is always the same

use devp2p_c_fuzz::calls;

/// 32-bit xorshift
fn random(mut state: u32) -> impl FnMut() -> u8 {
    move || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        (state >> 8) as u8
    }
}

#[test]
fn arbitrary_calls_do_what_the_same_calls_do_in_rust() {
    // A handshake takes Miri half a minute.
    let (seeds, len) = if cfg!(miri) { (2, 40) } else { (1000, 600) };
    for seed in 1..=seeds {
        let mut next = random(u32::wrapping_mul(seed, 0x9e37_79b9));
        let data: Vec<u8> = (0..len).map(|_| next()).collect();
        calls(&data);
    }
}

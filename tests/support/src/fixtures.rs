//! Keys, configurations, entropy and payloads that are the same in every run

use std::sync::OnceLock;

use devp2p_proto::{Config, Entropy, MAX_PROTOCOLS, Protocol, ProtocolId, ProtocolSlot, SecretKey};

/// Two protocols that both nodes of most tests have
pub const PROTOCOLS: &[Protocol<'static>] = &[Protocol::new("alpha", 1, 4), Protocol::new("beta", 2, 3)];
/// `alpha/1`, the first of [`PROTOCOLS`]
pub const ALPHA: ProtocolId = ProtocolId(0);
/// `beta/2`, the second of [`PROTOCOLS`]
pub const BETA: ProtocolId = ProtocolId(1);

/// The secret key of the node with this number
///
/// # Panics
///
/// For 0, which is no secret key.
pub fn key(seed: u8) -> SecretKey {
    // Making a key costs a multiplication on the curve, which takes longer than many tests.
    static KEYS: [OnceLock<SecretKey>; 256] = [const { OnceLock::new() }; 256];
    KEYS[usize::from(seed)].get_or_init(|| SecretKey::from_bytes([seed; 32]).unwrap()).clone()
}

/// The configuration of the node with this number: its key is [`key(seed)`](key), and its client id
/// is `test/` and the number
///
/// # Panics
///
/// For 0, and for protocols that [`Config::new`] refuses.
pub fn config(seed: u8, protocols: &[Protocol<'_>]) -> Config {
    Config::new(key(seed), &format!("test/{seed}"), protocols).unwrap()
}

/// Slots for as many protocols as a node can offer; they are never freed
pub fn slots() -> &'static mut [ProtocolSlot] {
    vec![ProtocolSlot::EMPTY; MAX_PROTOCOLS].leak()
}

/// Bytes that look random and are the same for the same seed
pub fn noise(seed: u64, len: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    std::iter::repeat_with(next).take(len).collect()
}

/// The entropy of a handshake, the same for the same seed
pub fn entropy(seed: u64) -> Entropy {
    Entropy::from_rng(|bytes| bytes.copy_from_slice(&noise(seed, bytes.len())))
}

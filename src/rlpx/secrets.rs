//! From a completed handshake to the keys of the session (rlpx.md §Initial Handshake)

use zeroize::Zeroizing;

use super::mac::Mac;
use crate::keccak::Keccak256;

/// What both sides have drawn and sent by the end of the handshake
pub(super) struct Transcript<'a> {
    pub(super) initiator_nonce: &'a [u8; 32],
    pub(super) recipient_nonce: &'a [u8; 32],
    /// The auth packet as it was on the wire, size prefix included
    pub(super) auth: &'a [u8],
    /// The ack packet as it was on the wire, size prefix included
    pub(super) ack: &'a [u8],
}

/// The secrets that both sides derive; wiped when dropped
pub(super) struct Secrets {
    pub(super) aes: Zeroizing<[u8; 32]>,
    pub(super) mac: Zeroizing<[u8; 32]>,
}

impl Secrets {
    /// `ephemeral` is the X coordinate that the two ephemeral keys agree on
    pub(super) fn derive(ephemeral: &[u8; 32], transcript: &Transcript<'_>) -> Self {
        let nonces = keccak_of(transcript.recipient_nonce, transcript.initiator_nonce);
        let shared = Zeroizing::new(keccak_of(ephemeral, &nonces));
        let aes = Zeroizing::new(keccak_of(ephemeral, &shared));
        let mac = Zeroizing::new(keccak_of(ephemeral, &aes));
        Self { aes, mac }
    }

    /// The MAC of what the initiator sends
    pub(super) fn initiator_mac(&self, transcript: &Transcript<'_>) -> Mac {
        Mac::new(&self.masked_mac(transcript.recipient_nonce), transcript.auth)
    }

    /// The MAC of what the recipient sends
    pub(super) fn recipient_mac(&self, transcript: &Transcript<'_>) -> Mac {
        Mac::new(&self.masked_mac(transcript.initiator_nonce), transcript.ack)
    }

    fn masked_mac(&self, nonce: &[u8; 32]) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(xor(&self.mac, nonce))
    }
}

/// The Keccak-256 hash of two 32-byte strings, one after the other
fn keccak_of(first: &[u8; 32], second: &[u8; 32]) -> [u8; 32] {
    let mut sponge = Keccak256::new();
    sponge.absorb(first);
    sponge.absorb(second);
    sponge.digest()
}

/// Bytewise exclusive or
pub(super) fn xor(a: &[u8; 32], b: &[u8; 32]) -> [u8; 32] {
    let mut result = *a;
    for (byte, mask) in result.iter_mut().zip(b) {
        *byte ^= mask;
    }
    result
}

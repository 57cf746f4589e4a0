//! The running MAC of one direction (rlpx.md §MAC)

use aes::cipher::BlockEncrypt;
use aes::{Aes256Enc, Block};

use crate::keccak::Keccak256;

/// A MAC as it stands in a frame
pub(crate) type Tag = [u8; 16];

/// A Keccak state into which everything that went one way has been absorbed
///
/// The digest that ends one body MAC is also the one that begins the next header MAC, since nothing
/// is absorbed in between. It is kept, which makes three Keccak finalisations a frame, not four.
pub(super) struct Mac {
    pub(super) sponge: Keccak256,
    pub(super) digest: Tag,
}

impl Mac {
    /// `keccak.init((mac-secret ^ nonce) ‖ packet)`, with the packet's size prefix
    pub(super) fn new(masked_secret: &[u8; 32], packet: &[u8]) -> Self {
        let mut sponge = Keccak256::new();
        sponge.absorb(masked_secret);
        sponge.absorb(packet);
        let digest = sponge.digest();
        Self { sponge, digest }
    }

    /// The MAC of a frame's encrypted header
    pub(super) fn header(&mut self, cipher: &Aes256Enc, ciphertext: &Tag) -> Tag {
        self.absorb_seed(cipher, ciphertext)
    }

    /// Takes in a part of a frame's encrypted, padded body
    pub(super) fn absorb(&mut self, ciphertext: &[u8]) {
        self.sponge.absorb(ciphertext);
    }

    /// The MAC of a frame's encrypted, padded body, all of which was absorbed
    pub(super) fn body(&mut self, cipher: &Aes256Enc) -> Tag {
        self.digest = self.sponge.digest();
        let digest = self.digest;
        self.absorb_seed(cipher, &digest)
    }

    /// Absorbs a seed and returns the digest after it
    fn absorb_seed(&mut self, cipher: &Aes256Enc, mask: &Tag) -> Tag {
        let seed = self.seed(cipher, mask);
        self.sponge.absorb(&seed);
        self.digest = self.sponge.digest();
        self.digest
    }

    /// `AES256(digest) ^ mask`
    #[inline(always)]
    pub(super) fn seed(&self, cipher: &Aes256Enc, mask: &Tag) -> Tag {
        let mut seed = Block::from(self.digest);
        cipher.encrypt_block(&mut seed);
        for (byte, mask) in seed.iter_mut().zip(mask) {
            *byte ^= mask;
        }
        seed.into()
    }
}

/// MACs of a frame that are to be computed: of its header, of its body, or of both
pub(crate) struct MacWork<'a> {
    pub(super) mac: &'a mut Mac,
    pub(super) cipher: &'a Aes256Enc,
    /// The encrypted header, and where its MAC goes
    pub(super) header: Option<(&'a Tag, &'a mut Tag)>,
    /// The encrypted, padded body, and where its MAC goes
    pub(super) body: Option<(&'a [u8], &'a mut Tag)>,
}

impl MacWork<'_> {
    /// Computes the MACs without those of other links; `lanes` does it with them
    #[inline(always)]
    pub(super) fn run(self) {
        let Self { mac, cipher, header, body } = self;
        if let Some((ciphertext, tag)) = header {
            *tag = mac.header(cipher, ciphertext);
        }
        if let Some((ciphertext, tag)) = body {
            mac.absorb(ciphertext);
            *tag = mac.body(cipher);
        }
    }
}

#[cfg(test)]
impl Mac {
    /// The full digest after more input, as the vectors of EIP-8 give it
    pub(super) fn digest_after(&mut self, input: &[u8]) -> [u8; 32] {
        self.sponge.absorb(input);
        self.sponge.digest()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use sha3::Digest;

    proptest! {
        /// Against the definition in the specification, four finalisations and all
        #[test]
        fn the_kept_digest_is_the_specified_one(
            packet in prop::collection::vec(any::<u8>(), 0..700),
            frames in prop::collection::vec((any::<Tag>(), 0usize..40), 1..6),
        ) {
            use aes::cipher::KeyInit;
            let cipher = Aes256Enc::new(&[3; 32].into());
            let mut ours = Mac::new(&[5; 32], &packet);
            let mut oracle = sha3::Keccak256::new();
            oracle.update([5; 32]);
            oracle.update(&packet);
            let step = |oracle: &mut sha3::Keccak256, mask: Option<&Tag>| -> Tag {
                let digest: Tag = oracle.clone().finalize()[..16].try_into().unwrap();
                let mut seed = Block::from(digest);
                cipher.encrypt_block(&mut seed);
                for (byte, mask) in seed.iter_mut().zip(mask.unwrap_or(&digest)) {
                    *byte ^= mask;
                }
                oracle.update(&seed[..]);
                oracle.clone().finalize()[..16].try_into().unwrap()
            };
            for (header, blocks) in frames {
                prop_assert_eq!(ours.header(&cipher, &header), step(&mut oracle, Some(&header)));
                let body = std::vec![0x77; blocks * 16];
                oracle.update(&body);
                ours.absorb(&body);
                prop_assert_eq!(ours.body(&cipher), step(&mut oracle, None));
            }
        }
    }
}

//! Frames: sealing and opening in place (rlpx.md §Framing)
//!
//! ```text
//! header ciphertext 16 ‖ header MAC 16 ‖ body ciphertext, padded to 16 ‖ body MAC 16
//! ```

use aes::Aes256Enc;
use aes::cipher::KeyInit;
use ctr::cipher::inout::InOutBuf;
use ctr::cipher::{InnerIvInit, StreamCipherCore};
use ctr::{CtrCore, flavors};
use subtle::ConstantTimeEq;

use super::mac::Mac;
pub(crate) use super::mac::{MacWork, Tag};
use crate::disclosed::disclosed;
use crate::invariant::{invariant, must};
use crate::violation::Violation;
use crate::wire::copy;

/// Bytes of a header with its MAC
pub(crate) const HEADER: usize = 32;
/// Bytes of a block of the cipher, to whose multiples bodies are padded
pub(crate) const BLOCK: usize = 16;
/// Bytes of the MAC behind a body
pub(crate) const TAG: usize = size_of::<Tag>();
/// The largest body that the 24-bit size can announce
pub(crate) const MAX_BODY: usize = 0x00ff_ffff;

/// Bytes that the body of a frame takes, with padding and MAC
pub(crate) const fn sealed_body_len(body: usize) -> usize {
    body.div_ceil(BLOCK).saturating_mul(BLOCK).saturating_add(TAG)
}

/// Bytes that a whole frame takes
pub(crate) const fn frame_len(body: usize) -> usize {
    HEADER.saturating_add(sealed_body_len(body))
}

/// The largest body whose frame takes at most `len` bytes
pub(crate) const fn body_room(len: usize) -> usize {
    let padded = len.saturating_sub(frame_len(0)) & !(BLOCK - 1);
    if padded < MAX_BODY { padded } else { MAX_BODY }
}

/// The keys and running states of an established link, both directions
///
/// One key schedule of each cipher serves both directions. The ciphers and the Keccak states wipe themselves when
/// dropped. The state of the link overwrites the rest.
pub(crate) struct Session {
    keystream: Aes256Enc,
    mac_cipher: Aes256Enc,
    egress: Half,
    ingress: Half,
}

/// One direction of a session: its MAC, and how much of its keystream has been used
///
/// A frame takes whole blocks of keystream, so their number is the whole state of the cipher.
struct Half {
    mac: Mac,
    blocks: u64,
}

impl Session {
    /// `aes` and `mac` are the secrets of both directions, the two MACs those of each
    pub(super) fn new(aes: &[u8; 32], mac: &[u8; 32], egress: Mac, ingress: Mac) -> Self {
        Self {
            keystream: Aes256Enc::new(aes.into()),
            mac_cipher: Aes256Enc::new(mac.into()),
            egress: Half { mac: egress, blocks: 0 },
            ingress: Half { mac: ingress, blocks: 0 },
        }
    }

    /// A session with keys that no handshake has made; two of them with the same keys understand each other
    #[cfg(any(fuzzing, feature = "__internal", test))]
    pub(crate) fn with_keys(aes: &[u8; 32], mac: &[u8; 32]) -> Self {
        Self::new(aes, mac, Mac::new(mac, &[]), Mac::new(mac, &[]))
    }

    /// Seals a frame in place
    ///
    /// `frame` has [`frame_len`]`(body)` bytes. The body is in the clear after the first [`HEADER`]
    /// bytes; every other byte is written here. A frame of any other length is left alone.
    pub(crate) fn seal(&mut self, frame: &mut [u8], body: usize) {
        if let Some(work) = self.encrypt(frame, body) {
            work.run();
        }
    }

    /// The first part of [`seal`](Self::seal): everything but the MACs, which are left to be computed
    #[inline(always)]
    pub(crate) fn encrypt<'a>(&'a mut self, frame: &'a mut [u8], body: usize) -> Option<MacWork<'a>> {
        let parts = Parts::split(frame, body);
        invariant!(parts.is_some(), "a frame has the length of its body's frame");
        let Parts { header, header_tag, padded, body_tag } = parts?;
        let [_, high, middle, low] = must(u32::try_from(body).ok(), "the size of a body has 24 bits").to_be_bytes();
        *header = [0; BLOCK];
        // The size, and a list of two zeros: capability id and context id, which nobody uses.
        copy(header, &[high, middle, low, 0xc2, 0x80, 0x80]);
        if let Some(padding) = padded.get_mut(body..) {
            padding.fill(0);
        }
        let Self { keystream, mac_cipher, egress, .. } = self;
        egress.apply_keystream(keystream, header);
        egress.apply_keystream(keystream, padded);
        let header = Some((&*header, header_tag));
        Some(MacWork { mac: &mut egress.mac, cipher: mac_cipher, header, body: Some((padded, body_tag)) })
    }

    /// Checks and decrypts a header, and returns the size of the body that follows
    ///
    /// A reader ignores what follows the size in a header.
    ///
    /// # Errors
    /// `HeaderMacMismatch`, found in constant time before anything is decrypted.
    pub(crate) fn open_header(&mut self, header: &[u8; HEADER]) -> Result<usize, Violation> {
        let mut expected = Tag::default();
        self.header_work(header, &mut expected).ok_or(Violation::HeaderMacMismatch)?.run();
        self.check_header(header, &expected)
    }

    /// The first part of [`open_header`](Self::open_header): its MAC, which is left to be computed
    #[inline(always)]
    pub(crate) fn header_work<'a>(
        &'a mut self,
        header: &'a [u8; HEADER],
        expected: &'a mut Tag,
    ) -> Option<MacWork<'a>> {
        let ([ciphertext, _], _) = header.as_chunks::<BLOCK>() else { return None };
        let Self { mac_cipher: cipher, ingress: Half { mac, .. }, .. } = self;
        Some(MacWork { mac, cipher, header: Some((ciphertext, expected)), body: None })
    }

    /// The rest of [`open_header`](Self::open_header)
    #[inline(always)]
    pub(crate) fn check_header(&mut self, header: &[u8; HEADER], expected: &Tag) -> Result<usize, Violation> {
        let ([ciphertext, tag], _) = header.as_chunks::<BLOCK>() else {
            return Err(Violation::HeaderMacMismatch);
        };
        check(expected, tag).ok_or(Violation::HeaderMacMismatch)?;
        let mut plaintext = *ciphertext;
        self.ingress.apply_keystream(&self.keystream, &mut plaintext);
        disclosed(&mut plaintext);
        let [high, middle, low, ..] = plaintext;
        Ok(u32::from_be_bytes([0, high, middle, low]) as usize)
    }

    /// Checks and decrypts a padded body that stands in front of its MAC
    ///
    /// # Errors
    /// `BodyMacMismatch`, found in constant time before anything is decrypted.
    pub(crate) fn open_body(&mut self, sealed: &mut [u8]) -> Result<(), Violation> {
        let mut expected = Tag::default();
        self.body_work(sealed, &mut expected).ok_or(Violation::BodyMacMismatch)?.run();
        self.check_body(sealed, &expected)
    }

    /// The first part of [`open_body`](Self::open_body): its MAC, which is left to be computed
    #[inline(always)]
    pub(crate) fn body_work<'a>(&'a mut self, sealed: &'a [u8], expected: &'a mut Tag) -> Option<MacWork<'a>> {
        let (padded, _) = sealed.split_last_chunk::<TAG>()?;
        let Self { mac_cipher: cipher, ingress: Half { mac, .. }, .. } = self;
        Some(MacWork { mac, cipher, header: None, body: Some((padded, expected)) })
    }

    /// The rest of [`open_body`](Self::open_body)
    #[inline(always)]
    pub(crate) fn check_body(&mut self, sealed: &mut [u8], expected: &Tag) -> Result<(), Violation> {
        let (padded, tag) = sealed.split_last_chunk_mut().ok_or(Violation::BodyMacMismatch)?;
        check(expected, tag).ok_or(Violation::BodyMacMismatch)?;
        self.ingress.apply_keystream(&self.keystream, padded);
        disclosed(padded);
        Ok(())
    }

    /// The first block of a body, decrypted before its MAC has come
    ///
    /// It may decide where the rest is stored, and nothing else.
    pub(crate) fn peek(&self, mut block: [u8; BLOCK]) -> [u8; BLOCK] {
        self.ingress.keystream_at(&self.keystream, &mut block);
        disclosed(&mut block);
        block
    }

    /// Takes in a part of a padded body that is not stored
    pub(crate) fn absorb(&mut self, ciphertext: &[u8]) {
        self.ingress.mac.absorb(ciphertext);
    }

    /// Checks the MAC of a body of `size` bytes, all of which was absorbed
    ///
    /// # Errors
    /// `BodyMacMismatch`, found in constant time.
    pub(crate) fn close_body(&mut self, size: usize, tag: &Tag) -> Result<(), Violation> {
        let expected = self.ingress.mac.body(&self.mac_cipher);
        check(&expected, tag).ok_or(Violation::BodyMacMismatch)?;
        self.ingress.blocks = self.ingress.blocks.wrapping_add(size.div_ceil(BLOCK) as u64);
        Ok(())
    }
}

/// Compares MACs in constant time
///
/// A fuzzer cannot forge a MAC, so in the fuzzing of this repository every MAC passes, and mutations
/// reach the code after it. `cfg(fuzzing)` alone, without the feature `__internal`, skips no check.
#[inline(always)]
fn check(expected: &Tag, received: &Tag) -> Option<()> {
    (cfg!(all(fuzzing, feature = "__internal")) || bool::from(expected.ct_eq(received))).then_some(())
}

/// The four parts of a frame
struct Parts<'a> {
    header: &'a mut [u8; BLOCK],
    header_tag: &'a mut Tag,
    padded: &'a mut [u8],
    body_tag: &'a mut Tag,
}

impl<'a> Parts<'a> {
    fn split(frame: &'a mut [u8], body: usize) -> Option<Self> {
        if frame.len() != frame_len(body) || body > MAX_BODY {
            return None;
        }
        let (header, rest) = frame.split_first_chunk_mut()?;
        let (header_tag, rest) = rest.split_first_chunk_mut()?;
        let (padded, body_tag) = rest.split_last_chunk_mut()?;
        Some(Self { header, header_tag, padded, body_tag })
    }
}

impl Half {
    /// Encrypts or decrypts whole blocks
    fn apply_keystream(&mut self, cipher: &Aes256Enc, text: &mut [u8]) {
        self.keystream_at(cipher, text);
        self.blocks = self.blocks.wrapping_add((text.len() / BLOCK) as u64);
    }

    /// The same, without using the keystream up
    fn keystream_at(&self, cipher: &Aes256Enc, text: &mut [u8]) {
        let (blocks, _) = InOutBuf::from(text).into_chunks();
        // The upper half of the counter stays zero, so counting in the lower half is enough.
        let counter = u128::from(self.blocks).to_be_bytes();
        CtrCore::<_, flavors::Ctr64BE>::inner_iv_init(cipher, &counter.into()).apply_keystream_blocks_inout(blocks);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// For a body of 16 bytes: 32 of header, the body, and 16 of MAC
    #[test]
    fn a_frame_of_another_length_has_no_parts() {
        let mut frame = std::vec![0; frame_len(MAX_BODY + 1)];
        for (len, body, fits) in [(64, 16, true), (63, 16, false), (65, 16, false), (64, 1, true), (64, 17, false)] {
            assert_eq!(Parts::split(&mut frame[..len], body).is_some(), fits, "{len} bytes for {body}");
        }
        assert!(Parts::split(&mut frame, MAX_BODY + 1).is_none(), "its size does not fit into the header");
    }
}

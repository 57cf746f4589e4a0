//! Frames: sealing, opening and both MACs

use aes::Aes256;
use aes::cipher::{BlockEncrypt, KeyInit, KeyIvInit, StreamCipher};
use sha3::{Digest as _, Keccak256};

type Ctr256 = ctr::Ctr128BE<Aes256>;

/// The state of the encryption: seals and opens frames
pub struct Session {
    /// The AES key and the MAC key
    pub keys: [[u8; 32]; 2],
    egress: Direction,
    ingress: Direction,
}

struct Direction {
    keystream: Ctr256,
    absorbed: Keccak256,
    mac_cipher: Aes256,
}

impl Session {
    /// `nonces` and `packets` are the initiator's and the recipient's
    pub(super) fn new(shared: &[u8; 32], nonces: [[u8; 32]; 2], packets: [&[u8]; 2], initiator: bool) -> Self {
        let seed = keccak(&[shared, &keccak(&[&nonces[1], &nonces[0]])]);
        let aes = keccak(&[shared, &seed]);
        let mac = keccak(&[shared, &aes]);
        let direction = |nonce, packet| Direction {
            keystream: Ctr256::new(&aes.into(), &[0; 16].into()),
            absorbed: Keccak256::new().chain_update(xor(mac, nonce)).chain_update(packet),
            mac_cipher: Aes256::new(&mac.into()),
        };
        let (to_recipient, to_initiator) = (direction(nonces[1], packets[0]), direction(nonces[0], packets[1]));
        let (egress, ingress) = if initiator { (to_recipient, to_initiator) } else { (to_initiator, to_recipient) };
        Self { keys: [aes, mac], egress, ingress }
    }

    /// A frame around `body`
    pub fn seal(&mut self, body: &[u8]) -> Vec<u8> {
        let size = u32::try_from(body.len()).unwrap().to_be_bytes();
        self.seal_with_header(&[size[1], size[2], size[3], 0xc2, 0x80, 0x80], body)
    }

    /// A frame whose header starts with these bytes, valid or not
    pub fn seal_with_header(&mut self, header: &[u8], body: &[u8]) -> Vec<u8> {
        let mut header = header.to_vec();
        header.resize(16, 0);
        let mut body = body.to_vec();
        body.resize(body.len().next_multiple_of(16), 0);
        self.egress.keystream.apply_keystream(&mut header);
        self.egress.keystream.apply_keystream(&mut body);
        let header_tag = self.egress.header_tag(&header);
        let body_tag = self.egress.body_tag(&body);
        [&header[..], &header_tag, &body, &body_tag].concat()
    }

    /// Removes the first frame from `bytes` and returns its body, or `None` if the frame is not complete
    ///
    /// # Panics
    ///
    /// If a MAC, the header or the padding is wrong.
    pub fn open(&mut self, bytes: &mut Vec<u8>) -> Option<Vec<u8>> {
        let mut header: [u8; 16] = bytes.get(..16)?.try_into().unwrap();
        let mut probe = self.ingress.keystream.clone();
        probe.apply_keystream(&mut header);
        let size = u32::from_be_bytes([0, header[0], header[1], header[2]]) as usize;
        assert_eq!(header[3..], [0xc2, 0x80, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        let end = 32 + size.next_multiple_of(16);
        let frame: Vec<u8> = bytes.get(..end + 16)?.to_vec();
        bytes.drain(..end + 16);
        assert_eq!(self.ingress.header_tag(&frame[..16]), frame[16..32], "header MAC");
        assert_eq!(self.ingress.body_tag(&frame[32..end]), frame[end..], "body MAC");
        let mut body = frame[32..end].to_vec();
        probe.apply_keystream(&mut body);
        self.ingress.keystream = probe;
        assert!(body[size..].iter().all(|byte| *byte == 0), "padding");
        body.truncate(size);
        Some(body)
    }
}

impl Direction {
    fn digest(&self) -> [u8; 16] {
        self.absorbed.clone().finalize()[..16].try_into().unwrap()
    }

    fn header_tag(&mut self, ciphertext: &[u8]) -> [u8; 16] {
        let mut seed = self.digest().into();
        self.mac_cipher.encrypt_block(&mut seed);
        let seed: Vec<u8> = seed.iter().zip(ciphertext).map(|(a, b)| a ^ b).collect();
        self.absorbed.update(seed);
        self.digest()
    }

    fn body_tag(&mut self, ciphertext: &[u8]) -> [u8; 16] {
        self.absorbed.update(ciphertext);
        let digest = self.digest();
        self.header_tag(&digest)
    }
}

fn keccak(parts: &[&[u8]]) -> [u8; 32] {
    Keccak256::digest(parts.concat()).into()
}

pub(super) fn xor(a: [u8; 32], b: [u8; 32]) -> [u8; 32] {
    std::array::from_fn(|i| a[i] ^ b[i])
}

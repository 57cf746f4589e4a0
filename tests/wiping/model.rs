//! The secrets of a link, computed from its entropy and the bytes on the wire

use aes::Aes256;
use aes::cipher::{BlockEncrypt, KeyInit};
use k256::elliptic_curve::ff::PrimeField;
use k256::elliptic_curve::point::AffineCoordinates;
use k256::{FieldBytes, NonZeroScalar, ProjectivePoint, PublicKey, Scalar};

pub fn scalar(bytes: &[u8; 32]) -> NonZeroScalar {
    let scalar: Option<Scalar> = Scalar::from_repr(FieldBytes::from(*bytes)).into();
    Option::from(NonZeroScalar::new(scalar.unwrap())).unwrap()
}

/// The X coordinate that the two agree on
pub fn agree(secret: &[u8; 32], remote: &[u8; 64]) -> [u8; 32] {
    let remote = PublicKey::from_sec1_bytes(&[&[4], &remote[..]].concat()).unwrap();
    (ProjectivePoint::from(*remote.as_affine()) * *scalar(secret)).to_affine().x().into()
}

pub fn xor(a: &[u8; 32], b: &[u8; 32]) -> [u8; 32] {
    std::array::from_fn(|i| a[i] ^ b[i])
}

/// Keccak-f\[1600\], from its definition in FIPS 202
fn keccak_f(a: &mut [u64; 25]) {
    let mut lfsr = 1_u8;
    for _ in 0..24 {
        let c: [u64; 5] = std::array::from_fn(|x| (0..5).fold(0, |sum, y| sum ^ a[x + 5 * y]));
        for i in 0..25 {
            a[i] ^= c[(i + 4) % 5] ^ c[(i + 1) % 5].rotate_left(1);
        }
        let (mut x, mut y, mut moved) = (1, 0, a[1]);
        for t in 0..24_u32 {
            (x, y) = (y, (2 * x + 3 * y) % 5);
            moved = std::mem::replace(&mut a[x + 5 * y], moved.rotate_left((t + 1) * (t + 2) / 2 % 64));
        }
        for row in a.chunks_mut(5) {
            let b = [row[0], row[1], row[2], row[3], row[4]];
            for x in 0..5 {
                row[x] = b[x] ^ (!b[(x + 1) % 5] & b[(x + 2) % 5]);
            }
        }
        for j in 0..7 {
            a[0] ^= u64::from(lfsr & 1) << ((1 << j) - 1);
            lfsr = (lfsr << 1) ^ ((lfsr >> 7) * 0x71);
        }
    }
}

/// A Keccak-256 sponge that keeps every state that it was in
#[derive(Clone)]
pub struct Sponge {
    lanes: [u64; 25],
    offset: usize,
    permuted: bool,
    pub states: Vec<[u64; 25]>,
}

impl Sponge {
    pub fn new() -> Self {
        Self { lanes: [0; 25], offset: 0, permuted: false, states: Vec::new() }
    }

    pub fn absorb(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.lanes[self.offset / 8] ^= u64::from(*byte) << (self.offset % 8 * 8);
            self.offset += 1;
            if self.offset == 136 {
                self.permute();
            }
        }
        self.keep();
    }

    /// Before the first permutation the state is the absorbed bytes, of which only the start is secret
    fn keep(&mut self) {
        if self.permuted {
            self.states.push(self.lanes);
        }
    }

    fn permute(&mut self) {
        self.keep();
        keccak_f(&mut self.lanes);
        self.permuted = true;
        self.keep();
        self.offset = 0;
    }

    pub fn digest(&mut self) -> [u8; 32] {
        let mut last = self.clone();
        last.lanes[last.offset / 8] ^= 1 << (last.offset % 8 * 8);
        last.lanes[16] ^= 1 << 63;
        last.permute();
        self.states.extend(&last.states[self.states.len()..]);
        std::array::from_fn(|i| last.lanes[i / 8].to_le_bytes()[i % 8])
    }
}

pub fn keccak(parts: &[&[u8]]) -> [u8; 32] {
    let mut sponge = Sponge::new();
    sponge.absorb(&parts.concat());
    sponge.digest()
}

/// The round keys of AES (FIPS 197, section 5.2)
pub fn key_schedule(key: &[u8]) -> Vec<u8> {
    let words = key.len() / 4;
    let mut schedule: Vec<[u8; 4]> = key.chunks(4).map(|word| word.try_into().unwrap()).collect();
    let mut constant = 1;
    for i in words..4 * (words + 7) {
        let mut word = schedule[i - 1];
        if i % words == 0 {
            word.rotate_left(1);
            word = word.map(s_box);
            word[0] ^= constant;
            constant = times(constant, 2);
        } else if words > 6 && i % words == 4 {
            word = word.map(s_box);
        }
        let before = schedule[i - words];
        schedule.push(std::array::from_fn(|byte| before[byte] ^ word[byte]));
    }
    schedule.concat()
}

fn times(a: u8, b: u8) -> u8 {
    let mut product = 0;
    let mut a = a;
    for bit in 0..8 {
        product ^= a * (b >> bit & 1);
        a = (a << 1) ^ ((a >> 7) * 0x1b);
    }
    product
}

fn s_box(byte: u8) -> u8 {
    let inverse = (0..254).fold(1, |product, _| times(product, byte));
    (0..5).fold(0x63, |sum, by| sum ^ inverse.rotate_left(by))
}

/// One direction of a session
pub struct Direction {
    pub sponge: Sponge,
    cipher: Aes256,
    keystream: ctr::Ctr128BE<Aes256>,
}

impl Direction {
    pub fn new(aes: &[u8; 32], mac: &[u8; 32], nonce: &[u8; 32], packet: &[u8]) -> Self {
        use ctr::cipher::KeyIvInit;
        let mut sponge = Sponge::new();
        sponge.absorb(&xor(mac, nonce));
        sponge.absorb(packet);
        sponge.digest();
        Self { sponge, cipher: Aes256::new(mac.into()), keystream: ctr::Ctr128BE::new(aes.into(), &[0; 16].into()) }
    }

    /// Takes in the frames on the wire, up to one with a wrong MAC
    pub fn follow(&mut self, mut wire: &[u8]) {
        use ctr::cipher::StreamCipher;
        while !wire.is_empty() {
            let mut header: [u8; 16] = wire[..16].try_into().unwrap();
            let tag = self.seed(&header.clone());
            self.keystream.apply_keystream(&mut header);
            if tag != wire[16..32] {
                return;
            }
            let size = u32::from_be_bytes([0, header[0], header[1], header[2]]) as usize;
            let end = 32 + size.next_multiple_of(16);
            self.keystream.apply_keystream(&mut vec![0; end - 32]);
            self.sponge.absorb(&wire[32..end]);
            let digest = self.sponge.digest()[..16].try_into().unwrap();
            if self.seed(&digest) != wire[end..end + 16] {
                return;
            }
            wire = &wire[end + 16..];
        }
    }

    fn seed(&mut self, mask: &[u8; 16]) -> [u8; 16] {
        let mut seed = aes::Block::clone_from_slice(&self.sponge.digest()[..16]);
        self.cipher.encrypt_block(&mut seed);
        let seed: Vec<u8> = seed.iter().zip(mask).map(|(a, b)| a ^ b).collect();
        self.sponge.absorb(&seed);
        self.sponge.digest()[..16].try_into().unwrap()
    }
}

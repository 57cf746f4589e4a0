//! What must not be found in memory, and the search for it
//!
//! The needles are on the heap and the stack of the thread that searches, which are not searched.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use k256::elliptic_curve::ff::PrimeField;
use k256::{FieldBytes, Scalar};

use super::model::{agree, keccak, key_schedule, scalar, xor};

/// Every eight bytes of each needle, with the name of the needle and the next eight bytes
#[derive(Default)]
pub struct Needles {
    names: Vec<String>,
    words: HashMap<u64, Vec<(usize, Option<u64>)>>,
}

impl Needles {
    /// Any eight bytes of a needle, at a multiple of eight, are a find
    pub fn add(&mut self, name: &str, bytes: &[u8]) {
        self.add_words(name, bytes, false);
    }

    fn add_words(&mut self, name: &str, bytes: &[u8], with_next: bool) {
        self.names.push(name.to_string());
        let words: Vec<u64> = bytes.chunks_exact(8).map(|word| u64::from_ne_bytes(word.try_into().unwrap())).collect();
        for (i, word) in words.iter().enumerate() {
            let next = words.get(i + 1).copied().filter(|_| with_next);
            if with_next && next.is_none() {
                continue;
            }
            // A word of zeros or of one repeated byte is everywhere.
            if word.to_ne_bytes().iter().any(|byte| *byte != word.to_ne_bytes()[0]) {
                self.words.entry(*word).or_default().push((self.names.len() - 1, next));
            }
        }
    }

    /// Notes that these bytes are not secret
    pub fn forget(&mut self, public: &[u8]) {
        for word in public.windows(8) {
            self.words.remove(&u64::from_ne_bytes(word.try_into().unwrap()));
        }
    }

    pub fn add_lanes(&mut self, name: &str, lanes: &[u64]) {
        self.add(name, &lanes.iter().flat_map(|lane| lane.to_ne_bytes()).collect::<Vec<u8>>());
    }

    /// A number in the forms in which bytes and the curve library have it
    pub fn add_number(&mut self, name: &str, bytes: &[u8; 32]) {
        self.add(name, bytes);
        let mut reversed = *bytes;
        reversed.reverse();
        self.add(&format!("{name}, in words"), &reversed);
        let limb = |i: usize| {
            let bits = (0..52).filter(|bit| i * 52 + bit < 256);
            bits.fold(0, |limb, bit| {
                let at = i * 52 + bit;
                limb | u64::from(reversed[at / 8] >> (at % 8) & 1) << bit
            })
        };
        self.add_lanes(&format!("{name}, in limbs"), &[0, 1, 2, 3, 4].map(limb));
    }

    /// A secret key, also as the digits of the multiplication by the generator
    pub fn add_key(&mut self, name: &str, bytes: &[u8; 32]) {
        self.add_number(name, bytes);
        let mut digits: Vec<i8> = bytes.iter().rev().flat_map(|byte| [byte & 15, byte >> 4]).map(|d| d as i8).collect();
        digits.push(0);
        for i in 0..64 {
            let carry = (digits[i] + 8) >> 4;
            digits[i] -= carry << 4;
            digits[i + 1] += carry;
        }
        let digits: Vec<u8> = digits.iter().map(|digit| *digit as u8).collect();
        self.add_words(&format!("{name}, in digits"), &digits, true);
    }

    pub fn add_aes(&mut self, name: &str, key: &[u8]) {
        self.add(name, key);
        self.add(&format!("{name}, schedule"), &key_schedule(key)[key.len()..]);
    }

    /// What encrypts a handshake packet: the keys that follow from the shared secret
    pub fn add_envelope(&mut self, name: &str, secret: &[u8; 32], remote: &[u8; 64]) {
        use sha2::{Digest, Sha256};
        let shared = agree(secret, remote);
        self.add_number(&format!("{name}: shared secret"), &shared);
        let okm = Sha256::digest([&[0, 0, 0, 1], &shared[..]].concat());
        self.add_aes(&format!("{name}: AES key"), &okm[..16]);
        self.add(&format!("{name}: MAC key seed"), &okm[16..]);
        let mac = Sha256::digest(&okm[16..]);
        self.add(&format!("{name}: MAC key"), &mac);
        for (pad, byte) in [("inner", 0x36), ("outer", 0x5c)] {
            let block: Vec<u8> = (0..64).map(|i| mac.get(i).unwrap_or(&0) ^ byte).collect();
            self.add(&format!("{name}: MAC key, {pad}"), &block[..32]);
            let swapped: Vec<u8> = block[..32].chunks(4).flat_map(|word| word.iter().rev().copied()).collect();
            self.add(&format!("{name}: MAC key, {pad}, swapped"), &swapped);
            let mut state = H256;
            sha2::block_api::compress256(&mut state, &[block.try_into().unwrap()]);
            self.add(&format!("{name}: state of the MAC, {pad}"), &state.map(u32::to_ne_bytes).concat());
        }
    }

    /// The secret number of a signature; together with the signature it reveals the key
    pub fn add_signing(&mut self, name: &str, secret: &[u8; 32], digest: &[u8; 32]) {
        let key = k256::ecdsa::SigningKey::from(scalar(secret));
        let (signature, _) = key.sign_prehash_recoverable(digest);
        let (r, s) = signature.split_scalars();
        let number = |bytes: &[u8; 32]| Scalar::from_repr(FieldBytes::from(*bytes)).unwrap();
        // Digests beyond the order do not occur here.
        let k = s.invert_vartime().unwrap() * (number(digest) + *r * number(secret));
        for (sign, k) in [("", k), ("minus ", -k)] {
            self.add_key(&format!("{name}: {sign}k"), &k.to_bytes().into());
            let inverse: Scalar = k.invert_vartime().unwrap();
            self.add_number(&format!("{name}: inverse of {sign}k"), &inverse.to_bytes().into());
        }
    }

    /// The factors by which the recipient agrees with the signer; together with the signature they reveal its key
    pub fn add_agreement(&mut self, secret: &[u8; 32], digest: &[u8; 32], [r, s]: [&[u8; 32]; 2]) {
        let number = |bytes: &[u8; 32]| Scalar::from_repr(FieldBytes::from(*bytes)).unwrap();
        let inverse: Scalar = number(r).invert_vartime().unwrap();
        let factor = number(secret) * inverse;
        let (of_generator, of_point) = (factor * number(digest), factor * number(s));
        let factors = [("generator", of_generator), ("minus the generator", -of_generator), ("point", of_point)];
        for (name, factor) in factors.into_iter().chain([("key", factor)]) {
            self.add_key(&format!("agreement with the signer: factor of the {name}"), &factor.to_bytes().into());
        }
    }

    /// What the keys of a session are derived from, and the keys
    pub fn add_session(&mut self, shared: &[u8; 32], [initiator, recipient]: [&[u8; 32]; 2]) -> [[u8; 32]; 2] {
        self.add_number("ephemeral shared secret", shared);
        let nonces = keccak(&[recipient, initiator]);
        let seed = keccak(&[shared, &nonces]);
        let aes = keccak(&[shared, &seed]);
        let mac = keccak(&[shared, &aes]);
        self.add("hash of the nonces", &nonces);
        self.add("session seed", &seed);
        self.add_aes("AES secret", &aes);
        self.add_aes("MAC secret", &mac);
        self.add("MAC secret ^ initiator nonce", &xor(&mac, initiator));
        self.add("MAC secret ^ recipient nonce", &xor(&mac, recipient));
        [aes, mac]
    }

    /// The finds in this memory: for each needle the number of its words, and the position of the first
    pub fn find(&self, memory: Range<usize>) -> BTreeMap<&str, (usize, usize)> {
        let mut finds = BTreeMap::new();
        // SAFETY: the callers give memory that is mapped and that nobody writes to at the time.
        let read =
            |at: usize| u64::from_ne_bytes(unsafe { std::ptr::with_exposed_provenance::<[u8; 8]>(at).read_volatile() });
        for at in memory.start..memory.end - 16 {
            for (name, next) in self.words.get(&read(at)).into_iter().flatten() {
                if next.is_none_or(|next| next == read(at + 8)) {
                    finds.entry(self.names[*name].as_str()).or_insert((0, memory.end - at)).0 += 1;
                }
            }
        }
        finds
    }
}

const H256: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

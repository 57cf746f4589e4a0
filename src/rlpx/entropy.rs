//! The randomness of one handshake

use core::fmt;

use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

use super::curve::Secret;
use crate::invariant::must;

/// All the randomness that one handshake needs, as bytes
///
/// It becomes two ephemeral secret keys, a nonce, an IV and the length of the padding, so everything
/// that the link keeps secret rests on it: the bytes must come from a cryptographically secure
/// generator, must not be predictable, and must never be used for a second link, not even after a
/// reset of the device. On a host that is the operating system's generator; on a microcontroller the
/// hardware's true random number generator, or a seed that is kept and advanced across resets. If
/// two links use the same bytes, they share their keys, and anybody who can read one can read the other.
///
/// Not `Clone`; consumed by the constructor that uses it, and wiped when dropped.
pub struct Entropy {
    ephemeral_key: [u8; 32],
    envelope_key: [u8; 32],
    nonce: [u8; 32],
    iv: [u8; 16],
    padding: u8,
}

/// What one side draws for a handshake; wiped when dropped, but for what is on the wire
pub(super) struct Ephemeral {
    /// Agrees on the session's secrets; the initiator also signs with it
    pub(super) key: Secret,
    /// Seals the one packet that this side sends
    pub(super) envelope_key: Secret,
    pub(super) nonce: Zeroizing<[u8; 32]>,
    pub(super) iv: [u8; 16],
    pub(super) padding: u8,
}

impl Entropy {
    /// Bytes of randomness in one [`Entropy`]
    pub const SIZE: usize = 113;

    /// Takes the bytes as they are
    pub fn from_bytes(mut bytes: [u8; Self::SIZE]) -> Self {
        let mut entropy =
            Self { ephemeral_key: [0; 32], envelope_key: [0; 32], nonce: [0; 32], iv: [0; 16], padding: 0 };
        let mut source = &bytes[..];
        for field in [
            &mut entropy.ephemeral_key[..],
            &mut entropy.envelope_key[..],
            &mut entropy.nonce[..],
            &mut entropy.iv[..],
            core::slice::from_mut(&mut entropy.padding),
        ] {
            let taken = crate::wire::copy(field, source);
            source = must(source.get(taken..), "no more is taken than there is");
        }
        bytes.zeroize();
        entropy
    }

    /// Draws the bytes by one call of a generator's fill function
    ///
    /// ```
    /// # struct Generator;
    /// # impl Generator { fn fill_bytes(&mut self, bytes: &mut [u8]) { bytes.fill(7) } }
    /// # let mut generator = Generator;
    /// use devp2p_proto::Entropy;
    ///
    /// let entropy = Entropy::from_rng(|bytes| generator.fill_bytes(bytes));
    /// ```
    pub fn from_rng(fill: impl FnOnce(&mut [u8])) -> Self {
        let mut bytes = Zeroizing::new([0; Self::SIZE]);
        fill(&mut *bytes);
        Self::from_bytes(*bytes)
    }

    /// The keys that the bytes make, unless they show that no generator made them
    pub(super) fn prepare(&self) -> Option<Ephemeral> {
        if self.is_weak() {
            return None;
        }
        Some(Ephemeral {
            key: Secret::from_bytes(&self.ephemeral_key)?,
            envelope_key: Secret::from_bytes(&self.envelope_key)?,
            nonce: Zeroizing::new(self.nonce),
            iv: self.iv,
            padding: self.padding,
        })
    }

    /// Whether the bytes show that no generator made them: a key that is zero or one repeated byte,
    /// or the same bytes twice
    ///
    /// The check takes constant time, since bytes that are not weak are secret.
    fn is_weak(&self) -> bool {
        let constant = |field: &[u8; 32]| field.ct_eq(&[field[0]; 32]);
        let weak = constant(&self.ephemeral_key)
            | constant(&self.envelope_key)
            | constant(&self.nonce)
            | self.ephemeral_key.ct_eq(&self.envelope_key)
            | self.ephemeral_key.ct_eq(&self.nonce)
            | self.envelope_key.ct_eq(&self.nonce);
        weak.into()
    }
}

impl Drop for Entropy {
    fn drop(&mut self) {
        self.ephemeral_key.zeroize();
        self.envelope_key.zeroize();
        self.nonce.zeroize();
        self.iv.zeroize();
        self.padding.zeroize();
    }
}

impl fmt::Debug for Entropy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Entropy(..)")
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Entropy {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "Entropy(..)");
    }
}

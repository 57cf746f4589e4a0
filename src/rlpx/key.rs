//! A node's own key

use core::fmt;

use zeroize::Zeroize;

use super::curve::Secret;
use crate::node_id::NodeId;
use crate::wipe::{ARITHMETIC, WipesStack};

/// The secret key that a node is known by
///
/// Kept together with the public key that belongs to it. Prints as `SecretKey(..)`, and is wiped when
/// dropped.
#[derive(Clone)]
pub struct SecretKey {
    pub(super) secret: Secret,
    id: NodeId,
}

impl SecretKey {
    /// The key that these 32 big-endian bytes spell
    ///
    /// Costs one multiplication on the curve. `bytes` are wiped; the caller wipes other copies.
    ///
    /// # Errors
    /// Zero and numbers beyond the order of secp256k1 are no keys.
    pub fn from_bytes(mut bytes: [u8; 32]) -> Result<Self, InvalidSecretKey> {
        let _wipes = WipesStack::<ARITHMETIC>;
        Self::decode(&mut bytes)
    }

    #[inline(never)] // so that what it leaves is below the caller's frame, and wiped
    fn decode(bytes: &mut [u8; 32]) -> Result<Self, InvalidSecretKey> {
        let secret = Secret::from_bytes(bytes);
        bytes.zeroize();
        let secret = secret.ok_or(InvalidSecretKey)?;
        let id = secret.public().id();
        Ok(Self { secret, id })
    }

    /// The id of the node that has this key
    pub const fn node_id(&self) -> NodeId {
        self.id
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(..)")
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for SecretKey {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "SecretKey(..)");
    }
}

/// The bytes are not a secret key of secp256k1
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct InvalidSecretKey;

impl fmt::Display for InvalidSecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a secret key is neither zero nor beyond the order of secp256k1")
    }
}

impl core::error::Error for InvalidSecretKey {}

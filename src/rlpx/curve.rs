//! secp256k1 as RLPx uses it; the only file that knows the curve library
//!
//! Every key and signature from the wire is validated here before a secret is used with it: an unchecked
//! point in a key agreement reveals the secret key bit by bit.
#![expect(clippy::arithmetic_side_effects, reason = "field and curve arithmetic cannot overflow")]

use ecdsa::hazmat::sign_prehashed_rfc6979;
use k256::ecdsa::{RecoveryId, Signature};
use k256::elliptic_curve::ff::PrimeField;
use k256::elliptic_curve::ops::Reduce;
use k256::elliptic_curve::point::{AffineCoordinates, DecompressPoint};
use k256::elliptic_curve::subtle::Choice;
use k256::{AffinePoint, FieldBytes, NonZeroScalar, ProjectivePoint, PublicKey, Scalar, Secp256k1};
use sha2::Sha256;
use zeroize::{Zeroize, Zeroizing};

use crate::disclosed::disclosed;
use crate::node_id::NodeId;
use crate::violation::Violation;
use crate::wire::copy;

/// A scalar that is a valid secret key; wiped when dropped
#[derive(Clone)]
pub(super) struct Secret(NonZeroScalar);

impl Secret {
    /// The key that `bytes` spell, if they are neither zero nor beyond the curve's order
    pub(super) fn from_bytes(bytes: &[u8; 32]) -> Option<Self> {
        let scalar: Option<Scalar> = Scalar::from_repr(FieldBytes::from(*bytes)).into();
        Option::from(NonZeroScalar::new(scalar?)).map(Self)
    }

    /// The public key that belongs to this secret
    pub(super) fn public(&self) -> Public {
        Public((ProjectivePoint::mul_by_generator(&self.0)).to_affine())
    }

    /// The X coordinate of the point shared with `remote` (SEC 1, section 3.3.1)
    pub(super) fn diffie_hellman(&self, remote: &Public) -> Zeroizing<[u8; 32]> {
        let shared = (ProjectivePoint::from(remote.0) * *self.0).to_affine();
        Zeroizing::new(shared.x().into())
    }

    /// Signs a 32-byte digest: r ‖ s ‖ v, with low s and v = 0 or 1, deterministic by RFC 6979
    ///
    /// `None` only if the signature has no such form, for which no example is known. The `SigningKey` of
    /// the curve library would derive its public key first, which nobody needs here and which costs as
    /// much as signing.
    pub(super) fn sign(&self, digest: &[u8; 32]) -> Option<[u8; 65]> {
        let (signature, recovery): (Signature, RecoveryId) =
            sign_prehashed_rfc6979::<Secp256k1, Sha256>(&self.0, digest, &[]);
        let v = recovery.to_byte();
        let mut bytes = [v; 65];
        copy(&mut bytes, &signature.to_bytes());
        (v <= 1).then_some(bytes)
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// A point that is known to be on the curve and not the identity
#[derive(Clone, Copy, PartialEq)]
pub(super) struct Public(AffinePoint);

impl Public {
    /// Validates a key from the wire: both coordinates below the field prime, and on the curve
    pub(super) fn from_id(id: &NodeId) -> Result<Self, Violation> {
        let mut sec1 = [0x04; 65];
        if let Some(target) = sec1.get_mut(1..) {
            copy(target, id.as_bytes());
        }
        let key = PublicKey::from_sec1_bytes(&sec1).map_err(|_| Violation::InvalidPublicKey)?;
        Ok(Self(*key.as_affine()))
    }

    pub(super) fn id(&self) -> NodeId {
        let mut bytes = [0; 64];
        if let Some((x, y)) = bytes.split_at_mut_checked(32) {
            copy(x, &self.0.x());
            copy(y, &self.0.y());
        }
        disclosed(&mut bytes);
        NodeId::new(bytes)
    }

    /// The key that made `signature` (r ‖ s ‖ v) over `digest` (SEC 1, section 4.1.6)
    ///
    /// v must be 0 or 1. A high s is accepted, as by the reference client: nothing rests on the form of the
    /// signature here. The two multiplications are done one after the other because the curve library's
    /// own recovery takes 13 KB of stack, which a microcontroller does not have.
    #[inline(never)] // so that what it keeps is not in the frame of a whole handshake
    pub(super) fn recover(digest: &[u8; 32], signature: &[u8; 65]) -> Result<Self, Violation> {
        let invalid = Violation::InvalidSignature;
        let &[ref scalars @ .., v] = signature;
        let parsed = Signature::from_slice(scalars).map_err(|_| invalid)?;
        let (r, s) = parsed.split_scalars();
        if v > 1 {
            return Err(invalid);
        }
        let point: Option<AffinePoint> = AffinePoint::decompress(&r.to_repr(), Choice::from(v)).into();
        let z = <Scalar as Reduce<FieldBytes>>::reduce(&FieldBytes::from(*digest));
        let inverse: Option<Scalar> = r.invert_vartime().into();
        let inverse = inverse.ok_or(invalid)?;
        let generator_part = ProjectivePoint::mul_by_generator(&-(inverse * z));
        let point_part = ProjectivePoint::from(point.ok_or(invalid)?) * (inverse * *s);
        let key = PublicKey::from_affine((generator_part + point_part).to_affine()).map_err(|_| invalid)?;
        Ok(Self(*key.as_affine()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use k256::ecdsa::VerifyingKey;
    use proptest::prelude::*;

    fn secret(seed: u8) -> Secret {
        Secret::from_bytes(&[seed; 32]).unwrap()
    }

    #[test]
    fn bytes_that_are_no_secret_key() {
        assert!(Secret::from_bytes(&[0; 32]).is_none());
        assert!(Secret::from_bytes(&[0xff; 32]).is_none());
    }

    #[test]
    fn bytes_that_are_no_public_key() {
        let valid = *secret(7).public().id().as_bytes();
        let mut off_curve = valid;
        off_curve[63] ^= 1;
        let mut beyond_the_prime = valid;
        beyond_the_prime[..32].fill(0xff);
        // x = 1 has a point; x = p + 1 is the same number, spelt beyond the field.
        let mut unreduced = *Public(AffinePoint::decompress(&one(), Choice::from(0)).unwrap()).id().as_bytes();
        assert!(Public::from_id(&NodeId::new(unreduced)).is_ok());
        unreduced[..32].fill(0xff);
        unreduced[27..32].copy_from_slice(&[0xfe, 0xff, 0xff, 0xfc, 0x30]);
        for bytes in [[0; 64], off_curve, beyond_the_prime, unreduced] {
            assert!(matches!(Public::from_id(&NodeId::new(bytes)), Err(Violation::InvalidPublicKey)));
        }
    }

    fn one() -> FieldBytes {
        let mut bytes = FieldBytes::default();
        bytes[31] = 1;
        bytes
    }

    #[test]
    fn signatures_that_are_refused() {
        let digest = [0x21; 32];
        let good = secret(9).sign(&digest).unwrap();
        let mut order = (Scalar::ZERO - Scalar::ONE).to_bytes();
        order[31] += 1;
        let refused = |edit: &dyn Fn(&mut [u8; 65])| {
            let mut signature = good;
            edit(&mut signature);
            assert!(matches!(Public::recover(&digest, &signature), Err(Violation::InvalidSignature)));
        };
        refused(&|signature| signature[..32].fill(0));
        refused(&|signature| signature[32..64].fill(0));
        refused(&|signature| signature[..32].fill(0xff));
        refused(&|signature| signature[32..64].fill(0xff));
        refused(&|signature| signature[32..64].copy_from_slice(&order));
        refused(&|signature| signature[64] = 2);
        refused(&|signature| signature[64] = 27);
    }

    /// `-s` with the other `v` is a signature by the same key
    #[test]
    fn a_high_s_is_accepted() {
        let digest = [0x21; 32];
        let mut signature = secret(9).sign(&digest).unwrap();
        let (_, s) = Signature::from_slice(&signature[..64]).unwrap().split_scalars();
        signature[32..64].copy_from_slice(&(-*s).to_bytes());
        signature[64] ^= 1;
        assert!(Public::recover(&digest, &signature).unwrap() == secret(9).public());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]

        #[test]
        fn recovery_agrees_with_the_library(key in 1u8..=254, digest in any::<[u8; 32]>()) {
            let secret = secret(key);
            let signature = secret.sign(&digest).unwrap();
            let recovered = Public::recover(&digest, &signature).unwrap();
            prop_assert!(recovered == secret.public());
            let parsed = Signature::from_slice(&signature[..64]).unwrap();
            let id = RecoveryId::from_byte(signature[64]).unwrap();
            let oracle = VerifyingKey::recover_from_prehash(&digest, &parsed, id).unwrap();
            prop_assert!(oracle.as_affine() == &recovered.0);
        }

        #[test]
        fn both_sides_agree_on_the_same_secret(a in 1u8..=254, b in 1u8..=254) {
            prop_assert_eq!(secret(a).diffie_hellman(&secret(b).public()), secret(b).diffie_hellman(&secret(a).public()));
        }
    }
}

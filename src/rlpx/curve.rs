//! secp256k1 as RLPx uses it; the only file that knows the curve library
//!
//! Every key and signature from the wire is validated here before a secret is used with it: an unchecked
//! point in a key agreement reveals the secret key bit by bit.
#![expect(clippy::arithmetic_side_effects, reason = "field and curve arithmetic cannot overflow")]

use ecdsa::hazmat::sign_prehashed_rfc6979;
use k256::ecdsa::{RecoveryId, Signature};
use k256::elliptic_curve::BatchNormalize;
use k256::elliptic_curve::ff::PrimeField;
use k256::elliptic_curve::group::Group;
use k256::elliptic_curve::ops::Reduce;
use k256::elliptic_curve::point::{AffineCoordinates, DecompressPoint};
use k256::elliptic_curve::subtle::Choice;
use k256::{AffinePoint, FieldBytes, NonZeroScalar, ProjectivePoint, PublicKey, Scalar, Secp256k1};
use sha2::Sha256;
use zeroize::{Zeroize, Zeroizing};

use super::refusal::Refusal;
use crate::disclosed::disclosed;
use crate::node_id::NodeId;
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
    pub(super) fn public(&self) -> Point {
        Point(self.times_generator().0.to_affine())
    }

    /// What is shared with `remote`
    pub(super) fn diffie_hellman(&self, remote: &Point) -> Zeroizing<[u8; 32]> {
        Point(self.times(remote).0.to_affine()).shared()
    }

    /// The product that is this secret's public key
    pub(super) fn times_generator(&self) -> Product {
        Product(ProjectivePoint::mul_by_generator(&self.0))
    }

    /// The product that is shared with `remote`
    #[inline(never)] // so that its code is there once
    pub(super) fn times(&self, remote: &Point) -> Product {
        Product(ProjectivePoint::from(remote.0) * *self.0)
    }

    /// The product that is shared with the signer: with the key that made `signature` (r ‖ s ‖ v) over `digest`
    ///
    /// Recovery (SEC 1, section 4.1.6) gives the key Q = r⁻¹ (s R - z G). Nobody needs Q itself, so this secret d goes
    /// into the factors of R and G: d Q takes two multiplications instead of three. Both factors are as secret as d.
    ///
    /// v must be 0 or 1. A high s is accepted, as by the reference client: nothing rests on the form of the
    /// signature here.
    #[inline(never)] // so that what it keeps is not in the frame of a whole handshake
    pub(super) fn times_signer(&self, digest: &[u8; 32], signature: &[u8; 65]) -> Result<Product, Refusal> {
        let invalid = Refusal::InvalidSignature;
        let &[ref scalars @ .., v] = signature;
        let parsed = Signature::from_slice(scalars).map_err(|_| invalid)?;
        let (r, s) = parsed.split_scalars();
        if v > 1 {
            return Err(invalid);
        }
        let point: Option<AffinePoint> = AffinePoint::decompress(&r.to_repr(), Choice::from(v)).into();
        let point = ProjectivePoint::from(point.ok_or(invalid)?);
        let z = <Scalar as Reduce<FieldBytes>>::reduce(&FieldBytes::from(*digest));
        let inverse: Option<Scalar> = r.invert_vartime().into();
        let factor = inverse.ok_or(invalid)? * *self.0;
        let product = ProjectivePoint::mul_by_generator(&-(factor * z)) + point * (factor * *s);
        // This secret is not zero, so the product is the identity only if Q is.
        let is_key = !bool::from(product.is_identity());
        is_key.then_some(Product(product)).ok_or(invalid)
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

/// The product of a secret and a point, before the division that gives its coordinates
pub(super) struct Product(ProjectivePoint);

impl Product {
    /// The points of the products
    ///
    /// A division costs an eighth of a multiplication. With `std`, one division serves all products. Without `std`, each
    /// product has its own, since the code for a shared division takes 4 KB of flash.
    pub(super) fn divide<const N: usize>(products: [Self; N]) -> [Point; N] {
        if cfg!(feature = "std") {
            ProjectivePoint::batch_normalize(&products.map(|product| product.0)).map(Point)
        } else {
            products.each_ref().map(|product| Point(product.0.to_affine()))
        }
    }
}

/// A point that is known to be on the curve and not the identity: a public key, or what two keys share
#[derive(Clone, Copy, PartialEq)]
pub(super) struct Point(AffinePoint);

impl Point {
    /// Validates a key from the wire: both coordinates below the field prime, and on the curve
    pub(super) fn from_id(id: &NodeId) -> Result<Self, Refusal> {
        let mut sec1 = [0x04; 65];
        if let Some(target) = sec1.get_mut(1..) {
            copy(target, id.as_bytes());
        }
        let key = PublicKey::from_sec1_bytes(&sec1).map_err(|_| Refusal::InvalidPublicKey)?;
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

    /// The X coordinate, as the secret that two keys share (SEC 1, section 3.3.1)
    pub(super) fn shared(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0.x().into())
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
        let mut unreduced = *Point(AffinePoint::decompress(&one(), Choice::from(0)).unwrap()).id().as_bytes();
        assert!(Point::from_id(&NodeId::new(unreduced)).is_ok());
        unreduced[..32].fill(0xff);
        unreduced[27..32].copy_from_slice(&[0xfe, 0xff, 0xff, 0xfc, 0x30]);
        for bytes in [[0; 64], off_curve, beyond_the_prime, unreduced] {
            assert!(matches!(Point::from_id(&NodeId::new(bytes)), Err(Refusal::InvalidPublicKey)));
        }
    }

    fn one() -> FieldBytes {
        let mut bytes = FieldBytes::default();
        bytes[31] = 1;
        bytes
    }

    /// What the key 0x33… and the signer share
    fn shared_with_signer(digest: &[u8; 32], signature: &[u8; 65]) -> Result<Point, Refusal> {
        let [shared] = Product::divide([secret(0x33).times_signer(digest, signature)?]);
        Ok(shared)
    }

    /// What the key 0x33… and this key share
    fn shared_with(key: Point) -> Point {
        let [shared] = Product::divide([secret(0x33).times(&key)]);
        shared
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
            assert!(matches!(shared_with_signer(&digest, &signature), Err(Refusal::InvalidSignature)));
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
        assert!(shared_with_signer(&digest, &signature).unwrap() == shared_with(secret(9).public()));
    }

    fn recovered_by_the_library(digest: &[u8; 32], signature: &[u8; 65]) -> Point {
        let parsed = Signature::from_slice(&signature[..64]).unwrap();
        let id = RecoveryId::from_byte(signature[64]).unwrap();
        Point(*VerifyingKey::recover_from_prehash(digest, &parsed, id).unwrap().as_affine())
    }

    /// With R = G and s = z, s R - z G is the identity
    #[test]
    fn a_signature_by_no_key_is_refused() {
        let generator = Point(AffinePoint::GENERATOR).id();
        let mut signature = [0; 65];
        signature[..32].copy_from_slice(&generator.as_bytes()[..32]);
        signature[32..64].fill(0x21);
        signature[64] = generator.as_bytes()[63] & 1;
        assert!(matches!(shared_with_signer(&[0x21; 32], &signature), Err(Refusal::InvalidSignature)));
        assert!(shared_with_signer(&[0x22; 32], &signature).is_ok());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]

        #[test]
        fn recovery_agrees_with_the_library(key in 1u8..=254, digest in any::<[u8; 32]>(), s in any::<[u8; 32]>()) {
            let mut signature = secret(key).sign(&digest).unwrap();
            prop_assert!(recovered_by_the_library(&digest, &signature) == secret(key).public());
            prop_assert!(shared_with_signer(&digest, &signature).unwrap() == shared_with(secret(key).public()));
            // With nearly any other s and v, it is a signature by another key.
            signature[32..64].copy_from_slice(&s);
            signature[64] ^= 1;
            if let Ok(shared) = shared_with_signer(&digest, &signature) {
                prop_assert!(shared == shared_with(recovered_by_the_library(&digest, &signature)));
            }
        }

        #[test]
        fn points_are_the_same_from_one_division(keys in any::<[u8; 3]>()) {
            let secrets = keys.map(|key| secret(key.clamp(1, 254)));
            let points = Product::divide(secrets.each_ref().map(Secret::times_generator));
            prop_assert!(points == secrets.map(|secret| secret.public()));
        }

        #[test]
        fn both_sides_agree_on_the_same_secret(a in 1u8..=254, b in 1u8..=254) {
            prop_assert_eq!(secret(a).diffie_hellman(&secret(b).public()), secret(b).diffie_hellman(&secret(a).public()));
        }
    }
}

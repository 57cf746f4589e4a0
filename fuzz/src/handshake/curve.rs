//! secp256k1 as the specification requires, by the curve library alone
//!
//! The link uses the same library, but checks signatures and keys by other functions of it.

use k256::ecdsa::Signature;
use k256::elliptic_curve::ops::Reduce;
use k256::elliptic_curve::point::{AffineCoordinates, DecompressPoint};
use k256::elliptic_curve::sec1::ToSec1Point;
use k256::elliptic_curve::subtle::Choice;
use k256::{AffinePoint, FieldBytes, ProjectivePoint, PublicKey, Scalar};

/// The shared secret of this key and the scalar whose bytes are all `seed`; `None` if `key` is not a public key
pub(super) fn agree(seed: u8, key: &[u8]) -> Option<[u8; 32]> {
    let secret = <Scalar as Reduce<FieldBytes>>::reduce(&FieldBytes::from([seed; 32]));
    let key = PublicKey::from_sec1_bytes(&[&[4][..], key].concat()).ok()?;
    Some((ProjectivePoint::from(*key.as_affine()) * secret).to_affine().x().into())
}

/// The public key of the scalar whose bytes are all `seed`
pub(super) fn public(seed: u8) -> [u8; 64] {
    let secret = <Scalar as Reduce<FieldBytes>>::reduce(&FieldBytes::from([seed; 32]));
    coordinates((ProjectivePoint::GENERATOR * secret).to_affine())
}

pub(super) fn coordinates(point: AffinePoint) -> [u8; 64] {
    point.to_sec1_point(false).as_bytes()[1..].try_into().unwrap()
}

/// The point with this X and an even Y
pub(super) fn point(x: [u8; 32]) -> Option<AffinePoint> {
    AffinePoint::decompress(&FieldBytes::from(x), Choice::from(0)).into()
}

pub(super) fn is_key(bytes: &[u8]) -> bool {
    PublicKey::from_sec1_bytes(&[&[4][..], bytes].concat()).is_ok()
}

/// Whether there is a key that made this signature over `token` (SEC 1, section 4.1.6)
///
/// The key is (sR - zG) / r. If sR = zG, this is not a key. That is checked only if R is G or -G, since for any other R
/// such an s cannot be found.
pub(super) fn is_signature(signature: &[u8], token: impl FnOnce() -> Option<[u8; 32]>) -> bool {
    let (scalars, v) = (&signature[..64], signature[64]);
    let Ok(parsed) = Signature::from_slice(scalars) else { return false };
    let x: [u8; 32] = scalars[..32].try_into().unwrap();
    if v > 1 || point(x).is_none() {
        return false;
    }
    let generator = AffinePoint::GENERATOR.to_sec1_point(false);
    if generator.as_bytes()[1..33] != x {
        return true;
    }
    let Some(token) = token() else { return true };
    let z = <Scalar as Reduce<FieldBytes>>::reduce(&FieldBytes::from(token));
    let (_, s) = parsed.split_scalars();
    let is_odd = generator.as_bytes()[64] & 1;
    z != if v == is_odd { *s } else { -*s }
}

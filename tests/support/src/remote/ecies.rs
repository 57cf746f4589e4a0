//! The encrypted envelope of a handshake packet, and the curve arithmetic of a handshake

use aes::Aes128;
use aes::cipher::{KeyIvInit, StreamCipher};
use devp2p_proto::NodeId;
use hmac::{Hmac, Mac};
use k256::elliptic_curve::ff::PrimeField;
use k256::elliptic_curve::point::AffineCoordinates;
use k256::elliptic_curve::sec1::ToSec1Point;
use k256::{FieldBytes, NonZeroScalar, ProjectivePoint, PublicKey, Scalar};
use sha2::{Digest as _, Sha256};

/// A handshake packet for this node that contains `text`
///
/// # Panics
///
/// If `text` is too long for a packet, or if the node id is not a point on the curve.
pub fn seal_packet(remote: &NodeId, text: &[u8]) -> Vec<u8> {
    let envelope = scalar(&[0x5e; 32]);
    seal_packet_with(&public(&envelope), &agree(&envelope, remote.as_bytes()), text)
}

/// A handshake packet that names this key, valid or not, and is sealed as if this were the shared secret
///
/// # Panics
///
/// If `text` is too long for a packet.
pub fn seal_packet_with(key: &[u8; 64], shared: &[u8; 32], text: &[u8]) -> Vec<u8> {
    let iv = [9; 16];
    let size = u16::try_from(65 + 16 + text.len() + 32).unwrap().to_be_bytes();
    let (cipher_key, mac_key) = packet_keys(shared);
    let mut text = text.to_vec();
    ctr::Ctr128BE::<Aes128>::new(&cipher_key.into(), &iv.into()).apply_keystream(&mut text);
    let tag = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(&mac_key).unwrap();
    let tag = tag.chain_update(iv).chain_update(&text).chain_update(size).finalize().into_bytes();
    [&size[..], &[4], key, &iv, &text, &tag].concat()
}

pub(super) fn open_packet(secret: &NonZeroScalar, packet: &[u8]) -> Vec<u8> {
    let (key, mac_key) = packet_keys(&agree(secret, packet[3..67].try_into().unwrap()));
    let (signed, tag) = packet.split_at(packet.len() - 32);
    let mac = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(&mac_key).unwrap();
    mac.chain_update(&signed[67..]).chain_update(&packet[..2]).verify_slice(tag).unwrap();
    let mut text = signed[83..].to_vec();
    ctr::Ctr128BE::<Aes128>::new(&key.into(), packet[67..83].into()).apply_keystream(&mut text);
    text
}

fn packet_keys(shared: &[u8; 32]) -> ([u8; 16], [u8; 32]) {
    let derived = Sha256::digest([&[0, 0, 0, 1], &shared[..]].concat());
    (derived[..16].try_into().unwrap(), Sha256::digest(&derived[16..]).into())
}

pub(super) fn scalar(bytes: &[u8; 32]) -> NonZeroScalar {
    let scalar: Option<Scalar> = Scalar::from_repr(FieldBytes::from(*bytes)).into();
    Option::from(NonZeroScalar::new(scalar.unwrap())).unwrap()
}

pub(super) fn public(secret: &NonZeroScalar) -> [u8; 64] {
    coordinates(&PublicKey::from_secret_scalar(secret))
}

pub(super) fn coordinates(key: &PublicKey) -> [u8; 64] {
    key.to_sec1_point(false).as_bytes()[1..].try_into().unwrap()
}

pub(super) fn agree(secret: &NonZeroScalar, remote: &[u8; 64]) -> [u8; 32] {
    let remote = PublicKey::from_sec1_bytes(&[&[4], &remote[..]].concat()).unwrap();
    (ProjectivePoint::from(*remote.as_affine()) * **secret).to_affine().x().into()
}

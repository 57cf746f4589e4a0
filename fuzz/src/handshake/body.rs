//! The plaintext of an auth or an ack, field by field

use std::sync::OnceLock;

use devp2p_proto::Role;
use k256::{AffinePoint, Scalar};

use super::{curve, remote};
use crate::input::Input;
use crate::settings::{Side, key};

/// A field as the remote sends it, and other content that may be sent instead
pub(super) struct Field {
    pub(super) good: Vec<u8>,
    other: Vec<Vec<u8>>,
}

/// The fields that a link of this role waits for: those of auth, or those of ack
pub(super) fn fields(role: Role) -> &'static [Field] {
    static AUTH: OnceLock<Vec<Field>> = OnceLock::new();
    static ACK: OnceLock<Vec<Field>> = OnceLock::new();
    match role {
        Role::Recipient => AUTH.get_or_init(|| vec![signature(), public_key(remote().id().as_bytes()), nonce()]),
        Role::Initiator => ACK.get_or_init(|| vec![public_key(&remote().ephemeral()), nonce()]),
    }
}

/// The plaintext that the input describes; an empty input describes what the remote sends
pub(super) fn read(role: Role, input: &mut Input<'_>) -> Vec<u8> {
    let mut text = match input.byte() {
        0xe0..0xf0 => input.bytes().to_vec(),
        // Before EIP-8, the fields followed each other without RLP.
        0xf0.. => fields(role).iter().flat_map(|field| field.good.clone()).chain([0]).collect(),
        _ => list(role, input),
    };
    text.resize(text.len() + PADDING[usize::from(input.byte()) % PADDING.len()], 0);
    while let (position, Some(mask)) = (usize::from(input.u16()), input.next()) {
        let position = position % text.len().max(1);
        text.iter_mut().skip(position).take(1).for_each(|byte| *byte ^= mask);
    }
    text
}

/// Zeros after the plaintext: as EIP-8 asks, none, or up to the size of the largest auth, the largest ack and beyond
const PADDING: [usize; 9] = [100, 0, 1, 227, 1766, 1767, 1833, 1834, 3000];

fn list(role: Role, input: &mut Input<'_>) -> Vec<u8> {
    let mut items: Vec<u8> = fields(role).iter().flat_map(|field| item(field, input)).collect();
    items.extend(item(&version(), input));
    // EIP-8: further items are ignored.
    items.extend(input.bytes());
    let mut list = header(items.len(), input.byte());
    list.extend(items);
    list
}

/// The header of a list with this length, with a slightly larger or smaller one, or in a form that is not canonical
fn header(len: usize, form: u8) -> Vec<u8> {
    let len = match form {
        0xe0..0xe8 => len + 1,
        0xe8..0xf0 => len.saturating_sub(1),
        _ => len,
    };
    let [high, low] = u16::try_from(len).unwrap().to_be_bytes();
    match (form, len) {
        (0xf0..0xf8, _) => vec![0xf9, high, low],
        (0xf8.., _) => vec![0xb9, high, low],
        (_, 0..56) => vec![0xc0 + low],
        (_, 56..256) => vec![0xf8, low],
        _ => vec![0xf9, high, low],
    }
}

/// An item of the list
fn item(field: &Field, input: &mut Input<'_>) -> Vec<u8> {
    let mut bytes = field.good.clone();
    match input.byte() {
        0..0x80 => {}
        0x80..0xa0 => {
            let position = usize::from(input.byte()) % bytes.len();
            bytes[position] ^= input.byte();
        }
        0xa0..0xb0 => bytes.resize(usize::from(input.byte()), 0),
        0xb0..0xd0 => bytes.clone_from(&field.other[usize::from(input.byte()) % field.other.len()]),
        0xd0..0xf0 => bytes = input.bytes().to_vec(),
        // Instead of a string, bytes of the input.
        0xf0.. => return input.bytes().to_vec(),
    }
    rlp::encode(&bytes).to_vec()
}

fn version() -> Field {
    Field { good: vec![4], other: vec![vec![], vec![5], vec![56], vec![0], vec![0, 4], vec![0xff; 9]] }
}

fn nonce() -> Field {
    Field { good: remote().nonce().to_vec(), other: vec![vec![0; 32], vec![0xff; 32]] }
}

/// The public key, other public keys, and bytes that are not a public key
fn public_key(good: &[u8; 64]) -> Field {
    let mut one = [0; 32];
    one[31] = 1;
    let mut unreduced = curve::coordinates(curve::point(one).unwrap());
    // The prime plus 1: equal to 1 modulo the prime, but not a valid field element.
    unreduced[..32].fill(0xff);
    unreduced[27..32].copy_from_slice(&[0xfe, 0xff, 0xff, 0xfc, 0x30]);
    let other = [[0; 64], [0xff; 64], unreduced, curve::coordinates(AffinePoint::GENERATOR)];
    let own = key(Side::Link).node_id();
    Field { good: good.to_vec(), other: other.iter().chain([own.as_bytes()]).map(|key| key.to_vec()).collect() }
}

/// The signature, other signatures, and bytes that are not a signature
fn signature() -> Field {
    let good = remote().signature(&key(Side::Link).node_id());
    let with = |edit: &dyn Fn(&mut [u8; 65])| {
        let mut signature = good;
        edit(&mut signature);
        signature.to_vec()
    };
    let order = {
        let mut order: [u8; 32] = (-Scalar::ONE).to_bytes().into();
        order[31] += 1;
        order
    };
    let s = k256::ecdsa::Signature::from_slice(&good[..64]).unwrap().split_scalars().1;
    let high: [u8; 32] = (-*s).to_bytes().into();
    let other = vec![
        with(&|signature| signature[32..64].copy_from_slice(&high)),
        with(&|signature| signature[64] ^= 1),
        with(&|signature| signature[64] = 27),
        with(&|signature| signature[64] += 2),
        with(&|signature| signature[..32].fill(0)),
        with(&|signature| signature[32..64].fill(0)),
        with(&|signature| signature[..32].copy_from_slice(&order)),
        with(&|signature| signature[32..64].copy_from_slice(&order)),
        keyless(),
    ];
    Field { good: good.to_vec(), other }
}

/// A signature by the point at infinity: R is the generator, and s is the signed number
fn keyless() -> Vec<u8> {
    let token = super::model::token(remote().id().as_bytes(), &remote().nonce()).unwrap();
    let generator = curve::coordinates(AffinePoint::GENERATOR);
    [&generator[..32], &token, &[generator[63] & 1]].concat()
}

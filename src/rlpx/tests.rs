//! The handshake and the frames against the vectors of EIP-8, and against themselves

use std::string::String;
use std::vec::Vec;

use serde_json::Value;

use super::curve::Secret;
use super::ecies::{self, MAX_PACKET, MAX_SIZE, MIN_PREFIX};
use super::entropy::{Entropy, Ephemeral};
use super::frame::{HEADER, Session, frame_len, sealed_body_len};
use super::handshake::{Answer, Initiator, MAX_SENT, Recipient, StartError};
use super::key::SecretKey;
use super::secrets::{Secrets, Transcript};
use crate::node_id::NodeId;
use crate::rlpx::Refusal;
use crate::violation::Violation;

fn vectors() -> Value {
    serde_json::from_str(include_str!("../../tests/vectors/eip8.json")).unwrap()
}

fn hex(value: &Value) -> Vec<u8> {
    let digits = value.as_str().unwrap();
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

fn hex32(value: &Value) -> [u8; 32] {
    hex(value).try_into().unwrap()
}

/// One side of the vectors: its static key, and what it drew
fn side(vectors: &Value, name: &str) -> (SecretKey, Ephemeral) {
    let field = |field: &str| hex32(&vectors[String::from(field) + name]);
    let ephemeral = Ephemeral {
        key: Secret::from_bytes(&field("ephemeral_key_")).unwrap(),
        envelope_key: Secret::from_bytes(&[7; 32]).unwrap(),
        nonce: field("nonce_").into(),
        iv: [0; 16],
        padding: 0,
    };
    (SecretKey::from_bytes(field("static_key_")).unwrap(), ephemeral)
}

fn packet(vectors: &Value, list: &str, name: &str) -> Vec<u8> {
    let all = vectors[list].as_array().unwrap();
    hex(&all.iter().find(|vector| vector["name"] == name).unwrap()["wire"])
}

#[test]
fn eip8_auth_is_answered_by_the_recipient() {
    let vectors = vectors();
    for name in ["Auth2", "Auth3"] {
        let (initiator, _) = side(&vectors, "a");
        let (recipient, ephemeral) = side(&vectors, "b");
        let mut auth = packet(&vectors, "auth", name);
        let whole = auth.clone();
        let handshake = Recipient { identity: recipient, ephemeral };
        let answer = handshake.answer(&mut auth, &mut [0; MAX_SENT]).unwrap();
        assert_eq!(answer.remote, initiator.node_id(), "{name}");
        assert_eq!(auth, whole, "the MACs begin with the packet as it came");
        assert_eq!(ecies::packet_len(*auth.first_chunk().unwrap()), Ok(auth.len()));
    }
}

#[test]
fn eip8_ack_is_accepted_by_the_initiator() {
    let vectors = vectors();
    for name in ["Ack2", "Ack3"] {
        let (identity, ephemeral) = side(&vectors, "a");
        let (recipient, _) = side(&vectors, "b");
        let handshake = Initiator { identity, ephemeral, remote: recipient.node_id() };
        let auth = packet(&vectors, "auth", "Auth2");
        assert!(handshake.finish(&auth, &mut packet(&vectors, "ack", name)).is_ok(), "{name}");
    }
}

/// The session that both sides derive from Auth2 and Ack2 is the one in the vectors, in both roles
#[test]
fn eip8_secrets_and_macs() {
    let vectors = vectors();
    let expected = &vectors["derived_on_b_from_auth2_ack2"];
    let (_, a) = side(&vectors, "a");
    let (_, b) = side(&vectors, "b");
    let (auth, ack) = (packet(&vectors, "auth", "Auth2"), packet(&vectors, "ack", "Ack2"));
    let transcript = Transcript { initiator_nonce: &a.nonce, recipient_nonce: &b.nonce, auth: &auth, ack: &ack };
    for shared in [a.key.diffie_hellman(&b.key.public()), b.key.diffie_hellman(&a.key.public())] {
        let secrets = Secrets::derive(&shared, &transcript);
        assert_eq!(*secrets.aes, hex32(&expected["aes_secret"]));
        assert_eq!(*secrets.mac, hex32(&expected["mac_secret"]));
        let mut ingress = secrets.initiator_mac(&transcript);
        assert_eq!(ingress.digest_after(b"foo"), hex32(&expected["ingress_mac_after_absorbing_foo"]));
    }
}

/// Both roles of one handshake made here end up with sessions that understand each other
fn sessions() -> (Session, Session) {
    let entropy = |seed: u8| Entropy::from_bytes(core::array::from_fn(|i| seed.wrapping_mul(31).wrapping_add(i as u8)));
    let (ours, theirs) = (SecretKey::from_bytes([1; 32]).unwrap(), SecretKey::from_bytes([2; 32]).unwrap());
    let (mut auth, mut ack) = ([0; MAX_SENT], [0; MAX_SENT]);
    let (initiator, auth_len) = Initiator::start(&ours, theirs.node_id(), entropy(1), &mut auth).unwrap();
    let recipient = Recipient::new(&theirs, &entropy(2)).unwrap();
    let Answer { outcome: session, remote, len } = recipient.answer(&mut auth[..auth_len], &mut ack).unwrap();
    assert_eq!(remote, ours.node_id());
    (initiator.finish(&auth[..auth_len], &mut ack[..len]).unwrap(), session)
}

fn sealed(session: &mut Session, body: &[u8]) -> Vec<u8> {
    let mut frame = std::vec![0xee; frame_len(body.len())];
    frame[HEADER..HEADER + body.len()].copy_from_slice(body);
    session.seal(&mut frame, body.len());
    frame
}

fn opened(session: &mut Session, frame: &[u8]) -> Result<Vec<u8>, Violation> {
    let (header, sealed) = frame.split_first_chunk().unwrap();
    let size = session.open_header(header)?;
    let mut sealed = sealed.to_vec();
    assert_eq!(sealed.len(), sealed_body_len(size));
    session.open_body(&mut sealed)?;
    sealed.truncate(size);
    Ok(sealed)
}

#[test]
fn frames_of_every_size_cross_in_both_directions() {
    let (mut ours, mut theirs) = sessions();
    for len in (1..200).chain([1023, 1024, 1025, 65_536, 0x00ff_ffff]) {
        let body: Vec<u8> = (0..len).map(|i| (i * 5 + len) as u8).collect();
        assert_eq!(opened(&mut theirs, &sealed(&mut ours, &body)).as_ref(), Ok(&body));
        assert_eq!(opened(&mut ours, &sealed(&mut theirs, &body)).as_ref(), Ok(&body));
    }
}

#[test]
fn a_frame_with_any_bit_flipped_is_refused() {
    let (mut ours, _) = sessions();
    let frame = sealed(&mut ours, b"some twenty-odd bytes of it");
    for bit in 0..frame.len() * 8 {
        // A session is no `Clone`: every damaged frame gets a fresh one, equal to the others.
        let (_, mut theirs) = sessions();
        let mut damaged = frame.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        assert!(opened(&mut theirs, &damaged).is_err(), "bit {bit}");
    }
}

/// The header and the ciphertext of EIP-8's frame vector: its MACs are constants, ours are checked
/// against their definition in `mac.rs`
#[test]
fn the_frame_vector_but_for_its_constant_macs() {
    let vectors = vectors();
    let expected = hex(&vectors["frame_with_constant_mac"]["wire"]);
    let body = hex(&vectors["frame_with_constant_mac"]["frame_data"]);
    let key = crate::keccak::keccak256(&[]);
    let mut frame = std::vec![0; frame_len(body.len())];
    frame[HEADER..HEADER + body.len()].copy_from_slice(&body);
    Session::with_keys(&key, &key).seal(&mut frame, body.len());
    assert_eq!(frame[..16], expected[..16], "header");
    assert_eq!(frame[32..48], expected[32..48], "body");
}

#[test]
fn what_the_first_three_bytes_tell() {
    for (prefix, expected) in [
        ([0x01, 0xb3, 0x04], Ok(0x1b5)),
        ([0x08, 0x00, 0x04], Ok(MAX_PACKET)),
        ([0x00, 0x71, 0x04], Ok(0x73)),
        ([0x04, 0x85, 0xaa], Err(Refusal::PreEip8)),
        ([0x01, 0xb3, 0x02], Err(Refusal::InvalidPublicKey)),
    ] {
        let prefix: [u8; MIN_PREFIX] = prefix;
        let len = ecies::packet_len([prefix[0], prefix[1]]).unwrap();
        assert_eq!(ecies::check_key_form(prefix).map(|()| len), expected, "{prefix:02x?}");
    }
    assert_eq!(MAX_PACKET, MAX_SIZE + 2);
}

#[test]
fn a_size_is_judged_by_its_two_bytes() {
    for size in 0..=u16::MAX {
        let expected = match size {
            0..=0x70 => Err(Refusal::TooShort),
            0x71..=2048 => Ok(usize::from(size) + 2),
            _ => Err(Refusal::TooLarge),
        };
        assert_eq!(ecies::packet_len(size.to_be_bytes()), expected, "{size}");
    }
}

#[test]
fn a_handshake_that_cannot_be_started() {
    let identity = SecretKey::from_bytes([1; 32]).unwrap();
    let good = || Entropy::from_bytes(core::array::from_fn(|i| i as u8));
    let mut repeats = [0; Entropy::SIZE];
    for (i, byte) in repeats.iter_mut().enumerate() {
        *byte = (i % 32) as u8;
    }
    for weak in [[0; Entropy::SIZE], [0xab; Entropy::SIZE], repeats] {
        let outcome = Recipient::new(&identity, &Entropy::from_bytes(weak));
        assert_eq!(outcome.err(), Some(StartError::WeakEntropy));
    }
    let nobody = NodeId::new([1; 64]);
    let outcome = Initiator::start(&identity, nobody, good(), &mut [0; MAX_SENT]);
    assert_eq!(outcome.err(), Some(StartError::InvalidRemote));
    let initiator = Initiator::new(&identity, identity.node_id(), &good()).unwrap();
    assert_eq!(initiator.write_auth(&mut [0; MAX_SENT - 1]), None);
}

//! Packets of the handshake

use devp2p_proto::{Buffers, Cause, DisconnectReason, Instant, NodeId, PeerState, Stage, StartError, Violation};
use devp2p_testing::remote::{Handshake, LINK, REMOTE, initiator, recipient, seal_packet, seal_packet_with};
use devp2p_testing::{PROTOCOLS, config, entropy, key, noise};

use crate::metered::{Work, feed};
use crate::{violation, waiting_links};

const NOW: Instant = Instant::ZERO;
/// What a packet takes besides its plaintext, without the size prefix: key, IV and tag
const ENVELOPE: usize = 65 + 16 + 32;
const MAX_SIZE: usize = 2048;

/// A coordinate by its 32 bytes in hexadecimal digits
fn number(digits: &str) -> [u8; 32] {
    std::array::from_fn(|i| u8::from_str_radix(&digits[2 * i..2 * i + 2], 16).unwrap())
}

fn point(x: &str, y: &str) -> [u8; 64] {
    [number(x), number(y)].concat().try_into().unwrap()
}

const ONE: &str = "0000000000000000000000000000000000000000000000000000000000000001";
const PRIME: &str = "fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f";
const PRIME_PLUS_ONE: &str = "fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc30";
/// The Y of the point with X = 1
const Y_OF_ONE: &str = "4218f20ae6c646b363db68605822fb14264ca8d2587fdd6fbc750d587e76a7ee";
/// The X of the point with Y = 1
const X_OF_ONE: &str = "1fe1e5ef3fceb5c135ab7741333ce5a6e80d68167653f6b2b24bcbcfaaaff507";

/// What the remote sends to a link that it has dialled, and to one that has dialled it, with this key inside
fn packets_with_key(key: [u8; 64]) -> [Vec<u8>; 2] {
    let (remote, local) = (Handshake::new(REMOTE), devp2p_testing::key(LINK).node_id());
    [remote.auth_with(&local, &remote.signature(&local), &key.into()), remote.ack_with(&local, &key)]
}

/// The link must end by this violation, tell its driver once, and send nothing
fn refuses(mut link: PeerState<'_>, packet: &[u8], expected: Violation) -> Work {
    let work = feed(&mut link, NOW, packet);
    assert_eq!(work.cause, Some(Cause::Violation(expected)), "{packet:02x?}");
    assert_eq!((work.actions(), work.sent, link.stage()), (1, 0, Stage::Closed));
    work
}

fn refuses_key(key: [u8; 64]) {
    for (link, packet) in waiting_links().into_iter().zip(packets_with_key(key)) {
        refuses(link, &packet, Violation::InvalidPublicKey);
    }
    // The key of the envelope, in front of the ciphertext
    for link in waiting_links() {
        refuses(link, &seal_packet_with(&key, &[0; 32], &[0; 200]), Violation::InvalidPublicKey);
    }
    let refused = PeerState::initiator(NOW, &config(LINK, PROTOCOLS), key.into(), entropy(1), Buffers::growable());
    assert_eq!(refused.err().map(StartError::from), Some(StartError::InvalidRemote));
}

/// A key that is not on the curve, inside a decrypted handshake body, crashed the node.
///
/// Every key of 64 bytes from the wire is validated: the static key in auth, the ephemeral key in ack, the key of
/// the envelope, and the node id that is dialled. Off the curve, zero, and in the wrong form it is named.
#[test]
fn cve_2025_24883() {
    let valid = *key(7).node_id().as_bytes();
    for bit in [0, 7, 255, 256, 300, 511] {
        let mut off_curve = valid;
        off_curve[bit / 8] ^= 1 << (bit % 8);
        refuses_key(off_curve);
    }
    refuses_key([0; 64]);
    refuses_key([1; 64]);
    // (0, 0) is how some libraries spell the point at infinity; these have one coordinate of it.
    refuses_key(point(&ONE.replace('1', "0"), ONE));
    refuses_key(point(ONE, &ONE.replace('1', "0")));
    for form in (0..=255).filter(|form| *form != 4) {
        for link in waiting_links() {
            let mut packet = seal_packet(&key(LINK).node_id(), &[0; 200]);
            packet[2] = form;
            refuses(link, &packet[..3], Violation::InvalidPublicKey);
        }
    }
}

/// Coordinates that are not below the field prime crashed the curve code.
///
/// They are refused wherever a key comes from the wire, even if the number is that of a point modulo the prime.
/// The same holds for r and s of the signature: zero, not below the order of the curve, no X of a point; and for
/// a recovery id beyond 1.
#[test]
fn ghsa_2gjw_fg97_vg3r() {
    for valid in [point(ONE, Y_OF_ONE), point(X_OF_ONE, ONE)] {
        let [auth, _] = packets_with_key(valid);
        let [mut link, _] = waiting_links();
        assert_ne!(feed(&mut link, NOW, &auth).cause, Some(Cause::Violation(Violation::InvalidPublicKey)));
    }
    refuses_key(point(PRIME_PLUS_ONE, Y_OF_ONE));
    refuses_key(point(X_OF_ONE, PRIME_PLUS_ONE));
    refuses_key(point(PRIME, Y_OF_ONE));
    refuses_key([0xff; 64]);

    const ORDER: &str = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";
    const NO_X: &str = "0000000000000000000000000000000000000000000000000000000000000005";
    let (remote, local) = (Handshake::new(REMOTE), key(LINK).node_id());
    let good = remote.signature(&local);
    let mut bad = Vec::new();
    for at in [0, 32] {
        for scalar in [[0; 32], number(ORDER), [0xff; 32]] {
            let mut signature = good;
            signature[at..at + 32].copy_from_slice(&scalar);
            bad.push(signature);
        }
    }
    let mut no_point = good;
    no_point[..32].copy_from_slice(&number(NO_X));
    bad.push(no_point);
    bad.extend((2..=255).map(|v| {
        let mut signature = good;
        signature[64] = v;
        signature
    }));
    for signature in bad {
        let packet = remote.auth_with(&local, &signature, &remote.id());
        refuses(recipient(&config(LINK, PROTOCOLS)), &packet, Violation::InvalidSignature);
    }
}

/// An ECIES body shorter than key, IV and tag together made a negative length; nodes crashed again and again for
/// weeks.
///
/// Every size that a packet can announce is refused at its prefix or waited for, and what is waited for takes no
/// memory until it comes. A packet of any size, and every truncation of a valid one, ends by a named violation.
#[test]
fn cve_2026_22862() {
    let noise = noise(1, 2 + MAX_SIZE);
    for size in 0..=2049_u16 {
        let announced = [&size.to_be_bytes()[..], &[4]].concat();
        let expected = match usize::from(size) {
            ..ENVELOPE => Some(Violation::HandshakeTooShort),
            ENVELOPE..=MAX_SIZE => None,
            _ => Some(Violation::HandshakeTooLarge),
        };
        for mut link in waiting_links() {
            let work = feed(&mut link, NOW, &announced);
            assert_eq!(violation(&link), expected, "{size}");
            assert!(work.peak <= 64, "{} bytes for a claim of {size}", work.peak);
            if expected.is_none() {
                let work = feed(&mut link, NOW, &noise[..usize::from(size) - 1]);
                assert_eq!(work.cause, Some(Cause::Violation(Violation::InvalidPublicKey)), "{size}");
            }
        }
    }
}

#[test]
fn cve_2026_22862_truncations() {
    let (remote, local) = (Handshake::new(REMOTE), key(LINK).node_id());
    for (role, packet) in [remote.auth(&local), remote.ack(&local)].iter().enumerate() {
        for cut in 0..packet.len() {
            let [recipient, initiator] = waiting_links();
            let mut link = if role == 0 { recipient } else { initiator };
            feed(&mut link, NOW, &packet[..cut]);
            assert_eq!(link.cause(), None, "the rest may come, after {cut} bytes");
            link.receive_closed(NOW);
            assert_eq!(link.cause(), Some(Cause::ReceiveClosed));
        }
        // A body that ends early, in an envelope that is whole
        for len in (0..packet.len() - 2 - ENVELOPE).step_by(7) {
            let [recipient, initiator] = waiting_links();
            let mut link = if role == 0 { recipient } else { initiator };
            let mut short = packet[..2 + ENVELOPE + len].to_vec();
            short[..2].copy_from_slice(&u16::try_from(ENVELOPE + len).unwrap().to_be_bytes());
            feed(&mut link, NOW, &short);
            assert_eq!(violation(&link), Some(Violation::HandshakeTagMismatch), "{len}");
        }
    }
}

/// The text of a packet that ends anywhere is malformed RLP, and nothing else.
#[test]
fn cve_2026_22862_bodies() {
    let local = key(LINK).node_id();
    for text in [&[][..], &[0xc0], &[0xf8], &[0xf8, 0xff], &[0xf9, 0xff, 0xff], &[0x80], &[0xc1, 0x81], &[0; 300]] {
        for mut link in waiting_links() {
            feed(&mut link, NOW, &seal_packet(&local, text));
            assert!(matches!(violation(&link), Some(Violation::MalformedHandshake(_))), "{text:02x?}");
        }
    }
}

/// A point of another curve went into the key agreement and failed only at the tag, by which an attacker learns
/// bits of the node's key.
///
/// The point is validated before the node's key is used. A remote that guesses the shared secret of a point of
/// order 3, which is right once in three times, sees what a remote with a wrong tag sees: the end, and no byte.
#[test]
fn ghsa_m6j8_rg6r_7mv8() {
    // (0, y) has order 3 on the curve y² = x³ + b on which it lies: every multiple has X = 0, or is infinity.
    let order_3 = point(&ONE.replace('1', "0"), ONE);
    let envelope = *Handshake::new(9).id().as_bytes();
    let mut seen = Vec::new();
    for (key, shared, expected) in [
        (order_3, [0; 32], Violation::InvalidPublicKey),
        (order_3, [7; 32], Violation::InvalidPublicKey),
        (envelope, [7; 32], Violation::HandshakeTagMismatch),
    ] {
        for link in waiting_links() {
            let packet = seal_packet_with(&key, &shared, &[0; 200]);
            let Work { taken, calls, sends, sent, ends, .. } = refuses(link, &packet, expected);
            seen.push((taken, calls, sends, sent, ends));
        }
    }
    assert!(seen.iter().all(|work| *work == seen[0]), "{seen:?}");
}

/// Packets of the handshake were read whole before anybody looked at their size.
///
/// A size beyond 2048 is refused at the second byte.
#[test]
fn geth_30029() {
    for size in (2049..=u16::MAX).step_by(257).chain([u16::MAX]) {
        for mut link in waiting_links() {
            let [high, low] = size.to_be_bytes();
            assert_eq!(feed(&mut link, NOW, &[high]).cause, None);
            let work = feed(&mut link, NOW, &[low]);
            assert_eq!(work.cause, Some(Cause::Violation(Violation::HandshakeTooLarge)), "{size}");
            assert!(work.peak <= 16, "{} bytes", work.peak);
        }
    }
}

/// Live attacks on bootstrap nodes sent packets without a limit.
///
/// A packet that is too large by one byte and otherwise valid ends the link at its prefix: no byte of its key is
/// taken, so no arithmetic on the curve is done. The largest packet is taken.
#[test]
fn core_geth_694() {
    let local = key(LINK).node_id();
    let packet = |size: usize| seal_packet(&local, &noise(5, size - ENVELOPE));
    for mut link in waiting_links() {
        let len = link.receive(NOW, &packet(MAX_SIZE + 1));
        assert_eq!((len, violation(&link)), (2, Some(Violation::HandshakeTooLarge)));
    }
    for mut link in waiting_links() {
        let work = feed(&mut link, NOW, &packet(MAX_SIZE));
        assert!(matches!(work.cause, Some(Cause::Violation(Violation::MalformedHandshake(_)))), "{work:?}");
        assert!(work.peak < 2 * (2 + MAX_SIZE as isize), "{} bytes", work.peak);
    }
}

/// The whole handshake is paid for peers that are then refused as too many.
///
/// A driver that refuses before it gives the link a byte gets the end at once, without a packet and without heap.
/// One that refuses at the claim sends Disconnect and no Hello.
#[test]
fn besu_8957() {
    let too_many = DisconnectReason::TOO_MANY_PEERS;
    let mut link = recipient(&config(LINK, PROTOCOLS));
    link.disconnect(NOW, too_many);
    let work = feed(&mut link, NOW, &Handshake::new(REMOTE).auth(&key(LINK).node_id()));
    assert_eq!((work.cause, work.actions(), work.sent, work.peak), (Some(Cause::Local(too_many)), 1, 0, 0));
    assert_eq!(link.remote_id(), None::<NodeId>, "the packet was not looked at");
    // A dialling link has not even sealed its auth.
    let mut link = initiator(&config(LINK, PROTOCOLS));
    link.disconnect(NOW, too_many);
    let work = feed(&mut link, NOW, &[0]);
    assert_eq!((work.cause, work.actions(), work.sent, work.peak), (Some(Cause::Local(too_many)), 1, 0, 0));
}

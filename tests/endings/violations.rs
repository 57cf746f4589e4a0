//! Endings by a violation of the protocol

use devp2p_proto::rlp::RlpError;
use devp2p_proto::{Cause, DisconnectReason as Reason, Instant, PeerState, SnappyError, Stage, Violation};
use devp2p_testing::remote::{
    DISCONNECT, HELLO, Handshake, Hello, LINK, PING, REMOTE, Scene, body, compressed, initiator, recipient, seal_packet,
};
use devp2p_testing::{Node, PROTOCOLS, config};

use crate::{cause, parting};

type Provoke = fn(&mut Scene<'_>);

/// Violations in a frame, and the reason that the remote is told
#[test]
fn every_violation_after_the_handshake() {
    let hello = Stage::Hello;
    let running = Stage::Running;
    let breach = Some(Reason::BREACH_OF_PROTOCOL);
    let rows: &[(Stage, Provoke, Violation, Option<Reason>)] = &[
        (hello, |s| flipped(s, 0), Violation::HeaderMacMismatch, None),
        (running, |s| flipped(s, 0), Violation::HeaderMacMismatch, None),
        (running, |s| flipped(s, 31), Violation::HeaderMacMismatch, None),
        (hello, |s| flipped(s, 32), Violation::BodyMacMismatch, None),
        (running, |s| flipped(s, 32), Violation::BodyMacMismatch, None),
        (running, |s| flipped(s, 63), Violation::BodyMacMismatch, None),
        (hello, |s| s.send_body(&[]), Violation::EmptyFrame, breach),
        (running, |s| s.send_body(&[]), Violation::EmptyFrame, breach),
        (hello, |s| s.send_body(&[0; 2050]), Violation::FrameTooLarge { size: 2050 }, breach),
        (running, |s| s.send_body(&[0; 60_000]), Violation::FrameTooLarge { size: 60_000 }, breach),
        (running, |s| s.send_body(&[0x81, 0x10]), Violation::MalformedMessageId(RlpError::NonCanonicalLength), breach),
        (running, |s| s.send_body(&[0xc0]), Violation::MalformedMessageId(RlpError::ExpectedString), breach),
        (running, |s| s.send(0x17, b"beyond"), Violation::UnknownMessageId(0x17), breach),
        (running, |s| s.send(u64::MAX, b"beyond"), Violation::UnknownMessageId(u64::MAX), breach),
        (running, |s| s.send_body(&body(0x10, &[])), Violation::MalformedCompression(SnappyError::BadLength), breach),
        (
            running,
            |s| s.send_body(&body(0x10, &[8, 0x01, 0x00])),
            Violation::MalformedCompression(SnappyError::BadOffset),
            breach,
        ),
        (running, |s| s.send(0x10, &[7; 40_001]), Violation::PayloadTooLarge { size: 40_001 }, breach),
        (running, |s| s.send(0x14, &[7; 501]), Violation::PayloadTooLarge { size: 501 }, breach),
        (running, |s| s.send(PING, &devp2p_testing::noise(1, 2100)), Violation::FrameTooLarge { size: 2106 }, breach),
        (hello, |s| s.send_body(&body(PING, &[0xc0])), Violation::ExpectedHello { id: PING }, breach),
        (hello, |s| s.send_body(&body(0x10, b"early")), Violation::ExpectedHello { id: 0x10 }, breach),
        (hello, |s| s.send_body(&body(HELLO, &[0xc0])), Violation::MalformedHello(RlpError::Truncated), breach),
        (hello, |s| s.send_body(&body(HELLO, &[0x05])), Violation::MalformedHello(RlpError::ExpectedList), breach),
        (
            hello,
            |s| s.send_hello(Hello { version: 3, ..Hello::fitting(REMOTE) }),
            Violation::IncompatibleVersion(3),
            Some(Reason::INCOMPATIBLE_VERSION),
        ),
        (
            hello,
            |s| s.send_hello(Hello { id: [0; 64].into(), ..Hello::fitting(REMOTE) }),
            Violation::NullIdentity,
            Some(Reason::NULL_IDENTITY),
        ),
        (
            hello,
            |s| s.send_hello(Hello { id: Handshake::new(3).id(), ..Hello::fitting(REMOTE) }),
            Violation::UnexpectedIdentity,
            Some(Reason::UNEXPECTED_IDENTITY),
        ),
        (
            hello,
            |s| s.send_body(&body(DISCONNECT, &[0xc1, 0xc0])),
            Violation::MalformedDisconnect(RlpError::ExpectedString),
            breach,
        ),
        (running, |s| s.send(DISCONNECT, &[0xc1]), Violation::MalformedDisconnect(RlpError::TrailingBytes), breach),
    ];
    let protocols = [PROTOCOLS[0], PROTOCOLS[1].with_max_message(500)];
    for (index, (stage, provoke, violation, reason)) in rows.iter().enumerate() {
        let config = config(LINK, &protocols).with_max_message(40_000).unwrap();
        let mut scene = if *stage == Stage::Hello {
            Scene::expecting_hello()
        } else {
            Scene::running_with(recipient(&config), Hello::fitting(REMOTE))
        };
        provoke(&mut scene);
        scene.settle();
        assert_eq!(scene.node.delivered(), [], "row {index}");
        assert_eq!(parting(&mut scene), (Cause::Violation(*violation), *reason), "row {index}");
        assert_eq!(violation.is_answered(), reason.is_some(), "row {index}");
        assert_eq!(reason.unwrap_or(Reason::BREACH_OF_PROTOCOL), violation.reason(), "row {index}");
    }
}

/// Sends a Ping, or a Hello if none was sent, with one bit flipped
pub(crate) fn flipped(scene: &mut Scene<'_>, index: usize) {
    let running = scene.node.link.stage() == Stage::Running;
    let message =
        if running { body(PING, &compressed(&[0xc0])) } else { body(HELLO, &Hello::fitting(REMOTE).encode()) };
    scene.send_body(&message);
    scene.input.flip(index, 5);
}

#[test]
fn connected_to_self() {
    let link = recipient(&config(LINK, PROTOCOLS));
    let mut scene = Scene::remote_dials_with(Handshake::new(LINK), link);
    scene.settle();
    scene.send_hello(Hello::fitting(LINK));
    let told = Some(Reason::CONNECTED_TO_SELF);
    assert_eq!(parting(&mut scene), (Cause::Violation(Violation::ConnectedToSelf), told));
}

#[test]
fn every_violation_in_the_handshake() {
    let dialling = Handshake::new(REMOTE);
    let local = Handshake::new(LINK).id();
    let auth = dialling.auth(&local);
    let edited = |edit: &dyn Fn(&mut Vec<u8>)| {
        let mut packet = auth.clone();
        edit(&mut packet);
        packet
    };
    let signature = |edit: &dyn Fn(&mut [u8; 65])| {
        let mut signature = dialling.signature(&local);
        edit(&mut signature);
        dialling.auth_with(&local, &signature, &dialling.id())
    };
    // Three keys that are not valid: not on the curve, zero, and larger than the field prime.
    let mut off_curve = *dialling.id().as_bytes();
    off_curve[63] ^= 1;
    let keys = [off_curve, [0; 64], [0xff; 64]];
    let truncated = Violation::MalformedHandshake(RlpError::Truncated);
    let rows = [
        (vec![0x08, 0x01, 0x04], Violation::HandshakeTooLarge),
        (vec![0xff, 0xff, 0xff], Violation::HandshakeTooLarge),
        (vec![0x00, 0x00, 0x04], Violation::HandshakeTooShort),
        (vec![0x00, 0x70, 0x04], Violation::HandshakeTooShort),
        (vec![0x04, 0x8d, 0x77], Violation::PreEip8Handshake),
        (vec![0x01, 0x99, 0x02], Violation::InvalidPublicKey),
        (edited(&|packet| packet[3..67].fill(0)), Violation::InvalidPublicKey),
        (edited(&|packet| packet[3..67].fill(0xff)), Violation::InvalidPublicKey),
        (edited(&|packet| packet[66] ^= 1), Violation::InvalidPublicKey),
        (edited(&|packet| packet[70] ^= 1), Violation::HandshakeTagMismatch),
        (edited(&|packet| packet[100] ^= 1), Violation::HandshakeTagMismatch),
        (edited(&|packet| *packet.last_mut().unwrap() ^= 1), Violation::HandshakeTagMismatch),
        (seal_packet(&dialling.id(), &[0xc0; 200]), Violation::HandshakeTagMismatch),
        (seal_packet(&local, &[0xc0]), truncated),
        (seal_packet(&local, &[]), truncated),
        (seal_packet(&local, &[0x80; 200]), Violation::MalformedHandshake(RlpError::ExpectedList)),
    ];
    let mut only_auth = vec![
        (signature(&|signature| signature[64] = 2), Violation::InvalidSignature),
        (signature(&|signature| signature[..32].fill(0)), Violation::InvalidSignature),
        (signature(&|signature| signature[32..64].fill(0xff)), Violation::InvalidSignature),
    ];
    for key in keys {
        let auth = dialling.auth_with(&local, &dialling.signature(&local), &key.into());
        only_auth.push((auth, Violation::InvalidPublicKey));
        refuses_packet(
            initiator(&config(LINK, PROTOCOLS)),
            &dialling.ack_with(&local, &key),
            Violation::InvalidPublicKey,
        );
    }
    for (packet, violation) in rows.iter().chain(&only_auth) {
        refuses_packet(recipient(&config(LINK, PROTOCOLS)), packet, *violation);
    }
    for (packet, violation) in &rows {
        refuses_packet(initiator(&config(LINK, PROTOCOLS)), packet, *violation);
    }
}

fn refuses_packet(link: PeerState<'_>, packet: &[u8], violation: Violation) {
    let mut node = Node::new(link);
    let now = Instant::ZERO;
    if let Some(devp2p_proto::Action::Send(auth)) = node.link.poll() {
        let len = auth.len();
        node.link.sent(now, len).unwrap();
    }
    _ = node.link.receive(now, packet);
    assert!(!violation.is_answered());
    assert_eq!(node.link.cause(), Some(Cause::Violation(violation)), "{packet:02x?}");
    assert_eq!(node.link.unsent().len(), 0, "nothing is sent");
    let action = node.link.poll().map(devp2p_testing::observe);
    node.seen.extend(action);
    assert_eq!(cause(&mut node, now), Cause::Violation(violation));
}

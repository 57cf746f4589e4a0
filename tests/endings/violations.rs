//! Every way in which a link ends: why, as each side is told, and what went over the wire
#![cfg(feature = "alloc")]
mod support;

use std::time::Duration;

use devp2p_proto::rlp::RlpError;
use devp2p_proto::{
    Cause, DisconnectReason as Reason, Instant, PeerState, ProtocolError, SnappyError, Stage, Timeout, Timeouts, Timer,
    Violation, WriteError,
};
use support::remote::{
    DISCONNECT, HELLO, Handshake, Hello, LINK, PING, PONG, REMOTE, Scene, body, compressed, initiator, recipient,
    seal_packet,
};
use support::{ALPHA, BETA, Node, PROTOCOLS, Pair, Seen, config};

const SECOND: Duration = Duration::from_secs(1);

/// Checks that the end of `node` was told once and last and that nothing comes after it
fn cause(node: &mut Node<'_>, now: Instant) -> Cause {
    let told = node.seen.iter().filter(|seen| matches!(seen, Seen::Disconnect(_))).count();
    assert_eq!(told, 1, "{:?}", node.seen);
    let Some(Seen::Disconnect(cause)) = node.seen.last().cloned() else {
        panic!("something came after the end: {:?}", node.seen);
    };
    let link = &mut node.link;
    assert_eq!((link.stage(), link.cause()), (Stage::Closed, Some(cause)));
    assert_eq!(link.next_timeout(), None, "nothing is waited for");
    assert_eq!(link.write(now, ALPHA, 0, b"late"), Err(WriteError::Closed));
    assert_eq!(link.receive(now, &[0x5a; 100]), 100, "input is swallowed");
    link.handle_timeout(now.checked_add(SECOND * 1000).unwrap());
    assert!(link.poll().is_none());
    cause
}

/// Lets the last words cross, and returns the cause and the reason that the remote was told
fn parting(scene: &mut Scene<'_>) -> (Cause, Option<Reason>) {
    scene.pass(SECOND * 5);
    let cause = cause(&mut scene.node, scene.now);
    (cause, told(scene))
}

/// The reason in the Disconnect that the link has sent, if it has: once, last, and as a list
fn told(scene: &Scene<'_>) -> Option<Reason> {
    let mut reasons = scene.heard.iter().skip_while(|(id, _)| *id != DISCONNECT);
    let (_, payload) = reasons.next()?;
    assert_eq!(reasons.next(), None, "Disconnect is the last word");
    let code: u64 = rlp::Rlp::new(payload).val_at(0).unwrap();
    Some(Reason::from_code(code))
}

// What one side does, and what both are told

#[test]
fn each_row_of_the_table_of_endings() {
    type Act = fn(&mut PeerState<'_>, Instant);
    let failed = |error| Cause::ProtocolFailed(BETA, error);
    let rows: &[(Act, Cause, Cause)] = &[
        (
            |link, now| link.disconnect(now, Reason::Requested),
            Cause::Local(Reason::Requested),
            Cause::Remote(Reason::Requested),
        ),
        (
            |link, now| link.protocol_returned(now, BETA, Ok(())).unwrap(),
            Cause::ProtocolReturned(BETA),
            Cause::Remote(Reason::ClientQuitting),
        ),
        (
            |link, now| {
                let own = ProtocolError::Reason(Reason::TooManyPeers);
                link.protocol_returned(now, BETA, Err(own)).unwrap();
            },
            failed(ProtocolError::Reason(Reason::TooManyPeers)),
            Cause::Remote(Reason::TooManyPeers),
        ),
        (
            |link, now| link.protocol_returned(now, BETA, Err(ProtocolError::BadMessage)).unwrap(),
            failed(ProtocolError::BadMessage),
            Cause::Remote(Reason::BreachOfProtocol),
        ),
        (
            |link, now| link.protocol_returned(now, BETA, Err(ProtocolError::Other)).unwrap(),
            failed(ProtocolError::Other),
            Cause::Remote(Reason::Subprotocol),
        ),
        (|link, now| link.receive_closed(now), Cause::ReceiveClosed, Cause::ReceiveClosed),
        (|link, now| link.send_failed(now), Cause::SendFailed, Cause::ReceiveClosed),
    ];
    for (act, ours, theirs) in rows {
        for dialled in [false, true] {
            let mut pair = Pair::running();
            let subject = if dialled { &mut pair.recipient } else { &mut pair.initiator };
            act(&mut subject.link, pair.now);
            pair.pass(SECOND * 3);
            let causes = (cause(&mut pair.initiator, pair.now), cause(&mut pair.recipient, pair.now));
            let expected = if dialled { (*theirs, *ours) } else { (*ours, *theirs) };
            assert_eq!(causes, expected);
            assert_eq!(ours.reason(), if theirs.is_remote() { theirs.reason() } else { Reason::TcpError });
        }
    }
}

#[test]
fn every_reason_arrives_as_it_was_given() {
    for code in (0..=0x11).chain([0x7f, 0x80, 0xff, 0x100, u64::MAX]) {
        let reason = Reason::from_code(code);
        let mut pair = Pair::running();
        pair.recipient.link.disconnect(pair.now, reason);
        assert_eq!(pair.recipient.link.stage(), Stage::Closing);
        pair.settle();
        assert_eq!(pair.causes(), (Some(Cause::Remote(reason)), Some(Cause::Local(reason))));
    }
}

#[test]
fn both_close_at_once_and_each_keeps_its_own_reason() {
    let mut pair = Pair::running();
    pair.initiator.link.disconnect(pair.now, Reason::ClientQuitting);
    pair.recipient.link.disconnect(pair.now, Reason::UselessPeer);
    pair.pass(SECOND * 3);
    let causes = (cause(&mut pair.initiator, pair.now), cause(&mut pair.recipient, pair.now));
    assert_eq!(causes, (Cause::Local(Reason::ClientQuitting), Cause::Local(Reason::UselessPeer)));
}

#[test]
fn the_first_reason_stays() {
    let mut pair = Pair::running();
    let now = pair.now;
    let link = &mut pair.initiator.link;
    link.disconnect(now, Reason::UselessPeer);
    link.disconnect(now, Reason::Requested);
    link.protocol_returned(now, ALPHA, Err(ProtocolError::Other)).unwrap();
    link.receive_closed(now);
    link.send_failed(now);
    pair.settle();
    assert_eq!(cause(&mut pair.initiator, now), Cause::Local(Reason::UselessPeer));
}

#[test]
fn what_was_written_before_the_end_is_delivered_before_it() {
    let mut pair = Pair::running();
    pair.initiator.link.write(pair.now, ALPHA, 1, b"last").unwrap();
    pair.initiator.link.disconnect(pair.now, Reason::ClientQuitting);
    pair.settle();
    let expected = [Seen::Deliver(ALPHA, 1, b"last".to_vec()), Seen::Disconnect(Cause::Remote(Reason::ClientQuitting))];
    assert_eq!(pair.recipient.seen, expected);
}

#[test]
fn a_message_before_the_end_of_the_stream_is_delivered() {
    let mut scene = Scene::running();
    scene.say_body(&body(0x10, &compressed(b"first")));
    scene.hang_up();
    let expected = [Seen::Deliver(ALPHA, 0, b"first".to_vec()), Seen::Disconnect(Cause::ReceiveClosed)];
    assert_eq!(scene.node.seen, expected);
}

#[test]
fn an_unknown_protocol_cannot_return() {
    let mut pair = Pair::running();
    let stranger = devp2p_proto::ProtocolId(9);
    let refused = pair.initiator.link.protocol_returned(pair.now, stranger, Ok(()));
    assert_eq!(refused, Err(devp2p_proto::Refused::NotRunning));
    assert_eq!(pair.initiator.link.stage(), Stage::Running);
}

// Refusals on the way up

#[test]
fn a_disconnect_at_authenticated_takes_the_place_of_hello() {
    let mut scene = Scene::met(recipient(&config(LINK, PROTOCOLS)));
    assert_eq!(scene.node.link.stage(), Stage::Admission);
    scene.node.link.disconnect(scene.now, Reason::TooManyPeers);
    scene.settle();
    assert_eq!(scene.heard, [(DISCONNECT, vec![0xc1, 0x04])], "in the clear, and no Hello before it");
    assert_eq!(parting(&mut scene), (Cause::Local(Reason::TooManyPeers), Some(Reason::TooManyPeers)));

    let mut pair = Pair::new(&config(1, PROTOCOLS), &config(2, PROTOCOLS));
    pair.recipient.react = Some(|link, now, seen| {
        if matches!(seen, Seen::Authenticated(_)) {
            link.disconnect(now, Reason::AlreadyConnected);
        }
    });
    pair.settle();
    let reason = Reason::AlreadyConnected;
    assert_eq!(pair.causes(), (Some(Cause::Remote(reason)), Some(Cause::Local(reason))));
}

#[test]
fn the_dialler_can_refuse_at_authenticated_too() {
    let mut pair = Pair::new(&config(1, PROTOCOLS), &config(2, PROTOCOLS));
    pair.initiator.react = Some(|link, now, seen| {
        if matches!(seen, Seen::Authenticated(_)) {
            link.disconnect(now, Reason::UselessPeer);
        }
    });
    pair.settle();
    let reason = Reason::UselessPeer;
    assert_eq!(pair.causes(), (Some(Cause::Local(reason)), Some(Cause::Remote(reason))));
}

#[test]
fn a_disconnect_at_ready_is_compressed() {
    let mut pair = Pair::new(&config(1, PROTOCOLS), &config(2, PROTOCOLS));
    pair.recipient.react = Some(|link, now, seen| {
        if matches!(seen, Seen::Ready(_)) {
            link.disconnect(now, Reason::TooManyPeers);
        }
    });
    pair.settle();
    let reason = Reason::TooManyPeers;
    assert_eq!(pair.causes(), (Some(Cause::Remote(reason)), Some(Cause::Local(reason))));
}

#[test]
fn before_the_keys_there_is_nobody_to_tell() {
    let mut pair = Pair::new(&config(1, PROTOCOLS), &config(2, PROTOCOLS));
    pair.initiator.link.disconnect(pair.now, Reason::Requested);
    pair.settle();
    assert!(pair.forth.log.is_empty());
    assert_eq!(cause(&mut pair.initiator, pair.now), Cause::Local(Reason::Requested));
}

#[test]
fn nothing_shared() {
    let other = [devp2p_proto::Protocol::new("gamma", 1, 4), devp2p_proto::Protocol::new("alpha", 2, 4)];
    let mut pair = Pair::new(&config(1, PROTOCOLS), &config(2, &other));
    pair.pass(SECOND * 3);
    let told = Cause::Remote(Reason::UselessPeer);
    let causes = (cause(&mut pair.initiator, pair.now), cause(&mut pair.recipient, pair.now));
    assert!(matches!(causes, (Cause::NothingShared, _) | (_, Cause::NothingShared)), "{causes:?}");
    for cause in [causes.0, causes.1] {
        assert!(cause == Cause::NothingShared || cause == told, "{cause:?}");
        assert_eq!(cause.reason(), Reason::UselessPeer);
    }
    assert!(!pair.initiator.seen.iter().any(|seen| matches!(seen, Seen::Ready(_))), "nothing was started");
}

// What the remote says

/// Disconnect in every form that is seen in the wild
#[test]
fn a_remote_disconnect_in_every_form() {
    let forms: &[(&[u8], Reason)] = &[
        (&[0xc1, 0x04], Reason::TooManyPeers),
        (&[0x04], Reason::TooManyPeers),
        (&[0xc1, 0x80], Reason::Requested),
        (&[0xc1, 0x00], Reason::Requested),
        (&[0x80], Reason::Requested),
        (&[0x00], Reason::Requested),
        (&[0xc0], Reason::Requested),
        (&[], Reason::Requested),
        (&[0xc1, 0x10], Reason::Subprotocol),
        (&[0xc2, 0x81, 0xee], Reason::Other(0xee)),
        (&[0xc4, 0x83, 1, 0, 0], Reason::Other(0x10000)),
    ];
    let scenes: [fn() -> Scene<'static>; 3] = [Scene::expecting_hello, Scene::running, || {
        let old = Hello { version: 4, ..Hello::fitting(REMOTE) };
        Scene::running_with(recipient(&config(LINK, PROTOCOLS)), old)
    }];
    for (payload, reason) in forms {
        for raw in [payload.to_vec(), compressed(payload)] {
            for scene in scenes {
                let mut scene = scene();
                scene.say_body(&body(DISCONNECT, &raw));
                scene.settle();
                let stage = scene.heard.len();
                assert_eq!(scene.node.cause(), Some(Cause::Remote(*reason)), "{raw:02x?} after {stage}");
                assert_eq!(parting(&mut scene), (Cause::Remote(*reason), None), "nothing is sent back");
            }
        }
    }
}

/// The remote's Disconnect may come right after its ack, when it has no room
#[test]
fn a_disconnect_instead_of_hello_reaches_the_dialler() {
    let mut scene = Scene::dialled(initiator(&config(LINK, PROTOCOLS)));
    scene.say_body(&body(DISCONNECT, &[0xc1, 0x04]));
    scene.settle();
    assert_eq!(parting(&mut scene), (Cause::Remote(Reason::TooManyPeers), None));
}

type Provoke = fn(&mut Scene<'_>);

/// Violations in a frame, and whether the remote is told
#[test]
fn every_violation_after_the_handshake() {
    let hello = Stage::Hello;
    let running = Stage::Running;
    let breach = Some(Reason::BreachOfProtocol);
    let rows: &[(Stage, Provoke, Violation, Option<Reason>)] = &[
        (hello, |s| flipped(s, 0), Violation::HeaderMacMismatch, None),
        (running, |s| flipped(s, 0), Violation::HeaderMacMismatch, None),
        (running, |s| flipped(s, 31), Violation::HeaderMacMismatch, None),
        (hello, |s| flipped(s, 32), Violation::BodyMacMismatch, None),
        (running, |s| flipped(s, 32), Violation::BodyMacMismatch, None),
        (running, |s| flipped(s, 63), Violation::BodyMacMismatch, None),
        (hello, |s| s.say_body(&[]), Violation::EmptyFrame, breach),
        (running, |s| s.say_body(&[]), Violation::EmptyFrame, breach),
        (hello, |s| s.say_body(&[0; 2050]), Violation::FrameTooLarge { size: 2050 }, breach),
        (running, |s| s.say_body(&[0; 60_000]), Violation::FrameTooLarge { size: 60_000 }, breach),
        (running, |s| s.say_body(&[0x81, 0x10]), Violation::MalformedMessageId(RlpError::NonCanonicalLength), breach),
        (running, |s| s.say_body(&[0xc0]), Violation::MalformedMessageId(RlpError::ExpectedString), breach),
        (running, |s| s.say(0x17, b"beyond"), Violation::UnknownMessageId(0x17), breach),
        (running, |s| s.say(u64::MAX, b"beyond"), Violation::UnknownMessageId(u64::MAX), breach),
        (running, |s| s.say_body(&body(0x10, &[])), Violation::MalformedCompression(SnappyError::BadLength), breach),
        (
            running,
            |s| s.say_body(&body(0x10, &[8, 0x01, 0x00])),
            Violation::MalformedCompression(SnappyError::BadOffset),
            breach,
        ),
        (
            running,
            |s| s.say_body(&body(PING, &[0xff; 9])),
            Violation::MalformedCompression(SnappyError::BadLength),
            breach,
        ),
        (running, |s| s.say(0x10, &[7; 40_001]), Violation::PayloadTooLarge { size: 40_001 }, breach),
        (running, |s| s.say(0x14, &[7; 501]), Violation::PayloadTooLarge { size: 501 }, breach),
        (running, |s| s.say(PING, &[0; 2049]), Violation::PayloadTooLarge { size: 2049 }, breach),
        (hello, |s| s.say_body(&body(PING, &[0xc0])), Violation::ExpectedHello { id: PING }, breach),
        (hello, |s| s.say_body(&body(0x10, b"early")), Violation::ExpectedHello { id: 0x10 }, breach),
        (hello, |s| s.say_body(&body(HELLO, &[0xc0])), Violation::MalformedHello(RlpError::Truncated), breach),
        (hello, |s| s.say_body(&body(HELLO, &[0x05])), Violation::MalformedHello(RlpError::ExpectedList), breach),
        (
            hello,
            |s| s.greet(Hello { version: 3, ..Hello::fitting(REMOTE) }),
            Violation::IncompatibleVersion(3),
            Some(Reason::IncompatibleVersion),
        ),
        (
            hello,
            |s| s.greet(Hello { id: [0; 64].into(), ..Hello::fitting(REMOTE) }),
            Violation::NullIdentity,
            Some(Reason::NullIdentity),
        ),
        (
            hello,
            |s| s.greet(Hello { id: Handshake::new(3).id(), ..Hello::fitting(REMOTE) }),
            Violation::UnexpectedIdentity,
            Some(Reason::UnexpectedIdentity),
        ),
        (
            hello,
            |s| s.say_body(&body(DISCONNECT, &[0xc1, 0xc0])),
            Violation::MalformedDisconnect(RlpError::ExpectedString),
            breach,
        ),
        (running, |s| s.say(DISCONNECT, &[0xc1]), Violation::MalformedDisconnect(RlpError::TrailingBytes), breach),
        (running, |s| s.say(PING, &[0xc1]), Violation::MalformedPing(RlpError::Truncated), breach),
        (running, |s| s.say(PONG, &[0xc0, 0xc0]), Violation::MalformedPing(RlpError::TrailingBytes), breach),
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
        assert_eq!(reason.unwrap_or(Reason::BreachOfProtocol), violation.reason(), "row {index}");
    }
}

/// Sends a Ping, or a Hello where that is due, with a bit flipped
fn flipped(scene: &mut Scene<'_>, index: usize) {
    let running = scene.node.link.stage() == Stage::Running;
    let message =
        if running { body(PING, &compressed(&[0xc0])) } else { body(HELLO, &Hello::fitting(REMOTE).encode()) };
    scene.say_body(&message);
    scene.input.flip(index, 5);
}

#[test]
fn connected_to_self() {
    let link = recipient(&config(LINK, PROTOCOLS));
    let mut scene = Scene::met_by(Handshake::new(LINK), link);
    scene.settle();
    scene.greet(Hello::fitting(LINK));
    let told = Some(Reason::ConnectedToSelf);
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
    // Off the curve, zero, and beyond the field prime: each inside a packet that decrypts.
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
    node.link.receive(now, packet);
    assert!(!violation.is_answered());
    assert_eq!(node.link.cause(), Some(Cause::Violation(violation)), "{packet:02x?}");
    assert_eq!(node.link.unsent(), 0, "nothing is sent");
    let action = node.link.poll().map(support::observe);
    node.seen.extend(action);
    assert_eq!(cause(&mut node, now), Cause::Violation(violation));
}

// End of stream, stage by stage

#[test]
fn the_end_of_the_stream_in_every_stage() {
    let scenes: [(Stage, fn() -> Scene<'static>); 4] = [
        (Stage::Handshake, || Scene::unmet(recipient(&config(LINK, PROTOCOLS)))),
        (Stage::Admission, || Scene::met(recipient(&config(LINK, PROTOCOLS)))),
        (Stage::Hello, Scene::expecting_hello),
        (Stage::Running, Scene::running),
    ];
    for (stage, scene) in scenes {
        let mut scene = scene();
        assert_eq!(scene.node.link.stage(), stage);
        let heard = scene.heard.len();
        scene.node.link.receive_closed(scene.now);
        assert_eq!(scene.node.link.stage(), Stage::Closed);
        scene.settle();
        assert_eq!(cause(&mut scene.node, scene.now), Cause::ReceiveClosed, "{stage:?}");
        assert_eq!(scene.heard.len(), heard, "nothing is sent");
    }
}

#[test]
fn the_end_of_the_stream_in_the_middle_of_everything() {
    let mut whole = Pair::running();
    whole.initiator.link.write(whole.now, ALPHA, 0, b"message").unwrap();
    whole.settle();
    for cut in 0..whole.forth.log.len() {
        let mut link = recipient(&config(2, PROTOCOLS));
        let mut seen = Vec::new();
        let mut rest = &whole.forth.log[..cut];
        while !rest.is_empty() {
            rest = &rest[link.receive(whole.now, rest)..];
            while let Some(action) = link.poll() {
                match action {
                    devp2p_proto::Action::Send(bytes) => {
                        let len = bytes.len();
                        link.sent(whole.now, len).unwrap();
                    }
                    other => seen.push(support::observe(other)),
                }
            }
        }
        link.receive_closed(whole.now);
        assert_eq!(link.stage(), Stage::Closed, "{cut}");
        // Its entropy is not the one that the pair's had, so that the first frame is a forgery.
        let forged = Cause::Violation(Violation::HeaderMacMismatch);
        assert!([Some(Cause::ReceiveClosed), Some(forged)].contains(&link.cause()), "{cut}");
    }
}

#[test]
fn the_end_of_the_stream_while_closing_keeps_the_reason() {
    let mut scene = Scene::running();
    scene.node.link.disconnect(scene.now, Reason::UselessPeer);
    scene.settle();
    assert_eq!(scene.node.link.stage(), Stage::Closing);
    scene.hang_up();
    assert_eq!(scene.node.link.stage(), Stage::Closed);
    assert_eq!(parting(&mut scene), (Cause::Local(Reason::UselessPeer), Some(Reason::UselessPeer)));
}

// Writing fails

/// A peer that refuses says why and closes; our own writes fail before its word is read
#[test]
fn after_a_failed_write_the_last_word_of_the_remote_counts() {
    for scene in [Scene::expecting_hello as fn() -> Scene<'static>, Scene::running] {
        let mut scene = scene();
        scene.node.link.send_failed(scene.now);
        // A driver may find out about it more than once.
        scene.node.link.send_failed(scene.now);
        assert_eq!(scene.node.link.stage(), Stage::Closing);
        assert_eq!(scene.node.link.cause(), Some(Cause::SendFailed));
        assert_eq!(scene.node.link.next_timer(), Some(Timer::Linger));
        assert_eq!(scene.node.link.write(scene.now, ALPHA, 0, b""), Err(WriteError::Closed));
        scene.say_body(&body(0x10, &compressed(b"not for anybody")));
        scene.say_body(&body(DISCONNECT, &[0xc1, 0x04]));
        scene.settle();
        assert_eq!(parting(&mut scene), (Cause::Remote(Reason::TooManyPeers), None));
        assert_eq!(scene.node.delivered(), []);
    }
}

#[test]
fn after_a_failed_write_nothing_else_becomes_the_cause() {
    type Act = fn(&mut Scene<'_>);
    let acts: [Act; 6] = [
        |scene| scene.pass(SECOND * 2),
        |scene| scene.hang_up(),
        |scene| flipped(scene, 3),
        |scene| scene.node.link.disconnect(scene.now, Reason::Requested),
        |scene| scene.node.link.protocol_returned(scene.now, ALPHA, Ok(())).unwrap(),
        |scene| scene.node.link.send_failed(scene.now),
    ];
    for (index, act) in acts.into_iter().enumerate() {
        let mut scene = Scene::running();
        scene.node.link.send_failed(scene.now);
        act(&mut scene);
        assert_eq!(parting(&mut scene), (Cause::SendFailed, None), "{index}");
    }
}

#[test]
fn a_failed_write_before_the_keys_ends_the_link_at_once() {
    let mut node = Node::new(initiator(&config(LINK, PROTOCOLS)));
    node.link.send_failed(Instant::ZERO);
    node.seen.extend(node.link.poll().map(support::observe));
    assert_eq!(cause(&mut node, Instant::ZERO), Cause::SendFailed);
}

// Timers

#[test]
fn the_handshake_has_five_seconds_for_both_stages() {
    let mut silent = Scene::unmet(recipient(&config(LINK, PROTOCOLS)));
    silent.pass(SECOND * 4);
    assert_eq!(silent.node.link.next_timer(), Some(Timer::Handshake));
    assert_eq!(silent.node.cause(), None);
    assert_eq!(parting(&mut silent), (Cause::Timeout(Timeout::Handshake), None));

    let mut unanswered = Pair::new(&config(1, PROTOCOLS), &config(2, PROTOCOLS));
    unanswered.back.capacity = 0;
    unanswered.pass(SECOND * 5);
    assert_eq!(cause(&mut unanswered.initiator, unanswered.now), Cause::Timeout(Timeout::Handshake));

    let mut without_hello = Scene::unmet(recipient(&config(LINK, PROTOCOLS)));
    without_hello.pass(SECOND * 3);
    without_hello.dial();
    without_hello.pass(SECOND);
    assert_eq!(without_hello.node.link.stage(), Stage::Hello);
    without_hello.pass(SECOND);
    assert_eq!(without_hello.node.link.stage(), Stage::Closing, "5 s in all, not for each stage");
    let ending = parting(&mut without_hello);
    assert_eq!(ending, (Cause::Timeout(Timeout::Handshake), Some(Reason::PingTimeout)));
}

#[test]
fn silence_ends_a_link_after_thirty_seconds() {
    let mut scene = Scene::running();
    scene.pass(SECOND * 29);
    assert_eq!(scene.heard, [(PING, vec![0xc0])]);
    assert_eq!(scene.node.link.stage(), Stage::Running);
    scene.pass(SECOND);
    assert_eq!(scene.node.link.stage(), Stage::Closing);
    assert_eq!(parting(&mut scene), (Cause::Timeout(Timeout::Read), Some(Reason::PingTimeout)));

    let mut pair = Pair::running();
    pair.back.capacity = 0;
    pair.pass(SECOND * 33);
    let timeout = Cause::Timeout(Timeout::Read);
    assert_eq!(pair.causes(), (Some(timeout), Some(Cause::Remote(Reason::PingTimeout))));
}

#[test]
fn a_ping_that_is_never_answered_ends_the_link() {
    let mut scene = Scene::running();
    for _ in 0..44 {
        scene.pass(SECOND);
        scene.say(0x10, b"busy, but no Pong");
    }
    assert_eq!(scene.node.link.stage(), Stage::Running);
    assert_eq!(scene.heard.len(), 1, "one Ping, of which the answer is awaited");
    scene.pass(SECOND);
    assert_eq!(scene.node.link.stage(), Stage::Closing);
    assert_eq!(parting(&mut scene), (Cause::Timeout(Timeout::Pong), Some(Reason::PingTimeout)));
}

#[test]
fn a_transport_that_takes_nothing_for_twenty_seconds_ends_the_link() {
    let mut scene = Scene::running();
    scene.output.capacity = 0;
    scene.node.link.write(scene.now, ALPHA, 0, b"stuck").unwrap();
    scene.pass(SECOND * 19);
    assert_eq!(scene.node.link.next_timer(), Some(Timer::Write));
    assert_eq!(scene.node.link.stage(), Stage::Running);
    assert_eq!(parting(&mut scene), (Cause::Timeout(Timeout::Write), None));
}

#[test]
fn a_transport_that_crawls_does_not() {
    let mut scene = Scene::running();
    scene.output.capacity = 0;
    scene.node.link.write(scene.now, ALPHA, 0, &support::noise(1, 100)).unwrap();
    for _ in 0..20 {
        scene.pass(SECOND * 10);
        scene.say(PONG, &[0xc0]);
        scene.output.capacity = 1;
        scene.settle_once();
        scene.output.capacity = 0;
    }
    assert_eq!(scene.node.link.stage(), Stage::Running);
}

#[test]
fn the_peer_has_two_seconds_to_hang_up_first() {
    let mut scene = Scene::running();
    scene.node.link.disconnect(scene.now, Reason::UselessPeer);
    scene.settle();
    assert_eq!((told(&scene), scene.node.cause()), (Some(Reason::UselessPeer), None));
    assert_eq!(scene.node.link.next_timer(), Some(Timer::Linger));
    scene.pass(Duration::from_millis(1999));
    assert_eq!(scene.node.link.stage(), Stage::Closing);
    scene.pass(Duration::from_millis(1));
    assert_eq!(cause(&mut scene.node, scene.now), Cause::Local(Reason::UselessPeer));
}

#[test]
fn a_disconnect_that_cannot_leave_does_not_keep_the_link() {
    let mut scene = Scene::running();
    scene.output.capacity = 0;
    scene.node.link.disconnect(scene.now, Reason::UselessPeer);
    scene.pass(SECOND * 2);
    assert_eq!(cause(&mut scene.node, scene.now), Cause::Local(Reason::UselessPeer));
    assert_eq!(scene.node.link.unsent(), 0);
}

#[test]
fn without_a_linger_the_link_ends_with_its_disconnect() {
    let mut timeouts = Timeouts::default();
    timeouts.linger = Duration::ZERO;
    let config = config(LINK, PROTOCOLS).with_timeouts(timeouts).unwrap();
    let mut scene = Scene::running_with(recipient(&config), Hello::fitting(REMOTE));
    scene.node.link.disconnect(scene.now, Reason::UselessPeer);
    assert_eq!(parting(&mut scene), (Cause::Local(Reason::UselessPeer), Some(Reason::UselessPeer)));
}

#[test]
fn timeouts_of_forever_never_end_a_link() {
    let mut timeouts = Timeouts::default();
    timeouts.read = Duration::MAX;
    timeouts.pong = Duration::MAX;
    timeouts.ping = Duration::MAX;
    let config = config(LINK, PROTOCOLS).with_timeouts(timeouts).unwrap();
    let mut scene = Scene::running_with(recipient(&config), Hello::fitting(REMOTE));
    assert_eq!(scene.node.link.next_timeout(), None);
    scene.pass(SECOND * 1_000_000);
    assert_eq!((scene.node.link.stage(), scene.heard.len()), (Stage::Running, 0));
}

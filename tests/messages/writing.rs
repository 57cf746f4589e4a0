//! Writing: which messages are accepted and which are refused, and how large they can be

use std::time::{Duration, Instant as Clock};

use devp2p_proto::{Action, DisconnectReason, MAX_MESSAGE, PingError, Protocol, ProtocolId, Stage, WriteError};
use devp2p_testing::remote::{HELLO, Hello, LINK, REMOTE, Scene, body, compressed, recipient};
use devp2p_testing::{ALPHA, BETA, PROTOCOLS, Pair, Seen, config, noise};

#[test]
fn codes_are_relative_and_their_range_is_checked() {
    let mut scene = Scene::running();
    for (protocol, offset, length) in [(ALPHA, 0x10, 4), (BETA, 0x14, 3)] {
        for code in 0..length {
            scene.node.link.write(scene.now, protocol, code, b"x").unwrap();
            scene.settle();
            assert_eq!(scene.received.pop(), Some((offset + code, b"x".to_vec())));
            scene.send(offset + code, b"y");
            assert_eq!(scene.node.seen.pop(), Some(Seen::Deliver(protocol, code, b"y".to_vec())));
        }
        for code in [length, length + 1, 0x100, u64::MAX] {
            assert_eq!(scene.node.link.write(scene.now, protocol, code, b"x"), Err(WriteError::InvalidCode));
        }
    }
    scene.settle();
    assert_eq!(scene.received, []);
}

#[test]
fn write_errors_in_each_stage() {
    let protocols = [PROTOCOLS[0], PROTOCOLS[1].with_max_message(100), Protocol::new("alone", 1, 1)];
    let config = config(LINK, &protocols).with_max_message(1_000).unwrap();
    let mut scene = Scene::new(recipient(&config));
    let write = |scene: &mut Scene<'_>, protocol, code, len| {
        scene.node.link.write(scene.now, ProtocolId(protocol), code, &vec![1; len]).map(|_| ())
    };
    let before = |scene: &mut Scene<'_>, stage| {
        assert_eq!(scene.node.link.stage(), stage);
        assert_eq!(write(scene, 0, 0, 1), Err(WriteError::NotReady), "{stage:?}");
        assert_eq!(scene.node.link.write_capacity(ALPHA), None, "{stage:?}");
        assert_eq!(scene.node.link.ping(scene.now), Err(PingError::NotReady));
    };
    before(&mut scene, Stage::Handshake);
    scene.send_auth();
    before(&mut scene, Stage::Admission);
    scene.settle();
    before(&mut scene, Stage::Hello);
    let hello = scene.session().seal(&body(HELLO, &Hello::fitting(REMOTE).encode()));
    assert_eq!(scene.node.link.receive(scene.now, &hello), hello.len());
    assert_eq!(write(&mut scene, 0, 0, 1), Err(WriteError::NotReady), "Ready was not polled yet");
    assert_eq!(scene.node.link.write_capacity(ALPHA), None, "Ready was not polled yet");
    scene.settle();
    assert_eq!(write(&mut scene, 2, 0, 1), Err(WriteError::NotShared));
    assert_eq!(write(&mut scene, 3, 0, 1), Err(WriteError::NotShared));
    assert_eq!(write(&mut scene, 0, 4, 1), Err(WriteError::InvalidCode));
    assert_eq!(write(&mut scene, 0, 0, 1_001), Err(WriteError::TooLarge));
    assert_eq!(write(&mut scene, 1, 0, 101), Err(WriteError::TooLarge));
    assert_eq!(write(&mut scene, 0, 0, 1_000), Ok(()));
    assert_eq!(write(&mut scene, 1, 0, 100), Ok(()));
    scene.node.link.disconnect(scene.now, DisconnectReason::REQUESTED);
    assert_eq!((write(&mut scene, 0, 0, 1), scene.node.link.write_capacity(ALPHA)), (Err(WriteError::Closed), None));
    assert_eq!(scene.node.link.ping(scene.now), Err(PingError::Closed));
    scene.advance(Duration::from_secs(3));
    assert_eq!(scene.node.link.stage(), Stage::Closed);
    assert_eq!(write(&mut scene, 0, 0, 1), Err(WriteError::Closed));
}

#[test]
fn the_largest_messages_that_a_frame_holds() {
    let mut pair = Pair::running();
    let largest = pair.initiator.link.write_capacity(ALPHA).unwrap();
    assert!(largest > MAX_MESSAGE - MAX_MESSAGE / 60, "{largest}");
    for payload in [noise(1, largest), vec![1; MAX_MESSAGE]] {
        pair.initiator.link.write(pair.now, ALPHA, 0, &payload).unwrap();
        pair.settle();
        assert!(pair.recipient.seen.pop() == Some(Seen::Deliver(ALPHA, 0, payload)));
    }
    for payload in [noise(1, MAX_MESSAGE), vec![1; MAX_MESSAGE + 1]] {
        let before = pair.to_recipient.log.len();
        assert_eq!(pair.initiator.link.write(pair.now, ALPHA, 0, &payload), Err(WriteError::TooLarge));
        pair.initiator.link.write(pair.now, ALPHA, 0, b"the next").unwrap();
        pair.settle();
        assert_eq!(pair.to_recipient.log.len() - before, 32 + 16 + 16, "what was refused leaves no trace");
        assert!(matches!(pair.recipient.seen.pop(), Some(Seen::Deliver(ALPHA, 0, payload)) if payload == b"the next"));
    }
}

/// The work is linear in the number of bytes; quadratic work would take minutes
#[test]
fn a_large_message_byte_by_byte() {
    let started = Clock::now();
    let mut scene = Scene::running();
    let payload = noise(4, 1 << 20);
    scene.send_body(&body(0x10, &compressed(&payload)));
    let stream = scene.input.log[scene.input.log.len() - scene.input.waiting()..].to_vec();
    for byte in &stream {
        assert_eq!(scene.node.link.receive(scene.now, &[*byte]), 1);
    }
    match scene.node.link.poll() {
        Some(Action::Deliver { payload: delivered, .. }) => assert!(*delivered == payload[..]),
        other => panic!("{other:?}"),
    }
    scene.node.link.write(scene.now, ALPHA, 0, &payload).unwrap();
    while let Some(Action::Send(bytes)) = scene.node.link.poll() {
        assert!(!bytes.is_empty());
        scene.node.link.sent(scene.now, 1).unwrap();
    }
    assert!(started.elapsed() < Duration::from_secs(15), "{:?}", started.elapsed());
}

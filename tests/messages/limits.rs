//! Limits: what a peer may send, and what a larger message costs

use devp2p_proto::rlp::RlpError;
use devp2p_proto::{Cause, DisconnectReason, PeerState, Violation};
use devp2p_testing::remote::{Hello, LINK, PING, PONG, REMOTE, Scene, body, compressed, recipient};
use devp2p_testing::{ALPHA, BETA, PROTOCOLS, config, noise};

/// A link whose protocols take these payloads
fn limited(alpha: usize, beta: usize) -> PeerState<'static> {
    let protocols = [PROTOCOLS[0].with_max_message(alpha), PROTOCOLS[1].with_max_message(beta)];
    recipient(&config(LINK, &protocols))
}

fn violation(scene: &Scene<'_>) -> Option<Violation> {
    match scene.node.link.cause()? {
        Cause::Violation(violation) => Some(violation),
        other => panic!("{other}"),
    }
}

/// The largest limit among the shared protocols limits frames, whatever the configuration permits
#[test]
fn a_header_may_announce_what_the_largest_limit_takes() {
    for size in [0x00ff_ffff, 4_000, 2_050] {
        let mut scene = Scene::running_with(limited(1_024, 500), Hello::fitting(REMOTE));
        let frame = scene.session().seal(&vec![0x04; size]);
        scene.input.write(&frame[..32]);
        scene.settle();
        assert_eq!(violation(&scene), Some(Violation::FrameTooLarge { size }), "at the header");
    }
}

/// A body that is too large for its own protocol is a violation only once its MAC is checked
#[test]
fn what_is_too_large_for_its_own_protocol_is_named_after_its_mac() {
    let payload = noise(1, 30_000);
    let huge = compressed(&vec![0; 2 << 20]);
    for (body, expected) in [
        (body(0x14, &compressed(&payload)), Violation::FrameTooLarge { size: 30_007 }),
        (body(0x14, &huge), Violation::FrameTooLarge { size: huge.len() + 1 }),
        (body(0x10, &huge), Violation::PayloadTooLarge { size: 2 << 20 }),
        (body(0x17, &compressed(&payload)), Violation::UnknownMessageId(0x17)),
        (body(PING, &compressed(&payload)), Violation::FrameTooLarge { size: 30_007 }),
        (body(0x04, &compressed(&payload)), Violation::FrameTooLarge { size: 30_007 }),
    ] {
        let mut scene = Scene::running_with(limited(1 << 20, 500), Hello::fitting(REMOTE));
        let frame = scene.session().seal(&body);
        scene.input.write(&frame[..frame.len() - 1]);
        scene.settle();
        assert_eq!(violation(&scene), None, "nothing is said before the MAC is right");
        scene.input.write(&frame[frame.len() - 1..]);
        scene.settle();
        assert_eq!(violation(&scene), Some(expected));
        assert_eq!(scene.node.delivered(), []);
    }
}

/// A flipped bit anywhere in such a body ends the link
#[test]
fn a_body_that_is_not_stored_is_authenticated() {
    let frame_len = {
        let mut scene = Scene::running_with(limited(1 << 20, 500), Hello::fitting(REMOTE));
        scene.session().seal(&body(0x14, &compressed(&noise(1, 3_000)))).len()
    };
    for index in (0..frame_len).step_by(7).chain(frame_len - 16..frame_len) {
        let mut scene = Scene::running_with(limited(1 << 20, 500), Hello::fitting(REMOTE));
        scene.send_body(&body(0x14, &compressed(&noise(1, 3_000))));
        scene.input.flip(index, 3);
        scene.settle();
        let expected = if index < 32 { Violation::HeaderMacMismatch } else { Violation::BodyMacMismatch };
        assert_eq!(violation(&scene), Some(expected), "byte {index}");
    }
}

/// Large messages within the limit of their own protocol are delivered, however they are cut
#[test]
fn large_messages_of_the_protocol_with_the_larger_limit_are_stored() {
    for max_read in [1, 15, 16, 17, usize::MAX] {
        let mut scene = Scene::running_with(limited(100_000, 500), Hello::fitting(REMOTE));
        scene.node.max_read = max_read;
        for payload in [noise(1, 100_000), noise(2, 2_048), vec![0; 100_000]] {
            scene.send(0x10, &payload);
            assert_eq!(scene.node.seen.len(), 1, "{:?}", scene.node.link.cause());
            assert_eq!(scene.node.delivered(), [(ALPHA, 0, payload)]);
            scene.node.seen.clear();
        }
        scene.send(0x14, &noise(3, 500));
        assert_eq!(scene.node.delivered(), [(BETA, 0, noise(3, 500))]);
    }
}

/// The payload of a Ping is ignored, as in the reference client
#[test]
fn a_ping_with_any_payload_is_answered() {
    let mut scene = Scene::running();
    for payload in [&[][..], &[0xc0], &[0xc1], &[0xff; 9], &noise(1, 2_000)] {
        scene.send_body(&body(PING, payload));
        scene.settle();
        assert_eq!(scene.received.pop(), Some((PONG, vec![0xc0])), "{payload:02x?}");
    }
    scene.node.link.disconnect(scene.now, DisconnectReason::REQUESTED);
}

/// The violation is the same whether the link has stored the whole body or only its first block
#[test]
fn what_is_no_message_id_has_one_name() {
    for (start, error) in [
        (&[0x90][..], RlpError::IntegerTooLarge),
        (&[0x90, 0], RlpError::IntegerTooLarge),
        (&[0xb7], RlpError::IntegerTooLarge),
        (&[0xb8, 60], RlpError::IntegerTooLarge),
        (&[0xc1], RlpError::ExpectedString),
        (&[0xd0], RlpError::ExpectedString),
        (&[0xf9], RlpError::ExpectedString),
        (&[0x81, 1], RlpError::NonCanonicalLength),
    ] {
        for size in [20, 2_049, 2_050] {
            let mut scene = Scene::running();
            let mut body = vec![7; size];
            body[..start.len()].copy_from_slice(start);
            scene.send_body(&body);
            scene.settle();
            assert_eq!(violation(&scene), Some(Violation::MalformedMessageId(error)), "{start:02x?} in {size} bytes");
        }
    }
}

//! Endings by the transport: the stream ends, or a write fails

use devp2p_proto::{Cause, DisconnectReason as Reason, Instant, Stage, Timer, Violation, WriteError};
use devp2p_testing::remote::{DISCONNECT, Hello, LINK, REMOTE, Scene, body, compressed, initiator, recipient};
use devp2p_testing::{ALPHA, Node, PROTOCOLS, Pair, Seen, config};

use crate::violations::flipped;
use crate::{SECOND, cause, parting};

#[test]
fn a_message_before_the_end_of_the_stream_is_delivered() {
    let mut scene = Scene::running();
    scene.send_body(&body(0x10, &compressed(b"first")));
    scene.close();
    let expected = [Seen::Deliver(ALPHA, 0, b"first".to_vec()), Seen::Disconnect(Cause::ReceiveClosed)];
    assert_eq!(scene.node.seen, expected);
}

#[test]
fn the_end_of_the_stream_in_every_stage() {
    let scenes: [(Stage, fn() -> Scene<'static>); 4] = [
        (Stage::Handshake, || Scene::new(recipient(&config(LINK, PROTOCOLS)))),
        (Stage::Admission, || Scene::remote_dials(recipient(&config(LINK, PROTOCOLS)))),
        (Stage::Hello, Scene::expecting_hello),
        (Stage::Running, Scene::running),
    ];
    for (stage, scene) in scenes {
        let mut scene = scene();
        assert_eq!(scene.node.link.stage(), stage);
        let heard = scene.received.len();
        scene.node.link.receive_closed(scene.now);
        assert_eq!(scene.node.link.stage(), Stage::Closed);
        scene.settle();
        assert_eq!(cause(&mut scene.node, scene.now), Cause::ReceiveClosed, "{stage:?}");
        assert_eq!(scene.received.len(), heard, "nothing is sent");
    }
}

#[test]
fn the_end_of_the_stream_after_every_byte() {
    let mut whole = Pair::running();
    whole.initiator.link.write(whole.now, ALPHA, 0, b"message").unwrap();
    whole.settle();
    for cut in 0..whole.to_recipient.log.len() {
        let mut link = recipient(&config(2, PROTOCOLS));
        let mut seen = Vec::new();
        let mut rest = &whole.to_recipient.log[..cut];
        while !rest.is_empty() {
            rest = &rest[link.receive(whole.now, rest)..];
            while let Some(action) = link.poll() {
                match action {
                    devp2p_proto::Action::Send(bytes) => {
                        let len = bytes.len();
                        link.sent(whole.now, len).unwrap();
                    }
                    other => seen.push(devp2p_testing::observe(other)),
                }
            }
        }
        link.receive_closed(whole.now);
        assert_eq!(link.stage(), Stage::Closed, "{cut}");
        // The link and the recorded link have different entropy, so the first frame has a wrong MAC.
        let wrong_mac = Cause::Violation(Violation::HeaderMacMismatch);
        assert!([Some(Cause::ReceiveClosed), Some(wrong_mac)].contains(&link.cause()), "{cut}");
    }
}

#[test]
fn the_end_of_the_stream_while_closing_keeps_the_reason() {
    let mut scene = Scene::running();
    scene.node.link.disconnect(scene.now, Reason::USELESS_PEER);
    scene.settle();
    assert_eq!(scene.node.link.stage(), Stage::Closing);
    scene.close();
    assert_eq!(scene.node.link.stage(), Stage::Closed);
    assert_eq!(parting(&mut scene), (Cause::Local(Reason::USELESS_PEER), Some(Reason::USELESS_PEER)));
}

/// A peer that refuses the link sends Disconnect and closes; a write can fail before Disconnect is read
#[test]
fn a_disconnect_from_the_remote_replaces_a_failed_write() {
    for scene in [Scene::expecting_hello as fn() -> Scene<'static>, Scene::running] {
        let mut scene = scene();
        scene.node.link.send_failed(scene.now);
        // A driver can report it more than once.
        scene.node.link.send_failed(scene.now);
        assert_eq!(scene.node.link.stage(), Stage::Closing);
        assert_eq!(scene.node.link.cause(), Some(Cause::SendFailed));
        assert_eq!(scene.node.link.next_timer(), Some(Timer::Linger));
        assert_eq!(scene.node.link.write(scene.now, ALPHA, 0, b""), Err(WriteError::Closed));
        scene.send_body(&body(0x10, &compressed(b"not for anybody")));
        scene.send_body(&body(DISCONNECT, &[0xc1, 0x04]));
        scene.settle();
        assert_eq!(parting(&mut scene), (Cause::Remote(Reason::TOO_MANY_PEERS), None));
        assert_eq!(scene.node.delivered(), []);
    }
}

/// However large the messages before it are
#[test]
fn a_disconnect_behind_large_messages_replaces_a_failed_write() {
    let protocols = [PROTOCOLS[0].with_max_message(20_000), PROTOCOLS[1].with_max_message(500)];
    let mut scene = Scene::running_with(recipient(&config(LINK, &protocols)), Hello::fitting(REMOTE));
    scene.node.link.send_failed(scene.now);
    for (id, len) in [(0x10, 20_000), (0x14, 20_000), (0x10, 22_000)] {
        scene.send_body(&body(id, &compressed(&devp2p_testing::noise(1, len))));
    }
    scene.send_body(&body(DISCONNECT, &compressed(&[0xc1, 0x04])));
    scene.settle();
    assert_eq!(parting(&mut scene), (Cause::Remote(Reason::TOO_MANY_PEERS), None));
}

#[test]
fn nothing_else_replaces_a_failed_write() {
    type Act = fn(&mut Scene<'_>);
    let acts: [Act; 6] = [
        |scene| scene.advance(SECOND * 2),
        |scene| scene.close(),
        |scene| flipped(scene, 3),
        |scene| scene.node.link.disconnect(scene.now, Reason::REQUESTED),
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
    node.seen.extend(node.link.poll().map(devp2p_testing::observe));
    assert_eq!(cause(&mut node, Instant::ZERO), Cause::SendFailed);
}

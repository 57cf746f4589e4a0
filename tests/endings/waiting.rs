//! What is waited for, and from when on

use std::time::Duration;

use devp2p_proto::{Action, Buffers, Cause, DisconnectReason as Reason, Instant, PeerState, Stage, Timeout, Timer};
use devp2p_testing::remote::{LINK, PING, PONG, REMOTE, Scene, body, compressed};
use devp2p_testing::{ALPHA, PROTOCOLS, Seen, config, entropy, key};

use crate::{SECOND, told};

/// A driver that dials reads only once auth is made, and reads until the end even if it has not taken a message
#[test]
fn when_input_is_wanted() {
    let config = config(LINK, PROTOCOLS);
    let remote = key(REMOTE).node_id();
    let mut dialling = PeerState::initiator(Instant::ZERO, &config, remote, entropy(1), Buffers::growable()).unwrap();
    assert!(!dialling.wants_input());
    assert_eq!(dialling.receive(Instant::ZERO, b"an ack"), 0);
    assert!(matches!(dialling.poll(), Some(Action::Send(_))));
    assert!(dialling.wants_input());
    let mut scene = Scene::running();
    let frame = scene.session().seal(&body(0x10, &compressed(b"is not taken")));
    let link = &mut scene.node.link;
    assert_eq!(link.receive(scene.now, &frame), frame.len());
    assert!(!link.wants_input());
    link.disconnect(scene.now, Reason::CLIENT_QUITTING);
    assert!(link.wants_input(), "while Disconnect leaves");
    link.receive_closed(scene.now);
    assert_eq!((link.stage(), link.wants_input()), (Stage::Closed, true));
    assert_eq!(link.receive(scene.now, b"more"), 4);
}

/// The Pong may be behind a Ping that is not taken, since the answer to the one before it is unsent
#[test]
fn a_pong_behind_a_ping_that_is_not_answered_yet_is_waited_for() {
    let mut scene = Scene::running();
    scene.advance(SECOND * 20);
    scene.send(0x10, b"not silent");
    scene.advance(SECOND * 20);
    assert_eq!(scene.received, [(PING, vec![0xc0])], "sent after 15 seconds, to be answered after 45");
    scene.output.capacity = 0;
    for id in [PING, PING, PONG] {
        scene.send(id, &[0xc0]);
    }
    assert!(!scene.node.link.wants_input());
    scene.advance(SECOND * 10);
    assert_eq!(scene.node.link.stage(), Stage::Running, "after 50 seconds");
    scene.output.capacity = usize::MAX;
    scene.settle();
    assert_eq!(scene.node.link.liveness().pongs_received, 1);
    // Without a Pong the deadline is a new one, and it is kept.
    let mut scene = Scene::running();
    scene.advance(SECOND * 20);
    scene.send(0x10, b"not silent");
    scene.advance(SECOND * 20);
    scene.output.capacity = 0;
    for id in [PING, PING] {
        scene.send(id, &[0xc0]);
    }
    scene.advance(SECOND * 10);
    scene.output.capacity = usize::MAX;
    for _ in 0..29 {
        scene.send(0x10, b"not silent");
        scene.advance(SECOND);
    }
    assert_eq!(scene.node.link.stage(), Stage::Running, "after 79 seconds");
    scene.advance(SECOND);
    assert_eq!(scene.node.link.cause(), Some(Cause::Timeout(Timeout::Pong)));
}

/// Silence is measured from the last byte, and not from the last whole frame
#[test]
fn a_part_of_a_frame_ends_a_silence() {
    let mut scene = Scene::running();
    let frame = scene.session().seal(&body(0x10, &compressed(b"message")));
    for (at, piece) in [(20, 0..1), (25, 1..40), (40, 40..60)] {
        while scene.now.as_millis() < at * 1_000 {
            scene.advance(SECOND);
        }
        scene.input.write(&frame[piece]);
        scene.settle();
    }
    assert_eq!(scene.node.link.stage(), Stage::Running, "after 40 seconds without a whole frame");
    scene.input.write(&frame[60..]);
    scene.settle();
    assert_eq!(scene.node.seen, [Seen::Deliver(ALPHA, 0, b"message".to_vec())]);
}

/// The time for the peer to close the connection starts when the last byte has left
#[test]
fn the_linger_begins_when_the_last_byte_has_left() {
    let mut scene = Scene::running();
    scene.output.capacity = 0;
    scene.node.link.disconnect(scene.now, Reason::USELESS_PEER);
    for taken in [10, 20, 30] {
        scene.advance(SECOND * 3);
        assert_eq!(scene.node.link.stage(), Stage::Closing);
        scene.output.capacity = taken;
        scene.step();
        scene.output.capacity = 0;
    }
    scene.advance(SECOND * 3);
    assert_ne!(scene.node.link.next_timer(), Some(Timer::Linger), "four bytes are unsent");
    scene.output.capacity = usize::MAX;
    scene.settle();
    assert_eq!(told(&scene), Some(Reason::USELESS_PEER));
    assert_eq!(scene.node.link.next_timeout(), scene.now.checked_add(SECOND * 2));
    scene.advance(Duration::from_millis(1_999));
    assert_eq!(scene.node.link.stage(), Stage::Closing);
    scene.advance(Duration::from_millis(1));
    assert_eq!(scene.node.cause(), Some(Cause::Local(Reason::USELESS_PEER)));
}

/// After a failed write the reason of the peer is waited for as long
#[test]
fn a_failed_write_waits_for_the_reason_from_then_on() {
    let mut scene = Scene::running();
    scene.advance(SECOND * 5);
    scene.node.link.send_failed(scene.now);
    assert_eq!(scene.node.link.next_timeout(), scene.now.checked_add(SECOND * 2));
    scene.advance(Duration::from_millis(1_999));
    assert_eq!(scene.node.link.stage(), Stage::Closing);
    scene.advance(Duration::from_millis(1));
    assert_eq!(scene.node.cause(), Some(Cause::SendFailed));
}

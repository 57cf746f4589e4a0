//! Promises about holding input: a driver that has no room for another message

use devp2p_proto::{Cause, DisconnectReason, Stage, Timeout, Timer};
use devp2p_testing::remote::{PING, Scene, body, compressed};
use devp2p_testing::{ALPHA, BETA};

use crate::SECOND;

/// A driver without room for another message stops reading and says so; everything else goes on
#[test]
fn slow_protocol_stops_reading_only() {
    let mut scene = Scene::running();
    scene.send(0x10, b"the last one that there is room for");
    scene.node.held = true;
    scene.node.link.hold_input(scene.now, true);
    scene.send_body(&body(0x10, &compressed(b"waits in the socket")));
    let held_back = scene.input.waiting();
    for minute in 1..=10 {
        let heard = scene.received.len();
        scene.advance(60 * SECOND);
        assert_eq!(scene.node.link.stage(), Stage::Running, "after {minute} minutes");
        let pings = scene.received[heard..].iter().filter(|(id, _)| *id == PING).count();
        assert_eq!(pings, 4, "our Pings go on, or the peer would think us dead");
        scene.node.link.write(scene.now, BETA, 0, b"still writing").unwrap();
        scene.settle();
        assert_eq!(scene.received.last(), Some(&(0x14, b"still writing".to_vec())));
    }
    assert_eq!((scene.input.waiting(), scene.node.delivered().len()), (held_back, 1));

    scene.node.held = false;
    scene.node.link.hold_input(scene.now, false);
    scene.settle();
    assert_eq!(scene.node.delivered().len(), 2);
    scene.advance(29 * SECOND);
    assert_eq!(scene.node.link.stage(), Stage::Running, "the peer has its full time to answer");
    // The Pong is due and the read timeout is over. The Pong was due first.
    scene.advance(2 * SECOND);
    assert_eq!(scene.node.link.cause(), Some(Cause::Timeout(Timeout::Pong)));
}

#[test]
fn a_held_link_still_ends_for_every_other_reason() {
    let held = || {
        let mut scene = Scene::running();
        scene.node.held = true;
        scene.node.link.hold_input(scene.now, true);
        scene
    };
    let mut stuck = held();
    stuck.output.capacity = 0;
    stuck.node.link.write(stuck.now, ALPHA, 0, b"stuck").unwrap();
    stuck.advance(20 * SECOND);
    assert_eq!(stuck.node.link.cause(), Some(Cause::Timeout(Timeout::Write)));

    let mut parting = held();
    parting.node.link.disconnect(parting.now, DisconnectReason::CLIENT_QUITTING);
    assert_eq!(parting.node.link.next_timer(), Some(Timer::Linger));
    parting.advance(2 * SECOND);
    assert_eq!(parting.node.cause(), Some(Cause::Local(DisconnectReason::CLIENT_QUITTING)));
}

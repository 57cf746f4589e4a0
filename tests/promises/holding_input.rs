//! Promises about holding input: a driver that cannot take another message

use devp2p_proto::{Cause, DisconnectReason, Stage, Timeout, Timer};
use devp2p_testing::remote::{DISCONNECT, PING, PONG, Scene, body, compressed};
use devp2p_testing::{ALPHA, BETA, Seen};

use crate::SECOND;

/// The Pongs that the link has sent
fn pongs(scene: &Scene<'_>) -> usize {
    scene.received.iter().filter(|(id, _)| *id == PONG).count()
}

/// A running link whose driver holds input
fn held() -> Scene<'static> {
    let mut scene = Scene::running();
    scene.node.link.hold_input(scene.now, true);
    scene
}

/// A held link for which a message waits
fn waiting() -> Scene<'static> {
    let mut scene = held();
    scene.send(0x10, b"waits");
    assert!(!scene.node.link.wants_input());
    scene
}

/// Everything but the delivery continues while input is held
#[test]
fn slow_protocol_stops_reading_only() {
    let mut scene = waiting();
    scene.send_body(&body(0x10, &compressed(b"waits behind it")));
    scene.send_body(&body(PING, &compressed(&[0xc0])));
    for minute in 1..=10 {
        let heard = scene.received.len();
        scene.advance(60 * SECOND);
        assert_eq!(scene.node.link.stage(), Stage::Running, "after {minute} minutes");
        let pings = scene.received[heard..].iter().filter(|(id, _)| *id == PING).count();
        assert_eq!(pings, 4, "our Pings continue, or the peer would time us out");
        scene.node.link.write(scene.now, BETA, 0, b"still writing").unwrap();
        scene.settle();
        assert_eq!(scene.received.last(), Some(&(0x14, b"still writing".to_vec())));
    }
    assert_eq!((scene.node.delivered().len(), pongs(&scene)), (0, 0), "what comes after the message is not answered");

    scene.node.link.hold_input(scene.now, false);
    scene.settle();
    assert_eq!((scene.node.delivered().len(), pongs(&scene)), (2, 1));
    scene.advance(29 * SECOND);
    assert_eq!(scene.node.link.stage(), Stage::Running, "the peer has its full time to answer");
    // The Pong is due and the read timeout is over. The Pong was due first.
    scene.advance(2 * SECOND);
    assert_eq!(scene.node.link.cause(), Some(Cause::Timeout(Timeout::Pong)));
}

/// A peer that pings every fifteen seconds, and is answered although a protocol is slow
#[test]
fn pings_before_the_next_message_are_answered() {
    let mut scene = held();
    for minute in 1..=20 {
        for _ in 0..4 {
            scene.advance(15 * SECOND);
            scene.send(PING, &[0xc0]);
            scene.send(PONG, &[0xc0]);
        }
        assert_eq!((pongs(&scene), scene.node.link.stage()), (4 * minute, Stage::Running));
    }
    scene.send(0x10, b"at last");
    assert_eq!(scene.node.delivered(), []);
    scene.node.link.hold_input(scene.now, false);
    scene.settle();
    assert_eq!(scene.node.delivered(), [(ALPHA, 0, b"at last".to_vec())]);
}

#[test]
fn deadlines_run_while_input_is_taken() {
    let mut scene = held();
    scene.advance(29 * SECOND);
    assert_eq!(scene.node.link.stage(), Stage::Running);
    scene.advance(2 * SECOND);
    assert_eq!(scene.node.link.cause(), Some(Cause::Timeout(Timeout::Read)), "a silent peer is timed out");
}

#[test]
fn deadlines_rest_while_a_message_waits_and_start_anew_when_it_is_handed_out() {
    let mut scene = held();
    scene.advance(16 * SECOND);
    scene.send(0x10, b"waits, and our Ping was not answered");
    scene.advance(3_600 * SECOND);
    scene.node.link.hold_input(scene.now, false);
    scene.settle();
    assert_eq!(scene.node.delivered().len(), 1);
    scene.advance(29 * SECOND);
    assert_eq!(scene.node.link.stage(), Stage::Running);
    scene.advance(2 * SECOND);
    assert_eq!(scene.node.link.stage(), Stage::Closing);
}

/// If a driver takes each message at once, messages do not replace a Pong
#[test]
fn messages_without_a_pong_do_not_keep_a_peer() {
    let mut scene = Scene::running();
    for _ in 0..44 {
        scene.advance(SECOND);
        scene.send(0x10, b"but no Pong");
    }
    assert_eq!(scene.node.link.stage(), Stage::Running);
    scene.advance(2 * SECOND);
    assert_eq!(scene.node.link.cause(), Some(Cause::Timeout(Timeout::Pong)));
}

#[test]
fn a_held_link_still_ends_for_every_other_reason() {
    let mut stuck = waiting();
    stuck.output.capacity = 0;
    stuck.node.link.write(stuck.now, ALPHA, 0, b"stuck").unwrap();
    stuck.advance(20 * SECOND);
    assert_eq!(stuck.node.link.cause(), Some(Cause::Timeout(Timeout::Write)));

    let mut parting = held();
    parting.node.link.disconnect(parting.now, DisconnectReason::CLIENT_QUITTING);
    assert_eq!(parting.node.link.next_timer(), Some(Timer::Write), "Disconnect is to leave");
    parting.advance(2 * SECOND);
    assert_eq!(parting.node.cause(), Some(Cause::Local(DisconnectReason::CLIENT_QUITTING)));
}

/// Whatever ends the link, the message that waits is handed out first
#[test]
fn any_ending_lifts_the_hold() {
    let ends: [fn(&mut Scene<'_>); 4] = [
        |scene| scene.node.link.disconnect(scene.now, DisconnectReason::REQUESTED),
        |scene| scene.node.link.receive_closed(scene.now),
        |scene| scene.node.link.protocol_returned(scene.now, BETA, Ok(())).unwrap(),
        |scene| scene.node.link.send_failed(scene.now),
    ];
    for end in ends {
        let mut scene = waiting();
        end(&mut scene);
        scene.advance(5 * SECOND);
        assert_eq!(scene.node.seen[0], Seen::Deliver(ALPHA, 0, b"waits".to_vec()));
        assert!(matches!(scene.node.seen[..], [_, Seen::Disconnect(_)]), "{:?}", scene.node.seen);
    }
}

#[test]
fn a_severed_link_hands_out_first_and_then_reads_on() {
    let mut scene = waiting();
    scene.send_body(&body(DISCONNECT, &compressed(&[0xc1, 0x04])));
    scene.node.link.send_failed(scene.now);
    scene.settle();
    assert_eq!(scene.node.delivered().len(), 1);
    assert_eq!(scene.node.cause(), Some(Cause::Remote(DisconnectReason::TOO_MANY_PEERS)));
}

/// Neither holding nor releasing twice does anything
#[test]
fn saying_the_same_again_does_nothing() {
    let mut scene = waiting();
    assert!(scene.node.link.is_input_held());
    let timeout = scene.node.link.next_timeout();
    scene.node.link.hold_input(scene.now, true);
    assert_eq!(scene.node.link.next_timeout(), timeout);
    scene.node.link.hold_input(scene.now, false);
    scene.node.link.hold_input(scene.now, true);
    scene.settle();
    assert_eq!(scene.node.delivered(), [], "it was held again before it was polled");
}

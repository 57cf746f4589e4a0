//! Timers after a wrong time far ahead: those that it has made overdue start anew with the right time

use std::time::Duration;

use devp2p_proto::{Cause, DisconnectReason as Reason, Stage, Timeout, Timeouts, Timer};
use devp2p_testing::remote::{Hello, LINK, REMOTE, Scene, recipient};
use devp2p_testing::{ALPHA, PROTOCOLS, config, noise};

use crate::SECOND;

/// The driver's clock shows a time far ahead in one call, and the right time in the next
fn err_once(scene: &mut Scene<'_>) {
    let wrong = scene.now.checked_add(SECOND * 3_600).unwrap();
    _ = scene.node.link.receive(wrong, &[]);
    scene.node.link.handle_timeout(scene.now);
}

/// The next timer, and the time until it goes off
fn next(scene: &Scene<'_>) -> (Option<Timer>, Duration) {
    let link = &scene.node.link;
    (link.next_timer(), link.next_timeout().unwrap().saturating_since(scene.now))
}

/// The link runs for so many seconds more, in each of which `act` is called, and ends in the next one
fn ends_after(scene: &mut Scene<'_>, seconds: u32, cause: Cause, act: fn(&mut Scene<'_>)) {
    for second in 1..seconds {
        scene.advance(SECOND);
        act(scene);
        assert_eq!(scene.node.link.cause(), None, "after {second} s");
    }
    scene.advance(SECOND);
    assert_eq!(scene.node.link.cause(), Some(cause));
}

fn idle(_: &mut Scene<'_>) {}

#[test]
fn the_handshake_has_its_whole_time_again() {
    let mut scene = Scene::new(recipient(&config(LINK, PROTOCOLS)));
    scene.advance(SECOND * 4);
    err_once(&mut scene);
    assert_eq!(next(&scene), (Some(Timer::Handshake), SECOND * 5));
    ends_after(&mut scene, 5, Cause::Timeout(Timeout::Handshake), idle);
}

#[test]
fn a_silent_peer_has_its_whole_time_again() {
    let mut scene = Scene::running();
    scene.advance(SECOND * 14);
    err_once(&mut scene);
    assert_eq!(next(&scene), (Some(Timer::Ping), SECOND * 15));
    ends_after(&mut scene, 30, Cause::Timeout(Timeout::Read), idle);
}

#[test]
fn a_pong_has_its_whole_time_again() {
    let mut scene = Scene::running();
    scene.advance(SECOND * 15);
    assert_eq!(scene.received.len(), 1, "a Ping");
    scene.advance(SECOND * 10);
    err_once(&mut scene);
    let busy = |scene: &mut Scene<'_>| scene.send(0x10, b"busy, but no Pong");
    ends_after(&mut scene, 30, Cause::Timeout(Timeout::Pong), busy);
}

/// At the slowest rate the frame takes 64 seconds
#[test]
fn a_frame_has_the_whole_time_of_its_length_again() {
    let mut scene = Scene::running();
    let frame = scene.session().seal(&vec![0x10; 4 << 20]);
    scene.input.write(&frame[..100]);
    scene.advance(SECOND * 10);
    err_once(&mut scene);
    let pieces = |scene: &mut Scene<'_>| _ = scene.input.write(&[0]);
    ends_after(&mut scene, 65, Cause::Timeout(Timeout::Frame), pieces);
}

#[test]
fn a_transport_that_takes_nothing_has_its_whole_time_again() {
    let mut scene = Scene::running();
    scene.output.capacity = 0;
    scene.node.link.write(scene.now, ALPHA, 0, b"stuck").unwrap();
    scene.advance(SECOND * 14);
    scene.send(0x10, b"heard");
    err_once(&mut scene);
    ends_after(&mut scene, 20, Cause::Timeout(Timeout::Write), idle);
}

/// At the slowest rate the bytes take 32 seconds
#[test]
fn a_transport_that_takes_little_has_the_whole_time_of_what_is_unsent_again() {
    let mut scene = Scene::running();
    scene.output.capacity = 0;
    scene.node.link.write(scene.now, ALPHA, 0, &noise(1, 2 << 20)).unwrap();
    scene.advance(SECOND * 14);
    err_once(&mut scene);
    let trickle = |scene: &mut Scene<'_>| {
        scene.send(0x10, b"heard");
        scene.output.capacity = 1;
        scene.step();
        scene.output.capacity = 0;
    };
    ends_after(&mut scene, 33, Cause::Timeout(Timeout::Write), trickle);
}

#[test]
fn memory_is_given_back_after_its_whole_time_again() {
    let mut timeouts = Timeouts::default();
    (timeouts.ping, timeouts.read) = (SECOND * 60, SECOND * 120);
    let config = config(LINK, PROTOCOLS).with_timeouts(timeouts).unwrap();
    let mut scene = Scene::running_with(recipient(&config), Hello::fitting(REMOTE));
    scene.send(0x10, &noise(1, 100_000));
    scene.advance(SECOND * 10);
    err_once(&mut scene);
    assert_eq!(next(&scene), (Some(Timer::Memory), SECOND * 15));
}

#[test]
fn the_peer_has_its_whole_time_to_close_again() {
    let mut scene = Scene::running();
    scene.node.link.disconnect(scene.now, Reason::USELESS_PEER);
    scene.settle();
    assert_eq!(scene.node.link.next_timer(), Some(Timer::Linger));
    err_once(&mut scene);
    assert_eq!(scene.node.link.stage(), Stage::Closing);
    assert_eq!(next(&scene), (Some(Timer::Linger), SECOND * 2));
    scene.advance(SECOND * 2);
    assert_eq!(scene.node.cause(), Some(Cause::Local(Reason::USELESS_PEER)));
}

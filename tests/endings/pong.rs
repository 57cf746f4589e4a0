//! Endings by a missing Pong that was put off

use devp2p_proto::{Cause, Stage, Timeout};
use devp2p_testing::noise;
use devp2p_testing::remote::{PONG, Scene, body, compressed};

use crate::SECOND;

/// A peer always has a frame under way, and never answers
#[test]
fn frames_under_way_do_not_put_off_a_pong_for_good() {
    let mut scene = Scene::running();
    let mut rest = Vec::new();
    for _ in 0..60 {
        rest.extend(scene.session().seal(&body(0x10, &compressed(b"not a Pong"))));
    }
    let mut bytes = rest.chunks(40);
    let mut seconds = 0;
    while scene.node.link.stage() == Stage::Running {
        scene.input.write(bytes.next().expect("it ends before that"));
        scene.advance(SECOND * 10);
        seconds += 10;
    }
    assert_eq!(scene.node.link.cause(), Some(Cause::Timeout(Timeout::Pong)));
    assert!(seconds <= 15 + 30 + 30 + 30 + 10, "{seconds} s");
}

/// Nor do Pings that are read slowly
#[test]
fn owed_pongs_do_not_put_off_a_pong_for_good() {
    let mut scene = Scene::running();
    let mut seconds = 0;
    while scene.node.link.stage() == Stage::Running && seconds < 600 {
        scene.output.capacity = 0;
        scene.send(devp2p_testing::remote::PING, &[0xc0]);
        scene.send(devp2p_testing::remote::PING, &[0xc0]);
        scene.advance(SECOND * 5);
        scene.output.capacity = usize::MAX;
        scene.settle();
        scene.advance(SECOND * 10);
        seconds += 15;
    }
    assert_eq!(scene.node.link.cause(), Some(Cause::Timeout(Timeout::Pong)));
}

/// The time after a frame is that of a Pong, and not that of the frame
#[test]
fn a_complete_frame_puts_nothing_off_any_more() {
    let mut scene = Scene::running();
    scene.advance(SECOND * 29);
    let frame = scene.session().seal(&body(0x10, &compressed(&noise(1, 16_000_000))));
    scene.input.write(&frame[..1_000]);
    scene.advance(SECOND * 17);
    assert_eq!(scene.node.link.stage(), Stage::Running, "the frame has its time");
    scene.input.write(&frame[1_000..]);
    scene.advance(SECOND * 29);
    assert_eq!(scene.node.link.stage(), Stage::Running);
    scene.advance(SECOND * 2);
    assert_eq!(scene.node.link.cause(), Some(Cause::Timeout(Timeout::Pong)));
}

#[test]
fn a_late_pong_counts() {
    let mut scene = Scene::running();
    scene.advance(SECOND * 29);
    let frame = scene.session().seal(&body(0x10, &compressed(&noise(1, 4_000_000))));
    scene.input.write(&frame[..1_000]);
    scene.advance(SECOND * 17);
    scene.input.write(&frame[1_000..]);
    scene.send(PONG, &[0xc0]);
    scene.advance(SECOND * 20);
    assert_eq!((scene.node.link.stage(), scene.node.link.liveness().pongs_received), (Stage::Running, 1));
}

//! Memory that is given back while something is in it

use std::time::Duration;

use devp2p_proto::{Cause, Stage, Violation};
use devp2p_testing::remote::{Hello, LINK, REMOTE, Scene, body, compressed, recipient};
use devp2p_testing::{ALPHA, PROTOCOLS, config, noise};

const SECOND: Duration = Duration::from_secs(1);

/// A link whose buffers hold a megabyte that nobody needs: they are looked at next 14 seconds from now
fn grown(version: u64) -> Scene<'static> {
    let protocols = [PROTOCOLS[0], PROTOCOLS[1].with_max_message(500)];
    let hello = Hello { version, ..Hello::fitting(REMOTE) };
    let mut scene = Scene::running_with(recipient(&config(LINK, &protocols)), hello);
    scene.send(0x10, &noise(1, 1 << 20));
    assert_eq!(scene.node.delivered().len(), 1);
    scene.node.seen.clear();
    scene.advance(SECOND * 16);
    scene
}

/// What has come of a frame stays, wherever the frame is cut
#[test]
fn a_part_of_a_frame_outlives_the_giving_back_of_memory() {
    for len in [20, 3_000] {
        for cut in [1, 16, 31, 33, 40, 47, 49, 60, usize::MAX] {
            let mut scene = grown(5);
            let frame = scene.session().seal(&body(0x10, &compressed(&noise(2, len))));
            let cut = cut.min(frame.len() - 1);
            scene.input.write(&frame[..cut]);
            scene.advance(SECOND * 15);
            scene.input.write(&frame[cut..]);
            scene.settle();
            assert_eq!(scene.node.delivered(), [(ALPHA, 0, noise(2, len))], "{cut} of {}", frame.len());
        }
    }
}

/// The same for a body that is not stored
#[test]
fn a_body_that_is_not_stored_outlives_the_giving_back_of_memory() {
    let message = body(0x14, &compressed(&noise(2, 3_000)));
    for left in [3_016, 3_008, 3_007, 1_000, 17, 16, 3, 1] {
        let mut scene = grown(5);
        let frame = scene.session().seal(&message);
        let cut = frame.len() - left;
        scene.input.write(&frame[..cut]);
        scene.advance(SECOND * 15);
        scene.input.write(&frame[cut..]);
        scene.settle();
        let expected = Cause::Violation(Violation::FrameTooLarge { size: message.len() });
        assert_eq!(scene.node.link.cause(), Some(expected), "its MAC is right, {left} bytes before the end");
    }
}

/// A message that waits for the driver stays, compressed or not
#[test]
fn a_message_that_waits_outlives_the_giving_back_of_memory() {
    for version in [4, 5] {
        for len in [20, 3_000] {
            let mut scene = grown(version);
            scene.node.link.hold_input(scene.now, true);
            scene.send(0x10, &noise(2, len));
            scene.advance(SECOND * 15);
            assert_eq!((scene.node.delivered().len(), scene.node.link.stage()), (0, Stage::Running));
            scene.node.link.hold_input(scene.now, false);
            scene.settle();
            assert_eq!(scene.node.delivered(), [(ALPHA, 0, noise(2, len))], "version {version}");
        }
    }
}

/// What is unsent stays
#[test]
fn what_is_unsent_outlives_the_giving_back_of_memory() {
    let mut scene = Scene::running();
    scene.node.link.write(scene.now, ALPHA, 0, &noise(1, 1 << 20)).unwrap();
    scene.settle();
    scene.received.clear();
    scene.advance(SECOND * 16);
    scene.node.link.write(scene.now, ALPHA, 0, &noise(2, 3_000)).unwrap();
    scene.output.capacity = 1_000;
    scene.node.turn(scene.now, &mut scene.input, &mut scene.output);
    scene.output.capacity = 0;
    scene.advance(SECOND * 10);
    scene.send(0x10, b"not silent");
    scene.advance(SECOND * 5);
    scene.output.capacity = usize::MAX;
    scene.settle();
    assert_eq!(scene.received.iter().filter(|(id, _)| *id == 0x10).collect::<Vec<_>>(), [&(0x10, noise(2, 3_000))]);
}

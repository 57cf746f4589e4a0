//! The promise about messages that are skipped

use devp2p_proto::{Cause, PeerState, Stage, Violation};
use devp2p_testing::remote::{Hello, LINK, REMOTE, Scene, body, compressed, recipient};
use devp2p_testing::{ALPHA, PROTOCOLS, Seen, config, noise};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::cases;

fn link() -> PeerState<'static> {
    recipient(&config(LINK, &[PROTOCOLS[0].with_max_message(1_000).skip_larger()]))
}

fn scene() -> Scene<'static> {
    Scene::running_with(link(), Hello::fitting(REMOTE))
}

/// A skipped message with a small body, a message that is taken, and a skipped message with a large body
fn conversation() -> [Vec<u8>; 3] {
    [vec![0; 2_000], noise(1, 1_000), noise(2, 2_500)].map(|payload| body(0x10, &compressed(&payload)))
}

/// What a driver sees of the conversation
fn seen(wire_lens: [usize; 2]) -> [Seen; 3] {
    let [small, large] = wire_lens;
    [
        Seen::Skipped(ALPHA, 0, 2_000, small),
        Seen::Deliver(ALPHA, 0, noise(1, 1_000)),
        Seen::Skipped(ALPHA, 0, 2_500, large),
    ]
}

/// The conversation as frames for the link of this scene
fn frames(scene: &mut Scene<'_>) -> Vec<Vec<u8>> {
    conversation().iter().map(|body| scene.session().seal(body)).collect()
}

/// Flips every bit of the frames; in debug builds every third bit
#[test]
fn skipped_is_authenticated() {
    let frames = frames(&mut scene());
    let wire_lens = [frames[0].len(), frames[2].len()];
    let starts = [0, frames[0].len(), frames[0].len() + frames[1].len()];
    let bits = frames.concat().len() * 8;
    for bit in (0..bits).step_by(if cfg!(debug_assertions) { 3 } else { 1 }) {
        let index = bit / 8;
        let mut scene = scene();
        let mut stream = self::frames(&mut scene).concat();
        stream[index] ^= 1 << (bit % 8);
        scene.input.write(&stream);
        scene.settle();
        let frame = starts.iter().rposition(|start| *start <= index).unwrap();
        let expected = match index - starts[frame] {
            0..32 => Violation::HeaderMacMismatch,
            _ => Violation::BodyMacMismatch,
        };
        assert_eq!(scene.node.seen[..frame], seen(wire_lens)[..frame], "bit {bit}");
        assert_eq!(scene.node.seen[frame..], [Seen::Disconnect(Cause::Violation(expected))], "bit {bit}");
    }
}

proptest! {
    #![proptest_config(cases(64))]

    /// Each message is reported once, when its last byte has come, however the frames are cut
    #[test]
    fn skipped_once_however_it_is_cut(cuts in vec(1..200_usize, 1..40)) {
        let mut scene = scene();
        let frames = frames(&mut scene);
        let expected = seen([frames[0].len(), frames[2].len()]);
        let mut cuts = cuts.into_iter().cycle();
        for (index, mut frame) in frames.iter().map(Vec::as_slice).enumerate() {
            while !frame.is_empty() {
                prop_assert_eq!(&scene.node.seen[..], &expected[..index], "before the last byte");
                let (piece, rest) = frame.split_at(cuts.next().unwrap().min(frame.len()));
                scene.input.write(piece);
                scene.settle();
                frame = rest;
            }
        }
        prop_assert_eq!(&scene.node.seen[..], &expected[..]);
        prop_assert_eq!(scene.node.link.stage(), Stage::Running);
    }
}

/// A call completes at most one message, skipped or not
#[test]
fn one_call_completes_one_message() {
    let mut scene = scene();
    let frames = frames(&mut scene);
    let stream = frames.concat();
    let (now, mut rest) = (scene.now, &stream[..]);
    for frame in &frames {
        let link = &mut scene.node.link;
        assert_eq!(link.receive(now, rest), frame.len());
        rest = &rest[frame.len()..];
        assert!(!link.wants_input());
        assert_eq!(link.receive(now, rest), 0, "an action waits");
        assert!(link.poll().is_some());
        assert!(link.poll().is_none() && link.wants_input());
    }
}

//! Promises about what a peer can make a link do: the work of one call, and the answers to Pings

use devp2p_proto::{Action, Stage};
use devp2p_testing::remote::{PING, PONG, Scene, body, compressed};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::cases;

#[test]
fn bounded_work() {
    let mut scene = Scene::running();
    for index in 0..100 {
        scene.send_body(&body(0x10 + index % 7, &compressed(b"message")));
        scene.send_body(&body(PING, &compressed(&[0xc0])));
    }
    let stream: Vec<u8> = scene.input.log.clone();
    let mut rest = &stream[stream.len() - scene.input.waiting()..];
    let mut delivered = 0;
    let link = &mut scene.node.link;
    while !rest.is_empty() {
        let taken = link.receive(scene.now, rest);
        assert!(taken <= 80, "one frame of up to 80 bytes, not {taken}");
        rest = &rest[taken..];
        if !link.wants_input() {
            assert_eq!(link.receive(scene.now, rest), 0, "nothing more before the poll");
        }
        let mut deliveries = 0;
        while let Some(action) = link.poll() {
            match action {
                Action::Deliver { .. } => deliveries += 1,
                Action::Send(bytes) => {
                    let len = bytes.len();
                    link.sent(scene.now, len).unwrap();
                }
                other => panic!("{other:?}"),
            }
        }
        assert!(deliveries <= 1);
        delivered += deliveries;
    }
    assert_eq!(delivered, 100);
}

proptest! {
    #![proptest_config(cases(48))]

    /// Pings, Pongs without a Ping, and an output that stalls
    #[test]
    fn one_pong_per_ping(script in vec(0..5_u8, 0..80)) {
        let mut scene = Scene::running();
        let mut pings = 0;
        for step in script {
            match step {
                0 | 1 => {
                    pings += 1;
                    scene.send(PING, &[0xc0]);
                }
                2 => scene.send(PONG, &[0xc0]),
                3 => scene.output.capacity = 0,
                _ => scene.output.capacity = usize::MAX,
            }
            scene.settle();
            prop_assert!(pongs(&scene) <= pings, "unsolicited");
            prop_assert!(scene.node.link.unsent().len() <= 64, "at most one Pong waits");
            prop_assert_eq!(scene.node.link.stage(), Stage::Running);
        }
        scene.output.capacity = usize::MAX;
        scene.settle();
        prop_assert_eq!(pongs(&scene), pings);
    }
}

/// In CVE-2023-40591 a flood of Pings takes unlimited memory
#[test]
fn a_ping_flood_takes_no_memory() {
    let mut scene = Scene::running();
    scene.output.capacity = 0;
    for _ in 0..3_000 {
        scene.send_body(&body(PING, &compressed(&[0xc0])));
    }
    scene.settle();
    assert_eq!(scene.node.link.unsent().len(), 64, "one Pong");
    assert!(!scene.node.link.wants_input());
    assert!(scene.input.waiting() > 2_990 * 64);
    let liveness = scene.node.link.liveness();
    assert_eq!((liveness.pings_received, liveness.pongs_sent), (2, 1));
    scene.output.capacity = usize::MAX;
    scene.settle();
    assert_eq!(pongs(&scene), 3_000);
}

fn pongs(scene: &Scene<'_>) -> usize {
    scene.received.iter().filter(|(id, _)| *id == PONG).count()
}

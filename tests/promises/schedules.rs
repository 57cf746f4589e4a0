//! Promises about every sequence of calls: random schedules of drivers, network and clock

use std::time::Duration;

use devp2p_proto::{Action, DisconnectReason, Instant, ProtocolId, Stage, WriteError};
use devp2p_testing::remote::{Hello, LINK, PING, PONG, REMOTE, Scene, body, compressed, recipient};
use devp2p_testing::schedule::{Operation, Side, World, ending, friendly, friendly_operations, operations};
use devp2p_testing::{ALPHA, BETA, PROTOCOLS, Seen, config, noise};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::{SECOND, cases, performed};

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn deterministic(operations in operations()) {
        let (first, second) = (performed(&operations), performed(&operations));
        prop_assert_eq!(first.history(), second.history());
        prop_assert_eq!(first.results, second.results);
    }

    /// `Pair::advance` checks this after every wake-up; here the calls are late
    #[test]
    fn deadline_moves(operations in operations(), late in 0..100_000_u64) {
        let mut world = performed(&operations);
        for side in [Side::Initiator, Side::Recipient] {
            let link = &mut world.node(side).link;
            for _ in 0..10 {
                let Some(deadline) = link.next_timeout() else { break };
                let now = deadline.checked_add(Duration::from_millis(late)).unwrap();
                link.handle_timeout(now);
                prop_assert!(link.next_timeout().is_none_or(|next| next > now), "{:?}", link.next_timer());
                while let Some(action) = link.poll() {
                    let Action::Send(bytes) = action else { continue };
                    let len = bytes.len();
                    link.sent(now, len).unwrap();
                }
            }
        }
    }

    #[test]
    fn disconnect_once(operations in operations(), end in (any::<bool>(), 0..20_u64), late in operations()) {
        let mut world = performed(&operations);
        let side = if end.0 { Side::Initiator } else { Side::Recipient };
        world.perform(&Operation::Disconnect(side, end.1));
        world.perform(&Operation::Settle);
        world.perform(&Operation::Advance(3 * SECOND));
        world.run(&late);
        world.heal();
        for side in [Side::Initiator, Side::Recipient] {
            let now = world.pair.now;
            let node = world.node(side);
            let told = node.seen.iter().filter(|seen| matches!(seen, Seen::Disconnect(_))).count();
            prop_assert_eq!(told, 1);
            prop_assert!(matches!(node.seen.last(), Some(Seen::Disconnect(_))), "{:?}", node.seen);
            prop_assert_eq!(node.link.stage(), Stage::Closed);
            prop_assert_eq!(node.link.receive(now, &[1, 2, 3]), 3, "input is taken and ignored");
            prop_assert_eq!(node.link.write(now, ALPHA, 0, b""), Err(WriteError::Closed));
            prop_assert_eq!(node.link.next_timeout(), None);
            prop_assert!(node.link.poll().is_none());
        }
    }

    /// Two equal pairs; one of them also gets writes that it must refuse
    #[test]
    fn refused_write_changes_nothing(operations in operations(), refused in vec((any::<bool>(), 0..5_usize), 60)) {
        let (mut plain, mut asked) = (World::new(), World::new());
        for (operation, (forth, bad)) in operations.iter().zip(refused) {
            plain.perform(operation);
            asked.perform(operation);
            let now = asked.pair.now;
            let link = &mut asked.node(if forth { Side::Initiator } else { Side::Recipient }).link;
            let (protocol, code, len) =
                [(ALPHA, 4, 10), (BETA, 3, 0), (BETA, u64::MAX, 0), (ProtocolId(2), 0, 1), (ALPHA, 0, 30_001)][bad];
            prop_assert!(link.write(now, protocol, code, &vec![7; len]).is_err());
        }
        plain.heal();
        asked.heal();
        prop_assert_eq!(plain.history(), asked.history());
    }

    #[test]
    fn no_panic(operations in vec(prop_oneof![3 => friendly(), 2 => ending()], 0..40), bytes in vec(any::<u8>(), 0..300)) {
        let mut world = World::new();
        for operation in &operations {
            world.perform(operation);
            for side in [Side::Initiator, Side::Recipient] {
                let link = &world.node(side).link;
                let _ = format!("{link:?} {:?} {:?} {:?}", link.next_timer(), link.cause(), link.write_capacity(ALPHA));
            }
        }
        for side in [Side::Initiator, Side::Recipient] {
            world.perform(&Operation::Garbage(side, bytes.clone()));
        }
        world.heal();
    }

    /// A clock that jumps back has the same effect as a stopped clock
    #[test]
    fn time_backwards_is_harmless(operations in operations()) {
        let skewed = performed(&operations);
        let mut steady = World::new();
        steady.skewed = false;
        steady.run(&operations);
        steady.heal();
        prop_assert_eq!(skewed.history(), steady.history());
        prop_assert_eq!(skewed.results, steady.results);
    }

    /// Accepted messages arrive in order for each protocol, and all of them unless the link has ended
    #[test]
    fn nothing_is_lost_or_reordered(operations in friendly_operations()) {
        let world = performed(&operations);
        let ended = world.pair.causes() != (None, None);
        for (side, other) in [(Side::Initiator, &world.pair.recipient), (Side::Recipient, &world.pair.initiator)] {
            for protocol in [ALPHA, BETA] {
                let arrived = other.delivered();
                let arrived: Vec<_> =
                    arrived.iter().filter(|(to, ..)| *to == protocol).map(|(.., payload)| &payload[..]).collect();
                let written = world.written_by(side, protocol);
                prop_assert!(arrived == written || ended && written.starts_with(&arrived));
            }
        }
    }
}

/// One wrong time, a day ahead or at the end of time: afterwards the link follows the clock again
#[test]
fn a_wrong_time_far_ahead_does_not_disable_the_timers() {
    let second = Duration::from_secs(1);
    let times = [Instant::from_millis(86_410_000), Instant::from_nanos(u64::MAX - 1_000_000_000), Instant::MAX];
    let wrong: [fn(&mut Scene<'_>, Instant); 3] = [
        |scene, then| scene.node.link.hold_input(then, false),
        |scene, then| assert_eq!(scene.node.link.receive(then, &[]), 0),
        |scene, then| _ = scene.node.link.write(then, ALPHA, 0, b"at a wrong time"),
    ];
    for (wrong, then) in wrong.into_iter().flat_map(|wrong| times.map(|then| (wrong, then))) {
        let mut scene = Scene::running();
        scene.advance(10 * second);
        wrong(&mut scene, then);
        scene.node.link.handle_timeout(scene.now);
        scene.settle();
        let deadline = scene.node.link.next_timeout().unwrap();
        assert!(deadline.saturating_since(scene.now) <= 15 * second, "the Ping keeps what was left of its time");
        let pings = |scene: &Scene<'_>| scene.received.iter().filter(|(id, _)| *id == PING).count();
        for _ in 0..10 {
            let before = pings(&scene);
            scene.advance(15 * second);
            assert_eq!(pings(&scene), before + 1, "a Ping every fifteen seconds");
            scene.send(PONG, &[0xc0]);
        }
        scene.advance(46 * second);
        assert_ne!(scene.node.link.stage(), Stage::Running, "a silent peer is timed out");
    }
}

/// One wrong time at any stage: the link still ends when the peer says nothing more
#[test]
fn a_wrong_time_at_any_stage_does_not_keep_a_link() {
    let second = Duration::from_secs(1);
    let stages: [fn() -> Scene<'static>; 8] = [
        || Scene::new(recipient(&config(LINK, PROTOCOLS))),
        Scene::expecting_hello,
        Scene::running,
        || cut_off(body(0x10, &compressed(&noise(1, 5_000))), 20),
        || cut_off(body(0x10, &compressed(&noise(1, 5_000))), 4_000),
        || cut_off(body(0x14, &compressed(&noise(1, 5_000))), 4_000),
        || {
            let mut scene = Scene::running();
            scene.node.link.disconnect(scene.now, DisconnectReason::REQUESTED);
            scene.settle();
            scene
        },
        || {
            let mut scene = Scene::running();
            scene.node.link.send_failed(scene.now);
            scene
        },
    ];
    for (stage, make) in stages.into_iter().enumerate() {
        for wrong in [Instant::ZERO, Instant::from_millis(86_400_000), Instant::from_nanos(u64::MAX / 2), Instant::MAX]
        {
            let mut scene = make();
            // Calls that do not look at timers
            for now in [Instant::from_millis(3_600_000), wrong, Instant::from_millis(3_600_010)] {
                scene.now = now;
                assert_eq!(scene.node.link.receive(now, &[]), 0);
            }
            scene.advance(50 * second);
            assert_eq!(scene.node.link.stage(), Stage::Closed, "stage {stage}, {wrong}");
        }
    }
}

/// A link whose peer has sent only the first `len` bytes of the frame with this body
fn cut_off(body: Vec<u8>, len: usize) -> Scene<'static> {
    let protocols = [PROTOCOLS[0], PROTOCOLS[1].with_max_message(500)];
    let mut scene = Scene::running_with(recipient(&config(LINK, &protocols)), Hello::fitting(REMOTE));
    let frame = scene.session().seal(&body);
    scene.input.write(&frame[..len]);
    scene.settle();
    scene
}

/// After `Full` the link remembers the protocol that waits; the bytes do not change by that
#[test]
fn a_write_refused_as_full_leaves_the_stream_as_it_was() {
    let mut plain = World::new();
    let mut asked = World::new();
    for world in [&mut plain, &mut asked] {
        world.heal();
        world.pair.to_recipient.capacity = world.pair.to_recipient.waiting();
        for protocol in [ALPHA, BETA] {
            world.pair.initiator.link.write(world.pair.now, protocol, 0, &noise(5, 3_000)).unwrap();
        }
    }
    for len in [2_000, 30_000, 1] {
        let full = asked.pair.initiator.link.write(asked.pair.now, BETA, 1, &noise(6, len));
        assert_eq!(full, Err(WriteError::Full));
    }
    for world in [&mut plain, &mut asked] {
        world.heal();
        world.pair.initiator.link.write(world.pair.now, BETA, 2, b"the next").unwrap();
        world.heal();
    }
    assert_eq!(plain.history().2, asked.history().2);
    assert_eq!(plain.pair.recipient.seen, asked.pair.recipient.seen);
}

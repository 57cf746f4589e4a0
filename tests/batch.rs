//! Batches: the promises that random operations do not show
//!
//! `tests/machine` compares batches with links one by one over random operations.

use std::panic::{AssertUnwindSafe, catch_unwind};

use devp2p_heap::{Counting, allocations};
use devp2p_proto::{
    Action, Buffers, Cause, Instant, PeerState, ProtocolId, ProtocolSlot, Stage, Violation, WriteError, batch,
};
use devp2p_testing::remote::{Hello, LINK, REMOTE, Scene, body, compressed, recipient};
use devp2p_testing::{ALPHA, BETA, PROTOCOLS, Pair, Pipe, Seen, config, entropy, noise};

#[global_allocator]
static COUNTING: Counting = Counting;

/// The message id of the code 0 of `alpha`
const ALPHA_0: u64 = 0x10;

/// Writes to the links of all scenes
fn write(scenes: &mut [Scene<'_>], protocol: ProtocolId, payload: &[u8]) -> Vec<Result<usize, WriteError>> {
    let mut outcomes = Vec::new();
    let links = scenes.iter_mut().map(|scene| ((), &mut scene.node.link, protocol));
    batch::write(Instant::ZERO, links, 0, payload, |(), outcome| outcomes.push(outcome.map(|event| event.size)));
    outcomes
}

/// Gives the links of all scenes the bytes that wait for them
fn receive(scenes: &mut [Scene<'_>]) {
    let mut taken = Vec::new();
    let links = scenes.iter_mut().map(|scene| ((), &mut scene.node.link, scene.input.unread()));
    batch::receive(Instant::ZERO, links, |(), len| taken.push(len));
    for (scene, taken) in scenes.iter_mut().zip(taken) {
        scene.input.consume(taken);
        scene.settle();
    }
}

fn running() -> Vec<Scene<'static>> {
    (0..12).map(|_| Scene::running()).collect()
}

/// Peers with version 4 of the base protocol do not compress, and some peers have only `beta`
#[test]
fn each_remote_reads_its_own_form_of_the_message() {
    let mut scenes = running();
    for version in [4, 5] {
        let mut hello = Hello { version, ..Hello::fitting(REMOTE) };
        hello.capabilities.remove(0);
        scenes.insert(3, Scene::running_with(recipient(&config(LINK, PROTOCOLS)), hello));
    }
    let payload = b"the same to all, the same to all, the same to all".repeat(30);
    let outcomes = write(&mut scenes, BETA, &payload);
    assert!(outcomes.iter().all(|outcome| *outcome == Ok(payload.len())), "{outcomes:?}");
    for (number, scene) in scenes.iter_mut().enumerate() {
        scene.settle();
        let id = if [3, 4].contains(&number) { 0x10 } else { 0x14 };
        assert_eq!(scene.received, [(id, payload.clone())], "scene {number}");
    }
}

#[test]
fn a_link_that_refuses_the_message_keeps_no_other_from_it() {
    let mut scenes = running();
    scenes[0] = Scene::expecting_hello();
    scenes[5].node.link.receive_closed(Instant::ZERO);
    let mut outcomes = write(&mut scenes, ALPHA, b"payload");
    assert_eq!(outcomes.remove(5), Err(WriteError::Closed));
    assert_eq!(outcomes.remove(0), Err(WriteError::NotReady));
    assert!(outcomes.iter().all(|outcome| *outcome == Ok(7)), "{outcomes:?}");
}

#[test]
fn a_wrong_mac_ends_its_link_alone() {
    let mut scenes = running();
    for (number, scene) in scenes.iter_mut().enumerate() {
        scene.send_body(&body(ALPHA_0, &compressed(&noise(number as u64, 1_024))));
    }
    let damaged = [(2, 20, Violation::HeaderMacMismatch), (7, 500, Violation::BodyMacMismatch)];
    for (number, at, _) in damaged {
        scenes[number].input.flip(at, 3);
    }
    receive(&mut scenes);
    for (number, scene) in scenes.iter().enumerate() {
        let expected = match damaged.iter().find(|(damaged, ..)| *damaged == number) {
            Some((.., violation)) => {
                vec![Seen::Disconnect(Cause::Violation(*violation))]
            }
            None => vec![Seen::Deliver(ALPHA, 0, noise(number as u64, 1_024))],
        };
        assert_eq!(scene.node.seen, expected, "scene {number}");
    }
}

/// No frame stays in the clear, and no link is left behind another
#[test]
fn a_caller_that_panics_leaves_whole_frames() {
    let mut scenes = running();
    let payload = noise(1, 600);
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        let links = scenes.iter_mut().enumerate().map(|(number, scene)| (number, &mut scene.node.link, ALPHA));
        batch::write(Instant::ZERO, links, 0, &payload, |number, _| assert!(number < 9, "on purpose"));
    }));
    outcome.unwrap_err();
    for (number, scene) in scenes.iter_mut().enumerate() {
        scene.settle();
        assert_eq!(scene.received.len(), usize::from(number < 10), "scene {number}");
    }
    let outcomes = write(&mut scenes, ALPHA, &payload);
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    scenes.iter_mut().for_each(Scene::settle);
    assert!(scenes.iter().all(|scene| scene.received.ends_with(&[(ALPHA_0, payload.clone())])));
}

#[test]
fn nothing_is_allocated_with_the_caller_s_buffers() {
    let config = [1, 2].map(|seed| config(seed, PROTOCOLS).with_max_message(5_000).unwrap());
    let mut memory: Vec<_> = (0..10)
        .map(|_| {
            let buffers = (vec![0; config[0].receive_len()], vec![0; config[0].transmit_len()]);
            (buffers, vec![0; 1_024], vec![ProtocolSlot::EMPTY; 2])
        })
        .collect();
    let mut links: Vec<_> = memory
        .iter_mut()
        .map(|((receive, transmit), table, slots)| {
            let mut pair = Pair::with_buffers(
                &config[0],
                &config[1],
                Buffers::fixed(receive, transmit, table, slots),
                Buffers::growable(),
            );
            pair.settle();
            pair.recipient.link.write(pair.now, ALPHA, 1, &noise(1, 4_000)).unwrap();
            pair
        })
        .collect();
    let frames: Vec<_> = links.iter().map(|pair| pair.recipient.link.unsent().to_vec()).collect();
    let payload = noise(2, 3_000);
    let before = allocations();
    let chosen = links.iter_mut().map(|pair| ((), &mut pair.initiator.link, BETA));
    batch::write(Instant::ZERO, chosen, 0, &payload, |(), outcome| assert_eq!(outcome.unwrap().size, 3_000));
    let chosen = links.iter_mut().zip(&frames).map(|(pair, frame)| (frame.len(), &mut pair.initiator.link, &frame[..]));
    batch::receive(Instant::ZERO, chosen, |offered, taken| assert_eq!(offered, taken));
    assert_eq!(allocations(), before);
    for pair in &mut links {
        assert!(matches!(pair.initiator.link.poll(), Some(Action::Deliver { protocol: ALPHA, code: 1, .. })));
    }
}

/// A stage before keys, in the same call as links that run
#[test]
fn handshakes_may_be_among_the_links() {
    let (dialling, dialled) = (config(1, PROTOCOLS), config(2, PROTOCOLS));
    let mut pair = Pair::new(&dialling, &dialled);
    let mut auth = Pipe::new();
    pair.initiator.turn(pair.now, &mut Pipe::new(), &mut auth);
    let mut scenes = running();
    scenes[0] = Scene::new(PeerState::recipient(Instant::ZERO, &dialled, entropy(2), Buffers::growable()).unwrap());
    scenes[0].input = auth;
    for scene in &mut scenes[1..] {
        scene.send_body(&body(ALPHA_0, &compressed(b"payload")));
    }
    let mut taken = Vec::new();
    let links = scenes.iter_mut().map(|scene| ((), &mut scene.node.link, scene.input.unread()));
    batch::receive(Instant::ZERO, links, |(), len| taken.push(len));
    assert_eq!(scenes[0].node.link.stage(), Stage::Admission);
    assert!(scenes.iter_mut().zip(taken).all(|(scene, taken)| taken == scene.input.waiting()));
}

/// Links with memory of their own have other tables for compressing, and give other bytes for some lengths
#[test]
fn short_payloads_are_compressed_as_by_write() {
    let config = [1, 2].map(|seed| config(seed, PROTOCOLS).with_max_message(1_000).unwrap());
    for (len, fixed_first) in (0..40).flat_map(|len| [(len, false), (len, true)]) {
        let mut memory = [0; 2].map(|_| (vec![0; config[0].receive_len()], vec![0; config[0].transmit_len()]));
        let mut tables = [[0; 1024]; 2];
        let mut slots = [[ProtocolSlot::EMPTY; 2], [ProtocolSlot::EMPTY; 2]];
        let mut places = memory.iter_mut().zip(&mut tables).zip(&mut slots);
        let mut links = || {
            let ((memory, table), slots) = places.next().unwrap();
            let fixed = Buffers::fixed(&mut memory.0, &mut memory.1, table, slots);
            let mut both = [fixed, Buffers::growable()];
            if !fixed_first {
                both.reverse();
            }
            both.map(|buffers| {
                let mut pair = Pair::with_buffers(&config[0], &config[1], buffers, Buffers::growable());
                pair.settle();
                pair.initiator.link
            })
        };
        let (mut alone, mut together) = (links(), links());
        let payload = vec![b'a'; len];
        alone.iter_mut().for_each(|link| _ = link.write(Instant::ZERO, ALPHA, 0, &payload).unwrap());
        let batch = together.iter_mut().map(|link| ((), link, ALPHA));
        batch::write(Instant::ZERO, batch, 0, &payload, |(), outcome| _ = outcome.unwrap());
        for (alone, together) in alone.iter().zip(&together) {
            assert_eq!(alone.unsent(), together.unsent(), "{len} bytes, fixed first: {fixed_first}");
        }
    }
}

#[test]
fn occupancy_counts_every_permutation() {
    let payload = noise(3, 10_000);
    let mut scenes: Vec<_> = (0..9).map(|_| Scene::running()).collect();
    let mut write = |count: usize| {
        let links = scenes[..count].iter_mut().map(|scene| ((), &mut scene.node.link, ALPHA));
        let occupancy = batch::write(Instant::ZERO, links, 0, &payload, |(), outcome| _ = outcome.unwrap());
        scenes.iter_mut().for_each(Scene::settle);
        occupancy
    };
    let one = write(1);
    assert_eq!(one.permutations, one.steps);
    assert!((10_000 / 136..10_000 / 136 + 8).contains(&one.permutations), "{one:?}");
    let nine = write(9);
    let least = 9 * (10_000 / 136);
    assert!((least..least + 9 * 8).contains(&nine.permutations), "{nine:?}");
    assert!(nine.steps < 3 * one.steps, "eight at a time, and then one: {nine:?}");
    assert!(nine.mean() > 0.5 && one.mean() < 0.2);
}

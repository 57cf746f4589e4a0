//! What the link promises, each as a test of that name
//!
//! `no_allocation` and `memory_is_given_back` need an allocator that counts, and are in
//! `allocation.rs`.
#![cfg(feature = "alloc")]
mod support;

use std::fmt::Debug;
use std::time::Duration;

use devp2p_proto::{
    Action, Buffers, Cause, Config, DisconnectReason, Entropy, Event, Instant, PeerState, ProtocolError, ProtocolId,
    Refused, SecretKey, Stage, Timeout, Timer, Violation, WriteError,
};
use proptest::collection::vec;
use proptest::prelude::*;
use support::remote::{Handshake, Hello, LINK, PING, PONG, REMOTE, Scene, body, compressed, initiator, recipient};
use support::schedule::{Operation, Side, World, ending, friendly, friendly_operations, operations};
use support::{ALPHA, BETA, Node, PROTOCOLS, Pair, Seen, config, entropy, noise, observe};

const SECOND: Duration = Duration::from_secs(1);

fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

fn performed(operations: &[Operation]) -> World<'static> {
    let mut world = World::new();
    world.run(operations);
    world.heal();
    world
}

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn deterministic(operations in operations()) {
        let (first, second) = (performed(&operations), performed(&operations));
        prop_assert_eq!(first.history(), second.history());
        prop_assert_eq!(first.results, second.results);
    }

    /// Both directions of a conversation, replayed to a link like the one that heard it
    #[test]
    fn fragmentation_invariant(
        operations in friendly_operations(),
        end in prop::option::of(ending()),
        cuts in vec(1..50_usize, 1..40),
        flip in prop::option::of((any::<prop::sample::Index>(), 0..8_u8)),
    ) {
        let mut world = performed(&operations);
        end.iter().for_each(|end| world.perform(end));
        world.heal();
        for side in [Side::Initiator, Side::Recipient] {
            let mut stream = world.pipe(side).log.clone();
            if let Some((index, bit)) = flip.filter(|_| !stream.is_empty()) {
                let index = index.index(stream.len());
                stream[index] ^= 1 << bit;
            }
            let whole = replayed(side, &stream, &mut std::iter::repeat(usize::MAX));
            let cut = replayed(side, &stream, &mut cuts.iter().copied().cycle());
            prop_assert_eq!(&whole, &cut);
            let bytewise = replayed(side, &stream, &mut std::iter::repeat(1));
            prop_assert_eq!(&whole, &bytewise);
        }
    }

    /// `Pair::pass` asserts it after every wake-up; here also for calls that come late
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
        world.perform(&Operation::Pass(3 * SECOND));
        world.run(&late);
        world.heal();
        for side in [Side::Initiator, Side::Recipient] {
            let now = world.pair.now;
            let node = world.node(side);
            let told = node.seen.iter().filter(|seen| matches!(seen, Seen::Disconnect(_))).count();
            prop_assert_eq!(told, 1);
            prop_assert!(matches!(node.seen.last(), Some(Seen::Disconnect(_))), "{:?}", node.seen);
            prop_assert_eq!(node.link.stage(), Stage::Closed);
            prop_assert_eq!(node.link.receive(now, &[1, 2, 3]), 3, "input is swallowed");
            prop_assert_eq!(node.link.write(now, ALPHA, 0, b""), Err(WriteError::Closed));
            prop_assert_eq!(node.link.next_timeout(), None);
            prop_assert!(node.link.poll().is_none());
        }
    }

    /// Twins, of which one is asked for writes that it must refuse
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
                let _ = format!("{link:?} {:?} {:?} {:?}", link.next_timer(), link.cause(), link.write_capacity());
            }
        }
        for side in [Side::Initiator, Side::Recipient] {
            world.perform(&Operation::Garbage(side, bytes.clone()));
        }
        world.heal();
    }

    /// A clock that jumps back is one that stands still
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

    /// What was taken arrives, in order, for every protocol; all of it unless the link has ended
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

/// What a link like the one opposite of `from` sees and sends when it hears `stream` in pieces
fn replayed(from: Side, stream: &[u8], pieces: &mut dyn Iterator<Item = usize>) -> (Vec<Seen>, Vec<u8>) {
    let mut node = Node::new(opposite(from));
    let (now, mut rest, mut sent) = (Instant::ZERO, stream, Vec::new());
    drain(&mut node, now, &mut sent);
    while !rest.is_empty() {
        let len = pieces.next().unwrap().min(rest.len());
        let mut piece = &rest[..len];
        rest = &rest[len..];
        while !piece.is_empty() {
            piece = &piece[node.link.receive(now, piece)..];
            drain(&mut node, now, &mut sent);
        }
    }
    (node.seen, sent)
}

/// A link like those of [`World`], as it was in the beginning
fn opposite(from: Side) -> PeerState<'static> {
    let limited = |seed| config(seed, PROTOCOLS).with_max_message(30_000).unwrap().with_send_window(8_000);
    let (now, buffers) = (Instant::ZERO, Buffers::growable());
    match from {
        Side::Initiator => PeerState::recipient(now, &limited(2), entropy(2), buffers).unwrap(),
        Side::Recipient => PeerState::initiator(now, &limited(1), limited(2).node_id(), entropy(1), buffers).unwrap(),
    }
}

fn drain(node: &mut Node<'_>, now: Instant, sent: &mut Vec<u8>) {
    while let Some(action) = node.link.poll() {
        if let Action::Send(bytes) = action {
            let len = bytes.len();
            sent.extend_from_slice(bytes);
            node.link.sent(now, len).unwrap();
        } else {
            node.seen.push(observe(action));
        }
    }
}

#[test]
fn bounded_work() {
    let mut scene = Scene::running();
    for index in 0..100 {
        scene.say_body(&body(0x10 + index % 7, &compressed(b"message")));
        scene.say_body(&body(PING, &compressed(&[0xc0])));
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

    /// Pings, Pongs that nobody asked for, and an output that stalls
    #[test]
    fn one_pong_per_ping(script in vec(0..5_u8, 0..80)) {
        let mut scene = Scene::running();
        let mut pings = 0;
        for step in script {
            match step {
                0 | 1 => {
                    pings += 1;
                    scene.say(PING, &[0xc0]);
                }
                2 => scene.say(PONG, &[0xc0]),
                3 => scene.output.capacity = 0,
                _ => scene.output.capacity = usize::MAX,
            }
            scene.settle();
            prop_assert!(pongs(&scene) <= pings, "unsolicited");
            prop_assert!(scene.node.link.unsent() <= 64, "at most one Pong waits");
            prop_assert_eq!(scene.node.link.stage(), Stage::Running);
        }
        scene.output.capacity = usize::MAX;
        scene.settle();
        prop_assert_eq!(pongs(&scene), pings);
    }
}

fn pongs(scene: &Scene<'_>) -> usize {
    scene.heard.iter().filter(|(id, _)| *id == PONG).count()
}

/// CVE-2023-40591: a Ping flood cost memory without bound
#[test]
fn a_ping_flood_becomes_the_flooders_own_backlog() {
    let mut scene = Scene::running();
    scene.output.capacity = 0;
    for _ in 0..3_000 {
        scene.say_body(&body(PING, &compressed(&[0xc0])));
    }
    scene.settle();
    assert_eq!(scene.node.link.unsent(), 64, "one Pong");
    assert!(!scene.node.link.wants_input());
    assert!(scene.input.waiting() > 2_990 * 64);
    let liveness = scene.node.link.liveness();
    assert_eq!((liveness.pings_received, liveness.pongs_sent), (2, 1));
    scene.output.capacity = usize::MAX;
    scene.settle();
    assert_eq!(pongs(&scene), 3_000);
}

/// `Full` is the one refusal that leaves a trace, which the peer cannot see either
#[test]
fn a_write_refused_as_full_leaves_the_stream_as_it_was() {
    let mut plain = World::new();
    let mut asked = World::new();
    for world in [&mut plain, &mut asked] {
        world.heal();
        world.pair.forth.capacity = world.pair.forth.waiting();
        while world.pair.initiator.link.write(world.pair.now, ALPHA, 0, &noise(5, 1_000)).is_ok() {}
    }
    for len in [1_000, 5_000, 20_000] {
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

/// Every bit of auth, ack, Hello and a message; in debug builds every third
#[test]
fn tampering_is_caught() {
    let mut pair = Pair::new(
        &config(1, PROTOCOLS).with_max_message(30_000).unwrap(),
        &config(2, PROTOCOLS).with_max_message(30_000).unwrap(),
    );
    pair.settle();
    let now = pair.now;
    let greeted = [pair.forth.log.len(), pair.back.log.len()];
    pair.initiator.link.write(now, BETA, 0, b"message").unwrap();
    pair.recipient.link.write(now, BETA, 0, b"message").unwrap();
    pair.settle();
    for (side, stream, hello_end) in
        [(Side::Initiator, &pair.forth.log, greeted[0]), (Side::Recipient, &pair.back.log, greeted[1])]
    {
        let packet_end = 2 + usize::from(u16::from_be_bytes([stream[0], stream[1]]));
        let (honest, _) = replayed(side, stream, &mut std::iter::repeat(usize::MAX));
        assert!(matches!(honest[..], [Seen::Authenticated(_), Seen::Ready(_), Seen::Deliver(..)]), "{honest:?}");
        for bit in (0..stream.len() * 8).step_by(if cfg!(debug_assertions) { 3 } else { 1 }) {
            let index = bit / 8;
            let mut tampered = stream.clone();
            tampered[index] ^= 1 << (bit % 8);
            let untouched = usize::from(index >= packet_end) + usize::from(index >= hello_end);
            tampered_is_refused(side, &tampered, &honest[..untouched], index);
        }
    }
}

fn tampered_is_refused(side: Side, stream: &[u8], before: &[Seen], index: usize) {
    let mut node = Node::new(opposite(side));
    let (mut rest, mut sent) = (stream, Vec::new());
    drain(&mut node, Instant::ZERO, &mut sent);
    while !rest.is_empty() {
        rest = &rest[node.link.receive(Instant::ZERO, rest)..];
        drain(&mut node, Instant::ZERO, &mut sent);
    }
    if node.link.stage() == Stage::Handshake {
        // A size that became larger waits for bytes that never come.
        assert!(index < 2);
        node.link.handle_timeout(Instant::from_millis(5_000));
        assert_eq!(node.link.cause(), Some(Cause::Timeout(Timeout::Handshake)));
        assert_eq!(node.seen, before);
        return;
    }
    let Some((Seen::Disconnect(Cause::Violation(violation)), seen)) = node.seen.split_last() else {
        panic!("byte {index}: {:?}", node.seen);
    };
    assert_eq!(seen, before, "byte {index}");
    assert!(!violation.is_answered(), "{violation:?} in byte {index}");
    assert!(
        before.is_empty() || matches!(violation, Violation::HeaderMacMismatch | Violation::BodyMacMismatch),
        "{violation:?} in byte {index}"
    );
}

/// No room for another message: the driver stops feeding input and says so; the rest goes on
#[test]
fn slow_protocol_stops_reading_only() {
    let mut scene = Scene::running();
    scene.say(0x10, b"the last one that there is room for");
    scene.node.held = true;
    scene.node.link.hold_input(scene.now, true);
    scene.say_body(&body(0x10, &compressed(b"waits in the socket")));
    let held_back = scene.input.waiting();
    for minute in 1..=10 {
        let heard = scene.heard.len();
        scene.pass(60 * SECOND);
        assert_eq!(scene.node.link.stage(), Stage::Running, "after {minute} minutes");
        let pings = scene.heard[heard..].iter().filter(|(id, _)| *id == PING).count();
        assert_eq!(pings, 4, "our Pings go on, or the peer would think us dead");
        scene.node.link.write(scene.now, BETA, 0, b"still writing").unwrap();
        scene.settle();
        assert_eq!(scene.heard.last(), Some(&(0x14, b"still writing".to_vec())));
    }
    assert_eq!((scene.input.waiting(), scene.node.delivered().len()), (held_back, 1));

    scene.node.held = false;
    scene.node.link.hold_input(scene.now, false);
    scene.settle();
    assert_eq!(scene.node.delivered().len(), 2);
    scene.pass(29 * SECOND);
    assert_eq!(scene.node.link.stage(), Stage::Running, "the peer has its full time to answer");
    // Both what it owes and anything at all are due then, and the older debt has the word.
    scene.pass(2 * SECOND);
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
    stuck.pass(20 * SECOND);
    assert_eq!(stuck.node.link.cause(), Some(Cause::Timeout(Timeout::Write)));

    let mut parting = held();
    parting.node.link.disconnect(parting.now, DisconnectReason::ClientQuitting);
    assert_eq!(parting.node.link.next_timer(), Some(Timer::Linger));
    parting.pass(2 * SECOND);
    assert_eq!(parting.node.cause(), Some(Cause::Local(DisconnectReason::ClientQuitting)));
}

// Secrets

/// Everything that must not show, and a look for it in every form that bytes are printed in
struct Secrets(Vec<Vec<u8>>);

impl Secrets {
    fn look_into(&self, what: &dyn Debug) {
        for text in [format!("{what:?}"), format!("{what:#?}"), format!("{what:x?}"), format!("{what:#X?}")] {
            let text: String = text.to_lowercase().replace("0x", "").split_whitespace().collect();
            for run in self.0.iter().flat_map(|secret| secret.windows(4)) {
                let hex: Vec<String> = run.iter().map(|byte| format!("{byte:02x}")).collect();
                let decimal: Vec<String> = run.iter().map(u8::to_string).collect();
                let short: Vec<String> = run.iter().map(|byte| format!("{byte:x}")).collect();
                for form in [hex.concat(), hex.join(","), short.join(","), decimal.join(",")] {
                    assert!(!text.contains(&form), "{form} in {text}");
                }
            }
        }
    }
}

fn secret_config(seed: u64) -> (Config, Vec<u8>) {
    let bytes = noise(seed, 32);
    let key = SecretKey::from_bytes(bytes.clone().try_into().unwrap()).unwrap();
    (Config::new(key, "discreet/1", PROTOCOLS).unwrap(), bytes)
}

#[test]
fn secrets_do_not_print() {
    let ((ours, our_key), (theirs, their_key)) = (secret_config(101), secret_config(102));
    let payload = noise(103, 60);
    // The last 17 bytes of entropy are an IV, which is on the wire, and the length of the padding.
    let drawn = |seed| noise(seed, Entropy::SIZE)[..96].to_vec();
    let secrets = Secrets(vec![our_key, their_key, drawn(1), drawn(2), payload.clone()]);
    secrets.look_into(&ours);
    secrets.look_into(&entropy(1));
    secrets.look_into(&SecretKey::from_bytes(noise(101, 32).try_into().unwrap()).unwrap());
    secrets.look_into(&Buffers::growable());
    secrets.look_into(&Buffers::fixed(&mut payload.clone(), &mut payload.clone(), &mut []));
    secrets.look_into(&Event::Receive(&payload));
    secrets.look_into(&Event::Write { protocol: ALPHA, code: 0, payload: &payload });

    let mut pair = Pair::new(&ours, &theirs);
    let mut stages = vec![pair.initiator.link.stage()];
    while pair.step() {
        secrets.look_into(&pair.initiator.link);
        secrets.look_into(&pair.recipient.link);
        stages.push(pair.initiator.link.stage());
    }
    let event = pair.initiator.link.write(pair.now, ALPHA, 0, &payload).unwrap();
    secrets.look_into(&event);
    secrets.look_into(&pair.initiator.link.poll());
    pair.initiator.link.write(pair.now, ALPHA, 4, &payload).map_err(|error| secrets.look_into(&error)).unwrap_err();
    let Some(Action::Send(bytes)) = pair.initiator.link.poll() else { panic!("nothing to send") };
    let frame = bytes.to_vec();
    assert_eq!(pair.recipient.link.receive(pair.now, &frame), frame.len());
    secrets.look_into(&pair.recipient.link);
    let action = pair.recipient.link.poll().unwrap();
    secrets.look_into(&action);
    let Action::Deliver { payload: delivered, .. } = action else { panic!("no delivery") };
    assert_eq!(*delivered, payload[..], "it was there to be printed");
    secrets.look_into(&delivered);
    pair.initiator.link.disconnect(pair.now, DisconnectReason::Requested);
    secrets.look_into(&pair.initiator.link);
    stages.push(pair.initiator.link.stage());
    assert!(stages.contains(&Stage::Handshake) && stages.contains(&Stage::Running), "{stages:?}");
}

/// The session's keys, which only an independent implementation can tell
#[test]
fn session_keys_do_not_print() {
    let mut scene = Scene::running();
    let keys = scene.session().keys.map(Vec::from).to_vec();
    let secrets = Secrets(keys);
    scene.say_body(&body(0x10, &compressed(&noise(9, 50))));
    let frame = scene.input.log[scene.input.log.len() - scene.input.waiting()..].to_vec();
    scene.node.link.receive(scene.now, &frame);
    secrets.look_into(&scene.node.link);
    secrets.look_into(&scene.node.link.poll());
    scene.node.link.send_failed(scene.now);
    secrets.look_into(&scene.node.link);
}

// What a link is to the compiler

#[test]
fn a_link_is_send_and_sync_and_of_a_known_size() {
    fn is_send_and_sync<T: Send + Sync>() {}
    is_send_and_sync::<PeerState<'_>>();
    is_send_and_sync::<Config>();
    is_send_and_sync::<Buffers<'_>>();
    is_send_and_sync::<Action<'_>>();
    println!("PeerState: {} bytes, Config: {} bytes", size_of::<PeerState<'_>>(), size_of::<Config>());
    assert!(size_of::<PeerState<'_>>() <= 5_760, "{}", size_of::<PeerState<'_>>());
}

/// `handle` is the same machine by its one-way-in form
#[test]
fn events_by_value_are_the_methods() {
    let mut by_method = Scene::running();
    let mut by_event = Scene::running();
    let (now, later) = (by_method.now, Instant::from_millis(15_000));
    let frame = by_method.session().seal(&body(0x10, &compressed(b"in")));
    let same = by_event.session().seal(&body(0x10, &compressed(b"in")));
    let (a, b) = (&mut by_method.node.link, &mut by_event.node.link);
    assert_eq!(Ok(a.receive(now, &frame)), b.handle(now, Event::Receive(&same)));
    assert_eq!(a.poll().map(observe), b.poll().map(observe));
    let event = Event::Write { protocol: BETA, code: 2, payload: b"out" };
    a.write(now, BETA, 2, b"out").unwrap();
    assert_eq!(b.handle(now, event), Ok(0));
    assert_eq!(a.unsent(), b.unsent());
    let refused = Event::Write { protocol: BETA, code: 3, payload: b"out" };
    assert_eq!(b.handle(now, refused), Err(Refused::Write(WriteError::InvalidCode)));
    assert_eq!(b.handle(now, Event::Sent(b.unsent() + 1)), Err(Refused::SentTooMuch));
    a.sent(now, a.unsent()).unwrap();
    assert_eq!(b.handle(now, Event::Sent(b.unsent())), Ok(0));
    a.handle_timeout(later);
    b.handle(later, Event::Timeout).unwrap();
    assert_eq!((a.unsent(), a.next_timeout()), (b.unsent(), b.next_timeout()));
    assert_eq!(a.unsent(), 64, "a Ping");
    a.hold_input(later, true);
    b.handle(later, Event::HoldInput(true)).unwrap();
    assert_eq!(a.next_timeout(), b.next_timeout());
    let failed = Err(ProtocolError::Other);
    assert_eq!(b.handle(now, Event::ProtocolReturned(ProtocolId(7), failed)), Err(Refused::NotRunning));
    a.protocol_returned(later, ALPHA, failed).unwrap();
    b.handle(later, Event::ProtocolReturned(ALPHA, failed)).unwrap();
    assert_eq!((a.cause(), a.unsent()), (b.cause(), b.unsent()));
    b.handle(later, Event::Disconnect(DisconnectReason::Requested)).unwrap();
    b.handle(later, Event::SendFailed).unwrap();
    assert_eq!(b.handle(later, Event::ReceiveClosed), Ok(0));
    assert_eq!((b.stage(), b.cause()), (Stage::Closed, Some(Cause::ProtocolFailed(ALPHA, ProtocolError::Other))));
    for (event, stage) in [
        (Event::ReceiveClosed, Stage::Closed),
        (Event::SendFailed, Stage::Closing),
        (Event::Disconnect(DisconnectReason::Requested), Stage::Closing),
    ] {
        let mut scene = Scene::running();
        scene.node.link.handle(scene.now, event).unwrap();
        assert_eq!(scene.node.link.stage(), stage);
    }
}

/// The scripted remote can also be the one that was dialled, so both roles meet another implementation
#[test]
fn both_roles_agree_with_an_independent_implementation() {
    let config = config(LINK, PROTOCOLS);
    let mut scene = Scene::dialled(initiator(&config));
    scene.greet(Hello::fitting(REMOTE));
    assert_eq!(scene.node.seen[0], Seen::Authenticated(Handshake::new(REMOTE).id()));
    let agreed = Seen::Ready(vec!["alpha/1@16+4".to_string(), "beta/2@20+3".to_string()]);
    assert_eq!(scene.node.seen[1], agreed);
    let mut dialled = Scene::running_with(recipient(&config), Hello::fitting(REMOTE));
    for scene in [&mut scene, &mut dialled] {
        scene.heard.clear();
        for len in [0, 1, 15, 16, 17, 1_000, 70_000] {
            let payload = noise(len as u64, len);
            scene.say(0x16, &payload);
            assert_eq!(scene.node.seen.last(), Some(&Seen::Deliver(BETA, 2, payload.clone())));
            scene.node.link.write(scene.now, ALPHA, 3, &payload).unwrap();
            scene.settle();
            assert_eq!(scene.heard.pop(), Some((0x13, payload)));
        }
    }
}

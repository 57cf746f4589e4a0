//! Messages: what two nodes agree on, what is taken and what is refused, and in whose turn
#![cfg(feature = "alloc")]
mod support;

use std::time::{Duration, Instant as Clock};

use devp2p_proto::{
    Action, Buffers, Config, ConfigError, Direction, DisconnectReason, Instant, MAX_CLIENT_ID, MAX_MESSAGE,
    MAX_PROTOCOLS, MIN_MESSAGE, MessageEvent, PeerState, Protocol, ProtocolId, Stage, Timeouts, WriteError,
};
use proptest::collection::vec;
use proptest::prelude::*;
use support::remote::{DISCONNECT, HELLO, Hello, LINK, PING, PONG, REMOTE, Scene, body, compressed, recipient};
use support::{ALPHA, BETA, PROTOCOLS, Pair, Seen, config, entropy, key, noise};

fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

// What is agreed on

fn greeted(local: &[Protocol<'_>], remote: &[(&[u8], u64)]) -> Scene<'static> {
    let capabilities = remote.iter().map(|(name, version)| (name.to_vec(), *version)).collect();
    let mut scene = Scene::met(recipient(&config(LINK, local)));
    scene.settle();
    scene.greet(Hello { capabilities, ..Hello::fitting(REMOTE) });
    scene
}

fn agreed(local: &[Protocol<'_>], remote: &[(&[u8], u64)]) -> Vec<String> {
    match &greeted(local, remote).node.seen[..] {
        [Seen::Authenticated(_), Seen::Ready(agreed)] => agreed.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_highest_shared_version_wins_and_names_are_in_byte_order() {
    let eth = |version, length| Protocol::new("eth", version, length);
    let local = [eth(66, 17), Protocol::new("snap", 1, 8), eth(68, 13), eth(69, 18), Protocol::new("Zed", 1, 2)];
    let remote: [(&[u8], u64); 4] = [(b"snap", 1), (b"eth", 68), (b"eth", 66), (b"Zed", 1)];
    assert_eq!(agreed(&local, &remote), ["snap/1@31+8", "eth/68@18+13", "Zed/1@16+2"]);
}

#[test]
fn a_protocol_without_messages_takes_no_ids() {
    let local = [Protocol::new("a", 1, 0), Protocol::new("b", 1, 3)];
    assert_eq!(agreed(&local, &[(b"b", 1), (b"a", 1)]), ["a/1@16+0", "b/1@16+3"]);
}

#[test]
fn names_that_cannot_be_shared_are_skipped_and_repetitions_do_no_harm() {
    let remote: [(&[u8], u64); 6] =
        [(b"much too long", 1), (b"", 1), (b"caf\xc3\xa9", 1), (b"beta", 2), (b"beta", 2), (b"beta", 3)];
    let mut scene = greeted(PROTOCOLS, &remote);
    assert_eq!(scene.node.seen[1], Seen::Ready(vec!["beta/2@16+3".to_string()]));
    let hello = scene.node.link.remote_hello().unwrap();
    let names: Vec<_> = hello.capabilities().iter().map(ToString::to_string).collect();
    assert_eq!(names, ["beta/2", "beta/2", "beta/3"]);
    assert_eq!(scene.node.link.write(scene.now, ALPHA, 0, b""), Err(WriteError::NotShared));
    scene.say(0x12, b"the last of beta's codes");
    assert!(matches!(scene.node.seen.last(), Some(Seen::Deliver(BETA, 2, _))));
}

#[test]
fn hundreds_of_capabilities() {
    let names: Vec<String> = (0..300).map(|index| format!("p{index}")).collect();
    let mut remote: Vec<(&[u8], u64)> = names.iter().map(|name| (name.as_bytes(), 1)).take(220).collect();
    remote.push((b"beta", 2));
    let scene = greeted(PROTOCOLS, &remote);
    assert_eq!(scene.node.seen[1], Seen::Ready(vec!["beta/2@16+3".to_string()]));
    let hello = scene.node.link.remote_hello().unwrap();
    assert_eq!(hello.capabilities().len(), MAX_PROTOCOLS);
    assert_eq!(hello.capabilities().len() + hello.omitted_capabilities(), 221);
}

#[test]
fn a_client_id_is_cut_to_length_and_made_printable() {
    let mut scene = Scene::met(recipient(&config(LINK, PROTOCOLS)));
    scene.settle();
    let mut client_id = b"evil\x1b[2J\nclient".to_vec();
    client_id.resize(500, b'x');
    scene.greet(Hello { client_id, listen_port: u64::MAX, version: 99, ..Hello::fitting(REMOTE) });
    let hello = scene.node.link.remote_hello().unwrap();
    assert!(hello.client_id().starts_with("evil?[2J?clientxxx"));
    assert_eq!((hello.client_id().len(), hello.listen_port(), hello.version()), (MAX_CLIENT_ID, u64::MAX, 99));
    assert_eq!(scene.node.link.stage(), Stage::Running, "later versions are accepted");
}

#[test]
fn a_second_hello_and_reserved_ids_are_ignored() {
    let mut scene = Scene::running();
    scene.say(HELLO, &Hello::fitting(REMOTE).encode());
    for id in 4..16 {
        scene.say(id, b"whatever this is");
    }
    assert_eq!((scene.node.seen.len(), scene.node.link.stage()), (0, Stage::Running));
}

#[test]
fn a_version_4_remote_gets_no_compression() {
    let old = Hello { version: 4, ..Hello::fitting(REMOTE) };
    let mut scene = Scene::running_with(recipient(&config(LINK, PROTOCOLS)), old);
    assert!(!scene.compressing);
    let payload = vec![7; 10_000];
    let event = scene.node.link.write(scene.now, ALPHA, 0, &payload).unwrap();
    assert_eq!(event.wire_size, 32 + 10_016 + 16);
    scene.say(0x14, &payload);
    scene.say(2, &[0xc0]);
    let expected = [(0x10, payload.clone()), (3, vec![0xc0])];
    assert_eq!(scene.heard, expected);
    assert_eq!(scene.node.delivered(), [(BETA, 0, payload)]);
    scene.node.link.disconnect(scene.now, DisconnectReason::UselessPeer);
    scene.settle();
    assert_eq!(scene.heard[2], (1, vec![0xc1, 3]));
}

// What is refused

#[test]
fn codes_are_relative_and_their_range_is_checked() {
    let mut scene = Scene::running();
    for (protocol, offset, length) in [(ALPHA, 0x10, 4), (BETA, 0x14, 3)] {
        for code in 0..length {
            scene.node.link.write(scene.now, protocol, code, b"x").unwrap();
            scene.settle();
            assert_eq!(scene.heard.pop(), Some((offset + code, b"x".to_vec())));
            scene.say(offset + code, b"y");
            assert_eq!(scene.node.seen.pop(), Some(Seen::Deliver(protocol, code, b"y".to_vec())));
        }
        for code in [length, length + 1, 0x100, u64::MAX] {
            assert_eq!(scene.node.link.write(scene.now, protocol, code, b"x"), Err(WriteError::InvalidCode));
        }
    }
    scene.settle();
    assert_eq!(scene.heard, []);
}

#[test]
fn every_refusal_has_its_name_at_its_time() {
    let protocols = [PROTOCOLS[0], PROTOCOLS[1].with_max_message(100), Protocol::new("alone", 1, 1)];
    let config = config(LINK, &protocols).with_max_message(1_000).unwrap();
    let mut scene = Scene::unmet(recipient(&config));
    let write = |scene: &mut Scene<'_>, protocol, code, len| {
        scene.node.link.write(scene.now, ProtocolId(protocol), code, &vec![1; len]).map(|_| ())
    };
    let before = |scene: &mut Scene<'_>, stage| {
        assert_eq!(scene.node.link.stage(), stage);
        assert_eq!(write(scene, 0, 0, 1), Err(WriteError::NotReady), "{stage:?}");
        assert_eq!(scene.node.link.write_capacity(), 0, "{stage:?}");
        assert_eq!(scene.node.link.ping(scene.now), Err(WriteError::NotReady));
    };
    before(&mut scene, Stage::Handshake);
    scene.dial();
    before(&mut scene, Stage::Admission);
    scene.settle();
    before(&mut scene, Stage::Hello);
    let hello = scene.session().seal(&body(HELLO, &Hello::fitting(REMOTE).encode()));
    scene.node.link.receive(scene.now, &hello);
    assert_eq!(write(&mut scene, 0, 0, 1), Err(WriteError::NotReady), "Ready was not polled yet");
    assert_eq!(scene.node.link.write_capacity(), 0, "Ready was not polled yet");
    scene.settle();
    assert_eq!(write(&mut scene, 2, 0, 1), Err(WriteError::NotShared));
    assert_eq!(write(&mut scene, 3, 0, 1), Err(WriteError::NotShared));
    assert_eq!(write(&mut scene, 0, 4, 1), Err(WriteError::InvalidCode));
    assert_eq!(write(&mut scene, 0, 0, 1_001), Err(WriteError::TooLarge));
    assert_eq!(write(&mut scene, 1, 0, 101), Err(WriteError::TooLarge));
    assert_eq!(write(&mut scene, 0, 0, 1_000), Ok(()));
    assert_eq!(write(&mut scene, 1, 0, 100), Ok(()));
    scene.node.link.disconnect(scene.now, DisconnectReason::Requested);
    assert_eq!((write(&mut scene, 0, 0, 1), scene.node.link.write_capacity()), (Err(WriteError::Closed), 0));
    assert_eq!(scene.node.link.ping(scene.now), Err(WriteError::Closed));
    scene.pass(Duration::from_secs(3));
    assert_eq!(scene.node.link.stage(), Stage::Closed);
    assert_eq!(write(&mut scene, 0, 0, 1), Err(WriteError::Closed));
}

// Turns

#[test]
fn a_full_link_says_when_a_message_fits() {
    let config = config(LINK, PROTOCOLS).with_send_window(10_000);
    let mut scene = Scene::running_with(recipient(&config), Hello::fitting(REMOTE));
    scene.output.capacity = 0;
    let payload = noise(1, 4_000);
    let write = |scene: &mut Scene<'_>, protocol| scene.node.link.write(scene.now, protocol, 0, &payload).map(|_| ());
    assert_eq!([write(&mut scene, ALPHA), write(&mut scene, ALPHA)], [Ok(()); 2]);
    assert_eq!(write(&mut scene, ALPHA), Err(WriteError::Full));
    scene.settle();
    assert_eq!(scene.node.seen, [], "no Writable before there is room");
    scene.output.capacity = 4_200;
    scene.settle_once();
    scene.output.capacity = 0;
    scene.settle();
    assert_eq!(scene.node.seen, [Seen::Writable(ALPHA)], "once");
    assert_eq!(write(&mut scene, ALPHA), Ok(()));
    scene.output.capacity = usize::MAX;
    scene.settle();
    assert_eq!((scene.heard.len(), scene.node.seen.len()), (3, 1));
}

proptest! {
    #![proptest_config(cases(64))]

    /// A protocol that always writes, one that wants to write now and then, and a pipe that crawls
    #[test]
    fn a_busy_protocol_cannot_starve_another(
        busy_len in 1..3_000_usize,
        rare_len in 1..5_000_usize,
        trickle in vec(1..2_000_usize, 300),
        fixed: bool,
    ) {
        let config = config(LINK, PROTOCOLS).with_max_message(8_000).unwrap().with_send_window(9_000);
        let mut memory = (vec![0; Buffers::receive_len(8_000)], vec![0; 9_300], vec![0; 256]);
        let (receive, transmit, table) = &mut memory;
        let buffers = if fixed { Buffers::fixed(receive, transmit, table) } else { Buffers::growable() };
        let link = PeerState::recipient(Instant::ZERO, &config, entropy(7), buffers).unwrap();
        let mut scene = Scene::running_with(link, Hello::fitting(REMOTE));
        scene.output.capacity = 0;
        let (busy, rare) = (noise(1, busy_len), noise(2, rare_len));
        let now = scene.now;
        while scene.node.link.write(now, ALPHA, 0, &busy).is_ok() {}
        if scene.node.link.write(now, BETA, 0, &rare).is_ok() {
            return Ok(());
        }
        let (mut drained, mut busy_writes) = (0, 0);
        for len in trickle {
            scene.output.capacity = len;
            scene.settle_once();
            drained += len;
            if scene.node.seen.contains(&Seen::Writable(BETA)) {
                prop_assert!(scene.node.link.write(now, BETA, 0, &rare).is_ok(), "Writable means that it is");
                prop_assert!(busy_writes <= 1, "the busy one was refused before, and that is all");
                return Ok(());
            }
            if scene.node.link.write(now, ALPHA, 0, &busy).is_ok() {
                busy_writes += 1;
            }
        }
        prop_assert!(false, "never its turn, after {} bytes and {} writes of the other", drained, busy_writes);
    }

    /// A payload of `write_capacity` bytes is taken, whatever it is and whatever its message id
    #[test]
    fn write_capacity_is_the_truth(
        lens in vec(0..2_000_usize, 0..8),
        drained in 0..6_000_usize,
        transmit in 2_300..7_000_usize,
        wide: bool,
        version in 4..6_u64,
        fixed: bool,
    ) {
        let (first, last) = if wide { (u64::MAX - 40, u64::MAX - 41) } else { (4, 3) };
        let protocols = [Protocol::new("alpha", 1, first), PROTOCOLS[1]];
        let config = config(LINK, &protocols).with_max_message(6_000).unwrap().with_send_window(transmit);
        let mut memory = (vec![0; Buffers::receive_len(6_000)], vec![0; transmit], vec![0; 256]);
        let (receive, output, table) = &mut memory;
        let buffers = if fixed { Buffers::fixed(receive, output, table) } else { Buffers::growable() };
        let link = PeerState::recipient(Instant::ZERO, &config, entropy(7), buffers).unwrap();
        let mut scene = Scene::running_with(link, Hello { version, ..Hello::fitting(REMOTE) });
        let (now, link) = (scene.now, &mut scene.node.link);
        for (index, len) in lens.iter().enumerate() {
            if *len <= link.write_capacity() {
                link.write(now, ALPHA, last, &noise(index as u64, *len)).unwrap();
            }
        }
        link.sent(now, drained.min(link.unsent())).unwrap();
        let capacity = link.write_capacity();
        if capacity > 0 {
            link.write(now, ALPHA, last, &noise(9, capacity)).unwrap();
        }
    }
}

/// Both pipes are full, and both drivers still feed what comes
#[test]
fn both_links_stalled_do_not_deadlock() {
    let mut pair = Pair::running();
    (pair.forth.capacity, pair.back.capacity) = (100, 100);
    let payload = noise(3, 20_000);
    let (mut forth, mut back) = (0, 0);
    for round in 0..20_000 {
        // Both write all they can before anything is read, and ask for an answer besides.
        forth += usize::from(pair.initiator.link.write(pair.now, ALPHA, 0, &payload).is_ok());
        back += usize::from(pair.recipient.link.write(pair.now, ALPHA, 0, &payload).is_ok());
        pair.initiator.link.ping(pair.now).unwrap();
        pair.recipient.link.ping(pair.now).unwrap();
        assert!(pair.step(), "stuck in round {round} with {forth} and {back} messages");
        if round > 10_000 && forth.min(back) >= 30 {
            break;
        }
    }
    pair.settle();
    assert_eq!((pair.recipient.delivered().len(), pair.initiator.delivered().len()), (forth, back));
    assert!(forth.min(back) >= 30);
    assert_eq!(pair.causes(), (None, None));
}

/// Two protocols that always have something to say, one of which always comes first
fn turns(buffers: Buffers<'_>, max: usize, pinged: bool) -> [usize; 2] {
    let config = config(LINK, PROTOCOLS).with_max_message(max).unwrap().with_send_window(max + 200);
    let link = PeerState::recipient(Instant::ZERO, &config, entropy(7), buffers).unwrap();
    let mut scene = Scene::running_with(link, Hello::fitting(REMOTE));
    let (mut wrote, mut writable) = ([0; 2], [true; 2]);
    for _ in 0..100 {
        for protocol in [ALPHA, BETA] {
            while writable[protocol.0] {
                match scene.node.link.write(scene.now, protocol, 0, &noise(1, max)) {
                    Ok(_) => wrote[protocol.0] += 1,
                    Err(error) => {
                        assert_eq!(error, WriteError::Full);
                        writable[protocol.0] = false;
                    }
                }
            }
        }
        if pinged {
            let ping = scene.session().seal(&body(PING, &compressed(&[0xc0])));
            assert_eq!(scene.node.link.receive(scene.now, &ping), ping.len());
        }
        // The socket takes everything, but for a Pong, which goes alone.
        let link = &mut scene.node.link;
        while let Some(action) = link.poll() {
            match action {
                Action::Send(bytes) => {
                    let len = bytes.len();
                    let messages = if pinged && len > 64 { len - 64 } else { len };
                    link.sent(scene.now, messages).unwrap();
                }
                Action::Writable(protocol) => writable[protocol.0] = true,
                other => panic!("{other:?}"),
            }
        }
    }
    wrote
}

#[test]
fn one_that_always_comes_first_cannot_starve_another() {
    let max = 3_000;
    for pinged in [false, true] {
        let mut memory = (vec![0; Buffers::receive_len(max)], vec![0; Buffers::transmit_len(max)], vec![]);
        let fixed = Buffers::fixed(&mut memory.0, &mut memory.1, &mut memory.2);
        for buffers in [fixed, Buffers::growable()] {
            let wrote = turns(buffers, max, pinged);
            assert!(wrote.iter().all(|wrote| *wrote >= 45), "{wrote:?}, pinged: {pinged}");
        }
    }
}

/// A protocol that was passed over, and then does not want its turn any more, gives it up in time
#[test]
fn a_turn_that_is_not_used_is_over_at_the_next_ping() {
    let max = 3_000;
    let config = config(LINK, PROTOCOLS).with_max_message(max).unwrap();
    let mut memory = (vec![0; Buffers::receive_len(max)], vec![0; Buffers::transmit_len(max)], vec![]);
    let fixed = Buffers::fixed(&mut memory.0, &mut memory.1, &mut memory.2);
    let link = PeerState::recipient(Instant::ZERO, &config, entropy(7), fixed).unwrap();
    let mut scene = Scene::running_with(link, Hello::fitting(REMOTE));
    let write =
        |scene: &mut Scene<'_>, protocol| scene.node.link.write(scene.now, protocol, 0, &noise(1, max)).map(drop);
    let full = Err(WriteError::Full);
    assert_eq!((write(&mut scene, ALPHA), write(&mut scene, BETA)), (Ok(()), full));
    scene.settle();
    assert_eq!((write(&mut scene, ALPHA), write(&mut scene, BETA)), (Ok(()), full), "beta is passed over");
    assert_eq!(write(&mut scene, ALPHA), full);
    scene.node.seen.clear();
    scene.settle();
    assert_eq!(scene.node.seen, [Seen::Writable(BETA)], "its turn stands");
    assert_eq!(write(&mut scene, ALPHA), full);
    scene.pass(Timeouts::default().ping);
    assert_eq!(scene.node.seen, [Seen::Writable(BETA), Seen::Writable(ALPHA)]);
    assert_eq!(write(&mut scene, ALPHA), Ok(()));
}

// Sizes

/// Buffers of exactly the published sizes carry the largest message, and one byte less is refused
#[test]
fn fixed_buffers_of_the_published_sizes() {
    for max in [MIN_MESSAGE, 65, 1_000, 1_024, 4_096, 65_536, 100_001] {
        let limited = |seed| config(seed, PROTOCOLS).with_max_message(max).unwrap();
        let (ours, theirs) = (limited(1), limited(2));
        let memory = || (vec![0; Buffers::receive_len(max)], vec![0; Buffers::transmit_len(max)], vec![0; 1024]);
        let (mut a, mut b) = (memory(), memory());
        let first = Buffers::fixed(&mut a.0, &mut a.1, &mut a.2);
        let mut pair = Pair::with_buffers(&ours, &theirs, first, Buffers::fixed(&mut b.0, &mut b.1, &mut b.2));
        pair.settle();
        assert_eq!(pair.initiator.link.write_capacity(), max);
        for payload in [noise(1, max), vec![0; max], noise(2, max - 1), vec![]] {
            for protocol in [ALPHA, BETA] {
                pair.initiator.link.write(pair.now, protocol, 1, &payload).unwrap();
                pair.recipient.link.write(pair.now, protocol, 1, &payload).unwrap();
                pair.settle();
                assert_eq!(pair.recipient.delivered().last(), Some(&(protocol, 1, payload.clone())), "{max}");
                assert_eq!(pair.initiator.delivered().last(), Some(&(protocol, 1, payload.clone())), "{max}");
            }
        }
        pair.pass(Duration::from_secs(40));
        assert_eq!(pair.causes(), (None, None), "Pings go as well");

        let needed = Buffers::receive_len(max);
        let mut short = memory();
        let buffers = Buffers::fixed(&mut short.0[1..], &mut short.1, &mut short.2);
        let refused = PeerState::recipient(Instant::ZERO, &ours, entropy(1), buffers).map(|_| ());
        assert_eq!(refused, Err(ConfigError::ReceiveBufferTooSmall { needed }), "{max}");
    }
}

/// However full the link is, it answers, asks, and says why it parts
#[test]
fn a_full_link_has_room_for_ping_pong_and_disconnect() {
    let max = 3_000;
    let config = config(LINK, PROTOCOLS).with_max_message(max).unwrap();
    let mut tried = 0;
    // Without compression a frame takes what it says it takes; one length is just enough for the message.
    for transmit in max..Buffers::transmit_len(max) {
        let mut memory = (vec![0; Buffers::receive_len(max)], vec![0; transmit], vec![]);
        let fixed = Buffers::fixed(&mut memory.0, &mut memory.1, &mut memory.2);
        let link = PeerState::recipient(Instant::ZERO, &config, entropy(7), fixed).unwrap();
        let mut scene = Scene::running_with(link, Hello { version: 4, ..Hello::fitting(REMOTE) });
        if scene.node.link.write(scene.now, ALPHA, 0, &noise(1, max)) == Err(WriteError::TooLarge) {
            continue;
        }
        tried += 1;
        let ping = scene.session().seal(&body(PING, &[0xc0]));
        scene.node.link.ping(scene.now).unwrap();
        assert_eq!(scene.node.link.receive(scene.now, &ping), ping.len());
        let reason = DisconnectReason::from_code(u64::MAX);
        scene.node.link.disconnect(scene.now, reason);
        scene.settle();
        let heard: Vec<_> = scene.heard.iter().map(|(id, _)| *id).collect();
        assert_eq!(heard, [0x10, PING, PONG, DISCONNECT], "{transmit}");
        assert_eq!(scene.heard[3].1, [&[0xc9, 0x88], &[0xff; 8][..]].concat());
        if tried == 20 {
            return;
        }
    }
    panic!("no length is just enough");
}

#[test]
fn a_transmit_buffer_must_hold_what_the_link_itself_says() {
    let config = config(1, PROTOCOLS).with_max_message(64).unwrap();
    let needed = |len: usize| {
        let mut memory = (vec![0; Buffers::receive_len(64)], vec![0; len], [0; 0]);
        let buffers = Buffers::fixed(&mut memory.0, &mut memory.1, &mut memory.2);
        match PeerState::initiator(Instant::ZERO, &config, key(2).node_id(), entropy(1), buffers) {
            Err(ConfigError::TransmitBufferTooSmall { needed }) => Some(needed),
            Err(other) => panic!("{other}"),
            Ok(_) => None,
        }
    };
    let least = needed(0).unwrap();
    assert!(least <= Buffers::transmit_len(64));
    assert_eq!((needed(least - 1), needed(least)), (Some(least), None));
}

/// What the link itself says does not count: not in a buffer of exactly the published size, and not
/// against the window of one that grows
#[test]
fn pings_and_pongs_take_no_room_from_messages() {
    let max = 1_000;
    let mut memory = (vec![0; Buffers::receive_len(max)], vec![0; Buffers::transmit_len(max)], vec![0; 256]);
    let fixed = Buffers::fixed(&mut memory.0, &mut memory.1, &mut memory.2);
    for (config, buffers, largest) in [
        (config(LINK, PROTOCOLS).with_max_message(max).unwrap(), fixed, max),
        (config(LINK, PROTOCOLS).with_send_window(10_000), Buffers::growable(), 1_000_000),
    ] {
        let link = PeerState::recipient(Instant::ZERO, &config, entropy(7), buffers).unwrap();
        let mut scene = Scene::running_with(link, Hello::fitting(REMOTE));
        let ping = scene.session().seal(&body(PING, &compressed(&[0xc0])));
        let link = &mut scene.node.link;
        link.ping(scene.now).unwrap();
        assert_eq!(link.receive(scene.now, &ping), ping.len());
        assert!(link.unsent() >= 128, "a Ping and a Pong wait");
        link.write(scene.now, ALPHA, 0, &noise(1, largest)).unwrap();
        assert_eq!(link.write(scene.now, BETA, 0, &noise(2, largest)), Err(WriteError::Full));
        // A peer that never stops pinging leaves something unsent at any time.
        let mut told = false;
        for _ in 0..5 {
            let ping = scene.session().seal(&body(PING, &compressed(&[0xc0])));
            let link = &mut scene.node.link;
            let Some(Action::Send(bytes)) = link.poll() else { panic!("the Pong is unsent") };
            let len = bytes.len();
            link.receive(scene.now, &ping);
            link.sent(scene.now, len).unwrap();
            assert!(link.unsent() > 0);
            told |= matches!(link.poll(), Some(Action::Writable(BETA)));
        }
        assert!(told, "a protocol waits for the end of the Pings");
        scene.node.link.write(scene.now, BETA, 0, &noise(2, largest)).unwrap();
    }
}

/// Our Hello may still be unsent when the peer's has made the link ready
#[test]
fn a_message_waits_for_the_hello_before_it() {
    let max = 1_000;
    let limited = |seed| config(seed, PROTOCOLS).with_max_message(max).unwrap();
    let mut memory = (vec![0; Buffers::receive_len(max)], vec![0; Buffers::transmit_len(max)], vec![0; 256]);
    let fixed = Buffers::fixed(&mut memory.0, &mut memory.1, &mut memory.2);
    let mut pair = Pair::with_buffers(&limited(1), &limited(2), fixed, Buffers::growable());
    pair.step();
    pair.forth.capacity = 0;
    pair.settle();
    let link = &mut pair.initiator.link;
    assert_eq!(link.stage(), Stage::Running);
    assert!(link.unsent() > 0, "the Hello");
    assert!(link.write_capacity() < max);
    assert_eq!(link.write(pair.now, ALPHA, 0, &noise(1, max)), Err(WriteError::Full));
    pair.forth.capacity = usize::MAX;
    pair.settle();
    assert_eq!(pair.initiator.seen.last(), Some(&Seen::Writable(ALPHA)));
    pair.initiator.link.write(pair.now, ALPHA, 0, &noise(1, max)).unwrap();
    pair.settle();
    assert_eq!(pair.recipient.delivered(), [(ALPHA, 0, noise(1, max))]);
}

/// One link after the other in the same memory, which neither has been lent for less than its life
#[test]
fn the_memory_of_a_link_serves_the_next_one() {
    let max = 1_000;
    let limited = |seed| config(seed, PROTOCOLS).with_max_message(max).unwrap();
    let memory = |len| vec![0; len].leak();
    let fixed = Buffers::fixed(memory(Buffers::receive_len(max)), memory(Buffers::transmit_len(max)), &mut []);
    let mut kept = (fixed, Buffers::growable());
    for round in 0..3 {
        let mut pair = Pair::with_buffers(&limited(1), &limited(2), kept.0, kept.1);
        pair.settle();
        let payload = noise(round, max);
        pair.initiator.link.write(pair.now, BETA, 2, &payload).unwrap();
        pair.recipient.link.write(pair.now, BETA, 2, &payload).unwrap();
        pair.settle();
        assert_eq!(pair.initiator.delivered(), [(BETA, 2, payload.clone())]);
        assert_eq!(pair.recipient.delivered(), [(BETA, 2, payload)]);
        kept = (pair.initiator.link.into_buffers(), pair.recipient.link.into_buffers());
    }
}

/// A transmit buffer may be too small for the largest message; then that message is refused as such
#[test]
fn a_message_that_can_never_fit_is_too_large_and_not_full() {
    let config = config(LINK, PROTOCOLS).with_max_message(50_000).unwrap();
    let mut memory = (vec![0; Buffers::receive_len(50_000)], vec![0; Buffers::transmit_len(9_000)], vec![0; 256]);
    let buffers = Buffers::fixed(&mut memory.0, &mut memory.1, &mut memory.2);
    let link = PeerState::recipient(Instant::ZERO, &config, entropy(7), buffers).unwrap();
    let mut scene = Scene::running_with(link, Hello::fitting(REMOTE));
    assert_eq!(scene.node.link.write(scene.now, ALPHA, 0, &[0; 9_200]), Err(WriteError::TooLarge));
    assert!(scene.node.link.write_capacity() >= 8_900);
    scene.node.link.write(scene.now, ALPHA, 0, &[0; 9_000]).unwrap();
    assert_eq!(scene.node.link.write(scene.now, ALPHA, 0, &[0; 9_000]), Err(WriteError::Full));
    scene.say(0x10, &noise(1, 50_000));
    assert_eq!(scene.node.delivered()[0].2.len(), 50_000, "what comes in has a buffer of its own");
}

#[test]
fn the_largest_messages_that_a_frame_holds() {
    let mut pair = Pair::running();
    let largest = pair.initiator.link.write_capacity();
    assert!(largest > MAX_MESSAGE - MAX_MESSAGE / 60, "{largest}");
    for payload in [noise(1, largest), vec![1; MAX_MESSAGE]] {
        pair.initiator.link.write(pair.now, ALPHA, 0, &payload).unwrap();
        pair.settle();
        assert!(pair.recipient.seen.pop() == Some(Seen::Deliver(ALPHA, 0, payload)));
    }
    for payload in [noise(1, MAX_MESSAGE), vec![1; MAX_MESSAGE + 1]] {
        let before = pair.forth.log.len();
        assert_eq!(pair.initiator.link.write(pair.now, ALPHA, 0, &payload), Err(WriteError::TooLarge));
        pair.initiator.link.write(pair.now, ALPHA, 0, b"the next").unwrap();
        pair.settle();
        assert_eq!(pair.forth.log.len() - before, 32 + 16 + 16, "what was refused leaves no trace");
        assert!(matches!(pair.recipient.seen.pop(), Some(Seen::Deliver(ALPHA, 0, payload)) if payload == b"the next"));
    }
}

/// Whatever the cut, the work is linear: a quadratic link would take minutes
#[test]
fn a_large_message_byte_by_byte() {
    let started = Clock::now();
    let mut scene = Scene::running();
    let payload = noise(4, 1 << 20);
    scene.say_body(&body(0x10, &compressed(&payload)));
    let stream = scene.input.log[scene.input.log.len() - scene.input.waiting()..].to_vec();
    for byte in &stream {
        assert_eq!(scene.node.link.receive(scene.now, &[*byte]), 1);
    }
    match scene.node.link.poll() {
        Some(Action::Deliver { payload: delivered, .. }) => assert!(*delivered == payload[..]),
        other => panic!("{other:?}"),
    }
    scene.node.link.write(scene.now, ALPHA, 0, &payload).unwrap();
    while let Some(Action::Send(bytes)) = scene.node.link.poll() {
        assert!(!bytes.is_empty());
        scene.node.link.sent(scene.now, 1).unwrap();
    }
    assert!(started.elapsed() < Duration::from_secs(15), "{:?}", started.elapsed());
}

// Observers

#[test]
fn messages_are_told_and_counted() {
    let mut pair = Pair::running();
    let payload = vec![7; 1_000];
    let sent = pair.initiator.link.write(pair.now, BETA, 2, &payload).unwrap();
    let wire_size = sent.wire_size;
    let expected = MessageEvent { direction: Direction::Sent, protocol: BETA, code: 2, size: 1_000, wire_size };
    assert_eq!(sent, expected);
    assert_eq!(wire_size, pair.initiator.link.unsent());
    assert!(wire_size < 200, "{wire_size}");
    let Some(Action::Send(bytes)) = pair.initiator.link.poll() else { panic!("nothing to send") };
    let bytes = bytes.to_vec();
    pair.initiator.link.sent(pair.now, bytes.len()).unwrap();
    pair.recipient.link.receive(pair.now, &bytes);
    let received = pair.recipient.link.poll().unwrap().message_event();
    assert_eq!(received, Some(MessageEvent { direction: Direction::Received, ..expected }));
    let out = pair.initiator.link.traffic(BETA).unwrap();
    let came = pair.recipient.link.traffic(BETA).unwrap();
    assert_eq!((out.egress.messages, out.egress.payload_bytes, out.egress.wire_bytes), (1, 1_000, wire_size as u64));
    assert_eq!((came.ingress, came.egress.messages, out.ingress.messages), (out.egress, 0, 0));
    assert_eq!(pair.initiator.link.traffic(ALPHA), Some(Default::default()));
    assert_eq!(pair.initiator.link.traffic(ProtocolId(2)), None);
    pair.pass(Duration::from_secs(20));
    assert_eq!(pair.initiator.link.traffic(BETA), Some(out), "Pings are nobody's traffic");
    assert_eq!(pair.initiator.link.age(pair.now), Duration::from_secs(20));
}

// Typed messages

#[derive(Debug, Clone, PartialEq, Eq)]
struct Status {
    version: u32,
    genesis: Vec<u8>,
}

impl rlp::Encodable for Status {
    fn rlp_append(&self, stream: &mut rlp::RlpStream) {
        stream.begin_list(2).append(&self.version).append(&self.genesis);
    }
}

#[test]
fn a_small_message_that_goes_ahead_leaves_the_large_one_its_place() {
    let mut pair = Pair::running();
    pair.forth.capacity = 0;
    let link = &mut pair.initiator.link;
    link.write(pair.now, ALPHA, 0, &noise(1, 200 * 1024)).unwrap();
    assert_eq!(link.write(pair.now, ALPHA, 0, &noise(2, 100 * 1024)), Err(WriteError::Full));
    link.write(pair.now, ALPHA, 1, b"small").unwrap();
    pair.forth.capacity = usize::MAX;
    pair.settle();
    assert_eq!(pair.initiator.seen, [Seen::Writable(ALPHA)]);
}

#[test]
fn a_peer_whose_second_ping_waits_for_our_pong_is_not_timed_out_for_that() {
    let mut scene = Scene::running();
    scene.node.link.write(scene.now, ALPHA, 0, &noise(1, 200 * 1024)).unwrap();
    scene.output.capacity = 0;
    for _ in 0..2 {
        scene.say(PING, &[0xc0]);
    }
    scene.settle();
    assert!(!scene.node.link.wants_input());
    // The peer takes a little at a time, so that all of it takes longer than a silence may last.
    for _ in 0..10 {
        scene.node.link.sent(scene.now, 1000).unwrap();
        scene.pass(Duration::from_secs(10));
    }
    assert_eq!(scene.node.link.cause(), None);
}

/// Promises two items and brings one
struct Unfinished;

impl rlp::Encodable for Unfinished {
    fn rlp_append(&self, stream: &mut rlp::RlpStream) {
        stream.begin_list(2).append(&1_u8);
    }
}

#[test]
fn a_message_that_its_type_does_not_finish_is_refused() {
    let mut pair = Pair::running();
    let refused = pair.initiator.link.write_rlp(pair.now, ALPHA, 0, &Unfinished);
    assert_eq!(refused, Err(WriteError::Unfinished));
    pair.initiator.link.write_rlp(pair.now, ALPHA, 0, &7_u8).unwrap();
    pair.settle();
    assert_eq!(pair.recipient.delivered(), [(ALPHA, 0, vec![7])]);
}

impl rlp::Decodable for Status {
    fn decode(rlp: &rlp::Rlp<'_>) -> Result<Self, rlp::DecoderError> {
        Ok(Self { version: rlp.val_at(0)?, genesis: rlp.val_at(1)? })
    }
}

#[test]
fn typed_messages_go_in_and_come_out() {
    let mut scene = Scene::running();
    let status = Status { version: 68, genesis: noise(1, 32) };
    let event = scene.node.link.write_rlp(scene.now, ALPHA, 0, &status).unwrap();
    let encoded = rlp::encode(&status).to_vec();
    assert_eq!(event.size, encoded.len());
    scene.settle();
    assert_eq!(scene.heard, [(0x10, encoded.clone())]);
    assert_eq!(scene.node.link.write_rlp(scene.now, ALPHA, 4, &status), Err(WriteError::InvalidCode));
    scene.node.link.write_rlp(scene.now, BETA, 0, &7_u8).unwrap();
    scene.settle();
    assert_eq!(scene.heard[1], (0x14, vec![7]), "what was refused leaves no trace");

    let mut trailing = encoded.clone();
    trailing.push(0);
    for (payload, decoded) in
        [(&encoded[..], Some(status)), (&trailing, None), (&encoded[..20], None), (&[0xc1, 0x81][..], None)]
    {
        scene.say_body(&body(0x10, &compressed(payload)));
        let frame = scene.input.log[scene.input.log.len() - scene.input.waiting()..].to_vec();
        scene.input = support::Pipe::new();
        scene.node.link.receive(scene.now, &frame);
        let Some(Action::Deliver { payload, .. }) = scene.node.link.poll() else { panic!("no delivery") };
        assert_eq!(payload.decode::<Status>().ok(), decoded);
    }
}

/// `into_bytes` hands over the very memory that the payload stood in, compressed or not
#[test]
fn a_payload_becomes_bytes_without_a_copy() {
    for version in [4, 5] {
        let hello = Hello { version, ..Hello::fitting(REMOTE) };
        let mut scene = Scene::running_with(recipient(&config(LINK, PROTOCOLS)), hello);
        let mut kept = Vec::new();
        for len in [1, 100, 5_000, 70_000, 3] {
            let payload = noise(len as u64, len);
            let sealed = if version == 4 { payload.clone() } else { compressed(&payload) };
            let frame = scene.session().seal(&body(0x11, &sealed));
            assert_eq!(scene.node.link.receive(scene.now, &frame), frame.len());
            let Some(Action::Deliver { payload: delivered, .. }) = scene.node.link.poll() else { panic!("nothing") };
            let place = delivered.as_ptr();
            let bytes = delivered.into_bytes();
            assert_eq!((bytes.as_ptr(), bytes.len()), (place, len));
            kept.push((bytes, payload));
        }
        for (bytes, payload) in kept {
            assert_eq!(bytes, payload, "what was handed over stays as it was");
        }
    }
}

#[test]
fn a_payload_in_the_callers_memory_is_copied_out() {
    let config = config(LINK, PROTOCOLS).with_max_message(100).unwrap();
    let mut memory = (vec![0; Buffers::receive_len(100)], vec![0; Buffers::transmit_len(100)]);
    let link =
        PeerState::recipient(Instant::ZERO, &config, entropy(7), Buffers::fixed(&mut memory.0, &mut memory.1, &mut []));
    let mut scene = Scene::running_with(link.unwrap(), Hello::fitting(REMOTE));
    let frame = scene.session().seal(&body(0x11, &compressed(b"payload")));
    scene.node.link.receive(scene.now, &frame);
    let Some(Action::Deliver { payload, .. }) = scene.node.link.poll() else { panic!("nothing") };
    assert_eq!(&payload.into_bytes()[..], b"payload");
}

// Configuration

#[test]
fn every_config_error() {
    let new = |client_id: &str, protocols: &[Protocol<'_>]| Config::new(key(1), client_id, protocols).err();
    let protocol = |name, version| Protocol::new(name, version, 1);
    let second = ProtocolId(1);
    assert_eq!(new("", &[]), None);
    assert_eq!(new(&"x".repeat(MAX_CLIENT_ID), &[]), None);
    assert_eq!(new(&"x".repeat(MAX_CLIENT_ID + 1), &[]), Some(ConfigError::ClientIdTooLong));
    for name in ["", "nineteen", "with space", "caf\u{e9}", "tab\t", "nul\0"] {
        let expected = (name != "nineteen").then_some(ConfigError::InvalidName(second));
        assert_eq!(new("c", &[protocol("eth", 1), protocol(name, 1)]), expected, "{name}");
    }
    assert_eq!(new("c", &[protocol("a", 1), protocol("a", 1)]), Some(ConfigError::DuplicateProtocol(second)));
    assert_eq!(new("c", &[protocol("a", 1), protocol("a", 2)]), None);
    let ranges = [Protocol::new("a", 1, u64::MAX - 16), Protocol::new("b", 1, 1)];
    assert_eq!((new("c", &ranges[..1]), new("c", &ranges)), (None, Some(ConfigError::RangesTooLarge)));
    let many: Vec<_> = (0..=MAX_PROTOCOLS as u64).map(|version| protocol("many", version)).collect();
    assert_eq!(new("c", &many[1..]), None);
    assert_eq!(new("c", &many), Some(ConfigError::TooManyProtocols { max: MAX_PROTOCOLS }));

    let limit = ConfigError::InvalidMessageLimit { min: MIN_MESSAGE, max: MAX_MESSAGE };
    for (len, expected) in [
        (0, Some(limit)),
        (MIN_MESSAGE - 1, Some(limit)),
        (MIN_MESSAGE, None),
        (MAX_MESSAGE, None),
        (MAX_MESSAGE + 1, Some(limit)),
    ] {
        assert_eq!(config(1, PROTOCOLS).with_max_message(len).err(), expected, "{len}");
    }
    let zero = |edit: fn(&mut Timeouts)| {
        let mut timeouts = Timeouts::default();
        edit(&mut timeouts);
        config(1, PROTOCOLS).with_timeouts(timeouts).err()
    };
    for edit in [
        (|timeouts| timeouts.handshake = Duration::ZERO) as fn(&mut Timeouts),
        |timeouts| timeouts.ping = Duration::ZERO,
        |timeouts| timeouts.pong = Duration::ZERO,
        |timeouts| timeouts.read = Duration::ZERO,
        |timeouts| timeouts.write = Duration::ZERO,
    ] {
        assert_eq!(zero(edit), Some(ConfigError::ZeroTimeout));
    }
    assert_eq!(zero(|timeouts| timeouts.linger = Duration::ZERO), None);

    let dial = |id: [u8; 64], drawn| {
        PeerState::initiator(Instant::ZERO, &config(1, PROTOCOLS), id.into(), drawn, Buffers::growable()).err()
    };
    let good = *key(2).node_id().as_bytes();
    let mut off_curve = good;
    off_curve[63] ^= 1;
    assert_eq!(dial(good, entropy(1)), None);
    for id in [[0; 64], [0xff; 64], off_curve] {
        assert_eq!(dial(id, entropy(1)), Some(ConfigError::InvalidRemote));
    }
    let weak = || devp2p_proto::Entropy::from_bytes([0x41; devp2p_proto::Entropy::SIZE]);
    assert_eq!(dial(good, weak()), Some(ConfigError::WeakEntropy));
    let answer = PeerState::recipient(Instant::ZERO, &config(1, PROTOCOLS), weak(), Buffers::growable());
    assert_eq!(answer.err(), Some(ConfigError::WeakEntropy));
}

#[cfg(feature = "serde")]
mod json {
    use super::*;
    use devp2p_proto::Network;
    use serde_json::json;

    /// The shape of geth's `admin_peers`
    #[test]
    fn peer_info_is_what_geth_shows() {
        let pair = Pair::running();
        let network = Network {
            local_address: "10.0.0.1:30303",
            remote_address: "10.0.0.2:54321",
            trusted: true,
            is_static: false,
        };
        let part = |shared: devp2p_proto::SharedProtocol| (shared.protocol == ALPHA).then(|| json!({ "version": 1 }));
        let id = key(1).node_id();
        let info = pair.recipient.link.peer_info(network, part).unwrap();
        let expected = json!({
            "enode": format!("enode://{id}@10.0.0.2:54321"),
            "id": id.hash().to_string(),
            "name": "test/1",
            "caps": ["alpha/1", "beta/2"],
            "network": {
                "localAddress": "10.0.0.1:30303",
                "remoteAddress": "10.0.0.2:54321",
                "inbound": true,
                "trusted": true,
                "static": false,
            },
            "protocols": { "alpha": { "version": 1 }, "beta": "handshake" },
        });
        assert_eq!(serde_json::to_value(info).unwrap(), expected);
    }

    /// The shape of geth's `admin_nodeInfo`
    #[test]
    fn node_info_is_what_geth_shows() {
        let config = config(1, PROTOCOLS).with_listen_port(30303);
        let part = |protocol, _| (protocol == BETA).then(|| json!({ "head": 7 }));
        let info = config.node_info("10.0.0.1", "10.0.0.1:30303", part);
        let id = key(1).node_id();
        let expected = json!({
            "id": id.hash().to_string(),
            "name": "test/1",
            "enode": format!("enode://{id}@10.0.0.1:30303"),
            "ip": "10.0.0.1",
            "ports": { "discovery": 0, "listener": 30303 },
            "listenAddr": "10.0.0.1:30303",
            "protocols": { "alpha": "handshake", "beta": { "head": 7 } },
        });
        assert_eq!(serde_json::to_value(info).unwrap(), expected);
    }
}

#[test]
fn peer_info_is_there_from_hello_on() {
    let mut scene = Scene::met(recipient(&config(LINK, PROTOCOLS)));
    scene.settle();
    let network = devp2p_proto::Network::default();
    assert!(scene.node.link.peer_info(network, |_| None::<()>).is_none());
    scene.greet(Hello::fitting(REMOTE));
    let info = scene.node.link.peer_info(network, |_| None::<()>).unwrap();
    assert_eq!((info.name, info.inbound, info.protocols().len()), ("scripted/1", true, 2));
    assert_eq!(info.node_id, key(REMOTE).node_id());
}

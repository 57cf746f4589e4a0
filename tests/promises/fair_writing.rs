//! Promises about writing: how several protocols share the room for unsent messages

use devp2p_proto::{Action, Buffers, Instant, PeerState, Protocol, Timeouts, WriteError};
use devp2p_testing::remote::{Hello, LINK, PING, REMOTE, Scene, body, compressed, recipient};
use devp2p_testing::{ALPHA, BETA, PROTOCOLS, Pair, Seen, config, entropy, noise};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::cases;

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
    scene.step();
    scene.output.capacity = 0;
    scene.settle();
    assert_eq!(scene.node.seen, [Seen::Writable(ALPHA)], "once");
    assert_eq!(write(&mut scene, ALPHA), Ok(()));
    scene.output.capacity = usize::MAX;
    scene.settle();
    assert_eq!((scene.received.len(), scene.node.seen.len()), (3, 1));
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
            scene.step();
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
        link.sent(now, drained.min(link.unsent().len())).unwrap();
        let capacity = link.write_capacity();
        if capacity > 0 {
            link.write(now, ALPHA, last, &noise(9, capacity)).unwrap();
        }
    }
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
    scene.advance(Timeouts::default().ping);
    assert_eq!(scene.node.seen, [Seen::Writable(BETA), Seen::Writable(ALPHA)]);
    assert_eq!(write(&mut scene, ALPHA), Ok(()));
}

#[test]
fn a_small_message_that_goes_ahead_leaves_the_large_one_its_place() {
    let mut pair = Pair::running();
    pair.to_recipient.capacity = 0;
    let link = &mut pair.initiator.link;
    link.write(pair.now, ALPHA, 0, &noise(1, 200 * 1024)).unwrap();
    assert_eq!(link.write(pair.now, ALPHA, 0, &noise(2, 100 * 1024)), Err(WriteError::Full));
    link.write(pair.now, ALPHA, 1, b"small").unwrap();
    pair.to_recipient.capacity = usize::MAX;
    pair.settle();
    assert_eq!(pair.initiator.seen, [Seen::Writable(ALPHA)]);
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
        assert!(link.unsent().len() >= 128, "a Ping and a Pong wait");
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
            assert!(link.unsent().is_empty() == false);
            told |= matches!(link.poll(), Some(Action::Writable(BETA)));
        }
        assert!(told, "a protocol waits for the end of the Pings");
        scene.node.link.write(scene.now, BETA, 0, &noise(2, largest)).unwrap();
    }
}

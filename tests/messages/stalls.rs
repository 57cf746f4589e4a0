//! Stalls: a transport that takes no bytes, or only a few

use std::time::Duration;

use devp2p_proto::{Buffers, DisconnectReason, Instant, PeerState, Stage, Timeouts, WriteError};
use devp2p_testing::remote::{DISCONNECT, Hello, LINK, PING, PONG, REMOTE, Scene, body, compressed, recipient};
use devp2p_testing::{ALPHA, BETA, PROTOCOLS, Pair, Seen, config, entropy, noise, slots};

/// Both pipes are full, and both drivers still read
#[test]
fn both_links_stalled_do_not_deadlock() {
    let mut pair = Pair::running();
    (pair.to_recipient.capacity, pair.to_initiator.capacity) = (100, 100);
    let payload = noise(3, 20_000);
    let (mut forth, mut back) = (0, 0);
    for round in 0..20_000 {
        // Both write as much as they can before anything is read, and each sends a Ping.
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

/// A link that is full can still send Ping, Pong and Disconnect
#[test]
fn a_full_link_has_room_for_ping_pong_and_disconnect() {
    let max = 3_000;
    let config = config(LINK, PROTOCOLS).with_max_message(max).unwrap();
    for version in [4, 5] {
        let mut memory = (vec![0; config.receive_len()], vec![0; config.transmit_len()], vec![]);
        let fixed = Buffers::fixed(&mut memory.0, &mut memory.1, &mut memory.2, slots());
        let link = PeerState::recipient(Instant::ZERO, &config, entropy(7), fixed).unwrap();
        let mut scene = Scene::running_with(link, Hello { version, ..Hello::fitting(REMOTE) });
        for protocol in [ALPHA, BETA] {
            scene.node.link.write(scene.now, protocol, 0, &noise(1, max)).unwrap();
            while scene.node.link.write(scene.now, protocol, 0, b"little").is_ok() {}
        }
        let payload = if version == 4 { vec![0xc0] } else { compressed(&[0xc0]) };
        let ping = scene.session().seal(&body(PING, &payload));
        scene.node.link.ping(scene.now).unwrap();
        assert_eq!(scene.node.link.receive(scene.now, &ping), ping.len());
        let reason = DisconnectReason::from_code(u64::MAX);
        scene.node.link.disconnect(scene.now, reason);
        scene.settle();
        let heard: Vec<_> = scene.received.iter().map(|(id, _)| *id).filter(|id| *id < 0x10).collect();
        assert_eq!(heard, [PING, PONG, DISCONNECT], "version {version}");
        assert_eq!(scene.received.last().unwrap().1, [&[0xc9, 0x88], &[0xff; 8][..]].concat());
    }
}

/// Our Hello can still be unsent when the remote's Hello has made the link ready
#[test]
fn a_message_waits_for_the_hello_before_it() {
    let max = 1_000;
    let limited = |seed| config(seed, PROTOCOLS).with_max_message(max).unwrap();
    let mut memory = (vec![0; Buffers::receive_len(max)], vec![0; Buffers::transmit_len(&[max; 2])], vec![0; 256]);
    let fixed = Buffers::fixed(&mut memory.0, &mut memory.1, &mut memory.2, slots());
    let mut pair = Pair::with_buffers(&limited(1), &limited(2), fixed, Buffers::growable());
    pair.step();
    pair.to_recipient.capacity = 0;
    pair.settle();
    let link = &mut pair.initiator.link;
    assert_eq!(link.stage(), Stage::Running);
    assert!(!link.unsent().is_empty(), "the Hello");
    assert_eq!(link.write_capacity(ALPHA), None);
    assert_eq!(link.write(pair.now, ALPHA, 0, &noise(1, max)), Err(WriteError::Full));
    pair.to_recipient.capacity = usize::MAX;
    pair.settle();
    assert_eq!(pair.initiator.seen.last(), Some(&Seen::Writable(ALPHA)));
    pair.initiator.link.write(pair.now, ALPHA, 0, &noise(1, max)).unwrap();
    pair.settle();
    assert_eq!(pair.recipient.delivered(), [(ALPHA, 0, noise(1, max))]);
}

#[test]
fn a_peer_is_not_timed_out_while_its_ping_waits() {
    let mut timeouts = Timeouts::default();
    timeouts.slowest_rate = 100;
    let config = config(LINK, PROTOCOLS).with_timeouts(timeouts).unwrap();
    let mut scene = Scene::running_with(recipient(&config), Hello::fitting(REMOTE));
    scene.node.link.write(scene.now, ALPHA, 0, &noise(1, 200 * 1024)).unwrap();
    scene.output.capacity = 0;
    for _ in 0..2 {
        scene.send(PING, &[0xc0]);
    }
    scene.settle();
    assert!(!scene.node.link.wants_input());
    // The peer takes a little at a time. All of it takes longer than the read timeout.
    for _ in 0..10 {
        scene.node.link.sent(scene.now, 1000).unwrap();
        scene.advance(Duration::from_secs(10));
    }
    assert_eq!(scene.node.link.cause(), None);
}

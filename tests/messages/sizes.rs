//! The exact sizes that are permitted, and those of our own packets

use devp2p_proto::{Buffers, Cause, Config, Entropy, Instant, MAX_CLIENT_ID, PeerState, Protocol, Violation};
use devp2p_testing::remote::{HELLO, Handshake, Hello, LINK, PING, PONG, REMOTE, Scene, body, recipient};
use devp2p_testing::{ALPHA, PROTOCOLS, config, entropy, key, noise, slots};

/// What a frame may have for a payload of this limit: a sixth more, as Snappy at its worst, and what is in front
const fn largest_body(limit: usize) -> usize {
    limit + limit / 6 + 32 + 9
}

/// The body of a frame for this payload that has exactly `size` bytes: its literals are shorter than they could be
fn stretched(id: u64, payload: &[u8], size: usize) -> Vec<u8> {
    let mut block = Vec::new();
    let mut len = payload.len();
    while len >= 0x80 {
        block.push(len as u8 | 0x80);
        len >>= 7;
    }
    block.push(len as u8);
    let literals = size - 1 - block.len() - payload.len();
    let (short, longer) = (payload.len() / literals, payload.len() % literals);
    let mut rest = payload;
    for index in 0..literals {
        let (literal, others) = rest.split_at(short + usize::from(index < longer));
        block.push((literal.len() as u8 - 1) << 2);
        block.extend(literal);
        rest = others;
    }
    let body = body(id, &block);
    assert_eq!((body.len(), rest.len()), (size, 0));
    body
}

/// The largest frame of a limit is taken, in every kind of buffers, and one byte more is refused
#[test]
fn a_frame_may_take_a_sixth_more_than_the_limit() {
    for limit in [300, 1_000, 1_710, 1_730, 6_000, 60_000] {
        let payload = noise(1, limit);
        let largest = stretched(0x10, &payload, largest_body(limit));
        let larger = stretched(0x10, &payload, largest_body(limit) + 1);
        for other in [limit, 100_000] {
            let protocols = [PROTOCOLS[0].with_max_message(limit), PROTOCOLS[1].with_max_message(other)];
            let config = config(LINK, &protocols).with_max_message(other).unwrap();
            let (mut receive, mut transmit) = (vec![0; config.receive_len()], vec![0; config.transmit_len()]);
            let fixed = Buffers::fixed(&mut receive, &mut transmit, &mut [], slots());
            let fixed = PeerState::recipient(Instant::ZERO, &config, entropy(7), fixed).unwrap();
            for link in [fixed, recipient(&config)] {
                let mut scene = Scene::running_with(link, Hello::fitting(REMOTE));
                for _ in 0..2 {
                    scene.node.seen.clear();
                    scene.send_body(&largest);
                    scene.settle();
                    assert_eq!(scene.node.delivered(), [(ALPHA, 0, payload.clone())], "{limit}");
                }
                scene.send_body(&larger);
                scene.settle();
                let expected = Cause::Violation(Violation::FrameTooLarge { size: larger.len() });
                assert_eq!(scene.node.link.cause(), Some(expected), "{limit}");
            }
        }
    }
}

/// Messages of the base protocol may have 2 KiB, whatever the limits of protocols are
#[test]
fn a_message_of_the_base_protocol_may_have_2_kib() {
    for limit in [100, 100_000] {
        let protocols = PROTOCOLS.iter().map(|protocol| protocol.with_max_message(limit)).collect::<Vec<_>>();
        let mut scene = Scene::running_with(recipient(&config(LINK, &protocols)), Hello::fitting(REMOTE));
        scene.send_body(&body(PING, &[0xc0; 2_048]));
        scene.settle();
        assert_eq!(scene.received, [(PONG, vec![0xc0])]);
        scene.send_body(&body(PING, &[0xc0; 2_049]));
        scene.settle();
        assert_eq!(scene.node.link.cause(), Some(Cause::Violation(Violation::FrameTooLarge { size: 2_050 })));
    }
    for (len, expected) in [(2_048, None), (2_049, Some(Violation::FrameTooLarge { size: 2_050 }))] {
        let rest = Hello { client_id: vec![b'x'; 1_000], ..Hello::fitting(REMOTE) }.encode().len() - 1_000;
        let payload = Hello { client_id: vec![b'x'; len - rest], ..Hello::fitting(REMOTE) }.encode();
        assert_eq!(payload.len(), len);
        let mut scene = Scene::expecting_hello();
        scene.send_body(&body(HELLO, &payload));
        scene.settle();
        assert_eq!(scene.node.link.cause(), expected.map(Cause::Violation));
    }
}

/// Protocols with the longest names and versions
fn longest(count: u64) -> Vec<Protocol<'static>> {
    (0..count).map(|index| Protocol::new("12345678", u64::MAX - index, 1)).collect()
}

/// The frame of this node's Hello, and what a transmit buffer needs
fn hello_len(config: &Config) -> usize {
    let mut scene = Scene::remote_dials(recipient(config));
    let ack = scene.node.link.unsent().len();
    assert!(matches!(scene.node.link.poll(), Some(devp2p_proto::Action::Send(_))));
    let len = scene.node.link.unsent().len() - ack;
    scene.settle();
    assert!(matches!(&scene.received[..], [(HELLO, _)]), "the remote reads it");
    len
}

/// The longest Hello fits, and the bound on its length is not generous: a transmit buffer that holds our longest
/// packet, Hello and what is kept free is not larger than that by more than what lists and strings of other
/// lengths save
#[test]
fn the_bound_on_our_hello_is_tight() {
    const LONGEST_PACKET: usize = 511;
    const KEPT_FREE: usize = 80 + 64 + 64;
    let mut excess = 0;
    for count in 1..=3 {
        for client_id in (0..=MAX_CLIENT_ID).step_by(3) {
            let name = "x".repeat(client_id);
            let config = Config::new(key(LINK), &name, &longest(count)).unwrap().with_listen_port(u16::MAX);
            let config = config.with_max_send(64).unwrap();
            let more = config.transmit_len().checked_sub(LONGEST_PACKET + KEPT_FREE + hello_len(&config));
            let more = more.unwrap_or_else(|| panic!("{count} protocols, a client id of {client_id} bytes"));
            assert!(more <= 16, "{more} bytes too many");
            excess += more;
        }
    }
    assert_eq!(excess, EXCESS, "bytes too many in 99 configurations");
    let most = Config::new(key(LINK), &"x".repeat(MAX_CLIENT_ID), &longest(devp2p_proto::MAX_PROTOCOLS as u64));
    hello_len(&most.unwrap().with_listen_port(u16::MAX));
}

/// Four bytes for each, of sixteen that a block has
const EXCESS: usize = 416;

/// EIP-8: auth and ack have at least 100 bytes of padding, and how many is random
#[test]
fn auth_and_ack_have_padding_of_random_length() {
    let drawn = |last: u8| {
        let mut bytes: [u8; Entropy::SIZE] = noise(1, Entropy::SIZE).try_into().unwrap();
        bytes[Entropy::SIZE - 1] = last;
        Entropy::from_bytes(bytes)
    };
    let ours = config(LINK, PROTOCOLS);
    let auth = Handshake::new(REMOTE).auth(&ours.node_id());
    for last in 0..=255 {
        let padding = 100 + usize::from(last & 0x7f);
        let remote = key(REMOTE).node_id();
        let mut link = PeerState::initiator(Instant::ZERO, &ours, remote, drawn(last), Buffers::growable()).unwrap();
        assert!(matches!(link.poll(), Some(devp2p_proto::Action::Send(_))));
        assert_eq!(link.unsent().len(), 2 + 65 + 16 + 169 + padding + 32, "auth");
        let mut link = PeerState::recipient(Instant::ZERO, &ours, drawn(last), Buffers::growable()).unwrap();
        assert_eq!(link.receive(Instant::ZERO, &auth), auth.len());
        assert_eq!(link.unsent().len(), 2 + 65 + 16 + 102 + padding + 32, "ack");
    }
}

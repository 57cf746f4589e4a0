//! Buffers: their sizes, and their use for one link after another

use std::time::Duration;

use devp2p_proto::{Buffers, ConfigError, Instant, MIN_MESSAGE, PeerState};
use devp2p_testing::{ALPHA, BETA, PROTOCOLS, Pair, config, entropy, key, noise};

/// Buffers of the published sizes hold the largest message, and one byte less is refused
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
        pair.advance(Duration::from_secs(40));
        assert_eq!(pair.causes(), (None, None), "Pings go as well");

        let needed = Buffers::receive_len(max);
        let mut short = memory();
        let buffers = Buffers::fixed(&mut short.0[1..], &mut short.1, &mut short.2);
        let refused = PeerState::recipient(Instant::ZERO, &ours, entropy(1), buffers).map(|_| ());
        assert_eq!(refused, Err(ConfigError::ReceiveBufferTooSmall { needed }), "{max}");
    }
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

/// Several links use the same memory, one after another
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

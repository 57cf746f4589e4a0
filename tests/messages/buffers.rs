//! Buffers: their sizes, and their use for one link after another

use std::time::Duration;

use devp2p_proto::{Buffers, Instant, MIN_MESSAGE, PeerState, Protocol, Stage, StartError, Timeouts, WriteError};
use devp2p_testing::{ALPHA, BETA, PROTOCOLS, Pair, config, entropy, key, noise, slots};

/// Buffers of the published sizes hold the largest message, and one byte less is refused
#[test]
fn fixed_buffers_of_the_published_sizes() {
    for max in [MIN_MESSAGE, 65, 1_000, 1_024, 4_096, 65_536, 100_001] {
        let limited = |seed| config(seed, PROTOCOLS).with_max_message(max).unwrap();
        let (ours, theirs) = (limited(1), limited(2));
        let transmit = Buffers::transmit_len(&[max; 2]);
        let memory = || (vec![0; Buffers::receive_len(max)], vec![0; transmit], vec![0; 1024]);
        let (mut a, mut b) = (memory(), memory());
        let first = Buffers::fixed(&mut a.0, &mut a.1, &mut a.2, slots());
        let mut pair = Pair::with_buffers(&ours, &theirs, first, Buffers::fixed(&mut b.0, &mut b.1, &mut b.2, slots()));
        pair.settle();
        assert_eq!(pair.initiator.link.write_capacity(ALPHA), Some(max));
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
        let buffers = Buffers::fixed(&mut short.0[1..], &mut short.1, &mut short.2, slots());
        let refused = PeerState::recipient(Instant::ZERO, &ours, entropy(1), buffers).unwrap_err();
        assert_eq!(refused.error, StartError::ReceiveBufferTooSmall { needed }, "{max}");
    }
}

#[test]
fn a_transmit_buffer_must_hold_what_the_link_itself_says() {
    let config = config(1, PROTOCOLS).with_max_message(64).unwrap();
    let needed = |len: usize| {
        let mut memory = (vec![0; Buffers::receive_len(64)], vec![0; len], [0; 0]);
        let buffers = Buffers::fixed(&mut memory.0, &mut memory.1, &mut memory.2, slots());
        match PeerState::initiator(Instant::ZERO, &config, key(2).node_id(), entropy(1), buffers) {
            Ok(_) => None,
            Err(refusal) => match refusal.error {
                StartError::TransmitBufferTooSmall { needed } => Some(needed),
                other => panic!("{other}"),
            },
        }
    };
    let least = needed(0).unwrap();
    assert!(least <= Buffers::transmit_len(&[64; 2]));
    assert_eq!((needed(least - 1), needed(least)), (Some(least), None));
}

/// There must be a slot for each protocol, whatever the slots hold
#[test]
fn each_protocol_has_a_slot() {
    let offering = |count: u64| {
        let protocols: Vec<_> = (0..count).map(|version| Protocol::new("alpha", version, 1)).collect();
        config(1, &protocols).with_max_message(1_000).unwrap()
    };
    let recipient =
        |count, buffers| PeerState::recipient(Instant::ZERO, &offering(count), entropy(1), buffers).map_err(Box::new);
    let memory = |len| vec![0; len].leak();
    let slots = &mut slots()[..2];
    let buffers = Buffers::fixed(memory(offering(3).receive_len()), memory(offering(3).transmit_len()), &mut [], slots);
    let buffers = recipient(2, buffers).unwrap().into_buffers();
    let refusal = recipient(3, buffers).unwrap_err();
    assert_eq!(refusal.error, StartError::TooFewSlots { needed: 3 });
    let link = recipient(1, refusal.buffers).unwrap();
    assert_eq!((link.traffic(ALPHA).is_some(), link.traffic(BETA).is_some()), (true, false));
}

/// Several links use the same memory, one after another
#[test]
fn the_memory_of_a_link_serves_the_next_one() {
    let max = 1_000;
    let limited = |seed| config(seed, PROTOCOLS).with_max_message(max).unwrap();
    let memory = |len| vec![0; len].leak();
    let fixed =
        Buffers::fixed(memory(Buffers::receive_len(max)), memory(Buffers::transmit_len(&[max; 2])), &mut [], slots());
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

/// A refused constructor gives the buffers back, unchanged and with their original lifetime
#[test]
fn a_refusal_gives_the_buffers_back() {
    let config = config(1, PROTOCOLS).with_max_message(100).unwrap();
    let memory = |len| vec![0; len].leak();
    let fixed = Buffers::fixed(memory(config.receive_len()), memory(config.transmit_len()), &mut [], slots());
    let weak = || devp2p_proto::Entropy::from_bytes([7; devp2p_proto::Entropy::SIZE]);
    let refusal = PeerState::recipient(Instant::ZERO, &config, weak(), fixed).unwrap_err();
    assert_eq!(refusal.error, StartError::WeakEntropy);
    let nobody = [1; 64].into();
    let refusal = PeerState::initiator(Instant::ZERO, &config, nobody, entropy(1), refusal.buffers).unwrap_err();
    assert_eq!(StartError::from(refusal), StartError::InvalidRemote);
}

/// One protocol in two versions needs one frame, since at most one of them is shared
#[test]
fn versions_of_one_name_share_a_frame() {
    let versions = [Protocol::new("eth", 68, 17), Protocol::new("eth", 69, 18).with_max_message(500)];
    let limited = config(1, &versions).with_max_message(1_000).unwrap();
    let needed = limited.transmit_len();
    assert!(needed <= Buffers::transmit_len(&[1_000]), "the largest of the versions");
    assert!(needed > Buffers::transmit_len(&[500]));
    assert!(config(1, PROTOCOLS).with_max_message(1_000).unwrap().transmit_len() > needed + 1_000, "two names");
}

/// A device that sends short messages and receives long ones has a small transmit buffer
#[test]
fn the_limit_for_sending_is_separate() {
    let config = config(1, PROTOCOLS).with_max_message(4_096).unwrap().with_max_send(64).unwrap();
    assert!(config.transmit_len() < 1_024);
    assert_eq!(config.receive_len(), Buffers::receive_len(4_096));
    let mut memory = (vec![0; config.receive_len()], vec![0; config.transmit_len()]);
    let fixed = Buffers::fixed(&mut memory.0, &mut memory.1, &mut [], slots());
    let other = devp2p_testing::config(2, PROTOCOLS);
    let mut pair = Pair::with_buffers(&config, &other, fixed, Buffers::growable());
    pair.settle();
    assert_eq!(pair.initiator.link.write_capacity(BETA), Some(64));
    pair.recipient.link.write(pair.now, BETA, 0, &noise(1, 4_096)).unwrap();
    pair.settle();
    assert_eq!(pair.initiator.delivered(), [(BETA, 0, noise(1, 4_096))]);
}

/// A protocol can have such a limit for itself
#[test]
fn the_limit_of_a_protocol_for_sending_is_separate() {
    let protocols = [PROTOCOLS[0].with_max_message(4_096).with_max_send(64), PROTOCOLS[1]];
    let mut pair = Pair::new(&config(1, &protocols), &config(2, PROTOCOLS));
    pair.settle();
    assert_eq!(pair.initiator.link.write(pair.now, ALPHA, 0, &[7; 65]), Err(WriteError::TooLarge));
    pair.initiator.link.write(pair.now, ALPHA, 0, &[7; 64]).unwrap();
    pair.initiator.link.write(pair.now, BETA, 0, &[7; 65]).unwrap();
    pair.recipient.link.write(pair.now, ALPHA, 0, &noise(1, 4_096)).unwrap();
    pair.settle();
    assert_eq!(pair.initiator.delivered(), [(ALPHA, 0, noise(1, 4_096))]);
}

/// Memory of the link before is not given back while auth waits for its ack in it
#[test]
fn a_slow_ack_finds_its_auth_in_used_buffers() {
    let mut pair = Pair::running();
    pair.initiator.link.write(pair.now, ALPHA, 0, &noise(1, 1 << 20)).unwrap();
    pair.settle();
    let mut timeouts = Timeouts::default();
    timeouts.handshake = Duration::from_secs(60);
    let patient = |seed| config(seed, PROTOCOLS).with_timeouts(timeouts).unwrap();
    let buffers = pair.initiator.link.into_buffers();
    let mut pair = Pair::with_buffers(&patient(1), &patient(2), buffers, Buffers::growable());
    pair.to_initiator.capacity = 0;
    pair.advance(Duration::from_secs(18));
    pair.to_initiator.capacity = usize::MAX;
    pair.settle();
    assert_eq!((pair.initiator.link.stage(), pair.recipient.link.stage()), (Stage::Running, Stage::Running));
}

//! Promises about a stream of bytes: recorded conversations that are replayed in pieces, or with a flipped bit

use devp2p_proto::{Action, Buffers, Cause, Instant, PeerState, Stage, Timeout, Violation};
use devp2p_testing::schedule::{Side, World, ending, friendly_operations};
use devp2p_testing::{BETA, Node, PROTOCOLS, Pair, Seen, config, entropy, observe};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::{cases, performed};

proptest! {
    #![proptest_config(cases(64))]

    /// Replays each direction of a conversation to a new link, equal to the link that received it
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
}

/// Flips every bit of auth, ack, Hello and a message; in debug builds every third bit
#[test]
fn tampering_is_caught() {
    let mut pair = Pair::new(
        &config(1, PROTOCOLS).with_max_message(30_000).unwrap(),
        &config(2, PROTOCOLS).with_max_message(30_000).unwrap(),
    );
    pair.settle();
    let now = pair.now;
    let greeted = [pair.to_recipient.log.len(), pair.to_initiator.log.len()];
    pair.initiator.link.write(now, BETA, 0, b"message").unwrap();
    pair.recipient.link.write(now, BETA, 0, b"message").unwrap();
    pair.settle();
    for (side, stream, hello_end) in
        [(Side::Initiator, &pair.to_recipient.log, greeted[0]), (Side::Recipient, &pair.to_initiator.log, greeted[1])]
    {
        let packet_end = 2 + usize::from(u16::from_be_bytes([stream[0], stream[1]]));
        let (honest, _) = replayed(side, stream, &mut std::iter::repeat(usize::MAX));
        assert!(matches!(honest[..], [Seen::IdentityClaimed(_), Seen::Ready(_), Seen::Deliver(..)]), "{honest:?}");
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
        // The size has become larger, and the link waits for bytes that never come.
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

/// What the other side of `from` sees and sends when it receives `stream` in pieces
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

/// The link of the other side of `from`, as it is at the start of a [`World`]
fn opposite(from: Side) -> PeerState<'static> {
    let (now, buffers) = (Instant::ZERO, Buffers::growable());
    match from {
        Side::Initiator => PeerState::recipient(now, &World::config(2), entropy(2), buffers).unwrap(),
        Side::Recipient => {
            PeerState::initiator(now, &World::config(1), World::config(2).node_id(), entropy(1), buffers).unwrap()
        }
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

//! The rule by itself: peers are numbers, and a message is what the rule puts into its output

use super::*;
use crate::library::Kind;

const BLOCK: Item = Item { kind: Kind::Block, number: 0 };

/// A node with this many peers
fn node(peers: usize) -> Gossip {
    let mut node = Gossip::new(Rng::with_seed(1));
    for peer in 0..peers {
        assert!(tell(&mut node, 0, Input::Connected(Peer(peer))).is_empty(), "there is nothing to tell");
    }
    node
}

/// What the node sends when this happens, at this time in milliseconds
fn tell(node: &mut Gossip, millis: u64, input: Input) -> Vec<(usize, Act)> {
    let mut out = Vec::new();
    node.handle(Instant::from_millis(millis), input, &mut out);
    assert!(out.iter().all(|(_, message)| message.item == BLOCK));
    out.into_iter().map(|(Peer(peer), message)| (peer, message.act)).collect()
}

fn hear(node: &mut Gossip, millis: u64, peer: usize, act: Act) -> Vec<(usize, Act)> {
    tell(node, millis, Input::Received(Peer(peer), Message { act, item: BLOCK }))
}

#[test]
fn the_whole_to_the_square_root_of_the_peers_and_the_hash_to_the_rest() {
    for peers in [0, 1, 2, 16, 17] {
        let said = tell(&mut node(peers), 0, Input::Made(BLOCK));
        let whole = said.iter().filter(|(_, act)| *act == Act::Push).count();
        assert_eq!(whole, peers.isqrt());
        let mut told: Vec<_> = said.iter().map(|(peer, _)| *peer).collect();
        told.sort_unstable();
        assert_eq!(told, (0..peers).collect::<Vec<_>>(), "each peer is told once");
    }
}

#[test]
fn only_those_who_lack_it_and_only_once() {
    let mut node = node(6);
    assert!(hear(&mut node, 0, 0, Act::Announce).is_empty());
    let said = hear(&mut node, 1, 1, Act::Push);
    assert_eq!(said.len(), 4);
    assert!(said.iter().all(|(peer, _)| *peer > 1), "the first two have it: {said:?}");
    assert!(hear(&mut node, 2, 2, Act::Push).is_empty());
    assert_eq!(node.next_timeout(), None, "nothing is wanted any more");
}

#[test]
fn who_knows_only_the_hash_asks_one_peer_after_the_other() {
    let mut node = node(3);
    hear(&mut node, 0, 2, Act::Announce);
    hear(&mut node, 10, 0, Act::Announce);
    assert_eq!(node.next_timeout(), Some(Instant::from_millis(500)));
    assert_eq!(tell(&mut node, 500, Input::Timeout), [(2, Act::Ask)]);
    assert_eq!(node.next_timeout(), Some(Instant::from_millis(5_500)));
    assert_eq!(tell(&mut node, 5_500, Input::Timeout), [(0, Act::Ask)]);
    assert_eq!(hear(&mut node, 5_600, 0, Act::Answer), [(1, Act::Push)]);
    assert_eq!(node.next_timeout(), None);
}

#[test]
fn who_is_gone_is_not_asked() {
    let mut node = node(2);
    hear(&mut node, 0, 0, Act::Announce);
    hear(&mut node, 0, 1, Act::Announce);
    tell(&mut node, 100, Input::Disconnected(Peer(0)));
    assert_eq!(tell(&mut node, 500, Input::Timeout), [(1, Act::Ask)]);
    tell(&mut node, 600, Input::Disconnected(Peer(1)));
    assert!(tell(&mut node, 5_500, Input::Timeout).is_empty());
    assert_eq!(node.next_timeout(), None, "nobody is left to ask");
}

#[test]
fn who_asks_is_answered_and_a_new_peer_hears_of_all() {
    let mut node = node(1);
    assert!(hear(&mut node, 0, 0, Act::Ask).is_empty(), "there is no block yet");
    tell(&mut node, 1, Input::Made(BLOCK));
    assert_eq!(hear(&mut node, 2, 0, Act::Ask), [(0, Act::Answer)]);
    assert_eq!(tell(&mut node, 3, Input::Connected(Peer(7))), [(7, Act::Announce)]);
    assert!(hear(&mut node, 4, 9, Act::Ask).is_empty(), "this peer is not connected");
}

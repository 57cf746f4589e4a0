//! The rule by which a node passes on what it has: the file to change for an experiment
//!
//! A node knows its peers by number and each block and transaction by name. It knows nothing of links, bytes and other
//! nodes. This rule follows the manner of `eth`: of the peers that lack an item, as many as the square root of their
//! number get the whole item, and the others get its hash. A node that knows only the hash asks for the item.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use devp2p_proto::Instant;
use fastrand::Rng;

use crate::library::Item;
use crate::message::{Act, Message};

#[cfg(test)]
mod tests;

/// How long a node that knows only the hash waits for the whole item before it asks
const PATIENCE: Duration = Duration::from_millis(500);
/// How long a node waits for an answer before it asks the next peer
const ANSWER: Duration = Duration::from_secs(5);

/// A peer of this node, by the number of its link
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Peer(pub usize);

/// What happens to a node
#[derive(Debug, Clone, Copy)]
pub enum Input {
    Connected(Peer),
    Disconnected(Peer),
    /// The node has made this item itself
    Made(Item),
    /// A message about an item that exists
    Received(Peer, Message),
    /// The time that [`Gossip::next_timeout`] names has come
    Timeout,
}

/// The rule of one node, and what the node remembers
pub struct Gossip {
    random: Rng,
    have: BTreeSet<Item>,
    /// The connected peers, and what each of them is known to have
    peers: BTreeMap<Peer, BTreeSet<Item>>,
    wanted: BTreeMap<Item, Wanted>,
}

/// An item of which only the hash is known
struct Wanted {
    ask_at: Instant,
    /// The peers that have the item, in the order in which they are asked
    sources: VecDeque<Peer>,
}

impl Gossip {
    pub fn new(random: Rng) -> Self {
        Self { random, have: BTreeSet::new(), peers: BTreeMap::new(), wanted: BTreeMap::new() }
    }

    /// Reacts to what happens, with messages to peers
    pub fn handle(&mut self, now: Instant, input: Input, out: &mut Vec<(Peer, Message)>) {
        match input {
            Input::Connected(peer) => self.greet(peer, out),
            Input::Disconnected(peer) => {
                self.peers.remove(&peer);
                self.wanted.values_mut().for_each(|wanted| wanted.sources.retain(|source| *source != peer));
            }
            Input::Made(item) => self.take(item, out),
            Input::Received(peer, message) => self.receive(now, peer, message, out),
            Input::Timeout => self.ask(now, out),
        }
    }

    /// When this node wants [`Input::Timeout`]
    pub fn next_timeout(&self) -> Option<Instant> {
        self.wanted.values().map(|wanted| wanted.ask_at).min()
    }

    /// Announces all items of this node to a new peer
    fn greet(&mut self, peer: Peer, out: &mut Vec<(Peer, Message)>) {
        self.peers.insert(peer, self.have.clone());
        out.extend(self.have.iter().map(|item| (peer, Message { act: Act::Announce, item: *item })));
    }

    fn receive(&mut self, now: Instant, peer: Peer, message: Message, out: &mut Vec<(Peer, Message)>) {
        let Message { act, item } = message;
        let Some(known) = self.peers.get_mut(&peer) else { return };
        let have = self.have.contains(&item);
        match act {
            Act::Ask if have => {
                known.insert(item);
                out.push((peer, Message { act: Act::Answer, item }));
            }
            Act::Ask => {}
            Act::Announce => {
                known.insert(item);
                if !have {
                    self.want(now, peer, item);
                }
            }
            Act::Push | Act::Answer => {
                known.insert(item);
                self.take(item, out);
            }
        }
    }

    fn want(&mut self, now: Instant, peer: Peer, item: Item) {
        let ask_at = now.checked_add(PATIENCE).unwrap_or(Instant::MAX);
        let wanted = self.wanted.entry(item).or_insert_with(|| Wanted { ask_at, sources: VecDeque::new() });
        if !wanted.sources.contains(&peer) {
            wanted.sources.push_back(peer);
        }
    }

    /// Keeps an item and passes it on, unless it is here already
    fn take(&mut self, item: Item, out: &mut Vec<(Peer, Message)>) {
        if !self.have.insert(item) {
            return;
        }
        self.wanted.remove(&item);
        let mut lacking: Vec<_> = self.peers.iter_mut().filter(|(_, known)| !known.contains(&item)).collect();
        self.random.shuffle(&mut lacking);
        let whole = lacking.len().isqrt();
        for (index, (peer, known)) in lacking.into_iter().enumerate() {
            known.insert(item);
            let act = if index < whole { Act::Push } else { Act::Announce };
            out.push((*peer, Message { act, item }));
        }
    }

    /// Asks for the items that are overdue, each time another of the peers that have the item
    fn ask(&mut self, now: Instant, out: &mut Vec<(Peer, Message)>) {
        self.wanted.retain(|_, wanted| !wanted.sources.is_empty());
        for (item, wanted) in self.wanted.iter_mut().filter(|(_, wanted)| wanted.ask_at <= now) {
            out.push((wanted.sources[0], Message { act: Act::Ask, item: *item }));
            wanted.sources.rotate_left(1);
            wanted.ask_at = now.checked_add(ANSWER).unwrap_or(Instant::MAX);
        }
    }
}

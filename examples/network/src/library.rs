//! All blocks and transactions that are made in a run
//!
//! A node names an item and does not keep its bytes: of each item there is one copy in the process. On the wire an item
//! is its bytes or their hash, and a node that receives bytes computes their hash.

use std::collections::BTreeMap;

use fastrand::Rng;

/// A block or a transaction
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Item {
    pub kind: Kind,
    pub number: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Block,
    Transaction,
}

pub struct Content {
    pub bytes: Vec<u8>,
    pub hash: [u8; 32],
}

#[derive(Default)]
pub struct Library {
    contents: BTreeMap<Item, Content>,
    items: BTreeMap<(Kind, [u8; 32]), Item>,
}

impl Library {
    /// Adds items of one kind, each of this many bytes
    pub fn add(&mut self, kind: Kind, count: usize, size: usize, random: &mut Rng) {
        for number in 0..count {
            let item = Item { kind, number };
            let bytes = bytes(size, random);
            let hash = devp2p_proto::keccak256(&bytes);
            self.items.insert((kind, hash), item);
            self.contents.insert(item, Content { bytes, hash });
        }
    }

    pub fn content(&self, item: Item) -> &Content {
        &self.contents[&item]
    }

    pub fn find(&self, kind: Kind, hash: &[u8; 32]) -> Option<Item> {
        self.items.get(&(kind, *hash)).copied()
    }

    /// The size of the largest content
    pub fn largest(&self) -> usize {
        self.contents.values().map(|content| content.bytes.len()).max().unwrap_or_default()
    }
}

/// Words of 32 bytes, each with a half of zeros, as in calls of contracts, so that Snappy has something to compress
fn bytes(size: usize, random: &mut Rng) -> Vec<u8> {
    let mut bytes = vec![0; size];
    bytes.chunks_mut(16).skip(1).step_by(2).for_each(|half| random.fill(half));
    bytes
}

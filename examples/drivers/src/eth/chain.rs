//! Which chain this node is on, and which blocks of it a node has

use crate::eth::fork::{Forks, Position};
use crate::eth::hash::Hash;
use crate::eth::message::BlockRange;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    pub network: u64,
    pub genesis: Hash,
    pub forks: Forks,
}

impl Chain {
    /// The blocks of a node that has only the genesis block
    pub const fn beginning(&self) -> Standing {
        let range = BlockRange { earliest: 0, latest: 0, latest_hash: self.genesis };
        Standing { range, time: self.forks.genesis().time }
    }
}

/// Which blocks a node has, and the time of the latest
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    pub range: BlockRange,
    pub time: u64,
}

impl Standing {
    /// Where the latest block is among the forks
    pub const fn position(&self) -> Position {
        Position { number: self.range.latest, time: self.time }
    }
}

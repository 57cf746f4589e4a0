//! What this node can give: the headers that it has seen lately

use std::collections::{HashMap, VecDeque};

use devp2p_drivers::eth::hash::Hash;
use devp2p_drivers::eth::header::Header;
use devp2p_drivers::eth::message::{GetBlockHeaders, Origin};

/// How many headers are kept; the oldest go first
const KEPT: usize = 4096;
/// How many go into one answer, which keeps it well below the 2 MiB that the specification recommends
const SERVED: u64 = 512;

#[derive(Debug, Default)]
pub struct Shelf {
    /// Consecutive, so that the position follows from the number
    headers: VecDeque<Header>,
    numbers: HashMap<Hash, u64>,
}

impl Shelf {
    pub fn put(&mut self, header: Header) {
        if self.headers.len() == KEPT
            && let Some(oldest) = self.headers.pop_front()
        {
            self.numbers.remove(&oldest.hash);
        }
        self.numbers.insert(header.hash, header.number);
        self.headers.push_back(header);
    }

    /// The headers that are asked for, as far as they are here without a gap
    pub fn find(&self, request: &GetBlockHeaders) -> Vec<Header> {
        let origin = match request.origin {
            Origin::Number(number) => Some(number),
            Origin::Hash(hash) => self.numbers.get(&hash).copied(),
        };
        let step = |number: &u64| match request.reverse {
            true => number.checked_sub(request.skip)?.checked_sub(1),
            false => number.checked_add(request.skip)?.checked_add(1),
        };
        let numbers = std::iter::successors(origin, step).take(request.amount.min(SERVED) as usize);
        numbers.map_while(|number| self.get(number)).cloned().collect()
    }

    fn get(&self, number: u64) -> Option<&Header> {
        let first = self.headers.front()?.number;
        self.headers.get(usize::try_from(number.checked_sub(first)?).ok()?)
    }
}

//! What this node can give: the headers that it has seen lately

use std::collections::{HashMap, VecDeque};

use devp2p_drivers::eth::hash::Hash;
use devp2p_drivers::eth::header::{Header, MAX_HEADER};
use devp2p_drivers::eth::message::{GetBlockHeaders, Origin};

/// How many of the latest headers are kept; their encodings have at most 4 MiB
const KEPT: usize = 4096;
/// How many headers one answer may have
const SERVED: usize = 512;
/// The largest answer that the specification recommends, in bytes
const SOFT_LIMIT: usize = 2 << 20;
const _: () = assert!(KEPT * MAX_HEADER == 4 << 20 && SERVED * MAX_HEADER <= SOFT_LIMIT);

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
    pub fn find(&self, request: &GetBlockHeaders) -> Vec<&Header> {
        let origin = match request.origin {
            Origin::Number(number) => Some(number),
            Origin::Hash(hash) => self.numbers.get(&hash).copied(),
        };
        let amount = usize::try_from(request.amount).map_or(SERVED, |amount| amount.min(SERVED));
        let step = |number: &u64| match request.reverse {
            true => number.checked_sub(request.skip)?.checked_sub(1),
            false => number.checked_add(request.skip)?.checked_add(1),
        };
        let numbers = std::iter::successors(origin, step).take(amount);
        numbers.map_while(|number| self.get(number)).collect()
    }

    fn get(&self, number: u64) -> Option<&Header> {
        let first = self.headers.front()?.number;
        self.headers.get(usize::try_from(number.checked_sub(first)?).ok()?)
    }
}

//! Blocks that were fetched and checked, as many of the newest as fit into a budget of bytes
//!
//! A block comes in parts: its header first, then its body and its receipts. A part that is empty according to the
//! header is there at once. [`standing`](Store::standing) tells of complete blocks only.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::eth::body::Body;
use crate::eth::chain::Standing;
use crate::eth::hash::Hash;
use crate::eth::header::Header;
use crate::eth::message::BlockRange;
use crate::eth::receipt::{Receipt, Receipts};

/// The budget if none is chosen, in bytes
pub const DEFAULT_BUDGET: usize = 64 << 20;

/// What a block takes besides its encoded parts: its place in the two collections, which may be half empty, and
/// its allocations
const BLOCK_OVERHEAD: usize = 2 * (size_of::<Kept>() + size_of::<(Hash, u64)>()) + 3 * ALLOCATION;
/// What a receipt takes besides its encoding
const RECEIPT_OVERHEAD: usize = size_of::<Receipt>() + ALLOCATION;
/// What an allocation may take besides its content
const ALLOCATION: usize = 16;

/// Consecutive blocks
#[derive(Debug)]
pub struct Store {
    budget: usize,
    used: usize,
    /// Consecutive, so that the position follows from the number
    blocks: VecDeque<Kept>,
    numbers: HashMap<Hash, u64>,
    /// How many blocks at the front have all of their parts
    complete: usize,
    dropped: u64,
}

#[derive(Debug)]
struct Kept {
    header: Header,
    /// Encoded as messages carry it
    body: Option<Box<[u8]>>,
    receipts: Option<Receipts>,
    /// How many bytes of the budget are for this block
    cost: usize,
}

impl Store {
    /// A store without blocks
    pub fn new(budget: usize) -> Self {
        Self { budget, used: 0, blocks: VecDeque::new(), numbers: HashMap::new(), complete: 0, dropped: 0 }
    }

    /// Adds the header of the block after the newest
    ///
    /// If this is not the header of the next block, all other blocks are dropped first, so that the blocks are always
    /// consecutive.
    pub fn put_header(&mut self, header: Header) {
        if self.blocks.back().is_some_and(|newest| newest.header.number.checked_add(1) != Some(header.number)) {
            self.clear();
        }
        let cost = BLOCK_OVERHEAD + header.encoded().len();
        let (number, hash) = (header.number, header.hash);
        let body = (!header.has_body()).then(|| rlp::encode(&Body::empty(&header)).to_vec().into_boxed_slice());
        let receipts = (!header.has_receipts()).then(|| Receipts(Vec::new()));
        self.numbers.insert(hash, number);
        self.blocks.push_back(Kept { header, body, receipts, cost });
        self.spend(cost);
    }

    /// Adds the body of a block, if the block is still here
    pub fn put_body(&mut self, number: u64, body: &Body) {
        if let Some(block) = self.index(number).and_then(|index| self.blocks.get_mut(index)) {
            let encoded = rlp::encode(body).to_vec().into_boxed_slice();
            let cost = encoded.len();
            block.body = Some(encoded);
            block.cost += cost;
            self.spend(cost);
        }
    }

    /// Adds the receipts of a block, if the block is still here
    pub fn put_receipts(&mut self, number: u64, receipts: Receipts) {
        if let Some(block) = self.index(number).and_then(|index| self.blocks.get_mut(index)) {
            let cost = receipts.0.iter().map(|receipt| receipt.as_ref().len() + RECEIPT_OVERHEAD).sum();
            block.receipts = Some(receipts);
            block.cost += cost;
            self.spend(cost);
        }
    }

    /// Counts the bytes of a new part, and drops the oldest blocks until the rest is within the budget
    fn spend(&mut self, cost: usize) {
        self.used += cost;
        while self.used > self.budget
            && let Some(oldest) = self.blocks.pop_front()
        {
            self.used -= oldest.cost;
            self.numbers.remove(&oldest.header.hash);
            self.complete = self.complete.saturating_sub(1);
            self.dropped += 1;
        }
        let complete = |block: &&Kept| block.body.is_some() && block.receipts.is_some();
        self.complete += self.blocks.range(self.complete..).take_while(complete).count();
    }

    fn clear(&mut self) {
        self.dropped += self.blocks.len() as u64;
        (self.used, self.complete) = (0, 0);
        self.blocks.clear();
        self.numbers.clear();
    }

    /// The complete blocks, if there are any
    pub fn standing(&self) -> Option<Standing> {
        let latest = &self.blocks.get(self.complete.checked_sub(1)?)?.header;
        let earliest = self.blocks.front()?.header.number;
        let range = BlockRange { earliest, latest: latest.number, latest_hash: latest.hash };
        Some(Standing { range, time: latest.time })
    }

    /// How many blocks were dropped, because of the budget or because a header did not follow them
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }

    /// How many bytes of the budget are used
    pub const fn used(&self) -> usize {
        self.used
    }

    /// How many bytes may be used
    pub const fn budget(&self) -> usize {
        self.budget
    }

    /// The number of the block with this hash
    pub fn number(&self, hash: &Hash) -> Option<u64> {
        self.numbers.get(hash).copied()
    }

    /// The header of the block with this number
    pub fn header(&self, number: u64) -> Option<&Header> {
        self.block(number).map(|block| &block.header)
    }

    /// The encoded body of the block with this hash
    pub fn body(&self, hash: &Hash) -> Option<&[u8]> {
        self.block(self.number(hash)?)?.body.as_deref()
    }

    /// The receipts of the block with this hash
    pub fn receipts(&self, hash: &Hash) -> Option<&[Receipt]> {
        self.block(self.number(hash)?)?.receipts.as_ref().map(|receipts| &receipts.0[..])
    }

    fn block(&self, number: u64) -> Option<&Kept> {
        self.blocks.get(self.index(number)?)
    }

    fn index(&self, number: u64) -> Option<usize> {
        let first = self.blocks.front()?.header.number;
        usize::try_from(number.checked_sub(first)?).ok()
    }
}

/// One store for all links of a process: one link fills it, and all of them serve from it
#[derive(Debug, Clone)]
pub struct SharedStore(Arc<RwLock<Store>>);

impl SharedStore {
    /// A store without blocks
    pub fn new(budget: usize) -> Self {
        Self(Arc::new(RwLock::new(Store::new(budget))))
    }

    /// Reads the store. The lock is held while an answer is put together, and never while anything is sent
    pub fn read(&self) -> RwLockReadGuard<'_, Store> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the store. The lock is held while a part of a block is added
    pub fn write(&self) -> RwLockWriteGuard<'_, Store> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

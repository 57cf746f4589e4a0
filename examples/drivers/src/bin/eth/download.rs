//! Fetches a chain from its genesis upwards, and checks all of it
//!
//! Headers come in order, each checked by its hash and its parent. For every block whose header says that
//! there is a body or there are receipts, these are fetched as well and checked against the header's roots. The
//! three kinds of requests go side by side, one of each at a time.

use std::collections::VecDeque;
use std::time::Duration;

use devp2p_drivers::eth::answer::Blocks;
use devp2p_drivers::eth::body::Body;
use devp2p_drivers::eth::hash::Hash;
use devp2p_drivers::eth::header::{Header, Tip};
use devp2p_drivers::eth::message::{
    BlockRange, GET_BLOCK_BODIES, GET_BLOCK_HEADERS, GET_RECEIPTS, GetBlockHeaders, List, Numbered, Origin,
    PAGES_VERSION, Paged,
};
use devp2p_drivers::eth::receipt::Receipts;
use devp2p_drivers::eth::store::SharedStore;
use devp2p_proto::Instant;

use crate::failure::Failure;
use crate::pages::Pages;
use crate::port::Port;
use crate::request::{Patience, Request};

/// How many bodies, or blocks' receipts, are asked for at once
const BLOCKS_AT_ONCE: usize = 32;
/// How far headers may run ahead of bodies and receipts: this many and one batch wait, each of less than 2 KiB
const BACKLOG: usize = 2048;
/// How long to rest at the head before looking for new blocks
const REST: Duration = Duration::from_secs(2);

#[derive(Debug)]
pub struct Download {
    /// The version of `eth`
    version: u64,
    tip: Tip,
    /// The number of the peer's head, once it is known
    head: Option<u64>,
    /// How many headers are asked for at once
    batch: u64,
    next_id: u64,
    /// What the peer's head is, as a header
    probe: Request<Hash>,
    headers: Request<u64>,
    bodies: Request<VecDeque<Header>>,
    receipts: Request<VecDeque<Header>>,
    wanted_bodies: VecDeque<Header>,
    wanted_receipts: VecDeque<Header>,
    pages: Pages,
    resting_until: Option<Instant>,
    /// The header of the peer's head, until `take_found_head` takes it
    found_head: Option<Header>,
    /// Takes everything that has passed its checks
    store: SharedStore,
    pub tally: Tally,
}

/// What was fetched and found right
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    pub headers: u64,
    pub bodies: u64,
    pub transactions: u64,
    pub receipts: u64,
    pub logs: u64,
}

impl Download {
    /// A download that has no data and has not sent a request
    pub fn new(version: u64, genesis: Hash, batch: u64, patience: Patience, store: SharedStore) -> Self {
        let Patience { answer, .. } = patience;
        Self {
            version,
            tip: Tip::Genesis(genesis),
            head: None,
            batch,
            next_id: 1,
            probe: Request::new("the header of its head", answer),
            headers: Request::new("headers", answer),
            bodies: Request::new("bodies", answer),
            receipts: Request::new("receipts", answer),
            wanted_bodies: VecDeque::new(),
            wanted_receipts: VecDeque::new(),
            pages: Pages::default(),
            resting_until: None,
            found_head: None,
            store,
            tally: Tally::default(),
        }
    }

    /// Begins with genesis and with the header of the peer's head, whose number says how long the chain is
    pub fn begin(&mut self, head: Hash, now: Instant, out: &mut Port<'_>) -> Result<(), Failure> {
        let id = self.new_id();
        self.probe.open(id, now, head);
        out.send(GET_BLOCK_HEADERS, get_headers(id, Origin::Hash(head), 1))?;
        self.ask(now, out)
    }

    /// Asks for whatever is missing and not asked for
    pub fn ask(&mut self, now: Instant, out: &mut Port<'_>) -> Result<(), Failure> {
        self.resting_until = self.resting_until.filter(|until| now < *until);
        let backlog = self.wanted_bodies.len().max(self.wanted_receipts.len());
        if !self.headers.is_open() && self.resting_until.is_none() && backlog < BACKLOG {
            let id = self.new_id();
            self.headers.open(id, now, self.batch);
            out.send(GET_BLOCK_HEADERS, get_headers(id, Origin::Number(self.tip.next_number()), self.batch))?;
        }
        if !self.bodies.is_open() && !self.wanted_bodies.is_empty() {
            let (id, blocks) = (self.new_id(), first_of(&mut self.wanted_bodies));
            out.send(GET_BLOCK_BODIES, Numbered { id, content: hashes(&blocks) })?;
            self.bodies.open(id, now, blocks);
        }
        if !self.receipts.is_open() && !self.wanted_receipts.is_empty() {
            let (id, blocks) = (self.new_id(), first_of(&mut self.wanted_receipts));
            self.ask_for_receipts(id, &blocks, out)?;
            self.receipts.open(id, now, blocks);
        }
        Ok(())
    }

    fn ask_for_receipts(&self, id: u64, blocks: &VecDeque<Header>, out: &mut Port<'_>) -> Result<(), Failure> {
        let content = hashes(blocks);
        match self.version >= PAGES_VERSION {
            true => out.send(GET_RECEIPTS, Paged { id, page: self.pages.first(), content }),
            false => out.send(GET_RECEIPTS, Numbered { id, content }),
        }
    }

    pub fn take_headers(&mut self, now: Instant, answer: Numbered<List<Header>>) -> Result<(), Failure> {
        let Numbered { id, content: List(headers) } = answer;
        if self.probe.is(id) {
            return self.take_head(id, headers);
        }
        let amount = self.headers.close(id)?;
        if headers.len() as u64 > amount {
            return Err(Failure::Breach(format!("{} headers, but {amount} were requested", headers.len())));
        }
        if headers.is_empty() {
            return self.rest(now);
        }
        headers.into_iter().try_for_each(|header| self.take_header(header))?;
        if self.is_at_head() { self.rest(now) } else { Ok(()) }
    }

    fn take_header(&mut self, header: Header) -> Result<(), Failure> {
        self.tip = self.tip.follow(&header).map_err(Failure::Breach)?;
        self.tally.headers += 1;
        if header.has_body() {
            self.wanted_bodies.push_back(header.clone());
        }
        if header.has_receipts() {
            self.wanted_receipts.push_back(header.clone());
        }
        self.store.write().put_header(header);
        Ok(())
    }

    fn take_head(&mut self, id: u64, headers: Vec<Header>) -> Result<(), Failure> {
        let hash = self.probe.close(id)?;
        match <[Header; 1]>::try_from(headers) {
            Ok([header]) if header.hash == hash => {
                header.check_limits().map_err(Failure::Breach)?;
                self.head = self.head.max(Some(header.number));
                self.found_head = Some(header);
                Ok(())
            }
            Ok([header]) => Err(Failure::Breach(format!("header {} instead of header {hash}", header.hash))),
            Err(headers) if headers.is_empty() => Err(Failure::Useless("it does not have its own head".to_string())),
            Err(headers) => Err(Failure::Breach(format!("{} headers instead of one", headers.len()))),
        }
    }

    pub fn take_bodies(&mut self, answer: Numbered<Blocks<Body>>) -> Result<(), Failure> {
        let Numbered { id, content: Blocks(bodies) } = answer;
        let blocks = self.bodies.close(id)?;
        let left = check_blocks(blocks, bodies, "bodies", |body, header| {
            body.check(header)?;
            self.tally.bodies += 1;
            self.tally.transactions += body.transactions.len() as u64;
            self.store.write().put_body(header.number, &body);
            Ok(())
        })?;
        put_back(&mut self.wanted_bodies, left);
        Ok(())
    }

    /// Takes the receipts of one block after the other; those of the last block may go on in the next page
    pub fn take_receipts(&mut self, answer: Paged<bool, Blocks<Receipts>>) -> Result<(), Failure> {
        let Paged { id, page: is_incomplete, content: Blocks(lists) } = answer;
        let blocks = self.receipts.close(id)?;
        if lists.len() > blocks.len() {
            return Err(too_many("receipts", lists.len(), blocks.len()));
        }
        let receipts = self.pages.join(lists, is_incomplete)?;
        if receipts.is_empty() && is_incomplete {
            put_back(&mut self.wanted_receipts, blocks);
            return Ok(());
        }
        let left = check_blocks(blocks, receipts, "receipts", |receipts, header| {
            receipts.check(header)?;
            self.tally.receipts += receipts.0.len() as u64;
            self.tally.logs += receipts.0.iter().map(|receipt| receipt.logs as u64).sum::<u64>();
            self.store.write().put_receipts(header.number, receipts);
            Ok(())
        })?;
        put_back(&mut self.wanted_receipts, left);
        Ok(())
    }

    /// The peer has new blocks
    pub fn take_range(&mut self, range: BlockRange) {
        self.head = self.head.max(Some(range.latest));
        self.resting_until = None;
    }

    /// Rests until there may be new blocks; a peer that has not given all blocks up to its head is of no use
    fn rest(&mut self, now: Instant) -> Result<(), Failure> {
        let next = self.tip.next_number();
        match self.head {
            Some(head) if next <= head => {
                Err(Failure::Useless(format!("it does not have header {next} although its head is {head}")))
            }
            _ => {
                self.resting_until = now.checked_add(REST);
                Ok(())
            }
        }
    }

    /// Fails if an answer has been waited for in vain
    pub fn check_time(&self, now: Instant) -> Result<(), Failure> {
        self.probe.check(now)?;
        self.headers.check(now)?;
        self.bodies.check(now)?;
        self.receipts.check(now)
    }

    /// When to look again without a message
    pub fn deadline(&self) -> Option<Instant> {
        let requests =
            [self.probe.deadline(), self.headers.deadline(), self.bodies.deadline(), self.receipts.deadline()];
        requests.into_iter().chain([self.resting_until]).flatten().min()
    }

    /// The peer's head, once
    pub const fn take_found_head(&mut self) -> Option<Header> {
        self.found_head.take()
    }

    /// The number of the peer's head
    pub const fn head(&self) -> Option<u64> {
        self.head
    }

    fn is_at_head(&self) -> bool {
        self.head.is_some_and(|head| self.tip.next_number() > head)
    }

    /// Whether everything up to the peer's head is here and checked
    pub fn is_complete(&self) -> bool {
        let nothing_wanted = self.wanted_bodies.is_empty() && self.wanted_receipts.is_empty();
        self.is_at_head() && nothing_wanted && !self.bodies.is_open() && !self.receipts.is_open()
    }

    const fn new_id(&mut self) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        id
    }
}

fn get_headers(id: u64, origin: Origin, amount: u64) -> Numbered<GetBlockHeaders> {
    Numbered { id, content: GetBlockHeaders { origin, amount, skip: 0, reverse: false } }
}

fn hashes(blocks: &VecDeque<Header>) -> List<Hash> {
    List(blocks.iter().map(|header| header.hash).collect())
}

fn first_of(wanted: &mut VecDeque<Header>) -> VecDeque<Header> {
    wanted.drain(..wanted.len().min(BLOCKS_AT_ONCE)).collect()
}

/// A peer may answer with fewer than were asked for, but these in order; the rest is asked for again
fn check_blocks<T>(
    mut blocks: VecDeque<Header>,
    parts: Vec<T>,
    what: &str,
    mut check_and_keep: impl FnMut(T, &Header) -> Result<(), String>,
) -> Result<VecDeque<Header>, Failure> {
    if parts.len() > blocks.len() {
        return Err(too_many(what, parts.len(), blocks.len()));
    }
    if let (Some(header), true) = (blocks.front(), parts.is_empty()) {
        return Err(Failure::Useless(format!("it does not have the {what} of block {}", header.number)));
    }
    let answered = blocks.drain(..parts.len());
    for (part, header) in parts.into_iter().zip(answered) {
        check_and_keep(part, &header).map_err(Failure::Breach)?;
    }
    Ok(blocks)
}

fn too_many(what: &str, count: usize, requested: usize) -> Failure {
    Failure::Breach(format!("{count} {what}, but {requested} were requested"))
}

fn put_back(wanted: &mut VecDeque<Header>, left: VecDeque<Header>) {
    left.into_iter().rev().for_each(|header| wanted.push_front(header));
}

//! An `eth` that has downloaded a chain from a remote of the test, and listens

use devp2p_drivers::eth::hash::Hash;
use devp2p_drivers::eth::message::{self, BlockRange, GetBlockHeaders, List, Numbered, Origin, Raw};
use devp2p_drivers::eth::receipt::{Receipt, Receipts};
use devp2p_drivers::eth::status::{Head, Status};
use devp2p_drivers::eth::trie::ordered_root;
use devp2p_proto::{Cause, DisconnectReason, Enode, Protocol};
use rlp::RlpStream;

use crate::play::{RECEIPTS_ROOT, TRANSACTIONS_ROOT, answer, arguments, blocks_with, status};
use crate::program::{Finished, Program};
use crate::remote::{ETH, Listener, Remote, Seen};

/// A chain in which every block of one range has transactions and receipts
pub struct Chain {
    pub headers: Vec<Raw>,
    filled: std::ops::Range<u64>,
    pub body: Raw,
    /// As eth/69 has them
    pub receipts: Vec<Raw>,
}

impl Chain {
    /// `count` blocks; those of `filled` have as many receipts as there are in `sizes`, each with a log of that size
    pub fn new(count: u64, filled: std::ops::Range<u64>, sizes: &[usize]) -> Self {
        let transactions: Vec<_> = (0..sizes.len()).map(|index| [&[2, 0xc1][..], &[index as u8]].concat()).collect();
        let receipts: Vec<_> = sizes.iter().enumerate().map(|(index, size)| receipt(index, *size)).collect();
        let roots =
            [(TRANSACTIONS_ROOT, ordered_root(&transactions)), (RECEIPTS_ROOT, ordered_root(&decoded(&receipts)))];
        let changed = |number| if filled.contains(&number) { roots.to_vec() } else { Vec::new() };
        Self { headers: blocks_with(count, changed), filled: filled.clone(), body: body(&transactions), receipts }
    }

    pub fn empty(count: u64) -> Self {
        Self::new(count, 0..0, &[])
    }

    pub fn hash(&self, number: u64) -> Hash {
        Hash::of(&self.headers[number as usize].0)
    }

    pub fn genesis(&self) -> Hash {
        self.hash(0)
    }

    /// The blocks from genesis on, up to this one
    pub fn range(&self, latest: u64) -> BlockRange {
        BlockRange { earliest: 0, latest, latest_hash: self.hash(latest) }
    }

    fn number(&self, hash: Hash) -> u64 {
        let is_it = |header: &Raw| Hash::of(&header.0) == hash;
        self.headers.iter().position(is_it).expect("a block of this chain") as u64
    }

    /// Receipts of the block as eth/69 has them
    pub fn receipts_of(&self, number: u64) -> Vec<Raw> {
        if self.filled.contains(&number) { self.receipts.clone() } else { Vec::new() }
    }
}

/// The receipts as their trie has them
pub fn decoded(receipts: &[Raw]) -> Vec<Receipt> {
    let list = rlp::encode(&List(receipts.to_vec()));
    rlp::decode::<Receipts>(&list).expect("receipts").0
}

/// `[type, status, gas, [[address, topics, data]]]`
fn receipt(index: usize, size: usize) -> Raw {
    let mut receipt = RlpStream::new_list(4);
    receipt.append(&2_u8).append(&1_u8).append(&(21_000 * (index as u64 + 1)));
    receipt.begin_list(1).begin_list(3).append(&vec![7; 20]).begin_list(0).append(&vec![index as u8; size]);
    Raw(receipt.out().to_vec())
}

fn body(transactions: &[Vec<u8>]) -> Raw {
    let mut body = RlpStream::new_list(2);
    body.begin_list(transactions.len());
    for transaction in transactions {
        body.append(transaction);
    }
    body.begin_list(0);
    Raw(body.out().to_vec())
}

/// `eth`, which listens, and the remote from which it has downloaded the chain
pub struct Source {
    pub program: Program,
    pub remote: Remote,
    pub enode: Enode,
    pub chain: Chain,
    /// The newest block that the remote gives
    pub head: u64,
}

impl Source {
    /// Has `eth` fetch the whole chain
    pub fn start(chain: Chain, more: &[&str]) -> Self {
        let head = chain.headers.len() as u64 - 1;
        Self::start_at(head, chain, more)
    }

    /// Has `eth` fetch the chain up to this block
    pub fn start_at(head: u64, chain: Chain, more: &[&str]) -> Self {
        let listener = Listener::new(&[Protocol::new("eth", 69, 18)]);
        let genesis = chain.genesis().to_string();
        // A remote that the test does not run any more never closes its connection, so `eth` lingers only briefly.
        let own = ["--listen", "127.0.0.1:0", "--genesis-hash", &genesis, "--timeouts", "linger=500"];
        let more = [&own, more].concat();
        let mut program = Program::start("eth", &arguments(&listener, &more));
        let mut remote = listener.meet();
        remote.send(ETH, message::STATUS, &Status { head: Head::Range(chain.range(head)), ..status_of(&chain) });
        remote.expect(ETH, message::STATUS);
        while !program.says("at the head of the node") {
            give(&mut remote, &chain, head);
        }
        let listening = program.line("listening ");
        let enode = listening.trim_start_matches("listening ").parse().expect("a URL");
        Self { program, remote, enode, chain, head }
    }

    /// Gives the blocks up to this one, until `eth` has taken them
    pub fn grow(&mut self, head: u64) {
        self.remote.send(ETH, message::BLOCK_RANGE_UPDATE, &self.chain.range(head));
        self.head = head;
        while !self.program.says(&format!("{0}/{0} headers", head + 1)) {
            give(&mut self.remote, &self.chain, head);
        }
    }

    /// An inbound link to `eth` with this version, before Status
    pub fn visit(&self, version: u64) -> Remote {
        let length = message::length(version);
        Remote::dial(self.enode, &[Protocol::new("eth", version, length)]).until_ready()
    }

    /// An inbound link to `eth` after both Statuses, and the Status of `eth`
    pub fn greet(&self, version: u64) -> (Remote, Status) {
        let mut visitor = self.visit(version);
        let theirs = visitor.expect(ETH, message::STATUS);
        let theirs: Status = devp2p_proto::rlp::decode(&theirs).expect("Status");
        visitor.send(ETH, message::STATUS, &Status { version, ..theirs.clone() });
        (visitor, theirs)
    }

    /// Ends `eth` as Ctrl-C does
    pub fn finish(mut self) -> Finished {
        self.program.interrupt();
        self.remote.wait_for_end();
        self.program.finish()
    }
}

fn status_of(chain: &Chain) -> Status {
    Status { genesis: chain.genesis(), ..status() }
}

/// Answers one request, if there is one
fn give(remote: &mut Remote, chain: &Chain, head: u64) {
    let (code, payload) = match remote.turn() {
        Some(Seen::Message { code, payload, .. }) => (code, payload),
        Some(Seen::Ended(cause)) => panic!("the link ended: {cause}"),
        _ => return,
    };
    let hashes = |payload: &[u8]| devp2p_proto::rlp::decode::<Numbered<List<Hash>>>(payload).expect("hashes");
    match code {
        message::GET_BLOCK_HEADERS => {
            let Numbered { id, content } = devp2p_proto::rlp::decode(&payload).expect("a request");
            answer(remote, message::BLOCK_HEADERS, id, headers(chain, head, &content));
        }
        message::GET_BLOCK_BODIES => {
            let Numbered { id, content: List(blocks) } = hashes(&payload);
            answer(remote, message::BLOCK_BODIES, id, blocks.iter().map(|_| chain.body.clone()).collect());
        }
        message::GET_RECEIPTS => {
            // Only those of one block in one message, since they may be large
            let Numbered { id, content: List(blocks) } = hashes(&payload);
            let lists = blocks.iter().take(1).map(|hash| List(chain.receipts_of(chain.number(*hash))));
            answer(remote, message::RECEIPTS, id, lists.collect());
        }
        _ => {}
    }
}

fn headers(chain: &Chain, head: u64, request: &GetBlockHeaders) -> Vec<Raw> {
    let first = match request.origin {
        Origin::Number(number) => number,
        Origin::Hash(hash) => chain.number(hash),
    };
    let last = head.min(first.saturating_add(request.amount - 1));
    (first..=last).map(|number| chain.headers[number as usize].clone()).collect()
}

/// Checks the reason with which `eth` ends an inbound link
#[track_caller]
pub fn ends_with(mut visitor: Remote, reason: DisconnectReason) {
    assert_eq!(visitor.wait_for_end(), Cause::Remote(reason));
}

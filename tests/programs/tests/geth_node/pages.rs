//! Receipts that a node gives in pages (EIP-7975): how `eth` puts them together, and which pages end the link

use std::ops::Range;

use devp2p_drivers::eth::hash::Hash;
use devp2p_drivers::eth::message::{self, GetBlockHeaders, List, Numbered, Paged, Raw};
use devp2p_drivers::eth::status::{Head, Status};
use devp2p_proto::{Cause, Protocol};

use crate::play::{answer, arguments, breach, request, skip_to, status};
use crate::program::{Finished, Program};
use crate::remote::{ETH, Listener, Remote};
use crate::source::Chain;

/// A chain of three blocks with five receipts each, after genesis
fn chain() -> Chain {
    Chain::new(4, 1..4, &[10, 20, 30, 40, 50])
}

/// Plays a node that speaks eth/70 and has this chain, up to the first request for receipts
fn play(chain: &Chain, then: impl FnOnce(&mut Remote)) -> (Finished, Cause) {
    let listener = Listener::new(&[Protocol::new("eth", 70, 18)]);
    let genesis = chain.genesis().to_string();
    let program = Program::start("eth", &arguments(&listener, &["--once", "--genesis-hash", &genesis]));
    let mut remote = listener.meet();
    let theirs = Status { version: 70, genesis: chain.genesis(), head: Head::Range(chain.range(3)), ..status() };
    remote.send(ETH, message::STATUS, &theirs);
    remote.expect(ETH, message::STATUS);
    let [probe, headers] = [(); 2].map(|()| request::<GetBlockHeaders>(&mut remote, message::GET_BLOCK_HEADERS).id);
    answer(&mut remote, message::BLOCK_HEADERS, probe, vec![chain.headers[3].clone()]);
    answer(&mut remote, message::BLOCK_HEADERS, headers, chain.headers.clone());
    let bodies = skip_to(&mut remote, message::GET_BLOCK_BODIES);
    answer(&mut remote, message::BLOCK_BODIES, bodies, vec![chain.body.clone(); 3]);
    then(&mut remote);
    let cause = remote.wait_for_end();
    (program.finish(), cause)
}

/// The next request: which receipt it begins with, and of how many blocks
fn next(remote: &mut Remote) -> (u64, u64, usize) {
    let payload = remote.expect(ETH, message::GET_RECEIPTS);
    let Paged { id, page, content } = devp2p_proto::rlp::decode::<Paged<u64, List<Hash>>>(&payload).expect("a request");
    (id, page, content.0.len())
}

fn give(remote: &mut Remote, id: u64, page: bool, lists: Vec<List<Raw>>) {
    remote.send(ETH, message::RECEIPTS, &Paged { id, page, content: List(lists) });
}

fn part(chain: &Chain, range: Range<usize>) -> List<Raw> {
    List(chain.receipts[range].to_vec())
}

#[test]
fn pages_are_put_together() {
    let chain = chain();
    let (finished, _) = play(&chain, |remote| {
        let part = |range| part(&chain, range);
        // What is asked for, and the answer: from which receipt on, in how many blocks, and whether more is to come
        let answers = [
            ((0, 3), vec![part(0..2)], true),
            ((2, 3), vec![part(2..3)], true),
            ((3, 3), vec![part(3..5), part(0..0)], true),
            ((0, 2), vec![part(0..4)], true),
            ((4, 2), vec![part(4..5)], false),
            ((0, 1), vec![part(0..5)], false),
        ];
        for (expected, lists, is_incomplete) in answers {
            let (id, first, blocks) = next(remote);
            assert_eq!((first, blocks), expected);
            give(remote, id, is_incomplete, lists);
        }
    });
    finished.assert(0, "3 bodies with 15 transactions, 15 receipts with 15 logs");
}

#[test]
fn pages_that_lead_nowhere() {
    let chain = chain();
    let one = |page, lists: Vec<List<Raw>>| {
        play(&chain, |remote| {
            let (id, ..) = next(remote);
            give(remote, id, page, lists);
        })
    };
    breach(one(true, vec![]), "an incomplete answer without receipts");
    breach(one(true, vec![List(vec![])]), "an incomplete answer without receipts");
    breach(one(false, vec![part(&chain, 0..4)]), "the receipts of block 1 are not those of its header");
    breach(one(true, vec![part(&chain, 0..4), part(&chain, 0..1)]), "the receipts of block 1 are not those");
    breach(one(false, vec![part(&chain, 0..5); 4]), "4 receipts, but 3 were requested");
    breach(one(true, vec![part(&chain, 0..5); 4]), "4 receipts, but 3 were requested");
    let second_without_receipts = play(&chain, |remote| {
        let (id, ..) = next(remote);
        give(remote, id, true, vec![part(&chain, 0..2)]);
        let (id, ..) = next(remote);
        give(remote, id, true, vec![List(vec![])]);
    });
    breach(second_without_receipts, "an incomplete answer without receipts");
    let in_the_form_of_eth_69 = play(&chain, |remote| {
        let (id, ..) = next(remote);
        remote.send(ETH, message::RECEIPTS, &Numbered { id, content: List(vec![part(&chain, 0..5)]) });
    });
    breach(in_the_form_of_eth_69, "Receipts cannot be decoded");
}

/// Receipts of one block without end
#[test]
fn pages_without_end() {
    let large = Chain::new(2, 1..2, &[9 << 20]);
    let chain = chain();
    let outcome = play(&chain, |remote| {
        // 64 MiB are too many.
        for _ in 0..8 {
            let (id, ..) = next(remote);
            give(remote, id, true, vec![List(large.receipts.clone())]);
        }
    });
    breach(outcome, "more receipts in one block than any block can have");
}

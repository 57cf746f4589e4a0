//! What `eth` does about a peer that breaks the protocol, or is of no use: the breach is named, and the reason
//! on the wire is right

use devp2p_drivers::eth::fork::ForkId;
use devp2p_drivers::eth::hash::Hash;
use devp2p_drivers::eth::message::{self, BlockRange, GetBlockHeaders, List, Numbered, Origin, Raw};
use devp2p_drivers::eth::status::{Head, Status};
use devp2p_proto::{Cause, DisconnectReason};

use crate::play::{
    TRANSACTIONS_ROOT, answer, arguments, begin, blocks, breach, genesis, header, header_with, play, play_on,
    play_with, request, skip_to, status, useless,
};
use crate::program::Program;
use crate::remote::{ETH, Listener, Remote, SNAP};

#[test]
fn another_chain() {
    let cases = [
        (Status { network: 1, ..status() }, "it is on network 1, not on 1337"),
        (Status { genesis: Hash([7; 32]), ..status() }, "its genesis is 0707"),
        (Status { fork_id: ForkId { checksum: [9; 4], next: 0 }, ..status() }, "its fork id is 09090909"),
        (Status { version: 70, ..status() }, "Status is for eth/70"),
    ];
    for (status, says) in cases {
        let (finished, cause) = play(|remote| remote.send(ETH, message::STATUS, &status));
        finished.assert(5, says);
        assert_eq!(cause, Cause::Remote(DisconnectReason::SUBPROTOCOL));
    }
}

#[test]
fn status_that_is_none() {
    breach(play(|remote| remote.send_raw(ETH, message::STATUS, &[0xc0])), "Status cannot be decoded");
    breach(play(|remote| remote.send_raw(ETH, message::STATUS, b"\xc3abcd")), "Status cannot be decoded");
    breach(play(|remote| answer::<Raw>(remote, message::BLOCK_HEADERS, 1, vec![])), "before Status");
    breach(play_on(|remote, _, _| remote.send(ETH, message::STATUS, &status())), "a second Status");
}

#[test]
fn no_status_at_all() {
    useless(play_with(&["--patience", "1.5"], |_| ()), "no Status for 1.5 s");
}

#[test]
fn headers_that_do_not_follow() {
    let chain = blocks(4);
    let send = |headers: Vec<Raw>| play_on(|remote, _, id| answer(remote, message::BLOCK_HEADERS, id, headers));
    breach(send(vec![chain[1].clone()]), "header 1 instead of header 0");
    breach(send(vec![header(0, Hash([1; 32]))]), "but the genesis hash is");
    breach(send(vec![chain[0].clone(), header(1, Hash([1; 32]))]), "header 1 has the parent hash 0101");
    breach(send(vec![Raw(vec![0xc1, 0x80])]), "BlockHeaders cannot be decoded");
    useless(
        play_on(|remote, probe, id| {
            answer(remote, message::BLOCK_HEADERS, probe, vec![chain[3].clone()]);
            answer(remote, message::BLOCK_HEADERS, id, chain[..1].to_vec());
            let next = skip_to(remote, message::GET_BLOCK_HEADERS);
            answer::<Raw>(remote, message::BLOCK_HEADERS, next, vec![]);
        }),
        "it does not have header 1 although its head is 3",
    );
}

#[test]
fn answers_to_nothing() {
    breach(play_on(|remote, _, _| answer::<Raw>(remote, message::BLOCK_HEADERS, 99, vec![])), "request 99");
    breach(play_on(|remote, _, _| answer::<Raw>(remote, message::RECEIPTS, 1, vec![])), "request 1 for receipts");
    breach(play_on(|remote, _, _| answer::<Raw>(remote, message::POOLED_TRANSACTIONS, 1, vec![])), "not requested");
    breach(play_on(|remote, _, _| remote.send_raw(ETH, 0x0d, &[0xc0])), "code 0x0d, which eth/69 does not have");
    breach(play_on(|remote, _, _| remote.send_raw(SNAP, 3, &[0xc0])), "snap code 0x03");
    breach(play_on(|remote, _, _| remote.send_raw(ETH, message::TRANSACTIONS, &[0xc1])), "cannot be decoded");
}

#[test]
fn a_body_that_is_not_the_headers() {
    let with_body = header_with(1, genesis(), TRANSACTIONS_ROOT, &Hash([5; 32]));
    let outcome = play_on(|remote, probe, id| {
        answer(remote, message::BLOCK_HEADERS, probe, vec![blocks(4)[3].clone()]);
        answer(remote, message::BLOCK_HEADERS, id, vec![blocks(1)[0].clone(), with_body]);
        let bodies = skip_to(remote, message::GET_BLOCK_BODIES);
        answer(remote, message::BLOCK_BODIES, bodies, vec![Raw(vec![0xc2, 0xc0, 0xc0])]);
    });
    breach(outcome, "the transactions of block 1 are not those of its header");
}

#[test]
fn a_flood_of_questions_without_reading_the_answers() {
    let question = Numbered {
        id: 1,
        content: GetBlockHeaders { origin: Origin::Number(0), amount: 512, skip: 0, reverse: false },
    };
    let chain = blocks(512);
    let head = Head::Range(BlockRange { earliest: 0, latest: 511, latest_hash: Hash::of(&chain[511].0) });
    let listener = Listener::ethereum();
    // The Disconnect of `eth` cannot be sent either, so that the link ends by the write timeout.
    let more = ["--batch", "512", "--timeouts", "write=20000,linger=200"];
    let program = Program::start("eth", &arguments(&listener, &more));
    let mut remote = listener.meet();
    let (probe, headers) = begin(&mut remote, &Status { head, ..status() });
    answer(&mut remote, message::BLOCK_HEADERS, probe, vec![chain[511].clone()]);
    answer(&mut remote, message::BLOCK_HEADERS, headers, chain);
    // Each answer has 512 headers, 250 KB: the socket is full after some, the outbox after 4 MiB more.
    remote.flood(ETH, message::GET_BLOCK_HEADERS, &question, 400);
    program.finish().assert(6, "the node asks for more while");
}

#[test]
fn questions_are_answered_from_what_is_here() {
    let chain = blocks(4);
    let (finished, cause) = play_on(|remote, probe, id| {
        answer(remote, message::BLOCK_HEADERS, id, chain[..3].to_vec());
        let rest = request::<GetBlockHeaders>(remote, message::GET_BLOCK_HEADERS);
        let ask = |remote: &mut Remote, origin, amount, skip, reverse| {
            let content = GetBlockHeaders { origin, amount, skip, reverse };
            remote.send(ETH, message::GET_BLOCK_HEADERS, &Numbered { id: 5, content });
            let answer = remote.expect(ETH, message::BLOCK_HEADERS);
            devp2p_proto::rlp::decode::<Numbered<List<Raw>>>(&answer).expect("headers").content.0
        };
        assert_eq!(ask(remote, Origin::Number(1), 2, 0, false), chain[1..3]);
        assert_eq!(ask(remote, Origin::Number(0), 9, 1, false), [chain[0].clone(), chain[2].clone()]);
        assert_eq!(ask(remote, Origin::Hash(Hash::of(&chain[2].0)), 2, 0, true), [chain[2].clone(), chain[1].clone()]);
        assert_eq!(ask(remote, Origin::Hash(Hash([3; 32])), 2, 0, false), []);
        assert_eq!(ask(remote, Origin::Number(u64::MAX), 2, u64::MAX, false), []);
        let hashes = Numbered { id: 6, content: List(vec![genesis()]) };
        // The body of genesis, its receipts, and nothing, since there is no pool
        let answers: [(u64, &[u8]); 3] = [
            (message::GET_BLOCK_BODIES, &[0xc5, 6, 0xc3, 0xc2, 0xc0, 0xc0]),
            (message::GET_RECEIPTS, &[0xc3, 6, 0xc1, 0xc0]),
            (message::GET_POOLED_TRANSACTIONS, &[0xc2, 6, 0xc0]),
        ];
        for (code, answer) in answers {
            remote.send(ETH, code, &hashes);
            assert_eq!(remote.expect(ETH, code + 1), answer, "code {code}");
        }
        remote.send_raw(SNAP, 0, &[0xc2, 7, 0x80]);
        assert_eq!(remote.expect(SNAP, 1), [0xc3, 7, 0xc0, 0xc0]);
        answer(remote, message::BLOCK_HEADERS, probe, vec![chain[3].clone()]);
        remote.expect(SNAP, 0);
        answer(remote, message::BLOCK_HEADERS, rest.id, vec![chain[3].clone()]);
        // No accounts and no proof: the state is not there.
        remote.send_raw(SNAP, 1, &[0xc3, 1, 0xc0, 0xc0]);
    });
    useless((finished, cause), "it does not have the state of block 3");
}

#[test]
fn accounts_that_are_not_proven() {
    // One account [hash, [nonce 1, balance 2, no storage, no code]], and no proof.
    let account = [&[0xe6, 0xa0][..], &[9; 32], &[0xc4, 1, 2, 0x80, 0x80]].concat();
    let accounts = [&[0xea, 1, 0xe7][..], &account, &[0xc0]].concat();
    let chain = blocks(4);
    let outcome = play_on(|remote, probe, id| {
        answer(remote, message::BLOCK_HEADERS, id, chain[..3].to_vec());
        request::<GetBlockHeaders>(remote, message::GET_BLOCK_HEADERS);
        answer(remote, message::BLOCK_HEADERS, probe, vec![chain[3].clone()]);
        remote.expect(SNAP, 0);
        remote.send_raw(SNAP, 1, &accounts);
    });
    breach(outcome, "is not proven");
}

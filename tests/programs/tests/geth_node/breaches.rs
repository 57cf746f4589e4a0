//! What `eth` does about a peer that breaks the protocol, or is of no use: the breach is named, and the reason
//! on the wire is right

use devp2p_drivers::eth::fork::ForkId;
use devp2p_drivers::eth::hash::Hash;
use devp2p_drivers::eth::message::{self, BlockRange, GetBlockHeaders, List, Numbered, Origin, Raw};
use devp2p_drivers::eth::status::{Head, Status};
use devp2p_proto::{Cause, DisconnectReason};
use rlp::{Encodable, RlpStream};

use crate::program::{Finished, Program};
use crate::remote::{ETH, Listener, Remote, SNAP, Seen};

const NETWORK: u64 = 1337;
const FORK_ID: ForkId = ForkId { checksum: [1, 2, 3, 4], next: 0 };

/// A header after `parent`, of a block with nothing in it
fn header(number: u64, parent: Hash) -> Raw {
    header_with(number, parent, Hash::empty_trie())
}

fn header_with(number: u64, parent: Hash, transactions_root: Hash) -> Raw {
    let mut header = RlpStream::new_list(15);
    header.append(&parent).append(&Hash::empty_list()).append(&vec![0; 20]).append(&Hash::empty_trie());
    header.append(&transactions_root).append(&Hash::empty_trie()).append(&vec![0; 256]).append(&0_u64);
    header.append(&number).append(&30_000_000_u64).append(&0_u64).append(&number).append(&vec![]);
    header.append(&Hash::default()).append(&vec![0; 8]);
    Raw(header.out().to_vec())
}

/// A chain of empty blocks
fn blocks(count: u64) -> Vec<Raw> {
    let mut parent = Hash::default();
    let next = |number| {
        let header = header(number, parent);
        parent = Hash::of(&header.0);
        header
    };
    (0..count).map(next).collect()
}

fn genesis() -> Hash {
    Hash::of(&blocks(1)[0].0)
}

fn status() -> Status {
    let chain = blocks(4);
    let head = Head::Range(BlockRange { earliest: 0, latest: 3, latest_hash: Hash::of(&chain[3].0) });
    Status { version: 69, network: NETWORK, genesis: genesis(), fork_id: FORK_ID, head }
}

/// Has `eth` dial, plays, and returns how each side ended
fn play(play: impl FnOnce(&mut Remote)) -> (Finished, Cause) {
    let listener = Listener::ethereum();
    let (network, genesis, fork_id) = (NETWORK.to_string(), genesis().to_string(), FORK_ID.to_string());
    let chain = ["--network-id", &network, "--genesis-hash", &genesis, "--fork-id", &fork_id];
    let program = Program::start("eth", &[&[listener.url().as_str(), "--once"][..], &chain].concat());
    let mut remote = listener.meet();
    play(&mut remote);
    let cause = remote.wait_for_end();
    (program.finish(), cause)
}

/// The same, past Status and the first requests: for the header of the head, and for headers from genesis on
fn play_on(then: impl FnOnce(&mut Remote, u64, u64)) -> (Finished, Cause) {
    play(|remote| {
        remote.send(ETH, message::STATUS, &status());
        remote.expect(ETH, message::STATUS);
        let [probe, headers] = [(); 2].map(|()| request::<GetBlockHeaders>(remote, message::GET_BLOCK_HEADERS));
        assert_eq!((probe.content.amount, headers.content.origin), (1, Origin::Number(0)));
        then(remote, probe.id, headers.id);
    })
}

fn request<T: rlp::Decodable>(remote: &mut Remote, code: u64) -> Numbered<T> {
    devp2p_proto::rlp::decode(&remote.expect(ETH, code)).expect("a request")
}

fn answer<T: Encodable>(remote: &mut Remote, code: u64, id: u64, items: Vec<T>) {
    remote.send(ETH, code, &Numbered { id, content: List(items) });
}

#[track_caller]
fn breach((finished, cause): (Finished, Cause), says: &str) {
    finished.assert(6, says);
    assert_eq!(cause, Cause::Remote(DisconnectReason::BREACH_OF_PROTOCOL), "{finished:?}");
}

#[track_caller]
fn useless((finished, cause): (Finished, Cause), says: &str) {
    finished.assert(6, says);
    assert_eq!(cause, Cause::Remote(DisconnectReason::USELESS_PEER), "{finished:?}");
}

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
    useless(play(|remote| drop(remote.expect(ETH, message::STATUS))), "no Status for 5 s");
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
    let with_body = header_with(1, genesis(), Hash([5; 32]));
    let outcome = play_on(|remote, probe, id| {
        answer(remote, message::BLOCK_HEADERS, probe, vec![blocks(4)[3].clone()]);
        answer(remote, message::BLOCK_HEADERS, id, vec![blocks(1)[0].clone(), with_body]);
        let bodies = skip_to(remote, message::GET_BLOCK_BODIES);
        answer(remote, message::BLOCK_BODIES, bodies, vec![Raw(vec![0xc2, 0xc0, 0xc0])]);
    });
    breach(outcome, "the transactions of block 1 are not those of its header");
}

/// The id of the next request of this kind
fn skip_to(remote: &mut Remote, code: u64) -> u64 {
    loop {
        let Seen::Message { protocol, code: is, payload } = remote.next() else {
            panic!("the link ended before code {code}");
        };
        if (protocol, is) == (ETH, code) {
            return devp2p_proto::rlp::decode::<Numbered<Raw>>(&payload).expect("a request").id;
        }
    }
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
    let (genesis, fork_id) = (genesis().to_string(), FORK_ID.to_string());
    let chain_arguments = ["--network-id", "1337", "--genesis-hash", &genesis, "--fork-id", &fork_id];
    let url = listener.url();
    let program = Program::start("eth", &[&[url.as_str(), "--batch", "512"][..], &chain_arguments].concat());
    let mut remote = listener.meet();
    remote.send(ETH, message::STATUS, &Status { head, ..status() });
    remote.expect(ETH, message::STATUS);
    let [probe, headers] = [(); 2].map(|()| request::<GetBlockHeaders>(&mut remote, message::GET_BLOCK_HEADERS));
    answer(&mut remote, message::BLOCK_HEADERS, probe.id, vec![chain[511].clone()]);
    answer(&mut remote, message::BLOCK_HEADERS, headers.id, chain);
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
        for code in [message::GET_BLOCK_BODIES, message::GET_RECEIPTS, message::GET_POOLED_TRANSACTIONS] {
            remote.send(ETH, code, &hashes);
            assert_eq!(remote.expect(ETH, code + 1), [0xc2, 6, 0xc0], "code {code}");
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

//! The limits of `eth` for a peer's messages: the limits of consensus, of memory, and of integers

use devp2p_drivers::eth::hash::Hash;
use devp2p_drivers::eth::header::MAX_HEADER;
use devp2p_drivers::eth::message::{self, BlockRange, GetBlockHeaders, List, Numbered, Origin, Raw};
use devp2p_drivers::eth::status::{Head, Status};

use crate::play::{
    EXTRA_DATA, GAS_LIMIT, GAS_USED, answer, arguments, begin, blocks, breach, encode, fields, genesis, header_with,
    play, play_on, request, skip_to, status, useless,
};
use crate::program::Program;
use crate::remote::{ETH, Listener, Remote};

/// Answers the first request with genesis and this header
fn follow_genesis(header: Raw) -> impl FnOnce(&mut Remote, u64, u64) {
    move |remote, _, id| {
        answer(remote, message::BLOCK_HEADERS, id, vec![blocks(1)[0].clone(), header]);
        break_off(remote);
    }
}

/// Ends a run that was not ended before, by an answer to a request that was not made
fn break_off(remote: &mut Remote) {
    answer::<Raw>(remote, message::BLOCK_HEADERS, 99, vec![]);
}

#[test]
fn headers_beyond_what_consensus_permits() {
    let with = |field, value: Vec<u8>| header_with(1, genesis(), field, &value);
    let number = |field, value: u64| header_with(1, genesis(), field, &value);
    let cases = [
        (with(EXTRA_DATA, vec![1; 33]), "header 1 has 33 bytes of extra data; at most 32 are permitted"),
        (number(GAS_LIMIT, 1 << 63), "header 1 has a gas limit of 9223372036854775808, which is above 2^63 - 1"),
        (number(GAS_USED, 30_000_001), "header 1 has 30000001 gas used, above its gas limit of 30000000"),
        (with(GAS_LIMIT, vec![1; 9]), "BlockHeaders cannot be decoded"),
        (with(EXTRA_DATA, vec![0; 10 << 20 >> 1]), "a header has more than 1024 bytes"),
        (encode(&fields(1, genesis())[..14]), "a header has a number of fields that no fork permits"),
        (encode(&[fields(1, genesis()), vec![vec![0x80]; 15]].concat()), "a number of fields that no fork permits"),
    ];
    for (header, says) in cases {
        breach(play_on(follow_genesis(header)), says);
    }
}

#[test]
fn the_header_of_the_head_has_the_same_limits() {
    let head = header_with(3, genesis(), EXTRA_DATA, &vec![1; 33]);
    let range = BlockRange { earliest: 0, latest: 3, latest_hash: Hash::of(&head.0) };
    let outcome = play(|remote| {
        let (probe, _) = begin(remote, &Status { head: Head::Range(range), ..status() });
        answer(remote, message::BLOCK_HEADERS, probe, vec![head.clone()]);
        break_off(remote);
    });
    breach(outcome, "header 3 has 33 bytes of extra data");
}

/// Headers exactly at the limits are accepted
#[test]
fn headers_with_all_that_consensus_permits() {
    let outcome = play_on(|remote, _, id| {
        let mut fields = [fields(1, genesis()), vec![rlp::encode(&Hash::empty_trie()).to_vec(); 6]].concat();
        fields[EXTRA_DATA] = rlp::encode(&vec![1; 32]).to_vec();
        fields[GAS_LIMIT] = rlp::encode(&(u64::MAX >> 1)).to_vec();
        fields[GAS_USED] = fields[GAS_LIMIT].clone();
        let headers = vec![blocks(1)[0].clone(), encode(&fields)];
        answer(remote, message::BLOCK_HEADERS, id, headers);
        assert_eq!(request::<GetBlockHeaders>(remote, message::GET_BLOCK_HEADERS).content.origin, Origin::Number(2));
        break_off(remote);
    });
    breach(outcome, "request 99");
}

#[test]
fn a_head_may_have_the_highest_number_that_there_is() {
    let chain = blocks(4);
    let says = "it does not have header 4 although its head is 18446744073709551615";
    // By an announcement, and by the header itself
    let latest_hash = Hash::of(&chain[3].0);
    useless(
        play_on(|remote, _, id| {
            let range = BlockRange { earliest: 0, latest: u64::MAX, latest_hash };
            remote.send(ETH, message::BLOCK_RANGE_UPDATE, &range);
            answer(remote, message::BLOCK_HEADERS, id, chain.clone());
            let next = skip_to(remote, message::GET_BLOCK_HEADERS);
            answer::<Raw>(remote, message::BLOCK_HEADERS, next, vec![]);
        }),
        says,
    );
    let head = encode(&fields(u64::MAX, genesis()));
    let range = BlockRange { earliest: 0, latest: u64::MAX, latest_hash: Hash::of(&head.0) };
    useless(
        play(|remote| {
            let (probe, id) = begin(remote, &Status { head: Head::Range(range), ..status() });
            answer(remote, message::BLOCK_HEADERS, probe, vec![head.clone()]);
            answer(remote, message::BLOCK_HEADERS, id, chain.clone());
            let next = skip_to(remote, message::GET_BLOCK_HEADERS);
            answer::<Raw>(remote, message::BLOCK_HEADERS, next, vec![]);
        }),
        says,
    );
}

/// A chain whose headers are as long as a header may be
fn long_headers(count: u64) -> Vec<Raw> {
    let mut parent = genesis();
    let next = |number| {
        let mut fields = [fields(number, parent), vec![rlp::encode(&Hash::empty_trie()).to_vec(); 12]].concat();
        fields[EXTRA_DATA] = rlp::encode(&vec![1; 32]).to_vec();
        // The field has two bytes before its content, since it is longer than 55 bytes.
        let room = MAX_HEADER - encode(&fields).0.len() - 2;
        fields.push(rlp::encode(&vec![1; room]).to_vec());
        let header = encode(&fields);
        assert_eq!(header.0.len(), MAX_HEADER);
        parent = Hash::of(&header.0);
        header
    };
    [blocks(1)[0].clone()].into_iter().chain((1..count).map(next)).collect()
}

/// However long the chain is, what is kept takes no more memory than the budget
#[test]
fn blocks_are_kept_within_the_budget() {
    const COUNT: usize = 20_000;
    const BUDGET: u64 = 8 << 20;
    let chain = long_headers(COUNT as u64);
    let range = BlockRange { earliest: 0, latest: COUNT as u64, latest_hash: Hash([1; 32]) };
    let listener = Listener::ethereum();
    let more = ["--batch", "1024", "--budget", &BUDGET.to_string()];
    let mut program = Program::start("eth", &arguments(&listener, &more));
    let mut remote = listener.meet();
    let (_, mut next) = begin(&mut remote, &Status { head: Head::Range(range), ..status() });
    let begun = program.peak_memory();
    for headers in chain.chunks(1024) {
        answer(&mut remote, message::BLOCK_HEADERS, next, headers.to_vec());
        next = request::<GetBlockHeaders>(&mut remote, message::GET_BLOCK_HEADERS).id;
    }
    // Two messages of 1 MiB in the link, and the same decoded
    let full = program.peak_memory();
    let used = full.zip(begun).map_or(0, |(full, begun)| full - begun);
    println!("{} KiB with all kept headers", used / 1024);
    assert!(used < BUDGET + (8 << 20), "{} KiB with all kept headers", used / 1024);
    program.wait("the budget of 8388608 bytes is full: the oldest blocks are dropped");

    let mut ask = |number, amount| {
        let content = GetBlockHeaders { origin: Origin::Number(number), amount, skip: 0, reverse: false };
        remote.send(ETH, message::GET_BLOCK_HEADERS, &Numbered { id: 5, content });
        let answer = remote.expect(ETH, message::BLOCK_HEADERS);
        // The answer to a request of 40 bytes is not larger than the specification recommends.
        assert!(answer.len() <= 2 << 20, "{} bytes in one answer", answer.len());
        devp2p_proto::rlp::decode::<Numbered<List<Raw>>>(&answer).expect("headers").content.0
    };
    assert_eq!(ask(18_000, u64::MAX), chain[18_000..19_024]);
    assert_eq!(ask(10_000, u64::MAX), []);
    // Most of the budget is used for headers, which have 1 KiB each.
    let kept = (0..COUNT as u64).rev().take_while(|number| ask(*number, 1).len() == 1).count();
    assert!(kept > 4000, "{kept} blocks");
    program.interrupt();
    remote.wait_for_end();
    program.finish().assert(0, "checked 20000 headers");
}

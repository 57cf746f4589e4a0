//! `eth --listen` with peers that the tests script: what it tells and serves, and what it refuses

use devp2p_drivers::eth::hash::Hash;
use devp2p_drivers::eth::message::{self, BlockRange, GetBlockHeaders, List, Numbered, Origin, Paged, Raw};
use devp2p_drivers::eth::status::{Head, Status};
use devp2p_proto::{Cause, DisconnectReason, Protocol};
use rlp::{Decodable, Encodable, RlpStream};

use crate::play::{FORK_ID, NETWORK, answer};
use crate::remote::{ETH, Remote, Seen};
use crate::source::{Chain, Source, decoded, ends_with};

/// Sends a request, and returns the payload of its answer
fn ask(visitor: &mut Remote, code: u64, request: &impl Encodable) -> Vec<u8> {
    visitor.send(ETH, code, request);
    visitor.expect(ETH, code + 1)
}

fn decode<T: Decodable>(payload: &[u8]) -> T {
    devp2p_proto::rlp::decode(payload).expect("an answer")
}

fn ask_headers(visitor: &mut Remote, origin: Origin, amount: u64, skip: u64, reverse: bool) -> Vec<Raw> {
    let content = GetBlockHeaders { origin, amount, skip, reverse };
    let payload = ask(visitor, message::GET_BLOCK_HEADERS, &Numbered { id: 7, content });
    let Numbered { id, content: List(headers) } = decode(&payload);
    assert_eq!(id, 7);
    headers
}

fn ask_blocks(visitor: &mut Remote, code: u64, blocks: Vec<Hash>) -> Vec<Raw> {
    let payload = ask(visitor, code, &Numbered { id: 8, content: List(blocks) });
    decode::<Numbered<List<Raw>>>(&payload).content.0
}

fn ask_page(visitor: &mut Remote, first: u64, blocks: Vec<Hash>) -> (bool, Vec<List<Raw>>) {
    let payload = ask(visitor, message::GET_RECEIPTS, &Paged { id: 9, page: first, content: List(blocks) });
    assert!(payload.len() <= 10 << 20, "{} bytes", payload.len());
    let Paged { id, page, content: List(lists) } = decode(&payload);
    assert_eq!(id, 9);
    (page, lists)
}

#[test]
fn status_tells_the_blocks_that_are_here() {
    let source = Source::start(Chain::empty(5), &[]);
    let range = source.chain.range(4);
    for version in [68, 69, 70] {
        let (_, status) = source.greet(version);
        let genesis = source.chain.genesis();
        let head = match version {
            68 => Head::Difficulty { total: Raw(vec![0x80]), hash: range.latest_hash },
            _ => Head::Range(range),
        };
        assert_eq!(status, Status { version, network: NETWORK, genesis, fork_id: FORK_ID, head });
    }
    source.finish().assert(0, "inbound 3 ended");
}

#[test]
fn headers_are_given_as_they_are_asked_for() {
    let source = Source::start(Chain::empty(1500), &["--batch", "1024"]);
    let (mut visitor, _) = source.greet(69);
    let all = &source.chain.headers;
    let number = Origin::Number;
    let hash = |number| Origin::Hash(source.chain.hash(number));
    let cases = [
        (number(0), 3, 0, false, vec![0, 1, 2]),
        (number(10), 3, 4, false, vec![10, 15, 20]),
        (hash(10), 3, 4, false, vec![10, 15, 20]),
        (number(10), 3, 4, true, vec![10, 5, 0]),
        (hash(10), 9, 4, true, vec![10, 5, 0]),
        (hash(1), 9, 0, true, vec![1, 0]),
        (number(1498), 9, 0, false, vec![1498, 1499]),
        (number(0), 9, 1000, false, vec![0, 1001]),
        (number(3), 1, 0, true, vec![3]),
        // Nothing, and more than there is
        (number(3), 0, 0, false, vec![]),
        (number(1500), 1, 0, false, vec![]),
        (number(1500), 5, 0, true, vec![]),
        (Origin::Hash(Hash([3; 32])), 2, 0, false, vec![]),
        (number(u64::MAX), u64::MAX, 0, false, vec![]),
        (number(u64::MAX), u64::MAX, u64::MAX, true, vec![]),
        // Steps beyond the highest number, and below genesis
        (number(7), 5, u64::MAX, false, vec![7]),
        (number(7), 5, u64::MAX - 7, false, vec![7]),
        (number(7), 5, u64::MAX, true, vec![7]),
        (number(7), 5, 7, true, vec![7]),
        (number(7), 5, 6, true, vec![7, 0]),
    ];
    for (origin, amount, skip, reverse, expected) in cases {
        let expected: Vec<_> = expected.into_iter().map(|number: usize| all[number].clone()).collect();
        let given = ask_headers(&mut visitor, origin, amount, skip, reverse);
        assert_eq!(given, expected, "{origin:?}, {amount}, {skip}, {reverse}");
    }
    assert_eq!(ask_headers(&mut visitor, number(5), u64::MAX, 0, false), all[5..5 + 1024]);
    visitor.disconnect(DisconnectReason::CLIENT_QUITTING);
    source.finish().assert(0, "inbound 1 ended after 21 answers");
}

#[test]
fn bodies_and_receipts_are_given_in_each_version() {
    let source = Source::start(Chain::new(6, 2..4, &[10, 0, 300]), &[]);
    let chain = &source.chain;
    let unknown = Hash([9; 32]);
    let empty_body = Raw(vec![0xc2, 0xc0, 0xc0]);
    let asked = vec![chain.hash(3), chain.hash(0), chain.hash(2), unknown, chain.hash(3)];
    for version in [68, 69, 70] {
        let (mut visitor, _) = source.greet(version);
        // The first block that is not in the store ends the answer.
        let bodies = ask_blocks(&mut visitor, message::GET_BLOCK_BODIES, asked.clone());
        assert_eq!(bodies, [chain.body.clone(), empty_body.clone(), chain.body.clone()], "eth/{version}");
        assert_eq!(ask_blocks(&mut visitor, message::GET_BLOCK_BODIES, vec![unknown]), []);
        let receipts = match version {
            70 => {
                let (is_incomplete, lists) = ask_page(&mut visitor, 0, asked.clone());
                assert!(!is_incomplete);
                lists.iter().map(|list| Raw(rlp::encode(list).to_vec())).collect()
            }
            _ => ask_blocks(&mut visitor, message::GET_RECEIPTS, asked.clone()),
        };
        let list = |receipts: Vec<Raw>| Raw(rlp::encode(&List(receipts)).to_vec());
        let filled = match version {
            68 => list(with_bloom(&chain.receipts)),
            _ => list(chain.receipts.clone()),
        };
        assert_eq!(receipts, [filled.clone(), list(Vec::new()), filled], "eth/{version}");
        assert_eq!(ask_blocks(&mut visitor, message::GET_POOLED_TRANSACTIONS, vec![unknown]), []);
    }
    source.finish().assert(0, "inbound 3 ended after 4 answers");
}

/// Typed receipts as their trie has them, each in a string
fn with_bloom(receipts: &[Raw]) -> Vec<Raw> {
    decoded(receipts).iter().map(|receipt| Raw(rlp::encode(&receipt.as_ref().to_vec()).to_vec())).collect()
}

/// Answers end soon after 2 MiB, and receipts of one block go on in the next page
#[test]
fn answers_have_a_size() {
    const SIZE: usize = 900 << 10;
    let source = Source::start(Chain::new(8, 1..7, &[SIZE; 8]), &[]);
    let chain = &source.chain;
    let asked: Vec<_> = (0..8).map(|number| chain.hash(number)).collect();
    let (mut visitor, _) = source.greet(69);
    let receipts = ask_blocks(&mut visitor, message::GET_RECEIPTS, asked.clone());
    assert_eq!(receipts.len(), 2, "the empty block, and the first that is too much already");

    let (mut visitor, _) = source.greet(70);
    let mut collected: Vec<Vec<Raw>> = vec![Vec::new()];
    let mut pages = 0;
    while collected.len() < 8 {
        let at = collected.len() - 1;
        let first = collected[at].len() as u64;
        let (is_incomplete, lists) = ask_page(&mut visitor, first, asked[at..].to_vec());
        let size: usize = lists.iter().flat_map(|list| &list.0).map(|receipt| receipt.0.len()).sum();
        assert!(size < (2 << 20) + SIZE + 100 && !lists.is_empty(), "{size} bytes in {} lists", lists.len());
        for (index, List(list)) in lists.into_iter().enumerate() {
            if index > 0 {
                collected.push(Vec::new());
            }
            collected.last_mut().expect("a block").extend(list);
        }
        if !is_incomplete && collected.len() < 8 {
            collected.push(Vec::new());
        }
        pages += 1;
    }
    for (number, receipts) in (0..).zip(&collected) {
        assert_eq!(*receipts, chain.receipts_of(number), "block {number}");
    }
    assert!((16..=24).contains(&pages), "{pages} pages");
    // Pages that begin after the last receipt
    for first in [8, 9, u64::MAX] {
        assert_eq!(ask_page(&mut visitor, first, vec![chain.hash(1)]), (false, vec![List(Vec::new())]));
    }
    source.finish().assert(0, "inbound 2 ended");
}

/// The longest request that is no violation has 10 MiB of hashes
#[test]
fn a_request_for_everything_is_answered_in_part() {
    let source = Source::start(Chain::empty(1100), &["--batch", "1024"]);
    let (mut visitor, _) = source.greet(70);
    let asked = vec![source.chain.hash(1); 300_000];
    assert_eq!(ask_blocks(&mut visitor, message::GET_BLOCK_BODIES, asked.clone()).len(), 1024);
    assert_eq!(ask_page(&mut visitor, 0, asked).1.len(), 1024);
    source.finish().assert(0, "inbound 1 ended after 2 answers");
}

#[test]
fn visitors_that_break_the_protocol_are_told_so() {
    let source = Source::start(Chain::empty(3), &["--patience", "1.5"]);
    let nothing = || Numbered { id: 1, content: List::<Raw>(Vec::new()) };
    let breach = DisconnectReason::BREACH_OF_PROTOCOL;

    let mut visitor = source.visit(69);
    visitor.send(ETH, message::GET_BLOCK_BODIES, &nothing());
    ends_with(visitor, breach);

    let (mut visitor, status) = source.greet(69);
    visitor.send(ETH, message::STATUS, &status);
    ends_with(visitor, breach);

    for code in [message::BLOCK_HEADERS, message::BLOCK_BODIES, message::RECEIPTS, message::POOLED_TRANSACTIONS] {
        let (mut visitor, _) = source.greet(69);
        answer::<Raw>(&mut visitor, code, 1, Vec::new());
        ends_with(visitor, breach);
    }
    let impossible = [
        BlockRange { earliest: 10, latest: 8, latest_hash: source.chain.hash(2) },
        BlockRange { earliest: 0, latest: 8, latest_hash: Hash::default() },
    ];
    for range in impossible {
        let (mut visitor, _) = source.greet(70);
        visitor.send(ETH, message::BLOCK_RANGE_UPDATE, &range);
        ends_with(visitor, breach);
    }
    // An empty list, a request of eth/69 in eth/70, hashes that are none, and a code that there is not
    let garbage = [
        (message::GET_BLOCK_HEADERS, vec![0xc0]),
        (message::GET_RECEIPTS, vec![0xc2, 1, 0xc0]),
        (message::GET_BLOCK_BODIES, vec![0xc3, 1, 0xc1, 5]),
        (0x0d, vec![0xc0]),
    ];
    for (code, payload) in garbage {
        let (mut visitor, _) = source.greet(70);
        visitor.send_raw(ETH, code, &payload);
        ends_with(visitor, breach);
    }

    let mut visitor = source.visit(69);
    visitor.send(ETH, message::STATUS, &Status { network: 1, ..status });
    ends_with(visitor, DisconnectReason::SUBPROTOCOL);
    ends_with(source.visit(69), DisconnectReason::USELESS_PEER);
    // After all of that, `eth` still serves others.
    let (mut visitor, _) = source.greet(69);
    assert_eq!(ask_headers(&mut visitor, Origin::Number(2), 1, 0, false), source.chain.headers[2..]);
    source.program.interrupt();
    source.program.finish().assert(0, "a second Status");
}

/// With every code, payloads that cannot be decoded, or nearly can: a breach or an answer follows, and no panic
#[test]
fn garbage_in_every_code() {
    let source = Source::start(Chain::new(3, 1..3, &[100]), &[]);
    let hash = source.chain.hash(1);
    let number = [0x88, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
    let list = |items: &[&[u8]]| {
        let mut list = RlpStream::new_list(items.len());
        for item in items {
            list.append_raw(item, 1);
        }
        list.out().to_vec()
    };
    let hashes = list(&[&rlp::encode(&hash)]);
    let deep = (0..2000).fold(vec![0xc0], |inner, _| list(&[&inner]));
    let payloads = [
        vec![],
        vec![0x80],
        vec![0xc0],
        vec![0xff; 9],
        deep.clone(),
        list(&[&number, &number]),
        list(&[&number, &hashes]),
        list(&[&number, &number, &hashes]),
        list(&[&number, &list(&[&number, &number, &number, &[1]])]),
        list(&[&number, &list(&[&rlp::encode(&hash), &number, &number, &[2]])]),
        list(&[&number, &list(&[&number, &number, &number, &[0x80]]), &[0x80]]),
        list(&[&[0x89, 1, 0, 0, 0, 0, 0, 0, 0, 0], &hashes]),
        list(&[&number, &deep]),
        list(&[&number, &number, &number]),
    ];
    for code in 0..message::length(70) {
        for payload in &payloads {
            let (mut visitor, _) = source.greet(70);
            visitor.send_raw(ETH, code, payload);
            visitor.send(ETH, message::STATUS, &0_u8);
            let cause = visitor.wait_for_end();
            assert_eq!(cause, Cause::Remote(DisconnectReason::BREACH_OF_PROTOCOL), "{code:#04x} {payload:02x?}");
        }
    }
    let finished = source.finish();
    finished.assert(0, "checked 3 headers");
    assert!(!finished.err.contains("panicked"), "{finished:?}");
}

/// The largest receipts that a message has space for are kept, and given in one page
#[test]
fn the_largest_receipt_is_given() {
    let source = Source::start(Chain::new(3, 1..3, &[(10 << 20) - 500]), &[]);
    let asked = vec![source.chain.hash(1), source.chain.hash(2)];
    for version in [69, 70] {
        let (mut visitor, _) = source.greet(version);
        let count = match version {
            70 => ask_page(&mut visitor, 0, asked.clone()).1.len(),
            _ => ask_blocks(&mut visitor, message::GET_RECEIPTS, asked.clone()).len(),
        };
        assert_eq!(count, 1, "eth/{version}");
    }
    source.finish().assert(0, "inbound 2 ended after 1 answers");
}

/// A peer may have blocks that we do not have: its range is no reason to end the link, nor to send requests
#[test]
fn a_visitor_may_have_other_blocks() {
    let source = Source::start(Chain::empty(3), &[]);
    let (mut visitor, _) = source.greet(70);
    for (earliest, latest) in [(2, 2), (0, 1), (100, 200), (u64::MAX, u64::MAX)] {
        let range = BlockRange { earliest, latest, latest_hash: Hash([8; 32]) };
        visitor.send(ETH, message::BLOCK_RANGE_UPDATE, &range);
        assert_eq!(ask_headers(&mut visitor, Origin::Number(1), 1, 0, false), source.chain.headers[1..2]);
    }
    source.finish().assert(0, "inbound 1 ended after 4 answers");
}

#[test]
fn visitors_are_told_of_many_new_blocks() {
    let mut source = Source::start_at(9, Chain::empty(60), &[]);
    let (mut visitor, status) = source.greet(70);
    assert_eq!(status.head, Head::Range(source.chain.range(9)));
    // Fewer than an epoch, then more: told once
    source.grow(40);
    source.grow(50);
    let told: BlockRange = decode(&visitor.expect(ETH, message::BLOCK_RANGE_UPDATE));
    assert!(told.latest > 40 && told == source.chain.range(told.latest), "{told:?}");
    assert_eq!(ask_headers(&mut visitor, Origin::Number(50), 1, 0, false), source.chain.headers[50..51]);
    source.finish().assert(0, "checked 51 headers");
}

#[test]
fn as_many_visitors_as_there_may_be() {
    let mut source = Source::start(Chain::empty(3), &["--max-inbound", "2"]);
    let (mut first, _) = source.greet(69);
    let (_second, _) = source.greet(69);
    let enode = source.enode;
    let is_let_in = || {
        let mut visitor = Remote::dial(enode, &[Protocol::new("eth", 69, 18)]);
        matches!(visitor.next(), Seen::Ready)
    };
    assert!(!is_let_in() && !is_let_in());
    first.disconnect(DisconnectReason::CLIENT_QUITTING);
    source.program.wait("inbound 1 ended");
    // The place is free a moment after that line was printed.
    while !is_let_in() {}
    source.finish().assert(0, "inbound 3: eth/69");
}

/// The link to the node that the chain came from has ended, and inbound links are still served
#[test]
fn serves_on_when_its_own_node_is_gone() {
    let mut source = Source::start(Chain::empty(3), &[]);
    source.remote.disconnect(DisconnectReason::TOO_MANY_PEERS);
    source.program.wait("they are served until Ctrl-C");
    let (mut visitor, _) = source.greet(70);
    assert_eq!(ask_headers(&mut visitor, Origin::Number(0), 9, 0, false), source.chain.headers);
    source.program.interrupt();
    ends_with(visitor, DisconnectReason::CLIENT_QUITTING);
    source.program.finish().assert(3, "too many peers");
}

/// A peer sends requests without end, and does not read: one answer waits, and no further requests are read
#[test]
fn a_visitor_that_asks_and_does_not_read_costs_little() {
    // The Disconnect cannot be sent either, so the link ends by the write timeout.
    let source = Source::start(Chain::empty(1024), &["--batch", "1024", "--timeouts", "write=20000,linger=200"]);
    let (mut visitor, _) = source.greet(70);
    let before = source.program.peak_memory();
    let content = GetBlockHeaders { origin: Origin::Number(0), amount: 1024, skip: 0, reverse: false };
    visitor.flood(ETH, message::GET_BLOCK_HEADERS, &Numbered { id: 1, content }, 100_000);
    let mut source = source;
    source.program.wait("inbound 1 ended after ");
    let used = source.program.peak_memory().zip(before).map_or(0, |(after, before)| after - before);
    println!("{} KiB for answers that wait", used / 1024);
    assert!(used < 8 << 20, "{} KiB for answers that wait", used / 1024);
    source.finish().assert(0, "answers: write timeout");
}

/// A peer that sends many requests at once, and reads, gets all answers
#[test]
fn a_visitor_may_ask_for_much_at_once() {
    const TIMES: usize = 200;
    let source = Source::start(Chain::new(4, 1..4, &[400 << 10; 5]), &[]);
    let (mut visitor, _) = source.greet(70);
    let asked: Vec<_> = (1..4).map(|number| source.chain.hash(number)).collect();
    for id in 0..TIMES as u64 {
        let request = Paged { id, page: 0_u64, content: List(asked.clone()) };
        visitor.send(ETH, message::GET_RECEIPTS, &request);
    }
    for id in 0..TIMES as u64 {
        let payload = visitor.expect(ETH, message::RECEIPTS);
        let answer: Paged<bool, List<Raw>> = decode(&payload);
        assert!(answer.id == id && payload.len() > 2 << 20, "answer {id}");
    }
    source.finish().assert(0, "inbound 1 ended after 200 answers");
}

/// Blocks for which the budget has no space are not in the range in Status, and are not served
#[test]
fn dropped_blocks_are_gone_with_all_their_parts() {
    let source = Source::start(Chain::new(40, 1..40, &[9_000]), &["--budget", "200000"]);
    let (mut visitor, status) = source.greet(70);
    let Head::Range(BlockRange { earliest, latest, latest_hash }) = status.head else {
        panic!("{status:?}");
    };
    assert_eq!((latest, latest_hash), (39, source.chain.hash(39)));
    assert!((15..30).contains(&earliest), "{earliest}");
    let hash = |number| vec![source.chain.hash(number)];
    for (number, is_here) in [(0, 0), (earliest - 1, 0), (earliest, 1), (39, 1)] {
        assert_eq!(ask_headers(&mut visitor, Origin::Number(number), 1, 0, false).len(), is_here);
        assert_eq!(ask_headers(&mut visitor, Origin::Hash(hash(number)[0]), 1, 0, false).len(), is_here);
        assert_eq!(ask_blocks(&mut visitor, message::GET_BLOCK_BODIES, hash(number)).len(), is_here);
        assert_eq!(ask_page(&mut visitor, 0, hash(number)).1.len(), is_here);
    }
    // Towards genesis, the answer ends at the oldest block that is kept.
    let down = ask_headers(&mut visitor, Origin::Number(39), 100, 0, true);
    assert_eq!(down.len() as u64, 40 - earliest);
    let finished = source.finish();
    finished.assert(0, "the budget of 200000 bytes is full: the oldest blocks are dropped");
    finished.assert(0, &format!("blocks {earliest} to 39, whose hash is {latest_hash}"));
}

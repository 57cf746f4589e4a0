//! Parts of the programs that have known answers

use devp2p_drivers::eth::answer::{Blocks, MAX_ITEMS, PerBlock};
use devp2p_drivers::eth::body::Body;
use devp2p_drivers::eth::fork::{ForkId, ForkMismatch, Forks, Position, Schedule};
use devp2p_drivers::eth::hash::Hash;
use devp2p_drivers::eth::header::{Header, Tip};
use devp2p_drivers::eth::message::{GetBlockHeaders, List, MAX_LIST, Numbered, Origin, Raw};
use devp2p_drivers::eth::receipt::{Receipt, Receipts};
use devp2p_drivers::eth::status::Status;
use devp2p_drivers::eth::trie::{self, Proof};
use rlp::{DecoderError, RlpStream};

/// The example in EIP-2124, mainnet from Frontier on
fn mainnet() -> Schedule {
    let genesis = "d4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3".parse().unwrap();
    let blocks = vec![7_280_000, 1_150_000, 1_920_000, 0, 2_463_000, 2_675_000, 4_370_000, 7_280_000];
    Schedule::new(genesis, 0, blocks, vec![])
}

fn id(text: &str) -> ForkId {
    text.parse().unwrap()
}

#[test]
fn fork_ids_are_those_of_eip_2124() {
    let forks = Forks::Schedule(mainnet());
    let ids = [
        (0, "fc64ec04/1150000"),
        (1_149_999, "fc64ec04/1150000"),
        (1_150_000, "97c2c34c/1920000"),
        (1_919_999, "97c2c34c/1920000"),
        (1_920_000, "91d1f948/2463000"),
        (2_463_000, "7a64da13/2675000"),
        (2_675_000, "3edd5b10/4370000"),
        (4_370_000, "a00bc324/7280000"),
        (7_280_000, "668db0af"),
    ];
    for (number, expected) in ids {
        assert_eq!(forks.id(block(number)), id(expected), "{number}");
    }
    for known in ["fc64ec04/1150000", "97c2c34c/1920000", "91d1f948/2463000", "a00bc324/7280000", "668db0af"] {
        assert_eq!(forks.check(id(known), forks.genesis()), Ok(()), "{known}");
    }
    for other in ["5cddc0e1", "afec6b27", "00000000/1150000"] {
        assert_eq!(forks.check(id(other), forks.genesis()), Err(ForkMismatch::Incompatible), "{other}");
    }
}

/// A head with this number, on a chain without times
fn block(number: u64) -> Position {
    Position { number, time: 0 }
}

#[test]
fn fork_ids_are_checked_from_where_the_head_is() {
    let forks = Forks::Schedule(mainnet());
    let stale = Err(ForkMismatch::Stale(7_280_000));
    let cases = [
        (7_987_396, "668db0af", Ok(())),
        (7_987_396, "668db0af/18446744073709551615", Ok(())),
        (7_279_999, "a00bc324", Ok(())),
        (7_279_999, "a00bc324/7280000", Ok(())),
        (7_279_999, "a00bc324/18446744073709551615", Ok(())),
        (7_987_396, "a00bc324/7280000", Ok(())),
        (7_987_396, "3edd5b10/4370000", Ok(())),
        (7_279_999, "668db0af", Ok(())),
        (4_369_999, "a00bc324", Ok(())),
        (7_987_396, "a00bc324", stale),
        (7_987_396, "5cddc0e1", Err(ForkMismatch::Incompatible)),
        (7_279_999, "5cddc0e1", Err(ForkMismatch::Incompatible)),
        (7_987_396, "afec6b27", Err(ForkMismatch::Incompatible)),
        (88_888_888, "668db0af/88888888", Err(ForkMismatch::UnknownFork)),
        (7_279_999, "a00bc324/7279999", Err(ForkMismatch::UnknownFork)),
    ];
    for (number, theirs, expected) in cases {
        assert_eq!(forks.check(id(theirs), block(number)), expected, "{theirs} at {number}");
    }
}

/// A chain may have forks at times that are small numbers, as chains for tests have
#[test]
fn forks_by_time_are_behind_a_head_by_its_time() {
    let forks = Forks::Schedule(Schedule::new(Hash::of(b"genesis"), 0, vec![0], vec![120, 0, 60]));
    let at = |time| Position { number: 1, time };
    let ids = [59, 60, 119, 120].map(|time| forks.id(at(time)));
    assert_eq!(ids.map(|id| id.next), [60, 120, 120, 0]);
    assert!(ids[0].checksum != ids[1].checksum && ids[1] == ids[2] && ids[2].checksum != ids[3].checksum);
    for (index, theirs) in ids.into_iter().enumerate() {
        assert_eq!(forks.check(theirs, at(1000)), Ok(()), "{index}");
        assert_eq!(forks.check(theirs, forks.genesis()), Ok(()), "{index}");
    }
    assert_eq!(forks.check(ForkId { next: 0, ..ids[0] }, at(60)), Err(ForkMismatch::Stale(60)));
    assert_eq!(forks.check(ForkId { next: 999, ..ids[3] }, at(1000)), Err(ForkMismatch::UnknownFork));
}

#[test]
fn a_fork_id_is_its_checksum_and_the_next_fork() {
    let only = Forks::Only(id("0x668db0af"));
    assert_eq!(only.check(id("668db0af/12000000"), only.genesis()), Ok(()));
    assert_eq!(only.check(id("fc64ec04"), only.genesis()), Err(ForkMismatch::Other(id("668db0af"))));
    assert_eq!(rlp::encode(&id("fc64ec04/1150000"))[..], [0xc9, 0x84, 0xfc, 0x64, 0xec, 0x04, 0x83, 0x11, 0x8c, 0x30]);
}

#[test]
fn roots_of_tries() {
    let root = |entries: &[(&str, &str)]| {
        trie::root(entries.iter().map(|(key, value)| (key.as_bytes().to_vec(), value.as_bytes().to_vec())).collect())
    };
    assert_eq!(root(&[]), Hash::empty_trie());
    // "dogs" and "puppy" of trieanyorder.json in the tests that all clients share.
    let dogs = "8aad789dff2f538bca5d8ea56e8abe10f4c7ba3a5dea95fea4cd6e7c3a1168d3".parse().unwrap();
    assert_eq!(root(&[("doe", "reindeer"), ("dog", "puppy"), ("dogglesworth", "cat")]), dogs);
    let puppy = "5991bb8c6514148a29db676a14ac506cd2cd5775ace63c30a4fe457715e9ac84".parse().unwrap();
    assert_eq!(root(&[("do", "verb"), ("horse", "stallion"), ("doge", "coin"), ("dog", "puppy")]), puppy);
}

#[test]
fn an_entry_of_one_leaf_is_proven_by_it() {
    // "hex prefix" of all 64 nibbles of the key, and the value
    let key = Hash::of(b"key").0;
    let value = vec![7; 40];
    let leaf = {
        let mut leaf = rlp::RlpStream::new_list(2);
        leaf.append(&[&[0x20], &key[..]].concat()).append(&value);
        leaf.out().to_vec()
    };
    let root = trie::root(vec![(key.to_vec(), value.clone())]);
    let nodes = [leaf];
    assert_eq!(Proof::new(&nodes).look_up(root, &key), Ok(Some(value)));
    assert_eq!(Proof::new(&nodes).look_up(root, &Hash::of(b"other").0), Ok(None));
    assert!(Proof::new(&[]).look_up(root, &key).is_err());
}

#[test]
fn messages_survive_a_round_trip() {
    for origin in [Origin::Number(0), Origin::Number(u64::MAX), Origin::Hash(Hash::of(b"block"))] {
        let content = GetBlockHeaders { origin, amount: 7, skip: 1, reverse: true };
        let message = Numbered { id: 1234, content };
        assert_eq!(devp2p_proto::rlp::decode(&rlp::encode(&message)), Ok(message));
    }
    let items = [&[0x80][..], &[0x05], &[0xc0], &[0xc2, 0x80, 0xc0], &[0x82, 1, 2]];
    let message = Numbered { id: 0, content: List(items.map(|item| Raw(item.to_vec())).to_vec()) };
    assert_eq!(devp2p_proto::rlp::decode(&rlp::encode(&message)), Ok(message));
}

/// `[type, status, gas, logs]` of eth/69, with one log of these topics
fn receipt(address: usize, topics: &[&[u8]]) -> Vec<u8> {
    let mut receipt = RlpStream::new_list(4);
    receipt.append(&2_u8).append(&1_u8).append(&21_000_u64).begin_list(1).begin_list(3);
    receipt.append(&vec![1; address]).begin_list(topics.len());
    for topic in topics {
        receipt.append(topic);
    }
    receipt.append(&vec![7; 5]);
    receipt.out().to_vec()
}

fn append_list_of(stream: &mut RlpStream, count: usize, item: &[u8]) {
    stream.begin_list(count);
    for _ in 0..count {
        stream.append_raw(item, 1);
    }
}

/// An answer for blocks with these numbers of items; every item has this encoding
fn answer<T: PerBlock>(blocks: &[usize], item: &[u8]) -> Result<Blocks<T>, DecoderError> {
    let mut answer = RlpStream::new_list(blocks.len());
    for count in blocks {
        append_list_of(&mut answer, *count, item);
    }
    rlp::decode(&answer.out())
}

#[test]
fn topics_and_addresses_have_their_lengths() {
    let topic = &[3; 32][..];
    let decode = |receipt: Vec<u8>| rlp::decode::<Receipt>(&receipt).map(|receipt| receipt.logs);
    for topics in 0..=4 {
        assert_eq!(decode(receipt(20, &vec![topic; topics])), Ok(1));
    }
    assert_eq!(decode(receipt(20, &[topic; 5])), Err(DecoderError::Custom("a log has more than four topics")));
    assert!(decode(receipt(20, &[&[]])).is_err() && decode(receipt(20, &[&[3; 33]])).is_err());
    for address in [0, 19, 21] {
        assert!(decode(receipt(address, &[topic])).is_err());
    }
    // Two million topics are refused before one is hashed.
    let many = decode(receipt(20, &vec![&[][..]; 2_000_000]));
    assert_eq!(many, Err(DecoderError::Custom("a log has more than four topics")));
}

#[test]
fn one_answer_holds_a_limited_number_of_items() {
    let too_many = |error| error == DecoderError::Custom("more than 131072 items in one answer");
    let receipt = receipt(20, &[]);
    // One receipt in each of three blocks; each block also counts as one item
    let receipts = |blocks: &[usize]| answer::<Receipts>(blocks, &receipt).map(|blocks| blocks.0.len());
    assert_eq!(receipts(&[1, 1, 1]), Ok(3));
    assert_eq!(receipts(&[MAX_ITEMS - 1]), Ok(1));
    assert!(receipts(&[MAX_ITEMS]).is_err_and(too_many));
    assert!(receipts(&[MAX_ITEMS / 2, MAX_ITEMS / 2]).is_err_and(too_many));
    // Blocks without items count too, and so do all parts of a body.
    assert!(answer::<Receipts>(&[0; MAX_ITEMS + 1], &[]).is_err_and(too_many));
    for (transactions, withdrawals) in [(MAX_ITEMS, 0), (0, MAX_ITEMS), (MAX_ITEMS / 2, MAX_ITEMS / 2)] {
        let mut body = RlpStream::new_list(1);
        append_list_of(body.begin_list(3), transactions, &[0xc0]);
        append_list_of(body.begin_list(0), withdrawals, &[0xc0]);
        assert!(rlp::decode::<Blocks<Body>>(&body.out()).is_err_and(too_many));
    }
}

#[test]
fn an_answer_is_a_list_of_limited_length() {
    let list = |count: usize| {
        let mut list = RlpStream::new();
        append_list_of(&mut list, count, &rlp::encode(&Hash::default()));
        rlp::decode::<List<Hash>>(&list.out()).map(|list| list.0.len())
    };
    assert_eq!(list(MAX_LIST), Ok(1024));
    assert!(list(MAX_LIST + 1).is_err());
    assert!(rlp::decode::<List<Hash>>(&[0x80]).is_err() && rlp::decode::<Blocks<Receipts>>(&[0x80]).is_err());
}

#[test]
fn no_block_follows_the_last_number() {
    let number = u64::MAX;
    let parent = Hash([1; 32]);
    let header = rlp::decode::<Header>(&crate::play::header(number, parent).0).expect("a header");
    let tip = Tip::At { hash: parent, next: number };
    assert_eq!(tip.follow(&header), Err("no block can follow block 18446744073709551615".to_string()));
}

#[test]
fn a_total_difficulty_is_a_word() {
    let status = |len| {
        let mut status = RlpStream::new_list(6);
        status.append(&68_u8).append(&1_u8).append(&vec![1; len]).append(&Hash::default()).append(&Hash::default());
        status.append(&id("668db0af"));
        rlp::decode::<Status>(&status.out())
    };
    assert!(status(32).is_ok() && status(33).is_err());
}

//! Parts of the programs that have known answers

use devp2p_drivers::eth::fork::{ForkId, ForkMismatch, Forks, Schedule};
use devp2p_drivers::eth::hash::Hash;
use devp2p_drivers::eth::message::{GetBlockHeaders, List, Numbered, Origin, Raw};
use devp2p_drivers::eth::trie::{self, Proof};

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
    assert_eq!(forks.id(), id("fc64ec04/1150000"));
    for known in ["fc64ec04/1150000", "97c2c34c/1920000", "91d1f948/2463000", "a00bc324/7280000", "668db0af"] {
        assert_eq!(forks.check(id(known)), Ok(()), "{known}");
    }
    for other in ["5cddc0e1", "afec6b27", "00000000/1150000"] {
        assert_eq!(forks.check(id(other)), Err(ForkMismatch::Incompatible), "{other}");
    }
}

#[test]
fn a_fork_id_is_its_checksum_and_the_next_fork() {
    let only = Forks::Only(id("0x668db0af"));
    assert_eq!(only.check(id("668db0af/12000000")), Ok(()));
    assert_eq!(only.check(id("fc64ec04")), Err(ForkMismatch::Other(id("668db0af"))));
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

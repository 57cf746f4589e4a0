//! The store of blocks by itself: the order in which parts come, and the budget

use devp2p_drivers::eth::body::Body;
use devp2p_drivers::eth::header::Header;
use devp2p_drivers::eth::message::Raw;
use devp2p_drivers::eth::receipt::Receipts;
use devp2p_drivers::eth::store::Store;

use crate::source::{Chain, decoded};

/// A chain whose blocks all have one transaction and one receipt, genesis excepted
fn chain() -> Chain {
    Chain::new(6, 1..6, &[1000])
}

fn header(chain: &Chain, number: usize) -> Header {
    rlp::decode(&chain.headers[number].0).expect("a header")
}

fn put_body(store: &mut Store, chain: &Chain, number: u64) {
    store.put_body(number, &rlp::decode::<Body>(&chain.body.0).expect("a body"));
}

fn put_receipts(store: &mut Store, chain: &Chain, number: u64) {
    store.put_receipts(number, Receipts(decoded(&chain.receipts)));
}

/// The numbers of the first and the last complete block
fn range(store: &Store) -> Option<(u64, u64)> {
    store.standing().map(|standing| (standing.range.earliest, standing.range.latest))
}

#[test]
fn blocks_are_told_of_once_all_before_them_are_complete() {
    let (chain, mut store) = (chain(), Store::new(1 << 20));
    assert_eq!(range(&store), None);
    (0..4).for_each(|number| store.put_header(header(&chain, number)));
    // Genesis has nothing in it, and is complete at once.
    assert_eq!(range(&store), Some((0, 0)));
    put_body(&mut store, &chain, 1);
    put_receipts(&mut store, &chain, 2);
    put_body(&mut store, &chain, 2);
    put_receipts(&mut store, &chain, 3);
    assert_eq!(range(&store), Some((0, 0)));
    put_receipts(&mut store, &chain, 1);
    assert_eq!(range(&store), Some((0, 2)));
    assert_eq!(store.standing().map(|standing| standing.range.latest_hash), Some(chain.hash(2)));
    put_body(&mut store, &chain, 3);
    assert_eq!(range(&store), Some((0, 3)));
    assert_eq!(store.body(&chain.hash(3)), Some(&chain.body.0[..]));
    assert_eq!(store.receipts(&chain.hash(3)).map(<[_]>::len), Some(1));
}

#[test]
fn parts_of_dropped_blocks_are_not_kept() {
    let chain = chain();
    // Space for the headers of three blocks, or for one complete block
    let mut store = Store::new(4000);
    (0..6).for_each(|number| store.put_header(header(&chain, number)));
    assert!(store.used() <= 4000 && store.dropped() > 0, "{store:?}");
    let (used, dropped) = (store.used(), store.dropped());
    put_body(&mut store, &chain, 0);
    put_receipts(&mut store, &chain, 0);
    put_receipts(&mut store, &chain, 99);
    assert_eq!((store.used(), store.dropped()), (used, dropped));
    for number in 1..6 {
        put_body(&mut store, &chain, number);
        put_receipts(&mut store, &chain, number);
        assert!(store.used() <= 4000, "{number}: {} bytes", store.used());
    }
    assert_eq!(range(&store).map(|(_, latest)| latest), Some(5));
}

#[test]
fn a_budget_for_less_than_a_block_keeps_none() {
    let (chain, mut store) = (chain(), Store::new(100));
    for number in 0..6 {
        store.put_header(header(&chain, number));
        put_body(&mut store, &chain, number as u64);
        assert_eq!((range(&store), store.used()), (None, 0));
    }
    assert_eq!(store.dropped(), 6);
}

#[test]
fn a_header_that_does_not_follow_starts_anew() {
    let (chain, mut store) = (chain(), Store::new(1 << 20));
    [0, 1, 2, 5].into_iter().for_each(|number| store.put_header(header(&chain, number)));
    assert_eq!(store.number(&chain.hash(5)), Some(5));
    assert_eq!((store.number(&chain.hash(2)), store.dropped()), (None, 3));
    assert!(store.header(2).is_none() && store.header(5).is_some());
}

#[test]
fn bodies_are_given_as_they_came() {
    let empty = Raw(vec![0xc2, 0xc0, 0xc0]);
    // A list, a typed transaction, an ommer, and a withdrawal
    let full = Raw(vec![0xcf, 0xc5, 0xc1, 5, 0x82, 2, 0xc0, 0xc2, 0xc1, 6, 0xc5, 0xc4, 1, 2, 3, 4]);
    for body in [empty, full, chain().body] {
        let decoded: Body = rlp::decode(&body.0).expect("a body");
        assert_eq!(rlp::encode(&decoded)[..], body.0);
    }
}

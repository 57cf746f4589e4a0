//! The fuzz targets over their committed corpus, and over inputs from proptest

use std::path::PathBuf;

use devp2p_fuzz::{batch, disconnect, handshake, hello, link, packets, pair, rlp, snappy};
use proptest::prelude::*;

/// Every committed seed, with its name
fn corpus(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path| (path.clone(), std::fs::read(path).unwrap())).collect()
}

fn replay(target: &str, body: fn(&[u8])) {
    let corpus = corpus(target);
    assert!(!corpus.is_empty());
    for (path, data) in corpus {
        println!("{}", path.display());
        body(&data);
    }
}

#[test]
fn link_keeps_its_promises_over_the_corpus() {
    replay("link", link);
}

#[test]
fn packets_keeps_its_promises_over_the_corpus() {
    replay("packets", packets);
}

#[test]
fn handshake_keeps_its_promises_over_the_corpus() {
    replay("handshake", handshake);
}

#[test]
fn pair_keeps_its_promises_over_the_corpus() {
    replay("pair", pair);
}

#[test]
fn batch_keeps_its_promises_over_the_corpus() {
    replay("batch", batch);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn link_keeps_its_promises(
        settings in (any::<[u8; 3]>(), 0u8..255).prop_map(|(settings, times)| [&settings[..], &[times]].concat()),
        operations in prop::collection::vec(any::<u8>(), 0..400),
    ) {
        link(&[settings, operations].concat());
    }

    #[test]
    fn packets_keeps_its_promises(
        target in 0u8..4,
        rest in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        packets(&[&[target][..], &rest].concat());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn handshake_keeps_its_promises(
        first in (0u8..2, any::<u8>()).prop_map(|(role, piece)| [role, piece]),
        rest in prop::collection::vec(prop_oneof![6 => Just(0u8), 1 => any::<u8>()], 0..60),
    ) {
        handshake(&[&first[..], &rest].concat());
    }

    #[test]
    fn pair_keeps_its_promises(
        start in prop_oneof![9 => Just(0u8), 1 => any::<u8>()],
        decisions in prop::collection::vec(any::<u8>(), 0..400),
    ) {
        pair(&[&[start][..], &decisions].concat());
    }

    #[test]
    fn batch_keeps_its_promises(
        start in prop_oneof![9 => Just(0u8), 1 => any::<u8>()],
        decisions in prop::collection::vec(any::<u8>(), 0..600),
    ) {
        batch(&[&[start][..], &decisions].concat());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// 255 as the last of the settings permits payloads of 16 MiB, which take longer
    #[test]
    fn link_keeps_its_promises_with_payloads_of_any_size(
        settings in (any::<[u8; 3]>(), Just(255u8)).prop_map(|(settings, times)| [&settings[..], &[times]].concat()),
        operations in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        link(&[settings, operations].concat());
    }

    #[test]
    fn handshakes_keep_their_promises(
        target in 4u8..8,
        rest in prop::collection::vec(prop_oneof![4 => Just(0u8), 1 => any::<u8>()], 0..600),
    ) {
        packets(&[&[target][..], &rest].concat());
    }
}

#[test]
fn rlp_agrees_over_the_corpus() {
    replay("rlp", rlp);
}

#[test]
fn snappy_agrees_over_the_corpus() {
    replay("snappy", snappy);
}

#[test]
fn every_hello_of_the_corpus_has_its_outcome() {
    replay("hello", hello);
}

#[test]
fn every_disconnect_of_the_corpus_has_its_outcome() {
    replay("disconnect", disconnect);
}

/// Bytes of which many are the header of a short list, or are at a boundary between two forms of RLP
fn prefixes() -> impl Strategy<Value = u8> {
    const BORDERS: &[u8] = &[0x00, 0x01, 0x7f, 0x80, 0x81, 0x82, 0xb7, 0xb8, 0xb9, 0xc0, 0xf7, 0xf8, 0xf9];
    prop_oneof![2 => any::<u8>(), 2 => 0xc0u8..0xc8, 1 => prop::sample::select(BORDERS)]
}

/// Bytes of which most are small, since large ones choose malformed parts
fn small() -> impl Strategy<Value = u8> {
    prop_oneof![3 => 0u8..0x80, 1 => any::<u8>()]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn rlp_agrees(kind in 0u8..4, rest in prop::collection::vec(prefixes(), 0..60)) {
        rlp(&[&[kind][..], &rest].concat());
    }

    #[test]
    fn snappy_agrees(data in prop::collection::vec(any::<u8>(), 0..80)) {
        snappy(&data);
    }

    #[test]
    fn every_hello_has_its_outcome(data in prop::collection::vec(small(), 0..120)) {
        hello(&data);
    }

    #[test]
    fn every_disconnect_has_its_outcome(data in prop::collection::vec(any::<u8>(), 0..40)) {
        disconnect(&data);
    }
}

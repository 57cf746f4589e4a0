//! Against the `snap` crate, in both directions

use super::SnappyError::*;
use super::compress::{MAX_TABLE, MIN_TABLE};
use super::*;
use proptest::prelude::*;
use std::vec;
use std::vec::Vec;

fn packed(data: &[u8], table_len: usize) -> Vec<u8> {
    // What the table holds must not matter
    let mut table = vec![0xa5a5; table_len];
    let mut block = vec![0; max_compressed_len(data.len())];
    let len = compress(data, &mut block, &mut table).unwrap();
    block.truncate(len);
    block
}

/// Also checks that nothing is written beyond the declared length
fn unpacked(block: &[u8]) -> Result<Vec<u8>, SnappyError> {
    let len = decompressed_len(block, block.len())?;
    let mut out = vec![0xee; len + 80];
    assert_eq!(decompress(block, &mut out)?, len);
    assert!(out[len..].iter().all(|&byte| byte == 0xee));
    // No room to spare: other paths
    let mut exact = vec![0; len];
    assert_eq!(decompress(block, &mut exact), Ok(len));
    out.truncate(len);
    assert!(out == exact);
    Ok(out)
}

fn snap_packed(data: &[u8]) -> Vec<u8> {
    snap::raw::Encoder::new().compress_vec(data).unwrap()
}

fn snap_unpacked(block: &[u8]) -> Option<Vec<u8>> {
    // `snap` would allocate what a bomb declares; no block here makes that much
    if snap::raw::decompress_len(block).is_ok_and(|len| len > 1 << 25) {
        return None;
    }
    snap::raw::Decoder::new().decompress_vec(block).ok()
}

fn check_round_trips(data: &[u8], table_len: usize) {
    let block = packed(data, table_len);
    assert!(unpacked(&block).as_deref() == Ok(data));
    assert!(snap_unpacked(&block).as_deref() == Some(data));
    assert!(unpacked(&snap_packed(data)).as_deref() == Ok(data));
}

/// Bytes without repetitions to speak of
fn noise(len: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    std::iter::repeat_with(next).take(len).collect()
}

fn periodic(len: usize, period: usize) -> Vec<u8> {
    noise(period).into_iter().cycle().take(len).collect()
}

/// Literals of `gap` bytes, and between them words from so far back that they take three bytes:
/// what our bound is about
fn worst(len: usize, gap: usize) -> Vec<u8> {
    let mut data = noise(len);
    // By here the search takes long strides; this run makes them short again
    let run = 2200..2300.min(len);
    data.get_mut(run.clone()).unwrap_or_default().fill(0);
    let ends = (run.end + gap..len.saturating_sub(4)).step_by(gap + 4);
    for (at, word) in ends.zip((1..33).cycle()) {
        data.copy_within(word..word + 4, at);
    }
    data
}

/// Fresh bytes and repetitions in turn
fn structured(parts: usize) -> impl Strategy<Value = Vec<u8>> {
    let fresh = prop::collection::vec(any::<u8>(), 0..80);
    let part = (fresh, any::<prop::sample::Index>(), prop_oneof![0..20usize, 0..300usize]);
    prop::collection::vec(part, 0..parts).prop_map(|parts| {
        let mut data = Vec::new();
        for (fresh, from, len) in parts {
            data.extend(fresh);
            let from = if data.is_empty() {
                continue;
            } else {
                from.index(data.len())
            };
            (from..from + len).for_each(|at| data.push(data[at]));
        }
        data
    })
}

fn table_lens() -> impl Strategy<Value = usize> {
    prop_oneof![Just(0), Just(255), Just(256), Just(700), Just(1024), Just(16384), Just(40000)]
}

fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let change = (0..5u8, any::<prop::sample::Index>(), any::<u8>());
    let changes = prop::collection::vec(change, 1..4);
    (structured(8), table_lens(), changes).prop_map(|(data, table_len, changes)| {
        let mut block = packed(&data, table_len);
        for (kind, at, byte) in changes {
            let at = at.index(block.len());
            match kind {
                0 => block[at] = byte,
                1 => block[at] ^= 1 << (byte & 7),
                2 => block.insert(at, byte),
                3 if block.len() > 1 => drop(block.remove(at)),
                _ => block.truncate(at.max(1)),
            }
        }
        block
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 4 } else { 512 }))]

    #[test]
    fn arbitrary_data_survives(data in prop::collection::vec(any::<u8>(), 0..2000), table_len in table_lens()) {
        check_round_trips(&data, table_len);
    }

    #[test]
    fn structured_data_survives(data in structured(40), table_len in table_lens()) {
        check_round_trips(&data, table_len);
    }

    #[test]
    fn verdicts_on_mutated_blocks_are_those_of_snap(block in mutated()) {
        prop_assert_eq!(unpacked(&block).ok(), snap_unpacked(&block));
    }

    #[test]
    fn verdicts_on_arbitrary_bytes_are_those_of_snap(block in prop::collection::vec(any::<u8>(), 0..64)) {
        prop_assert_eq!(unpacked(&block).ok(), snap_unpacked(&block));
    }

    /// A small length in front gets further than an arbitrary one
    #[test]
    fn verdicts_on_arbitrary_elements_are_those_of_snap(
        len in 0..128u8,
        elements in prop::collection::vec(prop_oneof![any::<u8>(), 0..16u8], 0..40),
    ) {
        let block = [&[len][..], &elements].concat();
        prop_assert_eq!(unpacked(&block).ok(), snap_unpacked(&block));
    }
}

#[test]
fn lengths_at_every_edge_survive() {
    let edges =
        [0, 1, 2, 3, 4, 15, 16, 17, 18, 59, 60, 61, 62, 63, 64, 65, 127, 128, 255, 256, 257, 258, 16383, 16384, 16385];
    let edges = edges.into_iter().chain(65533..65540).chain(131_070..131_075);
    for len in edges {
        for data in [vec![0; len], noise(len), periodic(len, 67), periodic(len, 7)] {
            check_round_trips(&data, table_len(len));
        }
    }
}

#[test]
fn every_offset_and_length_of_a_copy_survives() {
    for period in 1..80 {
        for len in 1..80 {
            check_round_trips(&periodic(period + len, period), MIN_TABLE);
        }
    }
}

/// The search stops somewhere near the end, also in the middle of a chain of copies
#[test]
fn repetitions_at_every_distance_from_the_end_survive() {
    let data = noise(64);
    for first in 4..24 {
        for second in 1..40 {
            let chain = [&data[..], &data[8..8 + first], &data[2..2 + second]].concat();
            check_round_trips(&chain, MIN_TABLE);
        }
    }
}

#[test]
fn a_copy_of_any_length_takes_no_more_than_with_snap() {
    for len in 4..300 {
        let data = [vec![7; len], noise(40)].concat();
        assert!(packed(&data, MIN_TABLE).len() <= snap_packed(&data).len(), "{len}");
    }
}

#[test]
fn the_largest_message_survives() {
    let data = periodic((1 << 24) - 1, 100);
    let block = packed(&data, MAX_TABLE);
    assert!(block.len() < data.len() / 20);
    assert!(unpacked(&block).as_deref() == Ok(&data[..]));
    assert!(snap_unpacked(&block).as_deref() == Some(&data[..]));
}

#[test]
fn no_input_exceeds_the_bound() {
    for len in [0, 1, 60, 61, 127, 128, 256, 257, 9000, 16384, 65535, 65536, 65537, 65600, 131_072, 200_000] {
        for gap in [1, 59, 60, 61, 62, 63, 65, 256, 257, 258, 300] {
            for table_len in [0, 256, 1024, MAX_TABLE] {
                let data = worst(len, gap);
                // `packed` provides no more than the bound
                assert!(packed(&data, table_len).len() <= max_compressed_len(len));
            }
        }
    }
}

#[test]
fn the_bound_is_tight() {
    let len = 65536;
    let growth = packed(&worst(len, 61), MAX_TABLE).len() - len;
    let bound = max_compressed_len(len) - len;
    assert!(growth > bound / 2, "{growth} of {bound}");
}

#[test]
fn the_bound_saturates() {
    assert_eq!(max_compressed_len(0), 7);
    assert_eq!(max_compressed_len(usize::MAX), usize::MAX);
}

#[test]
fn table_lengths_are_powers_of_two_within_limits() {
    let expected = [(0, 256), (256, 256), (257, 512), (8192, 8192), (8193, 16384), (16384, 16384), (usize::MAX, 16384)];
    for (len, table) in expected {
        assert_eq!(table_len(len), table, "{len}");
    }
}

#[test]
fn only_the_useful_part_of_a_table_is_touched() {
    let mut table = [0xa5a5; 1000];
    let mut block = [0; 200];
    compress(&[7; 100], &mut block, &mut table).unwrap();
    assert!(table[256..].iter().all(|&entry| entry == 0xa5a5));
}

#[test]
fn ratio_is_about_that_of_snap() {
    let words: Vec<_> = noise(1200).chunks(6).map(<[u8]>::to_vec).collect();
    let choice = noise(30_000);
    let data: Vec<_> =
        choice.chunks(2).flat_map(|pair| words[usize::from(pair[0].min(pair[1])) % 200].clone()).collect();
    let reference = snap_packed(&data).len();
    assert!(packed(&data, MAX_TABLE).len() < reference * 103 / 100);
    assert!(packed(&data, 1024).len() < reference * 3 / 2);
}

#[test]
fn too_small_an_output_is_left_alone() {
    let data = [1; 100];
    let mut short = [0xee; max_compressed_len(100) - 1];
    assert_eq!(compress(&data, &mut short, &mut [0; 256]), Err(OutputTooSmall));
    assert!(short.iter().all(|&byte| byte == 0xee));

    let mut short = [0xee; 99];
    assert_eq!(decompress(&packed(&data, 256), &mut short), Err(OutputTooSmall));
    assert!(short.iter().all(|&byte| byte == 0xee));
}

fn refusal(block: &[u8]) -> Option<SnappyError> {
    assert!(snap_unpacked(block).is_none());
    unpacked(block).err()
}

#[test]
fn each_fault_has_its_name() {
    let cases: [(&[u8], SnappyError); 19] = [
        (&[], BadLength),
        (&[0x80], BadLength),
        (&[0x80, 0x80, 0x80, 0x80, 0x80, 0x00], BadLength),
        (&[0xff, 0xff, 0xff, 0xff, 0x1f, 0x00], BadLength),
        (&[0x01, 0x00], Truncated),
        (&[0x02, 0x04, b'a'], Truncated),
        (&[0x02, 0xf0], Truncated),
        (&[0x02, 0xf4, 0x01], Truncated),
        (&[0x02, 0x00, b'a', 0x01], Truncated),
        (&[0x02, 0x00, b'a', 0x02, 0x01], Truncated),
        (&[0x02, 0x00, b'a', 0x03, 0x01, 0x00, 0x00], Truncated),
        (&[0x05, 0x00, b'a', 0x01, 0x00], BadOffset),
        (&[0x05, 0x00, b'a', 0x01, 0x02], BadOffset),
        (&[0x02, 0x02, 0x01, 0x00], BadOffset),
        (&[0x01, 0x04, b'a', b'b'], TooLong),
        (&[0x04, 0x00, b'a', 0x01, 0x01], TooLong),
        (&[0x03, 0x00, b'a'], TooShort),
        (&[0x06, 0x00, b'a', 0x01, 0x01], TooShort),
        (&[0x01], TooShort),
    ];
    for (block, fault) in cases {
        assert_eq!(refusal(block), Some(fault), "{block:02x?}");
    }
}

#[test]
fn copies_of_all_kinds_are_understood() {
    for copy in [&[0x01, 0x02][..], &[0x0e, 0x02, 0x00], &[0x0f, 0x02, 0x00, 0x00, 0x00]] {
        let block = [&[0x06, 0x04, b'a', b'b'], copy].concat();
        assert_eq!(unpacked(&block).as_deref(), Ok(&b"ababab"[..]));
    }
}

#[test]
fn a_literal_of_four_gigabytes_is_refused() {
    let block = [0x05, 0x00, 0x41, 0xfc, 0xfe, 0xff, 0xff, 0xff];
    assert_eq!(refusal(&block), Some(Truncated));
    let block = [0x05, 0x00, 0x41, 0xfc, 0xff, 0xff, 0xff, 0xff];
    assert_eq!(refusal(&block), Some(Truncated));
}

#[test]
fn a_bomb_is_refused_by_its_header() {
    let bomb = [&[0xff, 0xff, 0xff, 0xff, 0x0f][..], &[0; 1000]].concat();
    assert_eq!(decompressed_len(&bomb, bomb.len()), Err(TooShort));
    assert_eq!(decompressed_len(&[0x40, 0, 0, 0], 4), Ok(64));
    assert_eq!(decompressed_len(&[0x40], 4), Ok(64), "by its start");
    assert_eq!(decompressed_len(&[0x41, 0, 0, 0], 4), Err(TooShort));
}

#[test]
fn the_densest_block_is_no_bomb() {
    let copies = [0xfe, 0x01, 0x00].repeat(1000);
    let block = [&[0x81, 0xf4, 0x03, 0x00, b'a'][..], &copies].concat();
    assert_eq!(unpacked(&block), Ok(vec![b'a'; 64_001]));
}

#[test]
fn the_longest_input_for_a_room_fits_and_is_the_longest() {
    for room in (0..5_000).chain([1 << 20, 0xff_ffff]) {
        let len = max_input(room);
        assert!(len == 0 || max_compressed_len(len) <= room, "{room}");
        assert!(max_compressed_len(len + 1) > room, "{room}");
    }
}

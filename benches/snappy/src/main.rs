//! The library's Snappy beside the crate `snap`
//!
//! `benches/snappy/run` runs this program in callgrind, and prints tables. The name of each count is the work, the
//! content, the size, who does it, and the length of the block.

mod content;

use std::hint::black_box;

use devp2p_proto::internal::snappy;
use devp2p_valgrind::callgrind;

const SIZES: [usize; 4] = [1 << 10, 16 << 10, 128 << 10, 1 << 20];
/// Entries of the compressor's table; for payloads of this many bytes and more, growable buffers use the last one
const TABLES: [usize; 7] = [256, 512, 1_024, 2_048, 4_096, 8_192, 16_384];

fn main() {
    assert!(devp2p_valgrind::is_running(), "this program must be run by benches/snappy/run");
    for (name, make) in content::ALL {
        for size in SIZES {
            both(&format!("{name}\t{size}"), &make(size));
        }
    }
}

fn both(what: &str, payload: &[u8]) {
    let theirs = compress_theirs(what, payload);
    let ours = TABLES.map(|entries| compress_ours(what, payload, entries));
    decompress(&format!("{what}\tsnap's block"), &theirs, payload);
    decompress(&format!("{what}\tour block"), ours.last().expect("the largest table"), payload);
}

fn compress_ours(what: &str, payload: &[u8], entries: usize) -> Vec<u8> {
    let (mut table, mut block) = (vec![0; entries], room(payload));
    let mut compress = || snappy::compress(black_box(payload), &mut block, &mut table).expect("there is room");
    let len = compress();
    row(&format!("compress\t{what}\t{entries}\t{len}"), || _ = black_box(compress()));
    block.truncate(len);
    block
}

fn compress_theirs(what: &str, payload: &[u8]) -> Vec<u8> {
    let (mut encoder, mut block) = (snap::raw::Encoder::new(), room(payload));
    let mut compress = || encoder.compress(black_box(payload), &mut block).expect("there is room");
    let len = compress();
    row(&format!("compress\t{what}\tsnap\t{len}"), || _ = black_box(compress()));
    block.truncate(len);
    block
}

/// Both decompress a block
fn decompress(what: &str, block: &[u8], payload: &[u8]) {
    let mut output = vec![0; payload.len()];
    let len = block.len();
    row(&format!("decompress\t{what}\tours\t{len}"), || {
        snappy::decompressed_len(black_box(block), block.len()).expect("a valid block");
        snappy::decompress(black_box(block), black_box(&mut output)).expect("a valid block");
    });
    assert!(output == payload, "{what}");
    output.fill(0);
    let mut decoder = snap::raw::Decoder::new();
    row(&format!("decompress\t{what}\tsnap\t{len}"), || {
        decoder.decompress(black_box(block), black_box(&mut output)).expect("a valid block");
    });
    assert!(output == payload, "{what}");
}

fn row(name: &str, work: impl FnOnce()) {
    callgrind::count(name, work);
}

fn room(payload: &[u8]) -> Vec<u8> {
    vec![0; snap::raw::max_compress_len(payload.len()).max(payload.len() + payload.len() / 64 + 7)]
}

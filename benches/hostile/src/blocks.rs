//! Which Snappy block costs the most work for each of its bytes
//!
//! Each block repeats one element. All kinds of elements are tried, with the lengths and offsets around which the
//! decoder changes its way of copying. The name of each block begins with `Snappy: `; the table shows the most
//! expensive block.

use devp2p_testing::remote::body;

use crate::frames::{ALPHA, flood};

/// The length of all repeated elements in a block, in bytes
const SIZE: usize = 2_000;
/// The literal at the start of a block, to which copies refer
const START: usize = 256;

const LENGTHS: [usize; 12] = [1, 2, 3, 4, 8, 11, 15, 16, 17, 33, 63, 64];
const OFFSETS: [usize; 14] = [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 63, 64, 200];

/// An element, and how many bytes it decompresses to
struct Element {
    name: String,
    bytes: Vec<u8>,
    makes: usize,
}

pub fn all() {
    for Element { name, bytes, makes } in literals().chain(copies()) {
        let count = SIZE / bytes.len();
        let mut block = varint(START + count * makes);
        block.extend([60 << 2, (START - 1) as u8]);
        block.extend((0..START).map(|byte| byte as u8));
        block.extend(bytes.repeat(count));
        flood(&format!("Snappy: {name}"), &body(ALPHA, &block), usize::MAX);
    }
}

/// Literals with their length in the tag, or in a field of 1 to 4 bytes after the tag
fn literals() -> impl Iterator<Item = Element> {
    let literal = |tag: Vec<u8>, len: usize| Element {
        name: format!("literals of length {len}, with a tag of {} bytes", tag.len()),
        bytes: [tag, vec![0x5a; len]].concat(),
        makes: len,
    };
    let short = LENGTHS.into_iter().filter(|len| *len <= 60).map(move |len| literal(vec![((len - 1) << 2) as u8], len));
    let long = (1..=4).map(move |field| literal([&[(59 + field as u8) << 2][..], &vec![0; field]].concat(), 1));
    short.chain(long)
}

fn copies() -> impl Iterator<Item = Element> {
    let each = LENGTHS.into_iter().flat_map(|len| OFFSETS.into_iter().map(move |offset| (len, offset)));
    each.flat_map(|(len, offset)| {
        let wide = (offset as u32).to_le_bytes();
        let long = ((len - 1) << 2) as u8;
        let near = (4..=11).contains(&len).then(|| vec![((len - 4) << 2) as u8 | 1, wide[0]]);
        let forms = [near, Some([&[long | 2][..], &wide[..2]].concat()), Some([&[long | 3][..], &wide].concat())];
        forms.into_iter().flatten().map(move |bytes| Element {
            name: format!("copies of length {len} at offset {offset}, encoded in {} bytes", bytes.len()),
            bytes,
            makes: len,
        })
    })
}

fn varint(mut value: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

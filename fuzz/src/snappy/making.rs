//! Payloads and blocks from the bytes of an input

use devp2p_proto::internal::snappy::compress;

use crate::input::Input;
use crate::sizes;

/// The approximate length of the longest payload for most inputs
const USUAL: usize = 4096;
/// The same for the other inputs: more than two of the fragments that a compressor works on
const LONGEST: usize = 140_000;

/// A payload of new bytes and repetitions
pub(super) fn payload(input: &mut Input<'_>) -> Vec<u8> {
    // Only few inputs get the longest payload, since it takes a hundred times as long.
    let longest = if input.byte() == 0xff { LONGEST } else { USUAL };
    let mut payload = Vec::new();
    while let (Some(kind), Some(room)) = (input.next(), longest.checked_sub(payload.len())) {
        match kind % 4 {
            0 => payload.extend_from_slice(input.bytes()),
            1 => repeat(&mut payload, usize::from(input.byte()), room.min(input.byte().into())),
            2 => repeat(&mut payload, usize::from(input.u16()), room.min(input.u16().into())),
            _ => payload.extend(input.payload(2000)),
        }
    }
    payload
}

/// Appends `len` bytes, each equal to the one `offset` before it
fn repeat(payload: &mut Vec<u8>, offset: usize, len: usize) {
    if let Some(start) = payload.len().checked_sub(offset.max(1)) {
        let end = payload.len() + len;
        while payload.len() < end {
            // What repeats every n bytes also repeats every 2n.
            let step = (end - payload.len()).min(payload.len() - start);
            payload.extend_from_within(start..start + step);
        }
    }
}

/// A block made of elements of all kinds
///
/// It declares the length that its elements decompress to, or another length.
pub(super) fn elements(input: &mut Input<'_>) -> Vec<u8> {
    let declared = input.byte();
    let (mut elements, mut made) = (Vec::new(), 0);
    while let Some(kind) = input.next() {
        made +=
            if kind & 3 == 0 { literal(kind, input, &mut elements) } else { copy(kind, made, input, &mut elements) };
    }
    let claim = match declared {
        0xf0 => u64::MAX,
        0xf1 => u32::MAX.into(),
        0xf2 => u64::from(u32::MAX) + 1,
        0xf3 => u64::from(input.u16()),
        0xf4 => made as u64 * 5,
        0xf5 => made.saturating_sub(1) as u64,
        0xf6 => made as u64 + 1,
        _ => made as u64,
    };
    let mut block = varint(claim, usize::from(declared == 0xf7));
    block.append(&mut elements);
    block
}

/// A literal, whose length is in the tag or in 1 to 4 bytes; returns how many bytes it decompresses to
fn literal(kind: u8, input: &mut Input<'_>, block: &mut Vec<u8>) -> usize {
    let data = match kind >> 7 {
        0 => input.bytes().to_vec(),
        _ => vec![kind; usize::from(input.u16() % 700)],
    };
    let last = data.len().saturating_sub(1) as u32;
    // A length field may be longer than necessary. One that is too short declares fewer bytes than follow.
    match usize::from(kind >> 2) % 8 {
        width @ 1..=4 => {
            block.push((59 + width as u8) << 2);
            block.extend_from_slice(&last.to_le_bytes()[..width]);
        }
        _ if last < 60 => block.push((last as u8) << 2),
        _ => {
            block.push(61 << 2);
            block.extend_from_slice(&last.to_le_bytes()[..2]);
        }
    }
    block.extend_from_slice(&data);
    data.len()
}

/// A copy of one of the three kinds, after `made` bytes; returns how many bytes it decompresses to
fn copy(tag: u8, made: usize, input: &mut Input<'_>, block: &mut Vec<u8>) -> usize {
    let offset = match input.byte() {
        0xff => made as u32 + 1,
        0xfe => made as u32,
        0xfd => input.u16().into(),
        0xfc => u32::from(input.byte()) << (input.byte() % 25),
        near => near.into(),
    };
    let digits = offset.to_le_bytes();
    let field = usize::from(tag >> 2);
    match tag & 3 {
        1 => {
            block.extend([tag & 0x1f | digits[1] << 5, digits[0]]);
            return 4 + (field & 7);
        }
        2 => block.extend([tag, digits[0], digits[1]]),
        _ => block.extend([&[tag], &digits[..]].concat()),
    }
    1 + field
}

/// A length in the encoding at the start of a block, longer than necessary by `zeros` bytes
fn varint(mut value: u64, zeros: usize) -> Vec<u8> {
    let mut digits = Vec::new();
    while value >= 0x80 || digits.len() < zeros {
        digits.push(value as u8 | 0x80);
        value >>= 7;
    }
    digits.push(value as u8);
    digits
}

/// A block from our compressor or from that of the crate, with some bytes changed, inserted or removed
pub(super) fn damaged(input: &mut Input<'_>) -> Vec<u8> {
    let ours = input.flag();
    let changes: Vec<_> = (0..input.byte() % 5).map(|_| (input.byte(), input.u16(), input.byte())).collect();
    let payload = payload(input);
    let mut block = if ours { compressed(&payload) } else { snap::raw::Encoder::new().compress_vec(&payload).unwrap() };
    for (kind, at, byte) in changes {
        if block.is_empty() {
            break;
        }
        let at = usize::from(at) % block.len();
        match kind % 5 {
            0 => block[at] = byte,
            1 => block[at] ^= 1 << (byte % 8),
            2 => block.insert(at, byte),
            3 => drop(block.remove(at)),
            _ => block.truncate(at),
        }
    }
    block
}

fn compressed(payload: &[u8]) -> Vec<u8> {
    let mut block = vec![0; sizes::worst_case(payload.len())];
    let len = compress(payload, &mut block, &mut [0; 256]).unwrap();
    block.truncate(len);
    block
}

//! A block that is not compressed: one literal, written in its final place

use super::LITERAL;
use crate::wire::copy;

/// The most bytes before the data: its length, and the tag of the literal with the literal's length
const MAX_HEADER: usize = 5 + 5;

/// Has `fill` write up to `max` bytes of data, and makes them a block at the start of `output`
///
/// Returns the size of the block. `None` if `output` is shorter than
/// [`max_compressed_len`](super::max_compressed_len) of `max`, or if `fill` claims more than `max`.
pub(crate) fn store(output: &mut [u8], max: usize, fill: impl FnOnce(&mut [u8]) -> usize) -> Option<usize> {
    let start = header(max, &mut [0; MAX_HEADER])?;
    let data = output.get_mut(start..start.saturating_add(max))?;
    let len = Some(fill(data)).filter(|len| *len <= max)?;
    let mut spelt = [0; MAX_HEADER];
    let size = header(len, &mut spelt)?;
    let end = size.saturating_add(len);
    // A shorter length is spelt in fewer bytes, so the data moves to where they end.
    let whole = output.get_mut(..start.saturating_add(len))?;
    if size < start {
        whole.copy_within(start.., size);
    }
    copy(whole, spelt.get(..size)?);
    Some(end)
}

/// Writes what stands before `len` bytes of data, and returns how many bytes that takes
fn header(len: usize, out: &mut [u8; MAX_HEADER]) -> Option<usize> {
    let mut rest = u32::try_from(len).ok()?;
    let mut free = out.iter_mut();
    let mut put = |byte: u8| free.next().map(|target| *target = byte);
    while rest >= 0x80 {
        put(rest as u8 | 0x80)?;
        rest >>= 7;
    }
    put(rest as u8)?;
    if let Some(last) = u32::try_from(len).ok()?.checked_sub(1) {
        match last {
            0..60 => put((last as u8) << 2 | LITERAL)?,
            _ => {
                let digits = last.to_le_bytes();
                let count = 4_u32.saturating_sub(last.leading_zeros() / 8);
                put((59_u8.saturating_add(count as u8)) << 2 | LITERAL)?;
                digits.iter().take(count as usize).try_for_each(|digit| put(*digit))?;
            }
        }
    }
    Some(MAX_HEADER.saturating_sub(free.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::snappy::{decompress, max_compressed_len};
    use std::vec;

    #[test]
    fn every_length_reads_back() {
        let sizes = [0_usize, 1, 2, 59, 60, 61, 62, 127, 128, 255, 256, 257, 16_383, 16_384, 65_536, 65_537, 3_000_000];
        for max in sizes.into_iter().filter(|max| !cfg!(miri) || *max < 1000) {
            for len in [0, 1, max / 300, max / 2, max.saturating_sub(1), max].map(|len| len.min(max)) {
                let data: vec::Vec<u8> = (0..len).map(|i| (i * 7 + i / 251) as u8).collect();
                let mut block = vec![0; max_compressed_len(max)];
                let size = store(&mut block, max, |room| copy(&mut room[..len], &data)).unwrap();
                let mut back = vec![0; len];
                assert_eq!(decompress(&block[..size], &mut back), Ok(len), "{len} of {max}");
                assert_eq!(back, data);
                assert_eq!(snap::raw::Decoder::new().decompress_vec(&block[..size]).unwrap(), data);
            }
        }
    }

    #[test]
    fn a_claim_beyond_the_room_is_refused() {
        assert_eq!(store(&mut [0; 100], 50, |_| 51), None);
        assert_eq!(store(&mut [0; 10], 50, |_| 0), None);
    }
}

//! Encodings over plain slices: checked RLP and raw Snappy blocks
//!
//! Nothing here allocates, and nothing here knows what the bytes mean.

pub mod rlp;
pub(crate) mod snappy;

/// Copies as much of `source` as fits into `target`
///
/// Returns the number of bytes copied. Unlike `copy_from_slice` it has no way to panic.
pub(crate) fn copy(target: &mut [u8], source: &[u8]) -> usize {
    let len = target.len().min(source.len());
    if let (Some(target), Some(source)) = (target.get_mut(..len), source.get(..len)) {
        target.copy_from_slice(source);
    }
    len
}

//! RLP items that the targets send: canonical, or with content that is not canonical
//!
//! Written from the RLP section of Ethereum's Yellow Paper, for content of up to 64 KiB.

/// A string
pub(crate) fn string(bytes: &[u8]) -> Vec<u8> {
    if matches!(bytes, [0..=0x7f]) { bytes.to_vec() } else { with_header(0x80, bytes) }
}

/// A list with this content, which need not consist of items
pub(crate) fn list(content: &[u8]) -> Vec<u8> {
    with_header(0xc0, content)
}

/// An integer
pub(crate) fn uint(value: u64) -> Vec<u8> {
    let digits = value.to_be_bytes();
    string(&digits[value.leading_zeros() as usize / 8..])
}

fn with_header(base: u8, content: &[u8]) -> Vec<u8> {
    let [high, low] = (content.len() as u16).to_be_bytes();
    let header = match content.len() {
        0..=55 => &[base + low][..],
        56..=255 => &[base + 56, low],
        _ => &[base + 57, high, low],
    };
    [header, content].concat()
}

//! Where the crate `rlp` 0.6 accepts what is not canonical RLP, or reads it wrongly
//!
//! This list is complete. Each entry says exactly for which bytes it holds, and how the crate reads them. So the
//! comparison also fails if a fault has been fixed. Panics have no function here: the comparison does not call the
//! crate in these cases, and the test `the_rlp_crate_panics_where_it_is_spared` shows that they still occur:
//!
//! - `Display` of an empty list, and of a string that is truncated
//! - `is_int` of a string that ends after its prefix
//! - `decode_list` of items that its type does not permit

use devp2p_proto::rlp::Reader;

/// The crate accepts a byte below 0x80 with a length in front of it as an item
///
/// This holds for `payload_info`, `data`, `at` and iteration. Reading it as a string or as an integer is an
/// error in the crate too. Returns the two bytes.
pub(super) fn byte_with_length(bytes: &[u8]) -> Option<&[u8]> {
    matches!(bytes, [0x81, 0..=0x7f, ..]).then(|| &bytes[..2])
}

/// The crate accepts a string of 1 to 55 bytes whose length is in the long form
///
/// This holds for `decode` and `as_val` of a string or an integer, which do not check the header. Returns the string.
pub(super) fn short_string_in_long_form(bytes: &[u8]) -> Option<&[u8]> {
    match bytes {
        [0xb8, len @ 1..=0x37, rest @ ..] => rest.get(..usize::from(*len)),
        _ => None,
    }
}

/// `is_int` looks only at the first byte, and so takes the byte zero for an integer
pub(super) const fn is_zero_byte(bytes: &[u8]) -> bool {
    matches!(bytes, [0, ..])
}

/// The items over which the crate iterates in a list with this content
///
/// It stops at the first malformed item, without an error.
pub(super) fn iterated(mut rest: &[u8]) -> impl Iterator<Item = &[u8]> + Clone {
    std::iter::from_fn(move || {
        let item = Reader::new(rest).raw().ok().or_else(|| byte_with_length(rest))?;
        rest = &rest[item.len()..];
        Some(item)
    })
}

/// The items over which the crate iterates if bytes follow the list
///
/// From the second item on, it takes these bytes as part of the list.
///
/// This holds for the first iteration over an `Rlp`. A second iteration over an empty list finds the bytes after it.
pub(super) fn iterated_beyond_the_end<'a>(
    content: &'a [u8],
    with_what_follows: &'a [u8],
) -> impl Iterator<Item = &'a [u8]> + Clone {
    let first = iterated(content).next();
    iterated(if first.is_some() { with_what_follows } else { content })
}

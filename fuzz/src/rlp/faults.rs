//! Where the crate `rlp` 0.6 accepts what is not canonical RLP, or reads it wrongly
//!
//! This is the whole list. Each entry names exactly the bytes for which it holds, and what the crate makes of
//! them, so the comparison also fails if a fault is gone. Faults that are panics have no function here: the
//! comparison does not ask the crate in these cases, and the test `the_rlp_crate_panics_where_it_is_spared`
//! shows that they are still there:
//!
//! - `Display` of an empty list, and of a string that is truncated
//! - `is_int` of a string of which only the prefix is there
//! - `decode_list` of items that its type does not permit

use devp2p_proto::rlp::Reader;

/// A byte below 0x80 that has a length in front of it is an item
///
/// This holds for `payload_info`, `data`, `at` and iteration. Reading it as a string or as an integer is an
/// error in the crate too. Returns the two bytes.
pub(super) fn byte_with_length(bytes: &[u8]) -> Option<&[u8]> {
    matches!(bytes, [0x81, 0..=0x7f, ..]).then(|| &bytes[..2])
}

/// A string of 1 to 55 bytes whose length is in the long form can be read
///
/// This holds for `decode` and `as_val` of a string or an integer, which do not check the header. Returns the string.
pub(super) fn short_string_in_long_form(bytes: &[u8]) -> Option<&[u8]> {
    match bytes {
        [0xb8, len @ 1..=0x37, rest @ ..] => rest.get(..usize::from(*len)),
        _ => None,
    }
}

/// The first byte alone makes `is_int` say that the byte zero is an integer
pub(super) const fn is_zero_byte(bytes: &[u8]) -> bool {
    matches!(bytes, [0, ..])
}

/// What the crate iterates over, in a list with this content: it stops without an error at the first malformed item
pub(super) fn iterated(mut rest: &[u8]) -> impl Iterator<Item = &[u8]> + Clone {
    std::iter::from_fn(move || {
        let item = Reader::new(rest).raw().ok().or_else(|| byte_with_length(rest))?;
        rest = &rest[item.len()..];
        Some(item)
    })
}

/// What the crate iterates over if bytes follow the list: from the second item on, they belong to the list
///
/// This holds for the first look at an `Rlp`. A second look at an empty list finds the bytes behind it.
pub(super) fn iterated_beyond_the_end<'a>(
    content: &'a [u8],
    with_what_follows: &'a [u8],
) -> impl Iterator<Item = &'a [u8]> + Clone {
    let first = iterated(content).next();
    iterated(if first.is_some() { with_what_follows } else { content })
}

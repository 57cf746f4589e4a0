//! Undefined memory: memcheck reports branches and addresses that depend on it

use crate::{request, tool};

const FIRST: usize = tool(*b"MC");
const MAKE_UNDEFINED: usize = FIRST + 1;
const MAKE_DEFINED: usize = FIRST + 2;
const GET_VALIDITY: usize = FIRST + 8;

/// Marks these bytes as undefined
pub fn make_undefined(bytes: &mut [u8]) {
    request(MAKE_UNDEFINED, [bytes.as_mut_ptr() as usize, bytes.len(), 0]);
}

/// Marks these bytes as defined
pub fn make_defined(bytes: &mut [u8]) {
    request(MAKE_DEFINED, [bytes.as_mut_ptr() as usize, bytes.len(), 0]);
}

/// How many of these bytes are at least partly undefined
pub fn count_undefined(bytes: &[u8]) -> usize {
    let mut validity = vec![0_u8; bytes.len()];
    request(GET_VALIDITY, [bytes.as_ptr() as usize, validity.as_mut_ptr() as usize, bytes.len()]);
    validity.iter().filter(|bits| **bits != 0).count()
}

//! Counts of instructions

use std::ffi::CString;

use crate::{request, tool};

const FIRST: usize = tool(*b"CT");
const ZERO_STATS: usize = FIRST + 1;
const DUMP_STATS_AT: usize = FIRST + 3;

/// Has callgrind count the instructions of `work`, and record them under this name
pub fn count(name: &str, work: impl FnOnce()) {
    let name = CString::new(name).expect("a name without zeros");
    request(ZERO_STATS, [0; 3]);
    work();
    request(DUMP_STATS_AT, [name.as_ptr() as usize, 0, 0]);
}

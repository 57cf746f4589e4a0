//! The reader and the writer of RLP, against the crate `rlp`
//!
//! The crate has faults, which `faults.rs` lists. In all other cases both must agree.

mod faults;
mod reading;
mod tree;
mod writing;

use crate::input::Input;

/// Reads `data` as RLP, or as the description of a structure that is written
pub fn rlp(data: &[u8]) {
    let mut input = Input::new(data);
    match input.byte() % 4 {
        0 => writing::check(&mut input),
        _ => reading::check(input.rest()),
    }
}

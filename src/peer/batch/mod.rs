//! Many links at the same time: one message to all of them, or the input that has come for each
//!
//! Most of the time of a link goes into one function, the permutation of Keccak. A processor with AVX2 or AVX-512 runs
//! it for four or eight links in about twice the time for one. [`write()`] and [`receive()`] do what the methods of
//! [`PeerState`](crate::PeerState) with these names do for each link, and run the permutations of the links side by
//! side. The bytes, the actions and the counters are those of the methods.
#![cfg_attr(any(doc, doctest), doc = "[The guide](crate::guide::many) shows when that helps.")]
//!
//! The permutation is chosen at run time, under `std`. Without `std`, the permutations run one after the other, and
//! [`write()`] still compresses only once.

mod receive;
mod write;

pub use crate::rlpx::Occupancy;
pub use receive::receive;
pub use write::write;

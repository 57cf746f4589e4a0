//! Many links at the same time: one message to all of them, or what has come for each
//!
//! Most of the time of a link goes into one function, the permutation of Keccak. A processor with AVX2 or AVX-512 runs it
//! for four or eight links in about twice the time for one. [`write()`] and [`receive()`] do what the methods of
//! [`PeerState`](crate::PeerState) with these names do for each link, and run the permutations of the links side by side.
//! The bytes, the actions and the counters are those of the methods.
#![cfg_attr(any(doc, doctest), doc = "[The guide](crate::guide::many) shows when that helps.")]
//!
//! The permutations are chosen at run time, under `std`. Otherwise the links take their turns, and
//! [`write()`] still compresses only once.

mod receive;
mod write;

pub use crate::rlpx::Occupancy;
pub use receive::receive;
pub use write::write;

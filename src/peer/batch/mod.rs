//! Many links at the same time: one message to all of them, or what has come for each
//!
//! Most of the time of a link goes into one function, the permutation of Keccak. A processor with vector instructions runs
//! it for four or eight links in little more than the time for one. These two functions do what
//! [`PeerState::write`] and [`PeerState::receive`] do for each link, and run the permutations of the links together. The
//! bytes, the actions and the counters are the same as with the methods. [The guide](crate::guide::many) shows when they help.
//!
//! `std` chooses the permutation at run time, for AVX-512 and AVX2. Without it, the links take their turns one after the
//! other, and [`write()`] still compresses only once.

mod receive;
mod write;

pub use crate::rlpx::Occupancy;
pub use receive::receive;
pub use write::write;

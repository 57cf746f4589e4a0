//! Ethereum: what its messages say, and whether what they bring is true
//!
//! - [`message`], [`status`]: messages as types of the `rlp` crate
//! - [`header`], [`body`], [`receipt`], [`trie`]: blocks and state, checked down to their roots
//! - [`answer`]: how many of these one answer may have
//! - [`store`], [`serve`]: blocks that are kept, and answers from them
//! - [`chain`], [`genesis`], [`fork`]: which chain a node is on
//!
//! What is done with them is the program `eth`.

pub mod answer;
pub mod body;
pub mod chain;
pub mod fork;
pub mod genesis;
pub mod hash;
pub mod header;
pub mod message;
pub mod receipt;
pub mod serve;
pub mod status;
pub mod store;
pub mod trie;

//! The base protocol, as pure functions over bytes (rlpx.md §"p2p" Capability)

pub(crate) mod capability;
pub(crate) mod disconnect;
pub(crate) mod hello;
pub(crate) mod message;

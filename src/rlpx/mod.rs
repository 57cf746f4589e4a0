//! RLPx: the encrypted transport of a link (rlpx.md of the devp2p specifications)
//!
//! Knows nothing of Hello or of protocols: [`handshake`] turns two packets into a [`frame::Session`]
//! and that seals and opens frames in place.

mod curve;
pub(crate) mod ecies;
mod entropy;
pub(crate) mod frame;
pub(crate) mod handshake;
mod keccak;
mod key;
mod mac;
mod secrets;

#[cfg(test)]
mod tests;

pub use entropy::Entropy;
pub use keccak::keccak256;
pub use key::{InvalidSecretKey, SecretKey};

//! RLPx: the encrypted transport of a link (rlpx.md of the devp2p specifications)
//!
//! Knows nothing of Hello or of protocols: [`handshake`] turns two packets into a [`frame::Session`],
//! and the session seals and opens frames in place.

mod curve;
mod ecies;
mod entropy;
pub(crate) mod frame;
pub(crate) mod handshake;
mod key;
pub(crate) mod lanes;
mod mac;
mod occupancy;
mod refusal;
mod secrets;

#[cfg(test)]
mod tests;

pub(crate) use ecies::{MAX_PACKET, MIN_PREFIX, PREFIX, check_key_form, packet_len};
pub use entropy::Entropy;
pub(crate) use handshake::MAX_SENT;
pub use key::{InvalidSecretKey, SecretKey};
pub use occupancy::Occupancy;
pub(crate) use refusal::Refusal;

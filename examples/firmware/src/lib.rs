//! What the images share: time, randomness, the driver's loop, and the session with geth
#![no_std]

mod clock;
mod drive;
mod entropy;
mod logger;
pub mod node;
mod panic;
mod register;
mod script;
pub mod stack;

#[cfg(feature = "mps2-an386")]
pub mod mps2;

pub use clock::Clock;
pub use drive::{Application, Transport, drive};
pub use entropy::{NoEntropy, fill_random};
pub use script::{BULK, ECHO, MAX_MESSAGE, PROTOCOLS, Script};

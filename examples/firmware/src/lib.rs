//! What the images share: time, randomness, the driver's loop, and the session with geth
#![no_std]

#[cfg(feature = "async")]
pub mod asynchronous;
mod clock;
mod drive;
mod entropy;
pub mod eth;
#[cfg(feature = "async")]
pub mod executor;
mod logger;
pub mod node;
mod panic;
mod register;
mod script;
pub mod stack;

#[cfg(feature = "lm3s6965evb")]
pub mod lm3s;
#[cfg(feature = "lm3s6965evb")]
pub mod tcp;

#[cfg(feature = "mps2-an386")]
pub mod mps2;

pub use clock::Clock;
pub use drive::{Application, Awaited, Transport, drive};
pub use entropy::{EntropyError, Generator, Source, fill_random};
pub use script::{BULK, ECHO, MAX_MESSAGE, PROTOCOLS, Script};

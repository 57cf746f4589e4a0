//! How to fuzz a subprotocol: two nodes that speak `pages/1`, and a network that misbehaves
//!
//! A node asks another node for pages of a book. The bytes of the fuzzer decide what the first node asks, how the
//! network and the drivers behave meanwhile, and whether one of the nodes is hostile. The two links are those of
//! `devp2p-testing` in virtual time. [`run`] is one execution.
//!
//! To fuzz a protocol of your own, replace `message.rs`, `reader.rs` and `library.rs` with your protocol, and write the
//! operations and the assertions in `run.rs` for it.
#![forbid(unsafe_code)]

mod input;
mod library;
mod message;
mod reader;
mod run;

pub use library::Flush;
pub use run::run;

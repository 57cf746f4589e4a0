//! A remote that sends what a test tells it to send, valid or not
//!
//! [`Scene`] is one node and the remote. [`Handshake`], [`Session`] and [`Hello`] are the parts of the
//! remote, for tests that have a connection of their own.
//!
//! The remote does not use the RLPx of `devp2p-proto`. It has one of its own, written from the
//! specification in the plainest way, on top of other crates (`sha3`, `snap`, `rlp`) where
//! `devp2p-proto` has code of its own. So each test with this remote also checks the two
//! implementations against each other.
//!
//! Its functions panic on whatever a test would not expect, such as a wrong MAC from the node.

mod ecies;
mod handshake;
mod message;
mod scene;
mod session;

pub use ecies::seal_packet;
pub use handshake::Handshake;
pub use message::{DISCONNECT, HELLO, Hello, PING, PONG, body, compressed};
pub use scene::{LINK, REMOTE, Scene, initiator, recipient};
pub use session::Session;

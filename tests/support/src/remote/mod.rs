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
//! Its functions panic when the node sends something that is not valid, such as a frame with a wrong
//! MAC.
//!
//! ```
//! use devp2p_proto::{Cause, Violation};
//! use devp2p_testing::remote::{DISCONNECT, PING, PONG, Scene};
//!
//! let mut scene = Scene::running();
//! scene.send(PING, &[0xc0]);
//! assert_eq!(scene.received, [(PONG, vec![0xc0])]);
//!
//! // Message ids from 0x10 to 0x16 belong to the two protocols. No protocol has 0x17.
//! scene.send(0x17, b"");
//! assert_eq!(scene.node.link.cause(), Some(Cause::Violation(Violation::UnknownMessageId(0x17))));
//! assert_eq!(scene.received.last().unwrap().0, DISCONNECT);
//! ```

mod ecies;
mod handshake;
mod message;
mod scene;
mod session;

pub use ecies::{seal_packet, seal_packet_with};
pub use handshake::Handshake;
pub use message::{DISCONNECT, HELLO, Hello, PING, PONG, body, compressed};
pub use scene::{LINK, REMOTE, Scene, initiator, recipient};
pub use session::Session;

//! Ethereum's devp2p on `tokio`: a node whose subprotocols are async functions
//!
//! A [`Subprotocol`] is written as one function. The [`Node`] accepts and dials links, and runs the function on each
//! link whose peer also has the protocol:
//!
//! ```no_run
//! use devp2p_proto::{DisconnectReason, Protocol, ProtocolError};
//! use devp2p_tokio::{Io, Message, Node, Peer, RawMessage, Subprotocol, random_key};
//!
//! #[derive(Debug)]
//! struct Line(String);
//!
//! impl Message for Line {
//!     fn into_raw(self) -> RawMessage {
//!         RawMessage::rlp(0, &self.0)
//!     }
//!
//!     fn from_raw(raw: RawMessage) -> Result<Self, ProtocolError> {
//!         raw.decode().map(Self)
//!     }
//! }
//!
//! struct Chat;
//!
//! impl Subprotocol for Chat {
//!     const PROTOCOL: Protocol<'static> = Protocol::new("chat", 1, 1);
//!     type Message = Line;
//!
//!     async fn run(self, peer: Peer, mut io: Io<Line>) -> Result<(), ProtocolError> {
//!         io.send(Line("hello".to_string())).await?;
//!         while let Some(Line(text)) = io.recv().await? {
//!             println!("{}: {text}", peer.client_id());
//!         }
//!         Ok(())
//!     }
//! }
//!
//! #[tokio::main(flavor = "current_thread")]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let node = Node::builder(random_key()?, "me/1.0").protocol(|| Chat).listen("127.0.0.1:30303").await?;
//!     let link = node.dial("enode://…@127.0.0.1:30304".parse()?);
//!     println!("{}", link.await?);
//!     node.shutdown(DisconnectReason::CLIENT_QUITTING).await;
//!     Ok(())
//! }
//! ```
//!
//! # How a link ends
//!
//! - A protocol that returns ends the link; what the protocol has sent before leaves first. Its outcome decides the
//!   reason.
//! - A protocol that panics ends its link, as one that fails with [`ProtocolError::Other`], and nothing else.
//! - [`Peer::disconnect`] ends one link, and [`Node::shutdown`] ends all of them. The peer is told the reason.
//! - If two nodes dial each other at once, both keep the link that the node with the smaller id has dialled.
//! - As soon as the link has a reason to end, [`Io::recv`] gives what has come and then `None`, [`Io::send`] fails, and
//!   the peer is no longer listed. When the link has ended, a protocol has a second to return.
//! - When the last clone of the [`Node`] is dropped, all of its tasks are dropped, too.
//!
//! # What a link may cost
//!
//! Each protocol of a link has two queues that are bounded in bytes ([`Builder::queue`]), each with room for one
//! message beyond its limit. A protocol that is slow to receive stops the input of its link, and a peer that is slow to
//! receive stops the protocol's [`Io::send`]. So a link holds at most one large message in each queue and one in the
//! link itself.
//!
//! [`ProtocolError::Other`]: devp2p_proto::ProtocolError::Other

mod alarm;
mod bell;
mod contained;
mod control;
mod driver;
mod ending;
mod io;
mod message;
mod node;
mod peer;
mod queue;
mod running;
mod stream;
mod subprotocol;

pub use contained::Run;
pub use control::{Commands, Control, control};
pub use driver::{Driver, Host, QUEUE};
pub use io::{Closed, Io, Receiver, Sender};
pub use message::{Message, RawMessage};
pub use node::{BuildError, Builder, Candidate, LinkError, LinkHandle, Node, random_key};
pub use peer::Peer;
pub use subprotocol::Subprotocol;

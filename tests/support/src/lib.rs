//! Tests of devp2p subprotocols, without sockets and without waiting
//!
//! A test has two nodes, the bytes between them and a clock that is a number. An hour of virtual
//! time takes milliseconds, and a test does the same every time it runs.
//!
//! * [`Pair`] is two nodes that are connected to each other. Use it to test a subprotocol.
//! * [`schedule`] runs a pair through random operations: writes, stalls, partial reads, endings and
//!   corrupted bytes. Use it for property tests.
//! * [`remote`] is one node and a scripted remote. The remote has its own implementation of RLPx and
//!   sends what a test tells it to send, valid or not. Use it to test how a node answers a peer that
//!   breaks the protocol.
//!
//! # A subprotocol with two nodes
//!
//! The subprotocol `clock/1` has two messages. Code 0 asks for the time, and code 1 is the answer.
//!
//! ```
//! use std::time::Duration;
//!
//! use devp2p_proto::{Cause, DisconnectReason, Instant, PeerState, Protocol, ProtocolId};
//! use devp2p_testing::{Pair, Seen, config};
//!
//! const CLOCK: ProtocolId = ProtocolId(0);
//! const ASK: u64 = 0;
//! const ANSWER: u64 = 1;
//!
//! /// The subprotocol that is tested: it answers each question
//! fn serve(link: &mut PeerState<'_>, now: Instant, seen: &Seen) {
//!     match seen {
//!         Seen::Deliver(CLOCK, ASK, _) => {
//!             let time = now.as_millis().to_be_bytes();
//!             link.write(now, CLOCK, ANSWER, &time).expect("the share takes one answer");
//!         }
//!         Seen::Deliver(..) => link.disconnect(now, DisconnectReason::BREACH_OF_PROTOCOL),
//!         _ => {}
//!     }
//! }
//!
//! let protocols = [Protocol::new("clock", 1, 2)];
//! let mut pair = Pair::new(&config(1, &protocols), &config(2, &protocols));
//! pair.recipient.react(serve);
//! pair.settle(); // handshake and Hello
//!
//! // Nothing happens for a minute. The two nodes ping each other.
//! pair.advance(Duration::from_secs(60));
//! pair.initiator.link.write(pair.now, CLOCK, ASK, b"").unwrap();
//! pair.settle();
//! let answer = (CLOCK, ANSWER, 60_000_u64.to_be_bytes().to_vec());
//! assert_eq!(pair.initiator.delivered(), [answer]);
//!
//! // The network takes no bytes of the answers for ten seconds.
//! pair.to_initiator.capacity = 0;
//! pair.initiator.link.write(pair.now, CLOCK, ASK, b"").unwrap();
//! pair.advance(Duration::from_secs(10));
//! assert_eq!(pair.initiator.delivered().len(), 1);
//! pair.to_initiator.capacity = usize::MAX;
//! pair.settle();
//! assert_eq!(pair.initiator.delivered().len(), 2);
//!
//! // Nobody asked for this answer.
//! pair.initiator.link.write(pair.now, CLOCK, ANSWER, b"").unwrap();
//! pair.settle();
//! let breach = DisconnectReason::BREACH_OF_PROTOCOL;
//! assert_eq!(pair.causes(), (Some(Cause::Remote(breach)), Some(Cause::Local(breach))));
//! ```
//!
//! # Features
//!
//! `proptest` (default) adds the strategies of [`schedule`].
#![forbid(unsafe_code)]
#![deny(missing_docs, rustdoc::broken_intra_doc_links)]

mod fixtures;
mod node;
mod pair;
mod pipe;
pub mod remote;
pub mod schedule;

pub use fixtures::{ALPHA, BETA, PROTOCOLS, config, entropy, key, noise, slots};
pub use node::{Node, Seen, observe};
pub use pair::Pair;
pub use pipe::Pipe;

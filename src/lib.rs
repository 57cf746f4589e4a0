//! One peer link of Ethereum's devp2p, as a state machine that does no IO
//!
//! A [`PeerState`] is the link between two nodes: the RLPx handshake and encryption, the `p2p` base
//! protocol (Hello, Disconnect, Ping, Pong), the matching of capabilities, and any number of
//! subprotocols (`eth`, `snap`, your own) side by side on one connection. Events go in, actions come
//! out. It opens no socket, reads no clock, draws no random number, spawns nothing and never blocks,
//! so that a TCP loop, an async executor, an interrupt handler and a fuzzer drive the same code and
//! see the same behaviour.
//!
//! It does no discovery, no dialling policy, no peer table and no chain.
//!
//! # The run loop
//!
//! This is a whole driver, for one link on one blocking socket. The numbers are those of the
//! comments.
//!
//! 1. Do what the link asks for, until it asks for nothing more. `Send` is offered again until
//!    [`sent`](PeerState::sent) covers it; leave the loop there if the socket is full.
//! 2. Wait for bytes, but only until [`next_timeout`](PeerState::next_timeout).
//! 3. Give the link what came. It takes at most one message at a time, so that nothing piles up
//!    inside: what it leaves is offered again once its actions are done.
//! 4. Let time pass.
//!
//! ```no_run
//! use std::io::{BufRead, BufReader, ErrorKind, Write};
//! use std::net::TcpStream;
//!
//! use devp2p_proto::{Action, Cause, Instant, PeerState};
//!
//! fn drive(mut link: PeerState<'_>, socket: &TcpStream) -> std::io::Result<Cause> {
//!     let (mut input, mut output) = (BufReader::new(socket), socket);
//!     let clock = std::time::Instant::now();
//!     let now = || Instant::from(clock.elapsed());
//!     loop {
//!         // 1. Do what the link asks for.
//!         while let Some(action) = link.poll() {
//!             match action {
//!                 Action::Authenticated(id) => println!("{id} has proven its key"), // or link.disconnect(..)
//!                 Action::Ready(ready) => println!("talking to {}", ready.hello().client_id()),
//!                 Action::Deliver { protocol, code, payload } => println!("{protocol}: {code}, {payload:?}"),
//!                 Action::Send(bytes) => match output.write(bytes) {
//!                     Ok(len) => link.sent(now(), len).expect("no more than was offered"),
//!                     Err(_) => link.send_failed(now()),
//!                 },
//!                 Action::Disconnect(cause) => return Ok(cause),
//!                 _ => {} // `Writable`: try again what was refused as `Full`
//!             }
//!         }
//!         // 2. Wait for bytes, at most until the link wants to be woken.
//!         let patience = link.next_timeout().map(|at| at.saturating_since(now()).max(MILLISECOND));
//!         socket.set_read_timeout(patience)?;
//!         // 3. Give the link what came.
//!         match input.fill_buf() {
//!             Ok([]) => link.receive_closed(now()),
//!             Ok(bytes) => {
//!                 let taken = link.receive(now(), bytes);
//!                 input.consume(taken);
//!             }
//!             Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
//!             Err(_) => link.receive_closed(now()),
//!         }
//!         // 4. Let time pass.
//!         link.handle_timeout(now());
//!     }
//! }
//! # const MILLISECOND: std::time::Duration = std::time::Duration::from_millis(1);
//! ```
//!
//! It writes while the socket takes what it is given. A driver whose peer may be as stubborn as
//! itself must not wait for its writes without reading: see the guide on drivers, and the examples
//! `blocking`, `epoll`, `tokio` and `smol`.
//!
//! What makes the link, on either side of a connection:
//!
//! ```
//! # #[cfg(not(feature = "alloc"))] fn main() {}
//! # #[cfg(feature = "alloc")] fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let secret = [7; 32];
//! # let draw = |bytes: &mut [u8]| bytes.iter_mut().enumerate().for_each(|(i, byte)| *byte = i as u8);
//! # let now = devp2p_proto::Instant::ZERO;
//! # let remote = devp2p_proto::SecretKey::from_bytes([8; 32])?.node_id();
//! use devp2p_proto::{Buffers, Config, Entropy, PeerState, Protocol, SecretKey};
//!
//! let protocols = [Protocol::new("eth", 68, 17), Protocol::new("snap", 1, 8)];
//! let config = Config::new(SecretKey::from_bytes(secret)?, "my-node/1.0", &protocols)?;
//!
//! let dialled = PeerState::initiator(now, &config, remote, Entropy::from_rng(draw), Buffers::growable())?;
//! let accepted = PeerState::recipient(now, &config, Entropy::from_rng(draw), Buffers::growable())?;
//! # Ok(())
//! # }
//! ```
//!
//! # Writing
//!
//! [`write`](PeerState::write) takes all of a message or nothing, and seals it at once. A refusal is
//! a [`WriteError`] that changes nothing; after `Full`, [`Action::Writable`] says when to try again,
//! in the order in which protocols were refused. Room for Ping, Pong and Disconnect is always kept
//! free.
//!
//! # Backpressure
//!
//! A driver whose protocol has no room for another message keeps the one it was handed, calls
//! [`hold_input`](PeerState::hold_input), and stops calling [`receive`](PeerState::receive): TCP does
//! the rest, and the peer is not timed out meanwhile. It must not stop reading because its own
//! socket is full, or two peers whose sockets are both full would wait for each other.
//!
//! # Endings
//!
//! However a link ends, [`Action::Disconnect`] comes exactly once and last, with a [`Cause`]: who
//! ended it, and why. A failure is an action and not an error of the input that led to it, so that
//! `?` cannot lose the Disconnect frame on its way to the peer.
//!
//! # Guides
//!
//! How to write a driver, write a subprotocol, run without an allocator and test in virtual time, and a
//! map for those who know go-ethereum's `p2p`: the `guide` module of this documentation.
//!
//! # Features
//!
//! | feature | what it adds |
//! |---|---|
//! | none | the whole link in memory of the caller's, without an allocator |
//! | `alloc` | buffers that grow and shrink, payloads as `bytes::Bytes`, messages through `rlp` |
//! | `std` (default) | `alloc`, and faster cryptography |
//! | `log` | events of the link through `log` |
//! | `defmt` | `Format` for all types, and on bare metal the events through `defmt` |
//! | `serde` | [`PeerInfo`] and [`NodeInfo`] as geth's JSON |
//!
//! # Panics
//!
//! None: no sequence of calls and no bytes from a peer make this crate panic.
#![no_std]
#![cfg_attr(not(feature = "std"), forbid(unsafe_code))]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![deny(missing_docs, missing_debug_implementations, unreachable_pub, rustdoc::broken_intra_doc_links)]
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]
#![cfg_attr(
    not(test),
    deny(
        clippy::arithmetic_side_effects,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::panic_in_result_fn,
        clippy::string_slice,
        clippy::todo,
        clippy::unimplemented,
        clippy::unreachable,
        clippy::unwrap_in_result,
        clippy::unwrap_used
    )
)]

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(any(feature = "std", test))]
extern crate std;

mod error;
mod fmt;
#[cfg(any(doc, doctest))]
pub mod guide;
mod node_id;
mod p2p;
mod peer;
mod protocol;
mod reason;
mod rlpx;
mod time;
mod wire;

pub use error::{Cause, ConfigError, ProtocolError, Refused, SnappyError, Timeout, Violation, WriteError};
pub use node_id::{NodeHash, NodeId, ParseNodeIdError};
pub use peer::*;
pub use protocol::{Capability, Name, ProtocolId};
pub use reason::DisconnectReason;
pub use rlpx::{Entropy, InvalidSecretKey, SecretKey, keccak256};
pub use time::Instant;
pub use wire::rlp;

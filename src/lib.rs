//! One peer link of Ethereum's devp2p, as a state machine that does no IO
//!
//! A [`PeerState`] is the link between two nodes: the RLPx handshake and encryption, the `p2p` base
//! protocol (Hello, Disconnect, Ping, Pong), the matching of capabilities, and any number of
//! subprotocols (`eth`, `snap`, your own) side by side on one connection. Events go in, actions come
//! out. The link opens no socket, reads no clock, draws no random number and spawns no task. It never
//! blocks. A TCP loop, an async executor, an interrupt handler and a fuzzer drive the same code, and
//! it behaves the same under each of them.
//!
//! The crate has no discovery, no dialling policy, no peer table and no chain.
//!
//! # The run loop
//!
//! This is a complete driver for one link on one blocking socket. It echoes every message. The
//! comments in the code have the numbers of this list.
//!
//! 1. Do what the link asks for, until it asks for nothing more. `Send` is offered again until
//!    [`sent`](PeerState::sent) covers its bytes. If the socket is full, leave the inner loop.
//! 2. Wait for bytes, but only until [`next_timeout`](PeerState::next_timeout).
//! 3. Give the link the bytes that came, if it [wants input](PeerState::wants_input). The link takes
//!    at most one message at a time. Offer the remaining bytes again after the next actions.
//! 4. Tell the link the time.
//!
//! ```no_run
//! # #[cfg(not(feature = "alloc"))] fn main() {}
//! # #[cfg(feature = "alloc")] mod example {
//! use std::io::{self, BufRead, BufReader, ErrorKind, Write};
//! use std::net::TcpStream;
//! use std::sync::atomic::{AtomicBool, Ordering};
//! use std::time::Duration;
//!
//! use devp2p_proto::{Action, Cause, DisconnectReason, Instant, Outbox, PeerState, ProtocolId};
//!
//! const CHAT: ProtocolId = ProtocolId(0);
//!
//! fn drive(mut link: PeerState<'_>, socket: &TcpStream, stop: &AtomicBool) -> io::Result<Cause> {
//!     // A full socket must not keep the loop from reading.
//!     socket.set_write_timeout(Some(Duration::from_millis(10)))?;
//!     let (mut input, mut output) = (BufReader::new(socket), socket);
//!     let mut outbox = Outbox::new(CHAT, 1 << 20);
//!     let clock = std::time::Instant::now();
//!     let now = || Instant::from(clock.elapsed());
//!     loop {
//!         if stop.load(Ordering::Relaxed) {
//!             link.disconnect(now(), DisconnectReason::CLIENT_QUITTING);
//!         }
//!         // 1. Do what the link asks for.
//!         while let Some(action) = link.poll() {
//!             match action {
//!                 Action::IdentityClaimed(id) => println!("{id}"), // or link.disconnect(..)
//!                 Action::Ready(ready) => println!("{}", ready.hello().client_id()),
//!                 Action::Deliver { code, payload, .. } => {
//!                     // `payload` borrows the link, so the reply is copied before `write`.
//!                     let reply = payload.to_vec();
//!                     let sent = outbox.send(code, &reply, |protocol, code, reply| {
//!                         link.write(now(), protocol, code, reply)
//!                     });
//!                     if sent.is_err() {
//!                         link.disconnect(now(), DisconnectReason::SUBPROTOCOL);
//!                     }
//!                 }
//!                 Action::Writable(_) => {
//!                     _ = outbox.flush(|protocol, code, reply| {
//!                         link.write(now(), protocol, code, reply)
//!                     });
//!                 }
//!                 Action::Send(bytes) => match output.write(bytes) {
//!                     Ok(len) => link.sent(now(), len).expect("no more than was offered"),
//!                     Err(error) if error.kind() == ErrorKind::Interrupted => {}
//!                     Err(error) if is_timeout(&error) => break,
//!                     Err(_) => link.send_failed(now()),
//!                 },
//!                 Action::Disconnect(cause) => return Ok(cause),
//!                 _ => {}
//!             }
//!         }
//!         // 2. Wait for bytes, until the next timeout, or until `stop` has to be checked.
//!         let wake = link.next_timeout().map_or(Duration::MAX, |at| at.saturating_since(now()));
//!         socket.set_read_timeout(Some(wake.clamp(SHORTEST_WAIT, LONGEST_WAIT)))?;
//!         // 3. Give the link the bytes that came.
//!         if link.wants_input() {
//!             match input.fill_buf() {
//!                 Ok([]) => link.receive_closed(now()),
//!                 Ok(bytes) => {
//!                     let taken = link.receive(now(), bytes);
//!                     input.consume(taken);
//!                 }
//!                 Err(error) if error.kind() == ErrorKind::Interrupted => {}
//!                 Err(error) if is_timeout(&error) => {}
//!                 Err(_) => link.receive_closed(now()),
//!             }
//!         }
//!         // 4. Tell the link the time.
//!         link.handle_timeout(now());
//!     }
//! }
//!
//! fn is_timeout(error: &io::Error) -> bool {
//!     matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
//! }
//!
//! const SHORTEST_WAIT: Duration = Duration::from_millis(1);
//! const LONGEST_WAIT: Duration = Duration::from_millis(250);
//! # }
//! # #[cfg(feature = "alloc")] fn main() {}
//! ```
//!
//! With the feature `std`, a [`Connection`] does these steps on any socket that implements `Read` and
//! `Write` and does not block; the loop is left with its sockets and timers. The examples `blocking`,
//! `epoll`, `tokio` and `smol` are drivers for many links.
//!
//! A link has two constructors, one for each side of a connection:
//!
//! ```
//! # #[cfg(not(feature = "alloc"))] fn main() {}
//! # #[cfg(feature = "alloc")] fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let secret = [7; 32];
//! # let draw = |bytes: &mut [u8]| (0..).zip(bytes).for_each(|(i, byte): (u8, _)| *byte = i);
//! # let now = devp2p_proto::Instant::ZERO;
//! # let remote = devp2p_proto::SecretKey::from_bytes([8; 32])?.node_id();
//! use devp2p_proto::{Buffers, Config, Entropy, PeerState, Protocol, SecretKey};
//!
//! let protocols = [Protocol::new("eth", 69, 18), Protocol::new("snap", 1, 8)];
//! let config = Config::new(SecretKey::from_bytes(secret)?, "my-node/1.0", &protocols)?;
//! let entropy = || Entropy::from_rng(draw);
//!
//! let dialled =
//!     PeerState::initiator(now, &config, remote, entropy(), Buffers::growable())?;
//! let accepted = PeerState::recipient(now, &config, entropy(), Buffers::growable())?;
//! # Ok(())
//! # }
//! ```
//!
//! # Writing
//!
//! [`write`](PeerState::write) takes a complete message and seals it at once, or refuses it. A refusal
//! is a [`WriteError`] and changes nothing. The unsent bytes of one protocol never keep another
//! protocol from writing: each shared protocol has a share of the transmit buffer. After `Full`,
//! [`Action::Writable`] says when the protocol can write again. The link then accepts its next message,
//! however late the protocol writes it. There is always capacity for Ping, Pong and Disconnect.
//! `Outbox`, under the feature `alloc`, keeps messages that were refused.
//!
//! # Backpressure
//!
//! A driver that cannot take another message calls [`hold_input`](PeerState::hold_input) and continues
//! its loop. The link still answers Pings, and `poll` gives every action except `Deliver`. Once the next
//! message is complete, the link takes no more input, TCP slows the peer down, and the peer is not timed
//! out. A driver must not stop reading because its own socket is full: two peers whose sockets are
//! both full would wait for each other forever. In the same way, a protocol that handles no messages
//! until its own messages are written can deadlock with a peer that does the same.
//!
//! # Messages that are too large
//!
//! A message from the peer that is larger than its limit ends the link, before it is decompressed.
//! A protocol can skip such messages instead, with [`Protocol::skip_larger`]: [`Action::Skipped`] comes
//! once for each, and the link continues. Limits are set for the node ([`Config::with_max_message`]), for
//! a protocol ([`Protocol::with_max_message`]) and for a message code ([`Protocol::with_code_limits`]).
//! The limit of a code replaces that of its protocol; the limit of the node applies to all.
//!
//! # Endings
//!
//! However a link ends, [`Action::Disconnect`] comes exactly once, as the last action, with a
//! [`Cause`]: who ended it, and why. This action reports every failure. The call that caused a failure
//! does not return an error, so `?` in a driver cannot drop a Disconnect that is still unsent. Messages
//! that were accepted for sending leave before our Disconnect.
//!
//! # When the peer's identity is known
//!
//! | moment | what is known |
//! |---|---|
//! | accept | only the address: refuse the connection here if the key does not matter |
//! | [`Action::IdentityClaimed`] | the id that the peer claims. It may be the id of another node: anybody can replay a recorded auth, and anybody can encrypt an ack to us. Refuse ids here, but do not trust them |
//! | [`Action::Ready`] | the id is proven, and the owner of the id has written the Hello |
//! | [`Action::Disconnect`] | [`is_remote_proven`](PeerState::is_remote_proven) says whether you may blame the owner of the id for the cause |
//!
//! # What the encryption protects
//!
//! RLPx keeps a third party from changing or forging messages. It does not keep messages secret from an
//! observer who records both directions. Both directions are encrypted with one key and one keystream
//! (rlpx.md §Known Issues), so known bytes of one direction reveal the bytes at the same positions of
//! the other. Everybody who has dialled a node knows its Hello. The network can see which node is
//! dialled, and a recorded auth can be replayed. Do not send secrets over a link.
//!
//! # Guides
//!
//! - [`guide::driver`]: put the link into an event loop of your own
//! - [`guide::subprotocol`]: speak a protocol of your own over it
//! - [`guide::no_alloc`]: run it in memory of your own
//! - [`guide::recipes`]: cap a link's bandwidth, refuse early, count endings, keep one of two links
//! - [`guide::many`]: send one message to many links, and feed many links, at a lower cost
//! - [`guide::testing`]: test your protocol in virtual time, and fuzz it
//! - [`guide::cost`]: what a link costs in memory, stack and time
//! - [`guide::stability`]: what stays the same from version to version
//! - [`guide::geth`]: what corresponds to each part of go-ethereum's `p2p`
//!
//! # Features
//!
//! | feature | what it adds |
//! |---|---|
//! | none | the whole link in the caller's memory, without an allocator |
//! | `alloc` | buffers that grow and shrink, payloads as `bytes::Bytes`, `Outbox` |
//! | `rlp` (default until 1.0) | `alloc`, and messages through the `rlp` crate, re-exported as `rlp06` |
//! | `std` (default) | `alloc`, `Connection`, and faster cryptography |
//! | `log` | events of the link through `log` |
//! | `defmt` | `Format` for all types but those that own memory or a link, and on bare metal the events through `defmt` |
//! | `serde` | [`PeerInfo`] and [`NodeInfo`] as geth's JSON, and [`Cause`] |
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
#[cfg(any(feature = "std", feature = "__internal", test))]
extern crate std;

#[cfg(all(doctest, feature = "std"))]
#[doc = include_str!("../README.md")]
struct Readme;

mod cause;
#[cfg(feature = "std")]
mod connection;
mod disclosed;
mod enode;
mod error;
#[cfg(any(doc, doctest))]
pub mod guide;
mod invariant;
mod keccak;
mod logging;
mod node_id;
#[cfg(feature = "alloc")]
mod outbox;
mod p2p;
mod peer;
mod protocol;
mod reason;
mod rlpx;
mod time;
mod violation;
mod wipe;
mod wire;

#[cfg(feature = "rlp")]
pub use ::rlp as rlp06;
pub use cause::{Cause, ProtocolError, Timeout};
#[cfg(feature = "std")]
pub use connection::{Connection, Link, Notice, Out, Party, Turn};
pub use enode::{Enode, ParseEnodeError};
pub use error::{ConfigError, NotShared, PingError, Refused, SentTooMuch, StartError, WriteError};
pub use keccak::keccak256;
pub use node_id::{NodeHash, NodeId, ParseNodeIdError};
#[cfg(feature = "alloc")]
pub use outbox::Outbox;
pub use peer::batch;
#[cfg(feature = "__internal")]
#[doc(hidden)]
pub use peer::internal;
#[cfg(fuzzing)]
#[doc(hidden)]
pub use peer::past_handshake;
pub use peer::{
    Action, Buffers, Config, Counters, Direction, Event, Handled, Liveness, MAX_CLIENT_ID, MAX_CODE_LIMITS,
    MAX_MESSAGE, MAX_PROTOCOLS, MIN_MESSAGE, MessageEvent, Network, NodeInfo, NotStarted, Payload, PeerInfo, PeerState,
    Protocol, ProtocolInfo, ProtocolSlot, Ready, RemoteHello, Role, SharedProtocol, Stage, Timeouts, Timer, Traffic,
};
pub use protocol::{Capability, Name, ParseCapabilityError, ProtocolId};
pub use reason::DisconnectReason;
pub use rlpx::{Entropy, InvalidSecretKey, SecretKey};
pub use time::Instant;
pub use violation::Violation;
pub use wire::rlp;
pub use wire::snappy::SnappyError;

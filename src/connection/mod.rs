//! A link together with what every event loop keeps beside it

mod many;
mod out;
mod turn;

use core::fmt;
use std::vec::Vec;

use bytes::Bytes;

use crate::cause::Cause;
use crate::error::Refused;
use crate::node_id::NodeId;
use crate::outbox::Outbox;
use crate::peer::{Action, Event, Handled, PeerState};
use crate::protocol::ProtocolId;
use crate::time::Instant;
use core::time::Duration;
pub use many::Party;
pub use out::Out;

/// A link, the rest of its input, and an outbox for each protocol: what every event loop needs
///
/// A loop calls [`turn`](Self::turn) when the socket is ready, or when the link's next timeout has come. A turn
/// reads, gives the input to the link, tells the application what follows from it, and writes. The loop then waits
/// for what [`Turn::Wait`] names. The socket and the time are arguments of each turn.
///
/// A loop that needs other steps uses [`PeerState`] itself.
///
/// `L` is the link: a [`PeerState`], or a wrapper around it that sees all events and actions.
///
/// A loop that echoes every message:
///
/// ```no_run
/// use std::io;
/// use std::net::TcpStream;
/// use std::time::Duration;
///
/// use devp2p_proto::{Cause, Connection, DisconnectReason, Instant, Notice, PeerState, Turn};
///
/// # fn wait(_: &TcpStream, _: bool, _: bool, _: Option<Duration>) -> io::Result<()> { Ok(()) }
/// fn drive(link: PeerState<'static>, mut socket: TcpStream) -> io::Result<Cause> {
///     socket.set_nonblocking(true)?;
///     let mut connection = Connection::new(link, 1 << 20);
///     let mut buffer = vec![0; 64 * 1024];
///     let clock = std::time::Instant::now();
///     loop {
///         let now = Instant::from(clock.elapsed());
///         let turn = connection.turn(now, &mut socket, &mut buffer, |notice, out| match notice {
///             Notice::Ready => println!("{}", out.link().remote_hello().unwrap().client_id()),
///             Notice::Message { protocol, code, payload } => {
///                 if out.send(protocol, code, &payload).is_err() {
///                     out.disconnect(DisconnectReason::SUBPROTOCOL);
///                 }
///             }
///             _ => {}
///         });
///         match turn {
///             Turn::Again => {}
///             // `poll(2)`, or what the loop has instead
///             Turn::Wait { read, write } => {
///                 let wake = connection.link().next_timeout();
///                 wait(&socket, read, write, wake.map(|at| at.saturating_since(now)))?;
///             }
///             Turn::Ended(cause) => return Ok(cause),
///         }
///     }
/// }
/// ```
pub struct Connection<L = PeerState<'static>> {
    link: L,
    /// Input that the link has not taken yet
    kept: Bytes,
    outboxes: Vec<Outbox>,
    /// The limit of each outbox
    backlog: usize,
    /// How many Pongs the application was told of
    pongs: u64,
}

/// A link, or a wrapper that sees all that happens to its link
///
/// [`Connection`] changes its link only through these methods, so a wrapper can record, count or print every event and
/// every action. The wrapper must pass each of them on unchanged.
pub trait Link {
    /// As [`PeerState::handle`]
    ///
    /// # Errors
    /// As for [`PeerState::handle`].
    fn handle(&mut self, now: Instant, event: Event<'_>) -> Result<Handled, Refused>;

    /// As [`PeerState::poll`]
    fn poll(&mut self) -> Option<Action<'_>>;

    /// The link itself, for its observers
    fn state(&self) -> &PeerState<'static>;

    /// The link itself, if it may be given input [together with other links](crate::batch::receive)
    ///
    /// `None`, unless implemented otherwise: a wrapper that has to see every event takes no part in batches.
    fn batched(&mut self) -> Option<&mut PeerState<'static>> {
        None
    }
}

impl Link for PeerState<'static> {
    fn handle(&mut self, now: Instant, event: Event<'_>) -> Result<Handled, Refused> {
        self.handle(now, event)
    }

    fn poll(&mut self) -> Option<Action<'_>> {
        self.poll()
    }

    fn state(&self) -> &PeerState<'static> {
        self
    }

    fn batched(&mut self) -> Option<&mut PeerState<'static>> {
        Some(self)
    }
}

/// What a [`Connection`] tells the application
///
/// The end of the link is not a notice: it is [`Turn::Ended`].
#[non_exhaustive]
pub enum Notice {
    /// The peer claims this key, as [`Action::IdentityClaimed`]; to refuse the peer, call [`Out::disconnect`] now
    IdentityClaimed(NodeId),
    /// The shared protocols can start; [`Out::link`] shows them, and the Hello of the peer
    Ready,
    /// A message of a shared protocol, once for each message
    Message {
        /// The protocol, by its position in the configuration
        protocol: ProtocolId,
        /// The message code, relative to the protocol
        code: u64,
        /// The payload, decompressed, as by [`Payload::into_bytes`](crate::Payload::into_bytes)
        payload: Bytes,
    },
    /// A message was too large and was skipped, as [`Action::Skipped`]
    Skipped {
        /// The protocol, by its position in the configuration
        protocol: ProtocolId,
        /// The message code, relative to the protocol
        code: u64,
        /// Bytes of the payload before compression, as the peer claims
        size: usize,
        /// Bytes of the frame, as on the wire
        wire_len: usize,
    },
    /// No message of this protocol waits any more, and the link takes more of them
    Writable(ProtocolId),
    /// The peer has answered a Ping, after this time; also for the Pings that the link sends by itself
    Pong(Duration),
}

/// What a loop does after a [turn](Connection::turn)
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Turn {
    /// There may be more to do at once: call `turn` again, after a turn of the other connections of this thread
    Again,
    /// Wait until the socket is ready for one of these, or until the link's
    /// [next timeout](PeerState::next_timeout)
    ///
    /// The socket has already refused what the loop is to wait for, so both level-triggered and edge-triggered
    /// events will do. If both fields are false, wait for the timeout alone, and leave the socket out: `poll(2)`
    /// would return at once if the socket is closed.
    Wait {
        /// Whether to wait for bytes from the peer
        read: bool,
        /// Whether to wait for room in the socket
        write: bool,
    },
    /// Close the socket: the link has ended
    Ended(Cause),
}

impl<L: Link> Connection<L> {
    /// A connection for a new link
    ///
    /// While the link cannot take the messages of a protocol, these messages wait. The waiting messages of one protocol
    /// take at most `backlog` bytes together, each counted with [`Outbox::OVERHEAD`].
    ///
    /// Give a connection that was dialled its first turn when its socket is connected; the socket is writable then.
    pub const fn new(link: L, backlog: usize) -> Self {
        Self { link, kept: Bytes::new(), outboxes: Vec::new(), backlog, pongs: 0 }
    }

    /// The link, for its observers
    pub fn link(&self) -> &PeerState<'static> {
        self.link.state()
    }

    /// The link or its wrapper, for events that do not belong to a turn
    ///
    /// What such an event leads to happens in the next turn, so take that turn without waiting. Do not poll actions
    /// here: the next turn would not see them.
    pub const fn get_mut(&mut self) -> &mut L {
        &mut self.link
    }

    /// The link or its wrapper; messages that wait and input that the link has not taken are dropped
    pub fn into_inner(self) -> L {
        self.link
    }

    /// Requests of the application between turns
    ///
    /// The requests take effect in the next turn, so take that turn without waiting.
    pub const fn out(&mut self, now: Instant) -> Out<'_, L> {
        let Self { link, outboxes, .. } = self;
        Out::new(now, link, outboxes)
    }
}

/// Without the content of messages
impl fmt::Debug for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::IdentityClaimed(id) => f.debug_tuple("IdentityClaimed").field(id).finish(),
            Self::Ready => f.write_str("Ready"),
            Self::Message { protocol, code, payload } => {
                write!(f, "Message({protocol:?}, code {code}, {} bytes)", payload.len())
            }
            Self::Skipped { protocol, code, size, wire_len } => {
                write!(f, "Skipped({protocol:?}, code {code}, {size} bytes claimed, {wire_len} on the wire)")
            }
            Self::Writable(protocol) => f.debug_tuple("Writable").field(protocol).finish(),
            Self::Pong(round_trip) => f.debug_tuple("Pong").field(round_trip).finish(),
        }
    }
}

impl<L: Link> fmt::Debug for Connection<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("link", self.link.state())
            .field("kept", &self.kept.len())
            .field("outboxes", &self.outboxes)
            .finish_non_exhaustive()
    }
}

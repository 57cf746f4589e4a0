//! A link together with what every event loop keeps beside it

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
pub use out::Out;

/// A link with the parts that every event loop needs: the rest of the input, and an outbox for each protocol
///
/// A loop calls [`turn`](Self::turn) when the socket is ready or the link's next timeout has come. The
/// turn reads, gives the link what came, tells the application of it, and writes. The loop then waits for what
/// [`Turn::Wait`] names. `Connection` opens no socket and reads no clock: both are arguments. For a loop that
/// needs other steps there is [`PeerState`].
///
/// `L` is the link. It is a [`PeerState`], or a wrapper around one that sees all events and actions.
///
/// The whole program of a node that echoes one protocol:
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
    /// Input that was read, and that the link has not taken
    kept: Bytes,
    outboxes: Vec<Outbox>,
    /// The limit of each outbox
    backlog: usize,
    /// How many Pongs the application was told of
    pongs: u64,
}

/// A link, or a wrapper around a link that sees all that happens to it
///
/// [`Connection`] changes its link only through these methods, so a wrapper can record, count or
/// print every event and every action.
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
}

/// What a [`Connection`] tells the application
///
/// The end of the link is not a notice: it is [`Turn::Ended`].
#[derive(Debug)]
#[non_exhaustive]
pub enum Notice {
    /// The peer claims this key; the place to refuse it, as [`Action::IdentityClaimed`]
    IdentityClaimed(NodeId),
    /// The shared protocols can start; [`Out::link`] knows them, and the Hello of the peer
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
    /// All messages of this protocol that had to wait are written, and the link takes more
    Writable(ProtocolId),
    /// A Ping of ours was answered after this time
    Pong(Duration),
}

/// What a loop does after a [turn](Connection::turn)
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Turn {
    /// There may be more to do at once: call `turn` again after the other connections of this thread
    Again,
    /// Wait until the socket is ready for one of these, or until the link's
    /// [next timeout](PeerState::next_timeout)
    ///
    /// The socket has refused what is waited for, so both level-triggered and edge-triggered events serve.
    Wait {
        /// Whether to wait for bytes of the peer
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
    /// For each protocol, messages of at most `backlog` bytes wait while the link cannot take them, each counted with
    /// [`Outbox::OVERHEAD`].
    pub const fn new(link: L, backlog: usize) -> Self {
        Self { link, kept: Bytes::new(), outboxes: Vec::new(), backlog, pongs: 0 }
    }

    /// The link, for its observers
    pub fn link(&self) -> &PeerState<'static> {
        self.link.state()
    }

    /// The link or its wrapper, for events that do not belong to a turn
    ///
    /// Actions that are polled here are not carried out by the next turn. As after [`out`](Self::out), do not wait before
    /// the next turn.
    pub const fn get_mut(&mut self) -> &mut L {
        &mut self.link
    }

    /// The link or its wrapper; what waits in the outboxes is dropped
    pub fn into_inner(self) -> L {
        self.link
    }

    /// Requests of the application between turns
    ///
    /// They take effect in the next turn. Do not wait before it.
    pub const fn out(&mut self, now: Instant) -> Out<'_, L> {
        let Self { link, outboxes, .. } = self;
        Out::new(now, link, outboxes)
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

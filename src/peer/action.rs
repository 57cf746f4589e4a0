//! What comes out of a link, and the one-way-in form of what goes into it

use core::fmt;
use core::ops::Deref;

use super::growable::Growable;
use super::info::RemoteHello;
use super::protocols::{Protocols, SharedProtocol};
use crate::error::{Cause, ProtocolError};
use crate::node_id::NodeId;
use crate::protocol::ProtocolId;
use crate::reason::DisconnectReason;

/// What the driver has to do next
#[derive(Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Action<'a> {
    /// The peer has proven its key; the place to decide whether it is admitted
    ///
    /// Our Hello has not been sent. A [`disconnect`](super::PeerState::disconnect) now goes out
    /// instead of it; polling on admits the peer.
    Authenticated(NodeId),
    /// Both Hellos are exchanged and protocols agreed: start them
    Ready(Ready<'a>),
    /// A message for a protocol, handed out once
    Deliver {
        /// Which of our protocols it is for
        protocol: ProtocolId,
        /// The message code, relative to the protocol
        code: u64,
        /// The payload, decompressed
        payload: Payload<'a>,
    },
    /// A message of this protocol that was refused as `Full` would now be taken
    ///
    /// Comes in the order of the refusals, and once for each.
    Writable(ProtocolId),
    /// Bytes for the transport, offered again until [`sent`](super::PeerState::sent) covers them
    Send(&'a [u8]),
    /// The link has ended: close the transport
    ///
    /// Comes once and last.
    Disconnect(Cause),
}

/// What the two nodes have agreed on
#[derive(Debug, Clone, Copy)]
pub struct Ready<'a> {
    pub(super) hello: &'a RemoteHello,
    pub(super) protocols: &'a Protocols,
}

impl<'a> Ready<'a> {
    /// What the peer says of itself
    pub const fn hello(&self) -> &'a RemoteHello {
        self.hello
    }

    /// The protocols to start, in the order of the configuration; never empty
    pub fn shared(&self) -> impl Iterator<Item = SharedProtocol> + 'a {
        self.protocols.shared()
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Ready<'_> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "Ready {}", self.hello);
    }
}

/// The payload of a message from the peer
///
/// Derefs to the bytes. Under `alloc` it turns into `bytes::Bytes` without a copy where buffers are
/// growable, and decodes into anything `rlp::Decodable`. Prints its length only.
pub struct Payload<'a> {
    source: Source<'a>,
    wire_len: usize,
}

/// Where a payload stands
enum Source<'a> {
    Slice(&'a [u8]),
    /// `start..end` of a buffer that can be given away
    Buffer {
        buffer: &'a mut Growable,
        start: usize,
        end: usize,
    },
}

impl<'a> Payload<'a> {
    pub(super) const fn slice(bytes: &'a [u8], wire_len: usize) -> Self {
        Self { source: Source::Slice(bytes), wire_len }
    }

    pub(super) const fn buffer(buffer: &'a mut Growable, start: usize, end: usize, wire_len: usize) -> Self {
        Self { source: Source::Buffer { buffer, start, end }, wire_len }
    }

    /// The bytes that the message took on the wire, in its frame and compressed
    pub const fn wire_len(&self) -> usize {
        self.wire_len
    }
}

#[cfg(feature = "alloc")]
impl Payload<'_> {
    /// Takes the payload out of the link: without a copy from growable buffers, by copying from the
    /// caller's own
    ///
    /// The link then needs a new buffer for the next message, or uses this one again if all `Bytes`
    /// have been dropped by then.
    pub fn into_bytes(self) -> bytes::Bytes {
        match self.source {
            Source::Slice(bytes) => bytes::Bytes::copy_from_slice(bytes),
            Source::Buffer { buffer, start, end } => {
                let end = end.min(buffer.bytes().len());
                let mut taken = buffer.inner_mut().split_to(end).freeze();
                bytes::Buf::advance(&mut taken, start.min(end));
                taken
            }
        }
    }

    /// Decodes the payload
    ///
    /// # Errors
    /// As for [`rlp::decode`](crate::rlp::decode).
    pub fn decode<T: rlp::Decodable>(&self) -> Result<T, rlp::DecoderError> {
        crate::wire::rlp::decode(self)
    }
}

#[cfg(feature = "alloc")]
impl From<Payload<'_>> for bytes::Bytes {
    fn from(payload: Payload<'_>) -> Self {
        payload.into_bytes()
    }
}

impl Deref for Payload<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.source {
            Source::Slice(bytes) => bytes,
            Source::Buffer { buffer, start, end } => buffer.bytes().get(*start..*end).unwrap_or_default(),
        }
    }
}

impl AsRef<[u8]> for Payload<'_> {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl fmt::Debug for Payload<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Payload({} bytes)", self.len())
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Payload<'_> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "Payload({} bytes)", self.len());
    }
}

/// A message as an observer counts it
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct MessageEvent {
    /// Whether it was sent or received
    pub direction: Direction,
    /// The protocol
    pub protocol: ProtocolId,
    /// The message code, relative to the protocol
    pub code: u64,
    /// Bytes of the payload, not compressed
    pub size: usize,
    /// Bytes of the frame, as on the wire
    pub wire_size: usize,
}

/// Which way a message went
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Direction {
    /// From this node to the peer
    Sent,
    /// From the peer to this node
    Received,
}

impl Action<'_> {
    /// The message that was received, for those who watch messages go by
    ///
    /// The sent ones are what [`write`](super::PeerState::write) returns.
    pub fn message_event(&self) -> Option<MessageEvent> {
        match self {
            Self::Deliver { protocol, code, payload } => Some(MessageEvent {
                direction: Direction::Received,
                protocol: *protocol,
                code: *code,
                size: payload.len(),
                wire_size: payload.wire_len(),
            }),
            _ => None,
        }
    }
}

/// What can happen to a link, as a value: for journals, fuzzers and queues
///
/// Each corresponds to a method of [`PeerState`](super::PeerState) that says more.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event<'a> {
    /// [`receive`](super::PeerState::receive)
    Receive(&'a [u8]),
    /// [`receive_closed`](super::PeerState::receive_closed)
    ReceiveClosed,
    /// [`hold_input`](super::PeerState::hold_input)
    HoldInput(bool),
    /// [`handle_timeout`](super::PeerState::handle_timeout)
    Timeout,
    /// [`write`](super::PeerState::write)
    Write {
        /// The protocol that writes
        protocol: ProtocolId,
        /// The message code, relative to the protocol
        code: u64,
        /// The payload
        payload: &'a [u8],
    },
    /// [`ping`](super::PeerState::ping)
    Ping,
    /// [`sent`](super::PeerState::sent)
    Sent(usize),
    /// [`send_failed`](super::PeerState::send_failed)
    SendFailed,
    /// [`protocol_returned`](super::PeerState::protocol_returned)
    ProtocolReturned(ProtocolId, Result<(), ProtocolError>),
    /// [`disconnect`](super::PeerState::disconnect)
    Disconnect(DisconnectReason),
}

impl fmt::Debug for Event<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Receive(bytes) => write!(f, "Receive({} bytes)", bytes.len()),
            Self::ReceiveClosed => f.write_str("ReceiveClosed"),
            Self::HoldInput(held) => write!(f, "HoldInput({held})"),
            Self::Timeout => f.write_str("Timeout"),
            Self::Write { protocol, code, payload } => {
                write!(f, "Write({protocol}, code {code}, {} bytes)", payload.len())
            }
            Self::Ping => f.write_str("Ping"),
            Self::Sent(len) => write!(f, "Sent({len})"),
            Self::SendFailed => f.write_str("SendFailed"),
            Self::ProtocolReturned(protocol, outcome) => write!(f, "ProtocolReturned({protocol}, {outcome:?})"),
            Self::Disconnect(reason) => write!(f, "Disconnect({reason:?})"),
        }
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Event<'_> {
    fn format(&self, f: defmt::Formatter<'_>) {
        match self {
            Self::Receive(bytes) => defmt::write!(f, "Receive({} bytes)", bytes.len()),
            Self::ReceiveClosed => defmt::write!(f, "ReceiveClosed"),
            Self::HoldInput(held) => defmt::write!(f, "HoldInput({})", held),
            Self::Timeout => defmt::write!(f, "Timeout"),
            Self::Write { protocol, code, payload } => {
                defmt::write!(f, "Write({}, code {}, {} bytes)", protocol, code, payload.len());
            }
            Self::Ping => defmt::write!(f, "Ping"),
            Self::Sent(len) => defmt::write!(f, "Sent({})", len),
            Self::SendFailed => defmt::write!(f, "SendFailed"),
            Self::ProtocolReturned(protocol, outcome) => {
                defmt::write!(f, "ProtocolReturned({}, {})", protocol, outcome);
            }
            Self::Disconnect(reason) => defmt::write!(f, "Disconnect({})", reason),
        }
    }
}

//! What comes out of a link

use super::payload::Payload;
use super::protocols::{Protocols, SharedProtocol};
use super::remote::RemoteHello;
use crate::cause::Cause;
use crate::node_id::NodeId;
use crate::protocol::ProtocolId;

/// What the driver has to do next
#[derive(Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Action<'a> {
    /// The peer claims this key; the place to refuse it
    ///
    /// Our Hello has not been sent. A call of [`disconnect`](crate::PeerState::disconnect) now sends a
    /// Disconnect instead of our Hello. Otherwise the next poll admits the peer. The first frame with a
    /// valid MAC proves the claim; [`Action::Ready`] comes only after that. Do not count a failure
    /// against the owner of the key before that. See
    /// [when the peer's identity is known](crate#when-the-peers-identity-is-known).
    IdentityClaimed(NodeId),
    /// Both Hellos are exchanged, the key of the peer is proven, and protocols are agreed: start them
    Ready(Ready<'a>),
    /// A message for a protocol, handed out once
    ///
    /// Not handed out while the driver [holds input](crate::PeerState::hold_input).
    Deliver {
        /// The protocol, by its position in the configuration
        protocol: ProtocolId,
        /// The message code, relative to the protocol
        code: u64,
        /// The payload, decompressed
        payload: Payload<'a>,
    },
    /// A message was larger than its limit, and its protocol [skips](crate::Protocol::skip_larger) such messages
    ///
    /// The message was dropped, and the link continues. Both MACs of its frame were right. Comes once for each such
    /// message, even while the driver [holds input](crate::PeerState::hold_input). Skipped messages are not in
    /// the counters of [`traffic`](crate::PeerState::traffic).
    Skipped {
        /// The protocol, by its position in the configuration
        protocol: ProtocolId,
        /// The message code, relative to the protocol
        code: u64,
        /// Bytes of the payload before compression
        ///
        /// The peer claims this size, and the link does not decompress the payload to check it. On a link without
        /// compression the size is exact.
        size: usize,
        /// Bytes of the frame, as on the wire
        wire_len: usize,
    },
    /// A protocol that was refused with `Full` can write again
    ///
    /// Comes once after refusals, when nothing of the protocol is unsent. The next message of the
    /// protocol is taken, whatever its size and however late it comes.
    Writable(ProtocolId),
    /// Bytes for the transport, offered until [`sent`](crate::PeerState::sent) covers them
    Send(&'a [u8]),
    /// The link has ended: close the transport
    ///
    /// Comes once, as the last action.
    Disconnect(Cause),
}

/// What the two nodes have agreed on
#[derive(Debug, Clone, Copy)]
pub struct Ready<'a> {
    pub(super) hello: &'a RemoteHello,
    pub(super) protocols: &'a Protocols<'a>,
}

impl<'a> Ready<'a> {
    /// What the peer said about itself in its Hello
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

/// The sizes of a message, for an observer that counts messages
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Direction {
    /// From this node to the peer
    Sent,
    /// From the peer to this node
    Received,
}

impl Action<'_> {
    /// The message that was received, for observers of messages
    ///
    /// For a sent message [`write`](crate::PeerState::write) returns the [`MessageEvent`].
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

//! What a link asks its driver to do

use core::mem::MaybeUninit;

use devp2p_proto::Action as Polled;

use crate::cause::Cause;
use crate::given;
use crate::link::Link;
use crate::status::{Status, status};
use crate::text::Id;

/// What the driver has to do next
///
/// Pointers in an action are into the memory of the link. They are valid until the next call with this link that is
/// not an observer (`const devp2p_link *`).
#[repr(C, u32)]
#[derive(Debug, Clone, Copy)]
pub enum Action {
    /// Nothing until the next event
    None,
    /// The peer claims this key; the place to refuse it by `devp2p_link_disconnect`. Nothing is proven yet
    IdentityClaimed {
        /// The id of the node that the peer claims to be
        id: Id,
    },
    /// Both Hellos are exchanged and protocols are agreed: start those that `devp2p_link_shared` lists
    Ready,
    /// A message for a protocol, handed out once
    Deliver {
        /// The protocol, by its position in the settings
        protocol: usize,
        /// The message code, relative to the protocol
        code: u64,
        /// The payload, decompressed
        payload: *const u8,
        /// Bytes of the payload
        len: usize,
        /// Bytes of the frame, as on the wire
        wire_len: usize,
    },
    /// A message was larger than its limit, and is gone
    Skipped {
        /// The protocol, by its position in the settings
        protocol: usize,
        /// The message code, relative to the protocol
        code: u64,
        /// Bytes of the payload, as the peer claims
        size: usize,
        /// Bytes of the frame, as on the wire
        wire_len: usize,
    },
    /// A protocol that was refused with `DEVP2P_STATUS_FULL` can write again
    Writable {
        /// The protocol, by its position in the settings
        protocol: usize,
    },
    /// Bytes for the transport, offered until `devp2p_link_sent` covers them
    Send {
        /// The bytes
        bytes: *const u8,
        /// How many bytes there are
        len: usize,
    },
    /// The link has ended: close the transport. Comes once, as the last action
    Disconnect {
        /// Why it has ended
        cause: Cause,
    },
    /// Something that this version of the interface has no name for; ignore it
    Other,
}

/// The next thing to do
///
/// Call it until it gives `DEVP2P_ACTION_NONE`, or `DEVP2P_ACTION_SEND` while the transport takes nothing. An action
/// that is dropped is lost: a message, or the end of the link.
#[unsafe(no_mangle)]
pub extern "C" fn devp2p_link_poll(link: Option<&mut Link>, action: Option<&mut MaybeUninit<Action>>) -> Status {
    status(Link::get_mut(link).and_then(|link| {
        let action = action.ok_or(Status::NullPointer)?;
        action.write(link.poll().as_ref().map_or(Action::None, Action::from));
        Ok(())
    }))
}

impl From<&Polled<'_>> for Action {
    fn from(action: &Polled<'_>) -> Self {
        match *action {
            Polled::IdentityClaimed(id) => Self::IdentityClaimed { id: id.into() },
            Polled::Ready(_) => Self::Ready,
            Polled::Deliver { protocol, code, ref payload } => {
                let wire_len = payload.wire_len();
                let (payload, len) = given::payload(payload);
                Self::Deliver { protocol: protocol.0, code, payload, len, wire_len }
            }
            Polled::Skipped { protocol, code, size, wire_len } => {
                Self::Skipped { protocol: protocol.0, code, size, wire_len }
            }
            Polled::Writable(protocol) => Self::Writable { protocol: protocol.0 },
            Polled::Send(bytes) => Self::Send { bytes: bytes.as_ptr(), len: bytes.len() },
            Polled::Disconnect(cause) => Self::Disconnect { cause: cause.into() },
            _ => Self::Other,
        }
    }
}

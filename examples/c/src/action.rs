//! What a link asks its driver to do

use core::fmt;
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
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Action {
    /// What it is
    pub kind: ActionKind,
    /// What belongs to it; only the member that `kind` names
    pub of: ActionContent,
}

/// What there is to do
#[repr(u32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActionKind {
    /// Nothing until the next event
    None = 0,
    /// The peer claims a key, in `of.identity_claimed`; the place to refuse it by `devp2p_link_disconnect`. Nothing is
    /// proven yet
    IdentityClaimed,
    /// Both Hellos are exchanged and protocols are agreed: start those that `devp2p_link_shared` lists
    Ready,
    /// A message for a protocol, in `of.deliver`; handed out once
    Deliver,
    /// A message was larger than its limit, and is gone; its sizes are in `of.skipped`
    Skipped,
    /// The protocol in `of.writable` was refused with `DEVP2P_STATUS_FULL`, and can write again
    Writable,
    /// The bytes in `of.send` are for the transport, and are offered until `devp2p_link_sent` covers them
    Send,
    /// The link has ended: close the transport. Comes once, as the last action, with the cause in `of.disconnect`
    Disconnect,
    /// Something that this version of the interface has no name for; ignore it
    Other,
}

/// What belongs to an action
#[repr(C)]
#[derive(Clone, Copy)]
pub union ActionContent {
    /// The id of the node that the peer claims to be
    pub identity_claimed: Id,
    /// The message
    pub deliver: Deliver,
    /// The message that is gone
    pub skipped: Skipped,
    /// The protocol, by its position in the settings
    pub writable: usize,
    /// The bytes
    pub send: Send,
    /// Why the link has ended
    pub disconnect: Cause,
}

/// A message of the peer
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Deliver {
    /// The protocol, by its position in the settings
    pub protocol: usize,
    /// The message code, relative to the protocol
    pub code: u64,
    /// The payload, decompressed
    pub payload: *const u8,
    /// Bytes of the payload
    pub len: usize,
    /// Bytes of the frame, as on the wire
    pub wire_len: usize,
}

/// A message of the peer that was larger than its limit
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Skipped {
    /// The protocol, by its position in the settings
    pub protocol: usize,
    /// The message code, relative to the protocol
    pub code: u64,
    /// Bytes of the payload, as the peer claims
    pub size: usize,
    /// Bytes of the frame, as on the wire
    pub wire_len: usize,
}

/// Bytes for the transport
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Send {
    /// The first of them
    pub bytes: *const u8,
    /// How many there are
    pub len: usize,
}

impl fmt::Debug for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Action({:?})", self.kind)
    }
}

impl fmt::Debug for ActionContent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ActionContent(..)")
    }
}

/// The next thing to do
///
/// Call it until it gives `DEVP2P_ACTION_KIND_NONE`, or `DEVP2P_ACTION_KIND_SEND` while the transport takes nothing. An action
/// that is dropped is lost: a message, or the end of the link.
#[unsafe(no_mangle)]
pub extern "C" fn devp2p_link_poll(link: Option<&mut Link>, action: Option<&mut MaybeUninit<Action>>) -> Status {
    status(Link::get_mut(link).and_then(|link| {
        let action = action.ok_or(Status::NullPointer)?;
        action.write(link.poll().as_ref().map_or(NOTHING, Action::from));
        Ok(())
    }))
}

/// No protocol is there, so that what belongs to no action is nothing that there is
const NOTHING: Action = Action::new(ActionKind::None, ActionContent { writable: usize::MAX });

impl Action {
    const fn new(kind: ActionKind, of: ActionContent) -> Self {
        Self { kind, of }
    }
}

impl From<&Polled<'_>> for Action {
    fn from(action: &Polled<'_>) -> Self {
        match *action {
            Polled::IdentityClaimed(id) => {
                Self::new(ActionKind::IdentityClaimed, ActionContent { identity_claimed: id.into() })
            }
            Polled::Ready(_) => Self { kind: ActionKind::Ready, ..NOTHING },
            Polled::Deliver { protocol, code, ref payload } => {
                let wire_len = payload.wire_len();
                let (payload, len) = given::payload(payload);
                let deliver = Deliver { protocol: protocol.0, code, payload, len, wire_len };
                Self::new(ActionKind::Deliver, ActionContent { deliver })
            }
            Polled::Skipped { protocol, code, size, wire_len } => {
                let skipped = Skipped { protocol: protocol.0, code, size, wire_len };
                Self::new(ActionKind::Skipped, ActionContent { skipped })
            }
            Polled::Writable(protocol) => Self::new(ActionKind::Writable, ActionContent { writable: protocol.0 }),
            Polled::Send(bytes) => {
                let send = Send { bytes: bytes.as_ptr(), len: bytes.len() };
                Self::new(ActionKind::Send, ActionContent { send })
            }
            Polled::Disconnect(cause) => Self::new(ActionKind::Disconnect, ActionContent { disconnect: cause.into() }),
            _ => Self { kind: ActionKind::Other, ..NOTHING },
        }
    }
}

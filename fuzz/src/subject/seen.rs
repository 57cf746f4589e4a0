//! What a driver gets from a link

use devp2p_proto::{Action, Cause, NodeId, ProtocolId, SharedProtocol};

/// An action that owns its content
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Seen {
    IdentityClaimed(NodeId),
    Ready(Vec<SharedProtocol>),
    Deliver { protocol: ProtocolId, code: u64, payload: Vec<u8>, wire_len: usize },
    Skipped { protocol: ProtocolId, code: u64, size: usize, wire_len: usize },
    Writable(ProtocolId),
    Send(Vec<u8>),
    Disconnect(Cause),
}

impl Seen {
    pub(crate) fn new(action: Action<'_>) -> Self {
        match action {
            Action::IdentityClaimed(id) => Self::IdentityClaimed(id),
            Action::Ready(ready) => Self::Ready(ready.shared().collect()),
            Action::Deliver { protocol, code, payload } => {
                Self::Deliver { protocol, code, payload: payload.to_vec(), wire_len: payload.wire_len() }
            }
            Action::Skipped { protocol, code, size, wire_len } => Self::Skipped { protocol, code, size, wire_len },
            Action::Writable(protocol) => Self::Writable(protocol),
            Action::Send(bytes) => Self::Send(bytes.to_vec()),
            Action::Disconnect(cause) => Self::Disconnect(cause),
            _ => panic!("{action:?} is unknown here"),
        }
    }
}

/// The last stage of the link that the driver was told of
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Told {
    Nothing,
    IdentityClaimed,
    Ready,
    Disconnected,
}

//! What is known of the remote node, and the Hellos of both nodes

use heapless::{String, Vec};

use super::config::ClientId;
use super::limits::{MAX_CLIENT_ID, MAX_PROTOCOLS};
use crate::node_id::NodeId;
use crate::p2p::hello::Hello;
use crate::protocol::Capability;

/// What is known of the remote, and whether it is proven
pub(super) enum Remote {
    Unknown,
    /// The node that was dialled
    Dialled(NodeId),
    /// The handshake named this key, and nothing has proven it
    Claimed(NodeId),
    /// A frame had a valid MAC, which only the owner of the key could make
    Proven(NodeId),
}

/// Our Hello, and then the Hello of the peer: when that comes, ours is already sealed, and not needed any more
#[allow(clippy::large_enum_variant, reason = "without an allocator there is nowhere else to put a Hello")]
pub(super) enum Greeting {
    /// What goes into our Hello besides our id and our capabilities
    Ours { client_id: ClientId, listen_port: u16 },
    /// What the Hello of the peer said
    Theirs(RemoteHello),
}

impl Remote {
    /// The id as far as it is known
    pub(super) const fn id(&self) -> Option<NodeId> {
        match self {
            Self::Unknown => None,
            Self::Dialled(id) | Self::Claimed(id) | Self::Proven(id) => Some(*id),
        }
    }

    /// Notes that a frame had a valid MAC
    pub(super) fn prove(&mut self) {
        if let Self::Claimed(id) = *self {
            *self = Self::Proven(id);
        }
    }
}

/// What a remote said about itself in its Hello
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct RemoteHello {
    version: u64,
    client_id: String<MAX_CLIENT_ID>,
    capabilities: Vec<Capability, MAX_PROTOCOLS>,
    omitted: usize,
    listen_port: u64,
}

impl RemoteHello {
    pub(super) fn new(hello: &Hello<'_>) -> Self {
        let mut kept = Self {
            version: hello.version,
            client_id: printable(hello.client_id),
            listen_port: hello.listen_port,
            ..Self::default()
        };
        for capability in hello.capabilities() {
            if kept.capabilities.push(capability).is_err() {
                kept.omitted = kept.omitted.saturating_add(1);
            }
        }
        kept
    }

    /// The version of the base protocol that the remote speaks
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// The client id of the remote, by convention `name/version/platform`
    ///
    /// At most [`MAX_CLIENT_ID`] bytes of it. Bytes that are not printable ASCII are replaced by `?`,
    /// since the peer's text may end up on a terminal.
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// The capabilities that the remote listed first, at most [`MAX_PROTOCOLS`]
    ///
    /// Those with a name that cannot be shared are left out. All capabilities that the remote listed
    /// take part in the matching of protocols.
    pub fn capabilities(&self) -> &[Capability] {
        &self.capabilities
    }

    /// How many more capabilities the remote listed
    pub const fn omitted_capabilities(&self) -> usize {
        self.omitted
    }

    /// The port on which the remote says that it listens, 0 for none
    pub const fn listen_port(&self) -> u64 {
        self.listen_port
    }
}

fn printable<const N: usize>(bytes: &[u8]) -> String<N> {
    let mut text = String::new();
    for byte in bytes.iter().take(N) {
        // Each character is one byte, so N of them fit; `collect` would panic if they did not.
        _ = text.push(if matches!(byte, b' '..=b'~') { char::from(*byte) } else { '?' });
    }
    text
}

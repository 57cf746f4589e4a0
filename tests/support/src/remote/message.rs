//! The messages of the `p2p` base protocol

use devp2p_proto::NodeId;
use rlp::RlpStream;

use super::Handshake;

/// The message id of Hello
pub const HELLO: u64 = 0;
/// The message id of Disconnect
pub const DISCONNECT: u64 = 1;
/// The message id of Ping
pub const PING: u64 = 2;
/// The message id of Pong
pub const PONG: u64 = 3;

/// The content of a Hello
#[derive(Debug, Clone)]
pub struct Hello {
    /// The version of the base protocol; from 5 on, payloads are compressed
    pub version: u64,
    /// The name of the client
    pub client_id: Vec<u8>,
    /// Names and versions of the subprotocols
    pub capabilities: Vec<(Vec<u8>, u64)>,
    /// The port on which the remote listens
    pub listen_port: u64,
    /// The node id
    pub id: NodeId,
}

impl Hello {
    /// The Hello of a remote that has both of [`PROTOCOLS`](crate::PROTOCOLS)
    pub fn fitting(seed: u8) -> Self {
        Self {
            version: 5,
            client_id: b"scripted/1".to_vec(),
            capabilities: vec![(b"alpha".to_vec(), 1), (b"beta".to_vec(), 2)],
            listen_port: 30303,
            id: Handshake::new(seed).id(),
        }
    }

    /// The payload; it has a sixth field, which a node has to ignore
    pub fn encode(&self) -> Vec<u8> {
        let mut list = RlpStream::new_list(6);
        list.append(&self.version).append(&self.client_id).begin_list(self.capabilities.len());
        for (name, version) in &self.capabilities {
            list.begin_list(2).append(name).append(version);
        }
        list.append(&self.listen_port).append(&&self.id.as_bytes()[..]).append(&"sixth");
        list.out().to_vec()
    }
}

/// The body of a frame: the message id, and the payload as it is
pub fn body(id: u64, payload: &[u8]) -> Vec<u8> {
    [&rlp::encode(&id)[..], payload].concat()
}

/// The payload, compressed by Snappy
pub fn compressed(payload: &[u8]) -> Vec<u8> {
    snap::raw::Encoder::new().compress_vec(payload).unwrap()
}

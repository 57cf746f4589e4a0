//! What the two Hellos say

use devp2p_drivers::journal::Setup;
use devp2p_drivers::say::escaped;
use devp2p_proto::RemoteHello;
use rlp::RlpStream;

/// The version of the base protocol in our Hello
const VERSION: u64 = 5;
/// The bytes of a frame besides its body: the header and the two MACs
const AROUND_BODY: u64 = 48;

/// What a Hello says about its node
pub struct Hello {
    version: u64,
    client_id: String,
    capabilities: Vec<(String, u64)>,
    listen_port: u64,
}

impl Hello {
    pub fn ours(setup: &Setup) -> Self {
        Self {
            version: VERSION,
            client_id: setup.client_id.clone(),
            capabilities: setup.protocols.iter().map(|offer| (offer.name.clone(), offer.version)).collect(),
            listen_port: u64::from(setup.listen_port),
        }
    }

    pub fn theirs(hello: &RemoteHello) -> Self {
        let capability = |text: String| {
            let (name, version) = text.split_once('/')?;
            Some((name.to_string(), version.parse().ok()?))
        };
        Self {
            version: hello.version(),
            client_id: hello.client_id().to_string(),
            capabilities: hello.capabilities().iter().filter_map(|item| capability(item.to_string())).collect(),
            listen_port: hello.listen_port(),
        }
    }

    /// Who the node is and what it offers, without characters that control a terminal
    pub fn text(&self) -> String {
        let capabilities: String =
            self.capabilities.iter().map(|(name, version)| format!(" {name}/{version}")).collect();
        escaped(&format!("{}, offering{capabilities}", self.client_id))
    }

    /// The length of the payload, `None` if a frame with this payload does not have the length of the frame on the wire
    ///
    /// The link keeps what it needs of a Hello. A peer may have sent more.
    pub fn size(&self, wire: u64) -> Option<u64> {
        let mut payload = RlpStream::new_list(5);
        payload.append(&self.version).append(&self.client_id);
        payload.begin_list(self.capabilities.len());
        for (name, version) in &self.capabilities {
            payload.begin_list(2).append(name).append(version);
        }
        payload.append(&self.listen_port).append(&&[0_u8; 64][..]);
        let size = payload.out().len() as u64;
        let body = size + 1; // the message id
        (body.next_multiple_of(16) + AROUND_BODY == wire).then_some(size)
    }
}

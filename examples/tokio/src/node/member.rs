//! A link as a part of its node: whether it is admitted, and what runs on it

use std::net::SocketAddr;
use std::sync::Arc;

use devp2p_proto::{DisconnectReason, NodeId, Notice, Out, PeerState, Role, SharedProtocol};
use tokio::sync::OwnedSemaphorePermit;

use super::builder::{Candidate, Shared};
use super::links::LinkNumber;
use crate::control::Control;
use crate::driver::Host;
use crate::io::Io;
use crate::peer::Peer;
use crate::running::Run;

/// The permits of a link of the listener; other links have none of these
#[derive(Default)]
pub struct Permits {
    /// Held until the link ends
    pub _inbound: Option<OwnedSemaphorePermit>,
    /// Held until the protocols are agreed on
    pub handshake: Option<OwnedSemaphorePermit>,
}

pub struct Member {
    shared: Arc<Shared>,
    number: LinkNumber,
    address: Option<SocketAddr>,
    control: Control,
    permits: Permits,
    /// After the protocols are agreed on: the peer, and the permit that it holds
    joined: Option<(Peer, OwnedSemaphorePermit)>,
}

impl Member {
    pub fn new(shared: &Arc<Shared>, address: Option<SocketAddr>, permits: Permits, control: Control) -> Self {
        let number = shared.links.add(control.clone());
        Self { shared: Arc::clone(shared), number, address, control, permits, joined: None }
    }

    fn admit(&self, node_id: NodeId) -> Result<(), DisconnectReason> {
        if self.shared.peers.available_permits() == 0 {
            return Err(DisconnectReason::TOO_MANY_PEERS);
        }
        let candidate = Candidate { node_id, address: self.address };
        self.shared.admit.as_ref().map_or(Ok(()), |admit| admit(&candidate))
    }

    fn join(&mut self, link: &PeerState<'_>) -> Result<(), DisconnectReason> {
        self.permits.handshake = None;
        let permit = Arc::clone(&self.shared.peers).try_acquire_owned();
        let permit = permit.map_err(|_| DisconnectReason::TOO_MANY_PEERS)?;
        if let Some(peer) = Peer::new(link, self.address, self.control.clone()) {
            self.shared.links.join(self.number, &peer)?;
            tracing::debug!(client = peer.client_id(), node = %peer.node_id(), "ready");
            self.joined = Some((peer, permit));
        }
        Ok(())
    }
}

impl Host<PeerState<'static>> for Member {
    fn note(&mut self, notice: &Notice, out: &mut Out<'_, PeerState<'static>>) {
        let outcome = match notice {
            Notice::IdentityClaimed(id) if out.link().role() == Role::Recipient => self.admit(*id),
            Notice::Ready => self.join(out.link()),
            _ => Ok(()),
        };
        if let Err(reason) = outcome {
            out.disconnect(reason);
        }
    }

    fn start(&mut self, shared: SharedProtocol, io: Io) -> Run {
        match (self.shared.offers.get(shared.protocol.0), &self.joined) {
            (Some(offer), Some((peer, _))) => offer.start(peer.clone(), io),
            // This does not happen: only offered protocols are shared, and they start after the peer has joined.
            _ => Box::pin(async { Ok(()) }),
        }
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.shared.links.remove(self.number);
    }
}

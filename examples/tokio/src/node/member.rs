//! A link as a part of its node: whether it is admitted, and what runs on it

use std::net::SocketAddr;
use std::sync::Arc;

use devp2p_proto::{Cause, DisconnectReason, NodeId, Notice, Out, PeerState, Role, SharedProtocol};
use tokio::sync::OwnedSemaphorePermit;

use super::builder::{Candidate, Shared};
use super::links::LinkNumber;
use crate::contained::{Run, caught};
use crate::control::Control;
use crate::driver::Host;
use crate::io::Io;
use crate::peer::Peer;

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
    /// Known after the protocols are agreed on
    peer: Option<Peer>,
}

impl Member {
    pub fn new(shared: &Arc<Shared>, address: Option<SocketAddr>, permits: Permits, control: Control) -> Self {
        let number = shared.links.add(control.clone());
        Self { shared: Arc::clone(shared), number, address, control, permits, peer: None }
    }

    fn admit(&self, node_id: NodeId) -> Result<(), DisconnectReason> {
        self.shared.links.admit(node_id)?;
        let candidate = Candidate { node_id, address: self.address };
        let Some(admit) = &self.shared.admit else {
            return Ok(());
        };
        caught(|| admit(&candidate)).unwrap_or(Err(DisconnectReason::REQUESTED))
    }

    fn join(&mut self, link: &PeerState<'_>) -> Result<(), DisconnectReason> {
        self.permits.handshake = None;
        if let Some(peer) = Peer::new(link, self.address, self.control.clone()) {
            self.shared.links.join(self.number, &peer, self.shared.config.node_id())?;
            tracing::debug!(client = peer.client_id(), node = %peer.node_id(), "ready");
            self.peer = Some(peer);
        }
        Ok(())
    }

    /// From now on, the link does not count
    fn leave(&mut self) {
        if let Some(peer) = self.peer.take() {
            self.shared.links.leave(self.number, peer.node_id());
        }
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
        match (self.shared.offers.get(shared.protocol.0), &self.peer) {
            (Some(offer), Some(peer)) => offer.start(peer.clone(), io),
            // This does not happen: only offered protocols are shared, and they start after the peer has joined.
            _ => Box::pin(async { Ok(()) }),
        }
    }

    fn ending(&mut self, _: Cause) {
        self.leave();
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.leave();
        self.shared.links.remove(self.number);
    }
}

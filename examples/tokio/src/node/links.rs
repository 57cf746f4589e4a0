//! All links of a node, for code that does not run in their tasks

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use devp2p_proto::{DisconnectReason, NodeId};

use crate::control::Control;
use crate::peer::Peer;

/// The number of a link of this node
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct LinkNumber(u64);

/// The links that exist, from their start to their end
pub struct Links {
    max_peers: usize,
    table: Mutex<Table>,
}

#[derive(Default)]
struct Table {
    next: LinkNumber,
    links: HashMap<LinkNumber, Control>,
    /// The peers with which protocols are agreed on, and the link with each
    peers: HashMap<NodeId, (LinkNumber, Peer)>,
}

impl Links {
    pub fn new(max_peers: usize) -> Self {
        Self { max_peers, table: Mutex::default() }
    }

    pub fn add(&self, control: Control) -> LinkNumber {
        let mut table = self.lock();
        let number = table.next;
        table.next = LinkNumber(number.0.wrapping_add(1));
        table.links.insert(number, control);
        number
    }

    /// Whether there is room for this peer; for one that is there, another link may take the place of the first
    pub fn admit(&self, id: NodeId) -> Result<(), DisconnectReason> {
        self.lock().admit(id, self.max_peers)
    }

    /// Notes the peer of a link; refused if the node keeps another link with this peer
    pub fn join(&self, number: LinkNumber, peer: &Peer, us: NodeId) -> Result<(), DisconnectReason> {
        let mut table = self.lock();
        table.admit(peer.node_id(), self.max_peers)?;
        if let Some((_, other)) = table.peers.get(&peer.node_id()) {
            if !replaces(peer, other, us) {
                return Err(DisconnectReason::ALREADY_CONNECTED);
            }
            other.disconnect(DisconnectReason::ALREADY_CONNECTED);
        }
        table.peers.insert(peer.node_id(), (number, peer.clone()));
        Ok(())
    }

    /// The link has a cause to end, so its peer is one no more
    pub fn leave(&self, number: LinkNumber, id: NodeId) {
        let mut table = self.lock();
        // The peer may have another link by now.
        if table.peers.get(&id).is_some_and(|(its, _)| *its == number) {
            table.peers.remove(&id);
        }
    }

    pub fn remove(&self, number: LinkNumber) {
        self.lock().links.remove(&number);
    }

    pub fn peers(&self) -> Vec<Peer> {
        self.lock().peers.values().map(|(_, peer)| peer.clone()).collect()
    }

    /// Ends all links
    pub fn disconnect(&self, reason: DisconnectReason) {
        self.lock().links.values().for_each(|link| link.disconnect(reason));
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn admit(&self, id: NodeId, max_peers: usize) -> Result<(), DisconnectReason> {
        match self.peers.len() < max_peers || self.peers.contains_key(&id) {
            true => Ok(()),
            false => Err(DisconnectReason::TOO_MANY_PEERS),
        }
    }
}

/// Whether a new link with a peer replaces the old one
///
/// If both nodes have dialled each other at once, both keep the link that the one with the smaller id has dialled.
fn replaces(new: &Peer, old: &Peer, us: NodeId) -> bool {
    new.is_inbound() != old.is_inbound() && new.is_inbound() == (new.node_id() < us)
}

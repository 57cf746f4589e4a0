//! All links of a node, for code that does not run in their tasks

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use devp2p_proto::DisconnectReason;

use crate::control::Control;
use crate::peer::Peer;

/// The number of a link of this node
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct LinkNumber(u64);

/// The links that exist, from their start to their end
#[derive(Default)]
pub struct Links(Mutex<Table>);

#[derive(Default)]
struct Table {
    next: LinkNumber,
    links: HashMap<LinkNumber, Entry>,
}

struct Entry {
    control: Control,
    /// Known when the protocols are agreed on
    peer: Option<Peer>,
}

impl Links {
    pub fn add(&self, control: Control) -> LinkNumber {
        let mut table = self.lock();
        let number = table.next;
        table.next = LinkNumber(number.0.wrapping_add(1));
        table.links.insert(number, Entry { control, peer: None });
        number
    }

    /// Notes the peer of a link; refused if the node has another link with this peer
    pub fn join(&self, number: LinkNumber, peer: &Peer) -> Result<(), DisconnectReason> {
        let mut table = self.lock();
        let mut peers = table.links.values().filter_map(|link| link.peer.as_ref());
        if peers.any(|other| other.node_id() == peer.node_id()) {
            return Err(DisconnectReason::ALREADY_CONNECTED);
        }
        if let Some(link) = table.links.get_mut(&number) {
            link.peer = Some(peer.clone());
        }
        Ok(())
    }

    pub fn remove(&self, number: LinkNumber) {
        self.lock().links.remove(&number);
    }

    pub fn peers(&self) -> Vec<Peer> {
        self.lock().links.values().filter_map(|link| link.peer.clone()).collect()
    }

    /// Ends all links
    pub fn disconnect(&self, reason: DisconnectReason) {
        self.lock().links.values().for_each(|link| link.control.disconnect(reason));
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

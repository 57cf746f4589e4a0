//! All nodes and the virtual time

use std::sync::Arc;
use std::time::Duration;

use devp2p_proto::Instant;
use rayon::prelude::*;

use crate::end::{End, Mail, Place};
use crate::node::{Identity, Node};
use crate::plan::{Cable, Plan};
use crate::socket::after;

/// Nodes whose time advances in windows
///
/// A window is no longer than the shortest latency, so nothing that a node sends arrives in the same window. So the
/// nodes need nothing from each other within a window, and are shared out among threads. What the nodes send is
/// delivered in the order of the nodes, so the number of threads changes nothing.
pub struct Network {
    pub nodes: Vec<Node>,
    window: Duration,
}

impl Network {
    pub fn new(plan: Plan) -> Self {
        let Plan { fates, cables, made, library, mut random } = plan;
        let library = Arc::new(library);
        let forks: Vec<_> = fates.iter().map(|_| random.fork()).collect();
        let identities = forks.into_par_iter().enumerate();
        let identities: Vec<_> = identities.map(|(number, random)| Identity::new(number, &library, random)).collect();
        let mut ends: Vec<Vec<End>> = fates.iter().map(|_| Vec::new()).collect();
        let mut dials = Vec::new();
        for cable in &cables {
            let [dialler, dialled] = cable.nodes.map(|node| Place { node, end: ends[node].len() });
            for (side, (ours, theirs)) in [(dialler, dialled), (dialled, dialler)].into_iter().enumerate() {
                let peer_id = identities[theirs.node].config.node_id();
                ends[ours.node].push(End::new(*cable, side, theirs, peer_id));
            }
            dials.push((cable.dialled, dialler));
        }
        let nodes = identities.into_iter().zip(fates).zip(ends);
        let nodes = nodes.map(|((identity, fate), ends)| Node::new(identity, fate, Arc::clone(&library), ends));
        let mut nodes: Vec<Node> = nodes.collect();
        dials.into_iter().for_each(|(at, Place { node, end })| nodes[node].dial(at, end));
        made.into_iter().for_each(|(at, node, item)| nodes[node].make(at, item));
        let window = cables.iter().map(|cable: &Cable| cable.latency).min().unwrap_or_default();
        Self { nodes, window }
    }

    /// Lets the next window of time pass, up to `end`; returns the time, or `None` when nothing is left before `end`
    pub fn advance(&mut self, end: Instant) -> Option<Instant> {
        let start = self.nodes.iter().map(Node::next).min().filter(|start| *start < end)?;
        let until = after(start, self.window).min(end);
        let mut due: Vec<&mut Node> = self.nodes.iter_mut().filter(|node| node.next() < until).collect();
        due.par_iter_mut().for_each(|node| node.run_until(until));
        let mail: Vec<Mail> = due.iter_mut().flat_map(|node| node.mail.drain(..)).collect();
        debug_assert!(mail.iter().all(|mail| mail.at >= until), "nothing arrives in the window in which it was sent");
        mail.into_iter().for_each(|mail| self.nodes[mail.to.node].deliver(mail));
        Some(until)
    }

    /// How many links are ready at both of their ends
    pub fn links_ready(&self) -> usize {
        let ends = self.nodes.iter().flat_map(|node| &node.ends);
        ends.filter(|end| end.is_ready() && self.nodes[end.peer.node].ends[end.peer.end].is_ready()).count() / 2
    }
}

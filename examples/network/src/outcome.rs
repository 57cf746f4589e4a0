//! The figures of a run, which the report and the page show

use std::collections::BTreeMap;
use std::time::Duration;

use devp2p_proto::Instant;

use crate::library::{Item, Kind};
use crate::network::Network;
use crate::node::{Arrival, Node};
use crate::options::Options;
use crate::plan::Fate;
use crate::traffic::Traffic;

pub struct Outcome {
    pub options: Options,
    /// The simulated time at which the run ended
    pub ended: Instant,
    pub links: usize,
    /// Links that are ready at both ends when the run ends
    pub links_ready: usize,
    /// Of each block, and of all transactions together
    pub spreads: Vec<Spread>,
    /// How the first block came to each node
    pub first_block: Vec<Option<Arrival>>,
    pub groups: Vec<Group>,
    pub traffic: Traffic,
    /// Bytes that each node has sent
    pub sent: Vec<u64>,
    /// Ends of links that have ended, by cause
    pub endings: BTreeMap<String, u64>,
}

/// How something came to the nodes
pub struct Spread {
    pub name: String,
    /// For one item: when it was made, and by which node
    pub made: Option<(Instant, usize)>,
    /// The times from the making of an item to its arrival at a node, sorted
    pub times: Vec<Duration>,
    /// How many `times` there are if every node gets every item
    pub complete: usize,
}

/// Nodes with the same fate
pub struct Group {
    pub name: &'static str,
    pub nodes: usize,
    /// How many of them have every block that was made
    pub have_all: usize,
}

impl Outcome {
    pub fn of(options: Options, network: &mut Network, ended: Instant) -> Self {
        let mut traffic = Traffic::default();
        let mut sent = Vec::with_capacity(network.nodes.len());
        for node in &mut network.nodes {
            let of_node = node.traffic();
            traffic += &of_node;
            sent.push(of_node.bytes);
        }
        let nodes = &network.nodes;
        let mut endings = BTreeMap::new();
        for (cause, count) in nodes.iter().flat_map(|node| &node.endings) {
            *endings.entry(cause.clone()).or_default() += count;
        }
        let links = nodes.iter().map(|node| node.ends.len()).sum::<usize>() / 2;
        let links_ready = network.links_ready();
        let first = Item { kind: Kind::Block, number: 0 };
        let first_block = nodes.iter().map(|node| node.arrivals.get(&first).copied()).collect();
        let (spreads, groups) = (spreads(&options, nodes), groups(nodes));
        Self { options, ended, links, links_ready, spreads, first_block, groups, traffic, sent, endings }
    }
}

impl Spread {
    fn of(name: String, items: &[Item], nodes: &[Node]) -> Self {
        let maker = |item: &Item| {
            let mut arrivals = nodes.iter().enumerate().map(|(node, it)| (node, it.arrivals.get(item)));
            arrivals.find_map(|(node, arrival)| arrival.filter(|it| it.from.is_none()).map(|it| (it.at, node)))
        };
        let (mut times, mut made) = (Vec::new(), None);
        for item in items {
            let Some((at, node)) = maker(item) else { continue };
            made = Some((at, node)).filter(|_| items.len() == 1);
            times.extend(nodes.iter().filter_map(|node| Some(node.arrivals.get(item)?.at.saturating_since(at))));
        }
        times.sort_unstable();
        Self { name, made, times, complete: items.len() * nodes.len() }
    }

    /// The time by which this percentage of all nodes had the items, if so many ever had them
    pub fn percentile(&self, percent: usize) -> Option<Duration> {
        let needed = (self.complete * percent).div_ceil(100);
        self.times.get(needed.saturating_sub(1)).copied()
    }

    /// The time that the curve shows: until most nodes have the item, and at most twice the median
    pub fn span(&self) -> Duration {
        let last = self.times.last().copied().unwrap_or_default();
        let median = self.percentile(50).unwrap_or(last);
        let most = self.percentile(95).unwrap_or(last);
        most.mul_f64(1.1).min(median * 2)
    }

    /// How many arrivals of items at nodes there were by this time
    pub fn after(&self, time: Duration) -> usize {
        self.times.partition_point(|it| *it <= time)
    }
}

fn spreads(options: &Options, nodes: &[Node]) -> Vec<Spread> {
    let blocks = (0..options.blocks).map(|number| Item { kind: Kind::Block, number });
    let block = |item: Item| Spread::of(format!("block {}", item.number + 1), &[item], nodes);
    let mut spreads: Vec<_> = blocks.map(block).collect();
    if options.transactions > 0 {
        let items: Vec<_> = (0..options.transactions).map(|number| Item { kind: Kind::Transaction, number }).collect();
        spreads.push(Spread::of(format!("{} transactions", items.len()), &items, nodes));
    }
    spreads
}

fn groups(nodes: &[Node]) -> Vec<Group> {
    let made = |node: &Node| node.arrivals.keys().filter(|item| item.kind == Kind::Block).count();
    let all = nodes.iter().flat_map(|node| node.arrivals.keys()).filter(|item| item.kind == Kind::Block);
    let all = all.max().map_or(0, |last| last.number + 1);
    let group = |name: &'static str| {
        let of_group = || nodes.iter().filter(|node| node.fate.name() == name);
        let have_all = of_group().filter(|node| made(node) == all).count();
        Group { name, nodes: of_group().count(), have_all }
    };
    Fate::NAMES.map(group).into_iter().filter(|group| group.nodes > 0).collect()
}

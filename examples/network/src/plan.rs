//! What is drawn from the seed: who is linked to whom and how well, what is made, and what becomes of each node

use std::collections::HashSet;
use std::ops::Range;
use std::time::Duration;

use devp2p_proto::Instant;
use fastrand::Rng;

use crate::library::{Item, Kind, Library};
use crate::options::Options;

/// When the first block is made
pub const START: Duration = Duration::from_secs(5);
/// The time in which nodes dial
const DIALLING: Range<u64> = millis(0, 1_000);
/// The time in which faults begin: from a second before the first block
const FAULTS: Range<u64> = millis(4_000, 8_000);
/// How long a node stands still
const STALL: Range<u64> = millis(2_000, 20_000);
/// How long a node that comes back is away
const ABSENCE: Range<u64> = millis(5_000, 20_000);
/// The time that a byte needs through a link
const LATENCY: Range<u64> = millis(10, 150);
/// In bytes per second: 10 to 100 Mbit/s
const RATE: Range<u64> = 1_250_000..12_500_000;
/// The time in which transactions are made, after the first block and after the last
const TRANSACTIONS: Duration = Duration::from_secs(5);
const TRANSACTION_SIZE: usize = 200;

const NANOS_PER_MILLI: u64 = 1_000_000;

const fn millis(from: u64, to: u64) -> Range<u64> {
    from * NANOS_PER_MILLI..to * NANOS_PER_MILLI
}

pub struct Plan {
    pub fates: Vec<Fate>,
    pub cables: Vec<Cable>,
    /// What is made, with the time and the node that makes it
    pub made: Vec<(Instant, usize, Item)>,
    pub library: Library,
    /// For the keys and decisions of the nodes
    pub random: Rng,
}

/// What becomes of a node
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Steady,
    /// Stands still between these times: it reads, writes and decides nothing
    Stalls(Instant, Instant),
    /// From this time on nothing comes from the node
    Vanishes(Instant),
    /// Vanishes, and dials all of its peers at the second time
    Returns(Instant, Instant),
    Lies(Instant, Lie),
}

impl Fate {
    pub const NAMES: [&str; 5] = ["steady", "stalled", "vanished", "came back", "lied"];

    pub const fn name(self) -> &'static str {
        Self::NAMES[match self {
            Self::Steady => 0,
            Self::Stalls(..) => 1,
            Self::Vanishes(_) => 2,
            Self::Returns(..) => 3,
            Self::Lies(..) => 4,
        }]
    }
}

/// What a lying node sends on all of its links
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lie {
    /// A frame with a flipped bit
    Mac,
    /// A block that nobody has made
    Block,
}

/// The connection of two nodes
#[derive(Debug, Clone, Copy)]
pub struct Cable {
    /// The node that dials comes first
    pub nodes: [usize; 2],
    pub dialled: Instant,
    pub latency: Duration,
    /// In bytes per second, in each direction
    pub rate: u64,
}

impl Plan {
    pub fn new(options: &Options) -> Self {
        let mut random = Rng::with_seed(options.seed);
        let mut library = Library::default();
        library.add(Kind::Block, options.blocks, options.block_size, &mut random);
        library.add(Kind::Transaction, options.transactions, TRANSACTION_SIZE, &mut random);
        let pairs = pairs(options.nodes, options.links, &mut random);
        let cables = pairs.into_iter().map(|nodes| cable(nodes, &mut random)).collect();
        let fates = fates(options, &mut random);
        let made = made(options, &fates, &mut random);
        Self { fates, cables, made, library, random }
    }
}

fn cable(mut nodes: [usize; 2], random: &mut Rng) -> Cable {
    random.shuffle(&mut nodes);
    Cable {
        nodes,
        dialled: Instant::from_nanos(random.u64(DIALLING)),
        latency: Duration::from_nanos(random.u64(LATENCY)),
        rate: random.u64(RATE),
    }
}

/// A random network in which every node has the same number of links
///
/// It starts as a ring in which each node is linked to those next to it. Then pairs of links exchange their ends, which
/// leaves the number of links of each node as it is.
fn pairs(nodes: usize, links: usize, random: &mut Rng) -> Vec<[usize; 2]> {
    let near = (0..nodes).flat_map(|node| (1..=links / 2).map(move |step| [node, (node + step) % nodes]));
    let opposite = (0..nodes / 2).map(|node| [node, node + nodes / 2]).filter(|_| links % 2 == 1);
    let mut pairs: Vec<[usize; 2]> = near.chain(opposite).collect();
    let mut linked: HashSet<_> = pairs.iter().copied().map(sorted).collect();
    for _ in 0..10 * pairs.len() {
        let (one, other) = (random.usize(..pairs.len()), random.usize(..pairs.len()));
        let ([a, b], [mut c, mut d]) = (pairs[one], pairs[other]);
        if random.bool() {
            (c, d) = (d, c);
        }
        if a == d || b == c || linked.contains(&sorted([a, d])) || linked.contains(&sorted([b, c])) {
            continue;
        }
        for (place, new) in [(one, [a, d]), (other, [b, c])] {
            linked.remove(&sorted(pairs[place]));
            linked.insert(sorted(new));
            pairs[place] = new;
        }
    }
    pairs
}

fn sorted([a, b]: [usize; 2]) -> [usize; 2] {
    [a.min(b), a.max(b)]
}

/// Draws the fate of a node whose fault begins at this time
type Draw = fn(Instant, &mut Rng) -> Fate;

fn fates(options: &Options, random: &mut Rng) -> Vec<Fate> {
    let mut fates = vec![Fate::Steady; options.nodes];
    let mut order: Vec<usize> = (0..options.nodes).collect();
    random.shuffle(&mut order);
    let mut order = order.into_iter();
    let Options { stall, vanish, back, lie, .. } = *options;
    let draws: [(usize, Draw); 4] = [
        (stall, |at, random| Fate::Stalls(at, later(at, STALL, random))),
        (vanish, |at, _| Fate::Vanishes(at)),
        (back, |at, random| Fate::Returns(at, later(at, ABSENCE, random))),
        (lie, |at, random| Fate::Lies(at, if random.bool() { Lie::Mac } else { Lie::Block })),
    ];
    for (percent, draw) in draws {
        for node in order.by_ref().take(options.nodes * percent / 100) {
            fates[node] = draw(Instant::from_nanos(random.u64(FAULTS)), random);
        }
    }
    fates
}

fn later(at: Instant, by: Range<u64>, random: &mut Rng) -> Instant {
    Instant::from_nanos(at.as_nanos() + random.u64(by))
}

/// Steady nodes make blocks at regular times, and transactions at any time
fn made(options: &Options, fates: &[Fate], random: &mut Rng) -> Vec<(Instant, usize, Item)> {
    let steady: Vec<usize> = (0..fates.len()).filter(|node| fates[*node] == Fate::Steady).collect();
    let since_start = |time: Duration| Instant::from(START + time);
    let blocks =
        (0..options.blocks).map(|number| (options.interval * number as u32, Item { kind: Kind::Block, number }));
    let blocks: Vec<_> = blocks.map(|(at, item)| (since_start(at), item)).collect();
    let busy = options.interval * (options.blocks - 1) as u32 + TRANSACTIONS;
    let transactions = (0..options.transactions).map(|number| {
        let at = since_start(busy.mul_f64(random.f64()));
        (at, Item { kind: Kind::Transaction, number })
    });
    let all: Vec<_> = blocks.into_iter().chain(transactions).collect();
    all.into_iter().map(|(at, item)| (at, steady[random.usize(..steady.len())], item)).collect()
}

//! Small networks with real links

use std::collections::BTreeSet;

use devp2p_proto::Instant;

use crate::network::Network;
use crate::options::Options;
use crate::outcome::Outcome;
use crate::page;
use crate::page::tree::{Dot, Tree, When};
use crate::plan::{Cable, Fate, Plan};

/// A network without faults
fn calm() -> Options {
    Options { nodes: 24, links: 6, block_size: 20_000, stall: 0, vanish: 0, back: 0, lie: 0, ..Options::default() }
}

/// Runs a network to its end
fn run(options: &Options) -> (Network, Outcome) {
    run_until(options, Instant::from(options.time))
}

fn run_until(options: &Options, end: Instant) -> (Network, Outcome) {
    let mut network = Network::new(Plan::new(options));
    while network.advance(end).is_some() {}
    let outcome = Outcome::of(options.clone(), &mut network, end);
    (network, outcome)
}

/// How many nodes of a group have every block, and how many there are
fn group(outcome: &Outcome, name: &str) -> (usize, usize) {
    let group = outcome.groups.iter().find(|group| group.name == name).expect("there are such nodes");
    (group.have_all, group.nodes)
}

/// How many ends of links have ended for this cause
fn endings(outcome: &Outcome, cause: &str) -> u64 {
    outcome.endings.iter().filter(|(text, _)| text.contains(cause)).map(|(_, count)| count).sum()
}

#[test]
fn every_node_has_as_many_links_as_were_asked_for() {
    for (nodes, links) in [(2, 1), (3, 2), (5, 4), (8, 7), (10, 3), (50, 6), (200, 9)] {
        let plan = Plan::new(&Options { nodes, links, ..calm() });
        let mut peers = vec![BTreeSet::new(); nodes];
        for Cable { nodes: [a, b], .. } in &plan.cables {
            assert!(peers[*a].insert(*b) && peers[*b].insert(*a), "two links between {a} and {b}");
        }
        assert!(peers.iter().enumerate().all(|(node, peers)| peers.len() == links && !peers.contains(&node)));
    }
}

#[test]
fn every_node_gets_every_block() {
    let options = Options { blocks: 3, transactions: 5, ..calm() };
    let (network, outcome) = run(&options);
    assert_eq!((outcome.links, outcome.links_ready), (72, 72));
    assert_eq!(group(&outcome, "steady"), (24, 24));
    assert!(outcome.spreads.iter().all(|spread| spread.times.len() == spread.complete), "transactions as well");
    assert!(outcome.endings.is_empty(), "{:?}", outcome.endings);
    for node in &network.nodes {
        let makers = node.arrivals.values().filter(|arrival| arrival.from.is_none()).count();
        assert!(node.arrivals.len() == 8 && makers < 8);
    }
}

/// What arrives was sent before, and no sooner than the cable permits
#[test]
fn nothing_is_faster_than_its_cable() {
    let plan = Plan::new(&calm());
    let (network, _) = run(&calm());
    for (number, node) in network.nodes.iter().enumerate() {
        for (item, arrival) in &node.arrivals {
            let Some(from) = arrival.from else { continue };
            let mut pair = [number, from];
            let cable = plan.cables.iter().find(|cable| {
                pair.reverse();
                cable.nodes == pair || cable.nodes == [pair[1], pair[0]]
            });
            let cable = cable.expect("they are linked");
            let took = arrival.at.saturating_since(network.nodes[from].arrivals[item].at);
            // Half of the bytes of a block are zero, and the other half cannot be compressed.
            let content = plan.library.content(*item).bytes.len() as f64 / 2.0;
            let least = cable.latency.as_secs_f64() + content / cable.rate as f64;
            assert!(took.as_secs_f64() > least, "{took:?} for {item:?} over {cable:?}");
        }
    }
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let options = Options { stall: 10, vanish: 10, back: 10, lie: 10, ..calm() };
    let figures = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        let (network, outcome) = pool.install(|| run(&options));
        let arrivals: Vec<_> = network.nodes.iter().map(|node| node.arrivals.clone()).collect();
        (arrivals, outcome.sent, outcome.traffic, outcome.endings)
    };
    let one = figures(1);
    assert_eq!(one, figures(1));
    assert_eq!(one, figures(3));
}

#[test]
fn who_stands_still_gets_it_later() {
    let (network, outcome) = run(&Options { stall: 25, ..calm() });
    assert_eq!((group(&outcome, "stalled"), group(&outcome, "steady")), ((6, 6), (18, 18)));
    for node in &network.nodes {
        if let Fate::Stalls(from, to) = node.fate {
            let during = |at: Instant| from < at && at < to;
            assert!(node.arrivals.values().all(|arrival| !during(arrival.at)), "it reads nothing meanwhile");
        }
    }
}

#[test]
fn who_vanishes_is_missed_after_the_read_timeout() {
    let (_, outcome) = run(&Options { vanish: 25, ..calm() });
    assert_eq!(group(&outcome, "steady"), (18, 18), "the others get it all the same");
    assert!(endings(&outcome, "timeout") > 18, "{:?}", outcome.endings);
    assert!(outcome.links_ready < 72 - 18);
}

#[test]
fn who_comes_back_gets_what_it_has_missed() {
    let (_, outcome) = run(&Options { back: 25, blocks: 2, interval: std::time::Duration::from_secs(5), ..calm() });
    assert_eq!((group(&outcome, "came back"), group(&outcome, "steady")), ((6, 6), (18, 18)));
    assert_eq!(outcome.links_ready, 72, "on new links");
    assert!(outcome.endings.is_empty(), "a new connection takes the place of the old one: {:?}", outcome.endings);
}

#[test]
fn who_lies_loses_its_links() {
    let (_, outcome) = run(&Options { lie: 25, ..calm() });
    assert_eq!(group(&outcome, "steady"), (18, 18));
    let (mac, block) = (endings(&outcome, "wrong MAC"), endings(&outcome, "gossip/1 failed"));
    assert!(mac > 0 && block > 0, "both kinds of lies: {:?}", outcome.endings);
    // Each link that has ended has two ends. The liar learns of a false block by the peer's Disconnect.
    let ended = (outcome.links - outcome.links_ready) as u64;
    assert_eq!(outcome.endings.values().sum::<u64>(), 2 * ended, "{:?}", outcome.endings);
    assert_eq!(endings(&outcome, "breach of protocol"), block);
}

/// A node is farther from the middle than the node that sent it the block, unless both are on the outermost circle
#[test]
fn the_tree_shows_who_was_earlier() {
    let (_, outcome) = run(&Options { vanish: 25, ..calm() });
    let dots = Tree::of(&outcome).dots;
    let radius = |dot: &Dot| dot.x.hypot(dot.y);
    for dot in &dots {
        assert!(radius(dot) < 1.000_001);
        assert!(dot.from.is_none_or(|from| radius(&dots[from]) < radius(dot) || dot.when == When::Later), "{dot:?}");
    }
    let without = dots.iter().filter(|dot| dot.from.is_none());
    let never = dots.iter().filter(|dot| dot.when == When::Never).count();
    assert_eq!((dots.len(), without.count()), (24, never + 1), "only the maker has it from nobody");
    let lacking = outcome.first_block.iter().filter(|arrival| arrival.is_none()).count();
    assert!(never == lacking && never > 0);
}

/// An interrupt may come before anything has happened, or before all has
#[test]
fn a_run_that_ends_early_has_a_page_as_well() {
    let options = Options { blocks: 2, ..calm() };
    for (millis, arrived) in [(0, 0), (500, 0), (5_001, 1), (6_000, 24)] {
        let (_, outcome) = run_until(&options, Instant::from_millis(millis));
        assert_eq!(outcome.spreads[0].times.len(), arrived);
        let page = page::text(&outcome).expect("a page");
        let figure = format!("<b>{arrived} of 24</b><span>nodes with block 1</span>");
        assert!(page.contains(&figure) && page.ends_with("</html>\n"), "{page}");
        assert_eq!(page.matches("<circle").count(), 24);
    }
}

//! A full geth node dials `eth`, downloads the whole chain from it, and keeps the link
//!
//! Ignored by default; `tests/programs/geth_node/run` runs it.

use std::thread;
use std::time::{Duration, Instant};

use crate::node::{Follower, Geth};
use crate::program::Program;

/// The variable that says for how many seconds geth must keep the link
const STAY: &str = "DEVP2P_STAY";
const DEFAULT_STAY: u64 = 60;

#[test]
#[ignore = "needs geth"]
fn geth_dials_takes_the_chain_and_stays() {
    let stay = std::env::var(STAY).ok().map_or(DEFAULT_STAY, |seconds| seconds.parse().expect("seconds"));
    let geth = Geth::shared();
    let mut eth = Program::start("eth", &[&geth.enode, "--genesis", &geth.genesis, "--listen", "127.0.0.1:0"]);
    let kept = eth.line("at the head of the node; blocks 0 to ");
    let head = kept.split([' ', ',']).find(|word| word.len() == 64).expect("a hash");
    let listening = eth.line("listening ");
    let url = listening.trim_start_matches("listening ");

    let follower = Follower::start(&geth.genesis);
    assert_eq!(follower.tell(&format!("admin.addPeer('{url}')")), "true");
    eth.wait("inbound 1: eth/69 with Geth/");
    let since = Instant::now();

    // geth knows only the hash of the head. That header, all others and all bodies come from `eth`.
    assert_eq!(follower.tell(&format!("debug.sync('0x{head}')")), "null");
    follower.wait_until("eth.blockNumber", |number| number == geth.head.to_string());

    while since.elapsed() < Duration::from_secs(stay) {
        thread::sleep(Duration::from_secs(1));
    }
    let peers =
        "admin.peers.length + ' ' + admin.peers[0].network.inbound + ' ' + admin.peers[0].protocols.eth.latestBlock";
    assert_eq!(follower.tell(peers), format!("\"1 false {}\"", geth.head));
    eth.interrupt();
    let finished = eth.finish();
    finished.assert(0, "inbound 1 ended after ");
    println!("after {:?}: {}", since.elapsed(), finished.out);
    assert!(!finished.out.contains("inbound 2"), "{finished:?}");
}

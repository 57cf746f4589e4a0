//! The programs with a full geth node, whose chain geth itself has made
//!
//! All of these are ignored by default; `tests/programs/geth_node/run` runs them.

use std::time::Duration;

use serde_json::{Value, json};

use devp2p_program_tests::NEVER;

use crate::node::{Geth, GethPeer};
use crate::program::{Program, run};
use crate::recordings::fresh;

#[test]
#[ignore = "needs geth"]
fn ping_a_full_node() {
    let geth = Geth::shared();
    let finished = run("ping", &[geth.enode.as_str(), "--count", "3", "--interval", "0.1"]);
    finished.assert(0, "name          Geth/v1.");
    for says in ["eth/68 eth/69", "shared        eth/69 at 0x10 to 0x21, snap/1 at 0x22 to 0x29", "3 answered"] {
        finished.assert(0, says);
    }
}

#[test]
#[ignore = "needs geth"]
fn ping_a_full_node_as_json() {
    let geth = Geth::shared();
    let finished = run("ping", &[geth.enode.as_str(), "--count", "3", "--interval", "0.1", "--json"]);
    let told: Value = serde_json::from_str(&finished.out).expect("one document");
    assert!(told["peer"]["name"].as_str().is_some_and(|name| name.starts_with("Geth/")), "{told}");
    assert_eq!((&told["sent"], &told["answered"]), (&json!(3), &json!(3)));
    // No node answers within a microsecond. On a busy machine, an answer may take any time.
    let times: Vec<f64> = serde_json::from_value(told["rttMillis"].clone()).expect("numbers");
    assert!(times.iter().all(|time| *time > 0.001 && *time < NEVER.as_secs_f64() * 1e3), "{told}");
}

/// A full node, and a server that takes no more peers
#[test]
#[ignore = "needs geth"]
fn ping_a_list_of_nodes() {
    let (geth, full) = (Geth::shared(), GethPeer::start(&["-protocols", "eth/68:17", "-max-peers", "0"]));
    let list = fresh("list-of-nodes");
    std::fs::write(&list, format!("{}\n{}\n", geth.enode, full.enode)).expect("a file");
    let list = list.to_str().expect("text");
    let finished = run("ping", &["--nodes", list, "--eth", "--format", "json"]);
    let mut rows: Vec<Value> =
        finished.out.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect();
    rows.sort_by_key(|row| row["line"].as_u64());
    assert_eq!((rows.len(), finished.status), (2, Some(0)), "{finished:?}");
    assert_eq!(
        (&rows[1]["outcome"], &rows[1]["why"]),
        (&json!("disconnected"), &json!("too many peers")),
        "{finished:?}"
    );
    assert!(rows[0]["client"].as_str().is_some_and(|name| name.starts_with("Geth/v1.")), "{finished:?}");
    assert!(rows[0]["genesis"].is_string() && rows[0]["forkId"].is_string(), "{finished:?}");
    assert_eq!((&rows[0]["outcome"], &rows[0]["stage"]), (&json!("reached"), &Value::Null), "{finished:?}");
}

/// Without a Status from us, geth would have hung up
#[test]
#[ignore = "needs geth"]
fn ping_for_longer_than_geth_waits_for_status() {
    let geth = Geth::shared();
    run("ping", &[geth.enode.as_str(), "--count", "8"]).assert(0, "8 answered");
}

#[test]
#[ignore = "needs geth"]
fn ping_is_refused_by_a_full_server() {
    let peer = GethPeer::start(&["-protocols", "eth/68:17", "-max-peers", "0"]);
    run("ping", &[&peer.enode]).assert(3, "too many peers");
    run("ping", &[&peer.enode, "--offer", "echo/1:16"]).assert(3, "too many peers");
}

#[test]
#[ignore = "needs geth"]
fn ping_of_another_protocol_ends_as_geth_tells_it() {
    let mut peer = GethPeer::start(&[]);
    let mut ping = Program::start("ping", &[&peer.enode, "--offer", "echo/1:16"]);
    assert_eq!(peer.wait_for("run")["protocol"], "echo/1");
    ping.wait("seq=2 ");
    ping.interrupt();
    let drop = peer.wait_for("drop");
    assert_eq!((&drop["error"], &drop["requested"]), (&json!("client quitting"), &json!(true)), "{drop}");
    ping.finish().assert(0, "rtt min/avg/max/mdev");
}

#[test]
#[ignore = "needs geth"]
fn ping_is_told_to_go() {
    let mut peer = GethPeer::start(&[]);
    let ping = Program::start("ping", &[&peer.enode, "--offer", "echo/1:16"]);
    peer.wait_for("run");
    peer.command(&json!({"cmd": "disconnect", "reason": 4}));
    ping.finish().assert(3, "too many peers");
}

/// Every block of the chain, and the state, in either version
#[test]
#[ignore = "needs geth"]
fn eth_checks_the_whole_chain() {
    let geth = Geth::shared();
    for version in ["68", "69"] {
        let arguments = [&geth.enode, "--genesis", &geth.genesis, "--once", "--version", version, "--batch", "16"];
        let finished = run("eth", &arguments);
        finished.assert(0, &format!("eth/{version} and snap/1 with Geth/v1."));
        finished.assert(0, &format!("checked {} headers, ", geth.head + 1));
        assert_eq!(counted(&finished.out, " transactions"), geth.transactions, "{finished:?}");
        assert_eq!(counted(&finished.out, " receipts"), geth.transactions, "{finished:?}");
        assert!(counted(&finished.out, " logs") > 0, "{finished:?}");
        // The answer of the second protocol came while headers of the first one did.
        finished.assert(0, &format!("of block {}, the complete state", geth.head));
        let after = counted(&finished.out, " headers\n");
        assert!((1..=geth.head).contains(&after), "{finished:?}");
    }
}

/// The number before a word
fn counted(text: &str, word: &str) -> u64 {
    let before = text.split(word).next().expect("a piece");
    before.rsplit(' ').next().and_then(|number| number.parse().ok()).unwrap_or_else(|| panic!("no {word} in {text}"))
}

#[test]
#[ignore = "needs geth"]
fn eth_stays_until_it_is_asked_to_stop() {
    let geth = Geth::shared();
    let mut eth = Program::start("eth", &[&geth.enode, "--genesis", &geth.genesis]);
    let all = geth.head + 1;
    eth.wait(&format!("{all}/{all} headers"));
    // It looks for new blocks at intervals.
    std::thread::sleep(Duration::from_secs(6));
    eth.interrupt();
    eth.finish().assert(0, &format!("checked {} headers", geth.head + 1));
    assert!(geth.dropped().iter().any(|line| line.contains("client quitting")));
}

#[test]
#[ignore = "needs geth"]
fn eth_without_a_genesis_file() {
    let geth = Geth::shared();
    let finished = run("eth", &[&geth.enode, "--genesis", &geth.genesis, "--network-id", "1"]);
    let word = |before: &str| {
        let rest = finished.out.split(before).nth(1).unwrap_or_else(|| panic!("{finished:?}"));
        rest.split([',', '\n']).next().expect("a piece").to_string()
    };
    let (genesis, fork_id) = (word("genesis "), word("fork id "));
    let with = |network: &str, genesis: &str, fork_id: &str| {
        let chain = ["--network-id", network, "--genesis-hash", genesis, "--fork-id", fork_id];
        run("eth", &[&[geth.enode.as_str(), "--once"][..], &chain].concat())
    };
    with("1337", &genesis, &fork_id).assert(0, &format!("checked {} headers", geth.head + 1));

    let before = geth.dropped().len();
    with("1", &genesis, &fork_id).assert(5, "it is on network 1337, not on 1");
    with("1337", &"ab".repeat(32), &fork_id).assert(5, "its genesis is");
    with("1337", &genesis, "01020304").assert(5, "its fork id is");
    // As geth has seen it: our Disconnect, with a reason of the subprotocol.
    let deadline = std::time::Instant::now() + NEVER;
    let told = || geth.dropped().iter().filter(|line| line.contains("err=\"subprotocol error\"")).count();
    while told() < 3 {
        assert!(std::time::Instant::now() < deadline, "{:#?}", &geth.dropped()[before..]);
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
#[ignore = "needs geth"]
fn the_journal_of_a_link_with_geth_replays_byte_for_byte() {
    let geth = Geth::shared();
    let (ping, eth) = (fresh("geth-ping"), fresh("geth-eth"));
    let record = |path: &std::path::Path| ["--record".into(), path.display().to_string(), "--yes-secrets".to_string()];
    let visits = [
        ("ping", &ping, vec![geth.enode.clone(), "--count".into(), "3".into(), "--interval".into(), "0.1".into()]),
        ("eth", &eth, vec![geth.enode.clone(), "--genesis".into(), geth.genesis.clone(), "--once".into()]),
    ];
    for (program, path, arguments) in visits {
        run(program, &[&arguments[..], &record(path)].concat()).assert(0, "");
        let path = path.to_str().expect("text");
        let page = format!("{path}.html");
        run("replay", &[path, "--html", &page]).assert(0, "no difference");
        assert!(std::fs::read_to_string(page).expect("a page").contains("Geth/v1"));
    }
}

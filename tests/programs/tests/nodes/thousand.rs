//! A thousand nodes of every kind in one run: the line of each must be the one for its kind

use std::collections::BTreeMap;

use devp2p_program_tests::fleet::{Fleet, HOSTILE_NAME, HOSTILE_NAME_SHOWN, Kind, Then};
use serde_json::{Value, json};

use crate::program::{Finished, List, ping};

/// Time limits that are to be reached only by the nodes that hang: a handshake takes far less, even on a busy machine
/// with two hundred handshakes under way
const LIMITS: [&str; 6] = ["--timeout", "12", "--timeouts", "handshake=12000,linger=1000", "--limit", "600"];

const KINDS: [(Kind, usize); 25] = [
    // First, so that their timeouts run while all others are visited
    (Kind::Hangs(Then::Accepted), 15),
    (Kind::Hangs(Then::HandshakeDone), 15),
    (Kind::Hangs(Then::HelloSaid), 15),
    (Kind::Hangs(Then::StatusSent), 15),
    (Kind::Honest("Geth/v1.17.10-stable/linux-amd64/go1.26.8"), 300),
    (Kind::Honest("Nethermind/v1.40.0/linux-x64/dotnet10.0.0"), 180),
    (Kind::Honest("besu/v26.10.0/linux-x86_64/openjdk-java-25"), 100),
    (Kind::Honest(HOSTILE_NAME), 20),
    (Kind::Absent, 40),
    (Kind::Full, 40),
    (Kind::Fickle, 20),
    (Kind::Stranger, 20),
    (Kind::WrongKey, 20),
    (Kind::Web, 20),
    (Kind::Noise, 10),
    (Kind::Loud, 10),
    (Kind::WrongMac, 10),
    (Kind::Impostor, 10),
    (Kind::Oversized, 20),
    (Kind::BadStatus, 20),
    (Kind::Vanishes(Then::Accepted), 20),
    (Kind::Vanishes(Then::HandshakeDone), 20),
    (Kind::Vanishes(Then::HelloSaid), 20),
    (Kind::Vanishes(Then::StatusSent), 20),
    (Kind::Honest("reth/v2.5.1/x86_64-unknown-linux-gnu"), 20),
];

/// Outcome, stage, a part of why, and whether its Hello was heard
fn expected(kind: Kind) -> (&'static str, Option<&'static str>, &'static str, bool) {
    match kind {
        Kind::Honest(_) | Kind::Silent | Kind::Loud => ("reached", None, "", true),
        Kind::Absent => ("unreachable", Some("connection"), "connection refused", false),
        Kind::Full => ("disconnected", Some("Hello"), "too many peers", false),
        Kind::Fickle => ("disconnected", Some("Status"), "already connected", true),
        Kind::Stranger => ("useless", None, "no protocol in common", true),
        Kind::WrongKey => ("closed", Some("handshake"), "", false),
        Kind::Web => ("violation", Some("handshake"), "handshake packet is larger than 2048 bytes", false),
        Kind::Noise => ("violation", Some("handshake"), "handshake packet cannot be authenticated", false),
        Kind::WrongMac => ("violation", Some("Hello"), "wrong MAC of a frame body", false),
        Kind::Impostor => ("violation", Some("Hello"), "another node id than the handshake", true),
        Kind::Oversized => ("violation", Some("Hello"), "frame of 16777215 bytes is too large", false),
        Kind::BadStatus => ("violation", Some("Status"), "malformed Status", true),
        Kind::Vanishes(then) => ("closed", Some(stage(then)), "", hello(then)),
        Kind::Hangs(then) => ("timeout", Some(stage(then)), "", hello(then)),
    }
}

/// What is waited for after that
fn stage(then: Then) -> &'static str {
    match then {
        Then::Accepted => "handshake",
        Then::HandshakeDone => "Hello",
        Then::HelloSaid => "Status",
        Then::StatusSent => "Pong",
    }
}

fn hello(then: Then) -> bool {
    then >= Then::HelloSaid
}

#[test]
fn each_of_a_thousand_nodes_has_its_line() {
    let fleet = Fleet::start(&KINDS).expect("a fleet");
    assert_eq!(fleet.nodes.len(), 1000);
    // In an order that has nothing to do with their kinds, apart from those that hang
    let mut nodes = fleet.nodes.clone();
    nodes[60..].sort_by_key(|(_, node)| node.to_string());
    let list = List::of(&nodes.iter().map(|(_, node)| format!("{node}\n")).collect::<String>());

    let finished = ping(&list, &[&LIMITS[..], &["--eth", "--format", "json", "--at-once", "200"]].concat());
    assert_eq!(finished.status, Some(0), "{}", finished.err);
    finished.assert_plain();
    let rows = finished.rows();
    assert_eq!(rows.len(), nodes.len());
    for ((row, (kind, node)), line) in rows.iter().zip(&nodes).zip(1_u64..) {
        assert_eq!((&row["line"], &row["enode"]), (&json!(line), &json!(node.to_string())));
        check(row, *kind);
    }
    check_summary(&finished);
    assert_eq!(fleet.visits(), 960, "each that listens was visited once");
    assert_eq!(fleet.goodbyes(), 630, "each that was reached was told goodbye");
    assert!(fleet.most_open() <= 8 * 200, "{}", fleet.most_open());
}

#[track_caller]
fn check(row: &Value, kind: Kind) {
    let (outcome, stage, why, hello) = expected(kind);
    assert_eq!((&row["outcome"], &row["stage"]), (&json!(outcome), &json!(stage)), "{kind:?}: {row}");
    assert!(row["why"].as_str().is_some_and(|text| text.contains(why) && text.is_empty() == why.is_empty()), "{row}");
    assert_eq!(row["client"].is_string(), hello, "{kind:?}: {row}");
    if hello {
        let name = match kind {
            Kind::Honest(HOSTILE_NAME) => HOSTILE_NAME_SHOWN,
            kind => kind.name(),
        };
        assert_eq!((&row["client"], &row["version"]), (&json!(name), &json!(5)), "{kind:?}");
        let capabilities = if kind == Kind::Stranger { json!(["bzz/1"]) } else { json!(["eth/69", "snap/1"]) };
        assert_eq!(row["capabilities"], capabilities, "{kind:?}");
    }
    let told =
        matches!(kind, Kind::Honest(_) | Kind::Loud | Kind::Vanishes(Then::StatusSent) | Kind::Hangs(Then::StatusSent));
    assert_eq!(row["forkId"], if told { json!("fc64ec04/1150000") } else { Value::Null }, "{kind:?}");
    assert_eq!((&row["network"], row["genesis"].is_string()), (&if told { json!(1) } else { Value::Null }, told));
    assert_eq!(row["roundTripMillis"].is_number(), matches!(kind, Kind::Honest(_) | Kind::Loud), "{kind:?}");
}

/// The counts at the end are those of the kinds
#[track_caller]
fn check_summary(finished: &Finished) {
    assert!(finished.err.contains("--- 1000 nodes, 630 reached ---"), "{}", finished.err);
    let mut counts = BTreeMap::new();
    for (kind, count) in KINDS {
        let (outcome, stage, ..) = expected(kind);
        let at = stage.filter(|stage| *stage != "connection").map_or(String::new(), |stage| format!(" at {stage}"));
        *counts.entry(format!("{outcome}{at}")).or_insert(0) += count;
    }
    for (what, count) in counts {
        let lines = finished.err.lines().filter_map(|line| line.trim().split_once("  "));
        let counted = lines.filter(|(_, text)| text.split(": ").next() == Some(&what));
        assert_eq!(counted.map(|(count, _)| count.parse::<usize>().expect("a count")).sum::<usize>(), count, "{what}");
    }
    for line in ["300  Geth", "180  Nethermind", "100  besu", "20  reth", "150  fleet"] {
        assert!(finished.err.lines().any(|said| said.trim() == line), "{line}: {}", finished.err);
    }
}

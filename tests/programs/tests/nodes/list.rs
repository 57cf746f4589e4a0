//! Lists with bad lines, runs that are interrupted, and what is printed

use std::io::{BufRead, BufReader, Read};
use std::process::Command;

use devp2p_program_tests::fleet::{Fleet, HOSTILE_NAME, HOSTILE_NAME_SHOWN, Kind, Then};
use devp2p_program_tests::programs::path;

use crate::program::{Finished, List, command, ping};

const GETH: Kind = Kind::Honest("Geth/v1");

fn list(fleet: &Fleet) -> List {
    List::of(&fleet.nodes.iter().map(|(_, node)| format!("{node}\n")).collect::<String>())
}

#[test]
fn nonsense_is_named_by_its_line_and_the_rest_goes_on() {
    let fleet = Fleet::start(&[(GETH, 2)]).expect("a fleet");
    let [(_, one), (_, other)] = fleet.nodes[..] else { panic!("two nodes") };
    let off_curve = format!("enode://{}@127.0.0.1:1", "0".repeat(128));
    let list = List::of(&format!("# ours\n{one}\n\nenode://\x1b[2J\n{other} # the other\n{off_curve}\n"));
    let finished = ping(&list, &["--format", "json"]);
    assert_eq!(finished.status, Some(0), "{finished:?}");
    let named = format!("ping: {} line 4: an enode URL has 128 hexadecimal digits", list.path());
    assert!(finished.err.starts_with(&named), "{}", finished.err);
    finished.assert_plain();
    let rows = finished.rows();
    let seen: Vec<_> = rows.iter().map(|row| (row["line"].as_u64(), row["outcome"].as_str())).collect();
    assert_eq!(seen, [(Some(2), Some("reached")), (Some(5), Some("reached")), (Some(6), Some("unusable"))]);
}

#[test]
fn lists_and_arguments_that_are_refused() {
    let empty = List::of("# nobody\n");
    let finished = ping(&empty, &[]);
    assert!(finished.status == Some(2) && finished.err.contains("no nodes in it"), "{finished:?}");
    let missing = Command::new(path("ping")).args(["--nodes", "/nowhere/nodes"]).output().expect("built");
    let missing = Finished::new(missing);
    assert!(missing.status == Some(2) && missing.err.contains("/nowhere/nodes: No such file"), "{missing:?}");
    for (options, says) in [
        (&["--format", "xml"][..], "--format xml: must be table, csv or json"),
        (&["--at-once", "0"], "--at-once 0: must be at least 1"),
        (&["--json"], "--json is for one node"),
        (&["--limit", "0"], "--limit 0: not a positive number"),
    ] {
        let finished = ping(&empty, options);
        assert!(finished.status == Some(2) && finished.err.contains(says), "{finished:?}");
    }
    let alone = Finished::new(Command::new(path("ping")).args(["--eth"]).output().expect("built"));
    assert!(alone.status == Some(2) && alone.err.contains("--eth needs a list of nodes"), "{alone:?}");
}

#[test]
fn nobody_reached() {
    let fleet = Fleet::start(&[(Kind::Absent, 2), (Kind::Full, 1)]).expect("a fleet");
    let finished = ping(&list(&fleet), &[]);
    assert_eq!(finished.status, Some(4), "{finished:?}");
    let expected = ["     2  unreachable: connection refused", "     1  disconnected at Hello: too many peers"];
    assert_eq!(finished.out.lines().rev().take(2).collect::<Vec<_>>(), [expected[1], expected[0]]);
}

#[test]
fn a_table_in_the_order_of_the_list() {
    let fleet = Fleet::start(&[(Kind::Stranger, 1), (GETH, 2), (Kind::Full, 1)]).expect("a fleet");
    let finished = ping(&list(&fleet), &["--eth"]);
    let lines: Vec<Vec<&str>> = finished.out.lines().map(|line| line.split_whitespace().collect()).collect();
    let headings = "line address rtt ms client p2p capabilities network genesis fork id outcome";
    assert_eq!(lines[0].join(" "), headings);
    for (line, (index, ending)) in lines[1..5].iter().zip([
        (1, "useless: no protocol in common"),
        (2, "eth/69 snap/1 1 d4e56740 fc64ec04/1150000 reached"),
        (3, "eth/69 snap/1 1 d4e56740 fc64ec04/1150000 reached"),
        (4, "disconnected at Hello: too many peers"),
    ]) {
        assert_eq!(line[..2], [index.to_string(), fleet.nodes[index - 1].1.address.to_string()]);
        assert!(line.join(" ").ends_with(ending), "{line:?}");
    }
    assert_eq!(finished.err, "", "no progress bar where there is no terminal");
}

#[test]
fn csv_without_a_formula_and_without_controls() {
    let fleet = Fleet::start(&[(Kind::Honest(HOSTILE_NAME), 1)]).expect("a fleet");
    let finished = ping(&list(&fleet), &["--eth", "--format", "csv"]);
    finished.assert_plain();
    let lines: Vec<_> = finished.out.lines().collect();
    let headings = "line,enode,outcome,stage,why,client,version,capabilities,round_trip_ms,network,genesis,fork_id";
    assert_eq!((lines.len(), lines[0]), (2, headings));
    let name = format!("\"'{}\"", HOSTILE_NAME_SHOWN.replace('"', "\"\""));
    assert!(lines[1].starts_with(&format!("1,{},reached,,,{name},5,eth/69 snap/1,", fleet.nodes[0].1)), "{}", lines[1]);
    assert!(lines[1].ends_with(",fc64ec04/1150000"), "{}", lines[1]);
}

/// Without `--eth` a Status is answered all the same, and a node that sends none gets its Ping, too
#[test]
fn reached_without_asking_for_the_status() {
    let fleet = Fleet::start(&[(GETH, 1), (Kind::Silent, 1)]).expect("a fleet");
    let finished = ping(&list(&fleet), &["--format", "json"]);
    let rows = finished.rows();
    assert!(rows.iter().all(|row| row["outcome"] == "reached"), "{finished:?}");
}

#[test]
fn the_time_for_a_node_is_limited() {
    let fleet = Fleet::start(&[(Kind::Hangs(Then::StatusSent), 1)]).expect("a fleet");
    let finished = ping(&list(&fleet), &["--eth", "--limit", "3", "--format", "json"]);
    assert_eq!((finished.status, finished.rows()[0]["outcome"].as_str()), (Some(4), Some("timeout")), "{finished:?}");
}

/// If the process may open fewer files than nodes at once, nodes wait for a socket, and none fails for lack of one
#[test]
#[cfg(unix)]
fn too_many_open_files() {
    let fleet = Fleet::start(&[(GETH, 200)]).expect("a fleet");
    let list = list(&fleet);
    let inner = command(&list, &["--eth", "--format", "json"]);
    let mut limited = Command::new("sh");
    limited.args(["-c", "ulimit -n 40; exec \"$0\" \"$@\""]).arg(inner.get_program()).args(inner.get_args());
    let finished = Finished::new(limited.output().expect("a shell"));
    let rows = finished.rows();
    assert!(rows.len() == 200 && rows.iter().all(|row| row["outcome"] == "reached"), "{}", finished.err);
    assert!(fleet.most_open() <= 40, "{}", fleet.most_open());
}

#[test]
fn no_more_handshakes_at_once_than_asked_for() {
    let fleet = Fleet::start(&[(GETH, 100)]).expect("a fleet");
    let finished = ping(&list(&fleet), &["--at-once", "1", "--eth", "--format", "json"]);
    assert_eq!(finished.rows().len(), 100);
    assert!(fleet.most_open() <= 8, "{}", fleet.most_open());
}

/// At Ctrl-C it prints what it knows, also about nodes for which it was still waiting
#[test]
#[cfg(unix)]
fn interrupted() {
    let kinds = [(GETH, 3), (Kind::Hangs(Then::HelloSaid), 2), (GETH, 1)];
    let fleet = Fleet::start(&kinds).expect("a fleet");
    let list = list(&fleet);
    // One at a time, so that the two have sent Hello before the last one is dialled
    let mut child = command(&list, &["--eth", "--format", "json", "--at-once", "1"]).spawn().expect("built");
    let mut lines = BufReader::new(child.stdout.take().expect("piped"));
    let mut out = String::new();
    for _ in 0..4 {
        lines.read_line(&mut out).expect("a line for each node that answers");
    }
    let status = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(status.is_ok_and(|status| status.success()));
    lines.read_to_string(&mut out).expect("the rest");
    let finished = Finished { out, ..Finished::new(child.wait_with_output().expect("it ends")) };
    assert_eq!(finished.status, Some(0), "{finished:?}");
    let rows = finished.rows();
    let outcomes: Vec<_> = rows.iter().map(|row| row["outcome"].as_str().expect("text")).collect();
    assert_eq!(outcomes, ["reached", "reached", "reached", "interrupted", "interrupted", "reached"]);
    assert_eq!((&rows[3]["client"], &rows[3]["stage"]), (&"fleet/v1".into(), &"Status".into()));
    assert!(finished.err.contains("2  interrupted at Status"), "{}", finished.err);
}

//! What a bad command line gets: one line that says what and where, and status 2

use crate::program::run;

const KEY: &str = "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798\
                   483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8";

fn url(rest: &str) -> String {
    format!("enode://{KEY}{rest}")
}

#[track_caller]
fn refused(name: &'static str, arguments: &[&str], says: &str) {
    let finished = run(name, arguments);
    finished.assert(2, says);
    assert!(finished.err.starts_with(name) && finished.err.lines().count() == 1, "not one line: {:?}", finished.err);
}

#[test]
fn urls_that_name_no_node() {
    let short = &url("@127.0.0.1:1")[..100];
    let cases = [
        ("http://example.org", "begins with enode://"),
        (short, "128 hexadecimal digits before the @"),
        (&url("0@127.0.0.1:1"), "128 hexadecimal digits before the @"),
        (&format!("enode://{}@127.0.0.1:1", "0".repeat(128)), "not a public key"),
        (&format!("enode://{}@127.0.0.1:1", "a".repeat(128)), "not a public key"),
        (&url("@localhost:1"), "an IP address and a port after the @"),
        (&url("@127.0.0.1:1?port=1"), "the query of an enode URL is discport"),
    ];
    for (url, says) in cases {
        refused("ping", &[url], says);
    }
}

#[test]
fn options_of_ping() {
    let node = &url("@127.0.0.1:1");
    refused("ping", &[], "missing");
    refused("ping", &[node, node], "one node only");
    refused("ping", &[node, "--count"], "--count takes a value");
    refused("ping", &[node, "--count", "0"], "--count 0");
    refused("ping", &[node, "--count", "many"], "--count many");
    refused("ping", &[node, "--interval", "-1"], "--interval -1");
    refused("ping", &[node, "--offer", "eth"], "NAME/VERSION:LENGTH");
    refused("ping", &[node, "--offer", "far-too-long/1:1"], "1 to 8");
    refused("ping", &[node, "--quick"], "--quick");
    refused("ping", &[node, "--record", "file"], "--yes-secrets");
}

#[test]
fn options_of_eth() {
    let node = &url("@127.0.0.1:1");
    let hash = &"ab".repeat(32);
    refused("eth", &[node], "the chain is missing");
    refused("eth", &[node, "--network-id", "1", "--genesis-hash", hash], "the chain is missing");
    refused("eth", &[node, "--genesis-hash", &hash[2..]], "62 hexadecimal digits instead of 64");
    refused("eth", &[node, "--genesis-hash", &format!("{}x", &hash[1..])], "character 64 is 'x'");
    refused("eth", &[node, "--fork-id", "abc"], "3 hexadecimal digits instead of 8");
    refused("eth", &[node, "--fork-id", "abcdef01/soon"], "\"soon\"");
    refused("eth", &[node, "--version", "66"], "--version 66");
    refused("eth", &[node, "--batch", "0"], "--batch 0");
    refused("eth", &[node, "--budget", "0"], "--budget 0");
    refused("eth", &[node, "--max-inbound", "0"], "--max-inbound 0");
    refused("eth", &[node, "--listen", "nowhere"], "--listen nowhere");
    refused("eth", &[node, "--listen", "127.0.0.1:0", "--once"], "--once cannot be combined with --listen");
    refused("eth", &[node, "--batch", "1025"], "--batch 1025: must be at most 1024");
    refused("eth", &[node, "--patience", "0"], "--patience 0");
    refused("eth", &[node, "--timeouts", "ping"], "cannot read \"ping\"");
    refused("eth", &[node, "--genesis", "/nowhere/genesis.json"], "/nowhere/genesis.json: No such file");
    refused("eth", &[node, "--genesis", "Cargo.toml"], "Cargo.toml: not JSON");
    refused("eth", &[node, "--genesis", "Cargo.toml", "--fork-id", "abcdef01"], "--genesis cannot be combined");
}

#[test]
fn options_of_replay() {
    refused("replay", &[], "missing");
    refused("replay", &["a", "b"], "one file only");
    refused("replay", &["/nowhere/journal"], "/nowhere/journal: No such file");
    refused("replay", &["Cargo.toml"], "Cargo.toml: not a journal");
    refused("replay", &["a", "--quick"], "unknown option --quick");
    refused("replay", &["a", "--html"], "--html takes a value");
    refused("replay", &["a", "--html", "x", "--html", "y"], "--html is given twice");
    refused("replay", &["a", "--html", "Cargo.toml"], "--html Cargo.toml: File exists");
    refused("replay", &["a", "--pcapng", "x", "--html", "x"], "name the same file");
    refused("replay", &["a", "--pcapng", "x.lua"], "its dissector needs the name x.lua");
    refused("replay", &["a", "--pcapng", "x", "--html", "x.lua"], "its dissector needs the name x.lua");
    refused("replay", &["a", "--html", "x", "--yes-secrets"], "--yes-secrets is for --pcapng only");
}

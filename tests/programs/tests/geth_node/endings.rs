//! How a visit ends, told apart by the exit status and in words

use std::net::TcpListener;
use std::time::{Duration, Instant};

use devp2p_proto::{Cause, DisconnectReason, Protocol};
use serde_json::Value;

use crate::program::{Program, run};
use crate::remote::{ETH, Listener, Seen};

const CHAIN: [&str; 6] = [
    "--network-id",
    "1337",
    "--genesis-hash",
    "abababababababababababababababababababababababababababababababab",
    "--fork-id",
    "01020304",
];

fn eth_arguments(url: &str) -> Vec<&str> {
    [&[url][..], &CHAIN].concat()
}

#[test]
fn reached_and_left_politely() {
    let listener = Listener::ethereum();
    let ping = Program::start("ping", &[&listener.url(), "--count", "2", "--interval", "0.05"]);
    assert_eq!(listener.meet().wait_for_end(), Cause::Remote(DisconnectReason::CLIENT_QUITTING));
    let finished = ping.finish();
    for says in ["remote/1.0", "capabilities  eth/69 snap/1", "seq=2 time=", "2 answered", "rtt min/avg/max"] {
        finished.assert(0, says);
    }
    assert_eq!(finished.err, "");
}

/// The first Ping comes late enough for Status, since ethrex ends a link whose first message is not Status
#[test]
fn the_first_ping_leaves_half_a_second_after_hello() {
    let listener = Listener::ethereum();
    let ping = Program::start("ping", &[&listener.url(), "--count", "1"]);
    let begun = Instant::now();
    let mut remote = listener.meet();
    remote.wait_for_first_word();
    assert!(begun.elapsed() >= Duration::from_millis(500), "{:?}", begun.elapsed());
    remote.wait_for_end();
    ping.finish().assert(0, "1 answered");
}

#[test]
fn reached_as_json() {
    let listener = Listener::ethereum();
    let ping = Program::start("ping", &[&listener.url(), "--count", "2", "--interval", "0.05", "--json"]);
    listener.meet().wait_for_end();
    let finished = ping.finish();
    let told: Value = serde_json::from_str(&finished.out).expect("one document");
    assert_eq!((&told["outcome"], &told["answered"]), (&"reached".into(), &2.into()));
    assert_eq!(told["peer"]["shared"][0]["capability"], "eth/69");
    let summary = |name: &str| told["summary"][name].as_f64().expect("a number");
    assert!(summary("min") <= summary("avg") && summary("avg") <= summary("max"), "{told}");
}

#[test]
fn interrupted_and_left_politely() {
    for (name, signal) in [("ping", "-INT"), ("ping", "-TERM"), ("eth", "-INT")] {
        let listener = Listener::ethereum();
        let url = listener.url();
        let program =
            Program::start(name, if name == "ping" { vec![url.as_str()] } else { eth_arguments(&url) }.as_slice());
        let mut remote = listener.meet();
        remote.wait_for_first_word();
        program.signal(signal);
        assert_eq!(remote.wait_for_end(), Cause::Remote(DisconnectReason::CLIENT_QUITTING), "{name} {signal}");
        program.finish().assert(0, if name == "ping" { " pings sent, " } else { "eth/69" });
    }
}

/// A process that is stopped and continued has its wait for the socket broken off, which ends no link
#[test]
fn stopped_and_continued() {
    let listener = Listener::ethereum();
    let ping = Program::start("ping", &[&listener.url(), "--interval", "300", "--timeout", "300"]);
    let mut remote = listener.meet();
    remote.wait_for_first_word();
    for _ in 0..10 {
        ping.signal("-STOP");
        ping.signal("-CONT");
        std::thread::sleep(Duration::from_millis(20));
    }
    ping.interrupt();
    assert_eq!(remote.wait_for_end(), Cause::Remote(DisconnectReason::CLIENT_QUITTING));
    ping.finish().assert(0, "1 pings sent, ");
}

#[test]
fn refused_in_place_of_hello() {
    for name in ["ping", "eth"] {
        let listener = Listener::ethereum();
        let program = Program::start(name, &eth_or_not(name, &listener.url()));
        listener.accept().refuse(DisconnectReason::TOO_MANY_PEERS);
        program.finish().assert(3, "too many peers");
    }
}

#[test]
fn nothing_shared() {
    for name in ["ping", "eth"] {
        let listener = Listener::new(&[Protocol::new("bzz", 1, 4)]);
        let program = Program::start(name, &eth_or_not(name, &listener.url()));
        // Both sides find that out for themselves.
        listener.accept().wait_for_end();
        let finished = program.finish();
        finished.assert(3, "bzz/1");
        assert!(finished.err.contains("no protocol in common") || finished.err.contains("useless peer"));
    }
}

#[test]
fn nobody_there() {
    let closed = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port");
    let url = Listener::ethereum().url();
    let url = format!("{}@{closed}", url.split('@').next().expect("an id"));
    for name in ["ping", "eth"] {
        run(name, &eth_or_not(name, &url)).assert(4, "refused");
    }
    let finished = run("ping", &[&url, "--json"]);
    finished.assert(4, "\"outcome\":\"unreachable\"");
}

#[test]
fn somebody_else_there() {
    // Takes the connection and says nothing, as a port of another service may.
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = Listener::ethereum().url();
    let url = format!("{}@{}", url.split('@').next().expect("an id"), silent.local_addr().expect("an address"));
    run("ping", &[&url, "--timeouts", "handshake=500"]).assert(4, "handshake timeout");
    // Has another key than the one in the URL.
    let (one, other) = (Listener::ethereum(), Listener::ethereum());
    let id = |listener: &Listener| listener.url().split('@').next().expect("an id").to_string();
    let url = other.url().replace(&id(&other), &id(&one));
    let ping = Program::start("ping", &[url]);
    other.accept().wait_for_end();
    ping.finish().assert(4, "unreachable");
}

#[test]
fn lost_without_a_word() {
    for name in ["ping", "eth"] {
        let listener = Listener::ethereum();
        let program = Program::start(name, &eth_or_not(name, &listener.url()));
        drop(listener.meet());
        program.finish().assert(1, "lost");
    }
}

#[test]
fn lost_because_no_pong_comes() {
    let listener = Listener::ethereum();
    let ping = Program::start("ping", &[&listener.url(), "--timeout", "0.3", "--timeouts", "linger=200"]);
    let _silent = listener.meet();
    ping.finish().assert(1, "pong timeout");
}

#[test]
fn disconnected_during_the_visit() {
    let listener = Listener::ethereum();
    let ping = Program::start("ping", &[&listener.url()]);
    let mut remote = listener.meet();
    remote.disconnect(DisconnectReason::REQUESTED);
    ping.finish().assert(3, "disconnect requested");
}

#[test]
fn ping_answers_status_and_requests() {
    let listener = Listener::ethereum();
    let ping = Program::start("ping", &[&listener.url(), "--count", "2", "--interval", "0.3"]);
    let mut remote = listener.meet();
    // [69, 5, genesis, [fork id, 0], 3, 9, hash], then GetBlockHeaders [77, [0, 1, 0, 0]]
    let mut status = vec![0xf8, 0x4d, 69, 5, 0xa0];
    status.extend([[1; 32].as_slice(), &[0xc6, 0x84, 1, 2, 3, 4, 0x80, 3, 9, 0xa0], &[2; 32]].concat());
    remote.send_raw(ETH, 0, &status);
    remote.send_raw(ETH, 3, &[0xc6, 77, 0xc4, 0x80, 1, 0x80, 0x80]);
    let mut ours = vec![0xf8, 0x4d, 69, 5, 0xa0];
    ours.extend([[1; 32].as_slice(), &[0xc6, 0x84, 1, 2, 3, 4, 0x80, 0x80, 0x80, 0xa0], &[1; 32]].concat());
    assert_eq!(remote.expect(ETH, 0), ours, "the same chain, and nothing but its genesis");
    assert_eq!(remote.expect(ETH, 4), [0xc2, 77, 0xc0], "no headers");
    assert!(matches!(remote.next(), Seen::Ended(Cause::Remote(DisconnectReason::CLIENT_QUITTING))));
    ping.finish().assert(0, "2 answered");
}

fn eth_or_not(name: &str, url: &str) -> Vec<String> {
    let arguments = if name == "eth" { eth_arguments(url) } else { vec![url] };
    arguments.into_iter().map(String::from).collect()
}

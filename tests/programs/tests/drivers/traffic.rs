//! Links on which all goes well, if slowly

use std::time::Duration;

use devp2p_program_tests::program::{Place, Program, until_quiet};

use crate::proxy::stalling;

const DRIVERS: [&str; 5] = ["blocking", "epoll", "tokio", "smol", "poll"];

every_driver!([] echo, large_messages, both_ways, stalled_both_ways, slow_protocol, pings_beside_a_slow_protocol, many_links, shutdown, goodbye, interrupted_calls);

/// With each of the others as the one that listens
fn echo(driver: &str) {
    for other in DRIVERS {
        let (listener, place) = Program::listen(other, "--links 1 --protocols echo/1:4,echo/2:3,more/7:1,idle/1:0");
        let dialler = Program::dial(driver, place, "--protocols more/7:1,idle/1:0,echo/2:3 --send 300");
        let lines = dialler.succeed().join("\n");
        assert!(lines.contains(&format!("ready {other}: more/7 idle/1 echo/2")), "{lines}");
        assert!(lines.contains("sent 600, heard 600, complete"), "{lines}");
        let lines = listener.succeed().join("\n");
        assert!(
            lines.contains("ended 0x8 remote disconnected: client quitting; sent 0, heard 600, complete"),
            "{lines}"
        );
    }
}

fn large_messages(driver: &str) {
    let (listener, place) = Program::listen(driver, "--links 1");
    Program::dial(driver, place, "--send 3 --size 16000000").succeed();
    listener.succeed();
}

/// More than sockets hold, both ways at once
fn both_ways(driver: &str) {
    let options = "--send 1000 --take 1000 --size 16000";
    let (listener, place) = Program::listen(driver, &format!("--links 1 {options}"));
    Program::dial(driver, place, options).succeed();
    listener.succeed();
}

/// For a while neither side's bytes are carried, and all that lies between them is full
fn stalled_both_ways(driver: &str) {
    let options = "--send 1000 --take 1000 --size 16000";
    let (listener, place) = Program::listen(driver, &format!("--links 1 {options}"));
    let proxy = stalling(place.address, 100_000).expect("a free port");
    let dialler = Program::dial(driver, Place { address: proxy.address, ..place }, options);
    proxy.wait_until_stalled();
    until_quiet(&[&listener, &dialler]);
    proxy.go_on();
    dialler.succeed();
    listener.succeed();
}

/// Slower than the peer's patience, which our Pings keep up
fn slow_protocol(driver: &str) {
    let (listener, place) = Program::listen(driver, "--links 1 --slow 15000 --timeouts ping=500");
    let dialler = Program::dial(driver, place, "--send 1 --timeouts ping=4000,read=12000");
    let lines = dialler.succeed().join("\n");
    assert!(lines.contains("sent 1, heard 1, complete"), "{lines}");
    listener.succeed();
}

/// While the protocol works and no message waits behind it, the peer's own Pings are answered
fn pings_beside_a_slow_protocol(driver: &str) {
    let (listener, place) = Program::listen(driver, "--links 1 --slow 15000");
    let dialler = Program::dial(driver, place, "--send 1 --timeouts ping=500,pong=12000");
    let lines = dialler.succeed().join("\n");
    assert!(lines.contains("sent 1, heard 1, complete"), "{lines}");
    listener.succeed();
}

fn many_links(driver: &str) {
    let (listener, place) = Program::listen(driver, "--links 50");
    let lines = Program::dial(driver, place, "--links 50 --send 50").succeed();
    assert_eq!(lines.iter().filter(|line| line.contains("sent 50, heard 50, complete")).count(), 50);
    listener.succeed();
}

/// A server that quits tells everybody
/// Whether several links were ready at the same time is up to the system
#[test]
fn epoll_tells_how_full_its_lanes_were() {
    let (listener, place) = Program::listen("epoll", "--links 20 --lanes");
    Program::dial("epoll", place, "--links 20 --send 50 --size 1000").succeed();
    let lines = listener.succeed();
    assert!(lines.iter().any(|line| line.starts_with("lanes: ") && line.contains(" permutations in ")), "{lines:?}");
}

fn shutdown(driver: &str) {
    let (mut listener, place) = Program::listen(driver, "--max-inbound 100");
    let mut dialler = Program::dial(driver, place, "--links 100 --stay");
    listener.wait_for(" ready ", 100);
    dialler.wait_for(" ready ", 100);
    listener.interrupt();
    let told = "ended 0x8 remote disconnected: client quitting";
    assert_eq!(dialler.succeed().iter().filter(|line| line.contains(told)).count(), 100);
    let told = "ended 0x8 disconnected: client quitting";
    assert_eq!(listener.succeed().iter().filter(|line| line.contains(told)).count(), 100);
}

/// A client that quits does too
fn goodbye(driver: &str) {
    let (mut listener, place) = Program::listen(driver, "--links 1");
    let mut dialler = Program::dial(driver, place, "--stay");
    listener.wait(" ready ");
    dialler.wait(" ready ");
    dialler.interrupt();
    dialler.succeed();
    let lines = listener.succeed().join("\n");
    assert!(lines.contains("ended 0x8 remote disconnected: client quitting"), "{lines}");
}

/// A process that is stopped and continued has its waits for a socket broken off, which ends no link
fn interrupted_calls(driver: &str) {
    let (listener, place) = Program::listen(driver, "--links 2");
    let mut idle = Program::dial(driver, place, "--stay");
    idle.wait(" ready ");
    let busy = Program::dial(driver, place, "--send 20000");
    for _ in 0..20 {
        for program in [&listener, &idle, &busy] {
            program.signal("-STOP");
            program.signal("-CONT");
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    busy.succeed();
    idle.interrupt();
    idle.succeed();
    listener.succeed();
}

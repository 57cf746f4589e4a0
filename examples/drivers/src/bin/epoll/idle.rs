//! What idle links cost: this process accepts them, another one of the same program opens them

use std::error::Error;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, ExitCode, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use devp2p_drivers::app::{Command, Node, Options};
use devp2p_drivers::say::{complain, say};
use devp2p_proto::Enode;
use mio::Events;

use crate::reactor::Reactor;

/// Thousands of handshakes, and two regular Pings: by then a link has given back the memory that only its handshake needed
const SETTLE: Duration = Duration::from_secs(60);
/// All links are dialled at once, so the last handshake waits for all the others
const HANDSHAKE: Duration = Duration::from_secs(60);
const MEASURE: Duration = Duration::from_secs(30);

pub fn main() -> ExitCode {
    let Some(count) = std::env::args().nth(2).and_then(|count| count.parse().ok()).filter(|count| *count > 0) else {
        complain("usage: epoll idle COUNT");
        return ExitCode::from(2);
    };
    match measure(count) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(format_args!("epoll: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn measure(count: usize) -> Result<(), Box<dyn Error>> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let mut options = Options { quiet: true, max_inbound: count, ..Options::defaults(Command::Listen(address)) };
    options.timeouts.handshake = HANDSHAKE;
    let node = Arc::new(Node::new("epoll", options)?);
    let mut reactor = Reactor::new(Arc::clone(&node))?;
    let address = reactor.listen(address)?;
    let base = resident()?;

    let _dialler = Dialler::spawn(Enode { node_id: node.id(), address }, count)?;
    run(&mut reactor, SETTLE)?;
    if reactor.links() < count {
        return Err(format!("only {} of {count} links are open", reactor.links()).into());
    }
    let (resident, used, start) = (resident()?, processor_time()?, Instant::now());
    let turns = run(&mut reactor, MEASURE)?;
    let (used, passed) = (processor_time()? - used, start.elapsed());

    say(format_args!("{} idle links in one process and one thread", reactor.links()));
    say(format_args!(
        "memory     {} KiB without links, {resident} KiB with: {:.2} KiB a link",
        base,
        (resident - base) as f64 / count as f64
    ));
    say(format_args!(
        "processor  {:.3} % of one core over {:.0} s, woken {:.1} times a second",
        100.0 * used.as_secs_f64() / passed.as_secs_f64(),
        passed.as_secs_f64(),
        turns as f64 / passed.as_secs_f64()
    ));
    Ok(())
}

/// Lets the loop run for a time, and returns how often it was woken
fn run(reactor: &mut Reactor, time: Duration) -> std::io::Result<usize> {
    let (mut events, end, mut turns) = (Events::with_capacity(1024), Instant::now() + time, 0);
    while let Some(left) = end.checked_duration_since(Instant::now()) {
        reactor.run_once(&mut events, Some(left))?;
        turns += 1;
    }
    Ok(turns)
}

/// The process at the other end, which ends with this value
struct Dialler(Child);

impl Dialler {
    fn spawn(remote: Enode, count: usize) -> std::io::Result<Self> {
        let mut command = std::process::Command::new(std::env::current_exe()?);
        command.args(["dial", &remote.to_string(), "--links", &count.to_string(), "--stay", "--quiet"]);
        command.args(["--timeouts", &format!("handshake={}", HANDSHAKE.as_millis())]);
        command.stdout(Stdio::null()).spawn().map(Self)
    }
}

impl Drop for Dialler {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The memory that the process has, in KiB
fn resident() -> Result<u64, Box<dyn Error>> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS in /proc/self/status")?;
    Ok(line.trim().trim_end_matches("kB").trim().parse()?)
}

/// What this thread has used so far
fn processor_time() -> Result<Duration, Box<dyn Error>> {
    let statistics = fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanos = statistics.split(' ').next().ok_or("nothing in /proc/thread-self/schedstat")?.parse()?;
    Ok(Duration::from_nanos(nanos))
}

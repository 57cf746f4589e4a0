//! How many nodes `ping --nodes` visits in a second, for `benches/nodes/run`
//!
//! ```text
//! devp2p-nodes-bench PING ROUNDS
//! ```
//!
//! The first ratio is of rates, and needs two idle cores. The second ratio is of processor times, and hardly depends on
//! other work: the curve arithmetic of the slower side, divided by all work of the busier process.
//!
//! A round measures the curve arithmetic of handshakes, both sides at once, each on a core. Then `ping` visits the
//! nodes of a fleet. The fleet runs in this process, on the other core.

mod curve;

use std::error::Error;
use std::fs;
use std::io::Read;
use std::process::{Command, Stdio};
use std::time::Duration;

use devp2p_program_tests::fleet::{Fleet, Kind};
use rustix::time::{ClockId, clock_gettime};

use curve::Sides;

const NODES: usize = 1000;
/// How often each node is in the list: this makes a run longer without more listeners, whose number is limited
const VISITS: usize = 4;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [ping, rounds] = &arguments[..] else { return Err("PING ROUNDS".into()) };
    println!("\n| nodes per second | the curve allows | ratio | curve: initiator, recipient | `ping`, fleet | ratio |");
    println!("|---|---|---|---|---|---|");
    let (mut rates, mut times) = (Vec::new(), Vec::new());
    for _ in 0..rounds.parse()? {
        let (curve, round) = (Sides::measure(), Round::run(ping)?);
        let (rate, time) = (round.rate / curve.rate(), curve.micros() / round.ping.max(round.fleet));
        rates.push(rate);
        times.push(time);
        print!("| {:.0} | {:.0} | {rate:.2} ", round.rate, curve.rate());
        print!("| {:.0} µs, {:.0} µs ", curve.initiator.micros, curve.recipient.micros);
        println!("| {:.0} µs, {:.0} µs | {time:.2} |", round.ping, round.fleet);
    }
    for (what, mut ratios) in [("nodes per second", rates), ("processor time", times)] {
        ratios.sort_by(f64::total_cmp);
        let (best, median) = (ratios.last().ok_or("no rounds")?, ratios[ratios.len() / 2]);
        println!("\n{what}: best ratio {best:.2}, median {median:.2}");
    }
    Ok(())
}

struct Round {
    /// Nodes per second, from the first connection to the end of the last
    rate: f64,
    /// Processor time of each side for a node, in microseconds
    ping: f64,
    fleet: f64,
}

impl Round {
    fn run(ping: &str) -> Result<Self, Box<dyn Error>> {
        let fleet = Fleet::start(&[(Kind::Honest("fleet/v1"), NODES)])?;
        let lines: String = fleet.nodes.iter().map(|(_, node)| format!("{node}\n")).collect();
        let list = std::env::temp_dir().join(format!("nodes-bench-{}", std::process::id()));
        fs::write(&list, lines.repeat(VISITS))?;
        // Meanwhile this process does nothing but run the fleet.
        let before = processor_time(ClockId::ProcessCPUTime);
        let used = visit(ping, list.to_str().ok_or("a path that is not text")?)?;
        let own = processor_time(ClockId::ProcessCPUTime) - before;
        fs::remove_file(&list)?;
        let count = (NODES * VISITS) as f64;
        let micros = |time: Duration| time.as_secs_f64() * 1e6 / count;
        let busy = fleet.busy().ok_or("nobody came")?;
        Ok(Self { rate: count / busy.as_secs_f64(), ping: micros(used), fleet: micros(own) })
    }
}

/// Runs the program over the list, checks that it has reached every node, and returns its processor time
fn visit(ping: &str, list: &str) -> Result<Duration, Box<dyn Error>> {
    let mut command = Command::new(ping);
    command.args(["--nodes", list, "--eth", "--timeouts", "handshake=60000", "--timeout", "60", "--limit", "600"]);
    let mut child = command.stdout(Stdio::piped()).spawn()?;
    let mut out = String::new();
    child.stdout.take().ok_or("piped")?.read_to_string(&mut out)?;
    // The process has closed its output. Its statistics can be read until it is waited for.
    let statistics = fs::read_to_string(format!("/proc/{}/schedstat", child.id()))?;
    let nanos = statistics.split(' ').next().ok_or("nothing in schedstat")?.parse()?;
    child.wait()?;
    let expected = format!("--- {0} nodes, {0} reached ---", NODES * VISITS);
    if !out.contains(&expected) {
        return Err(format!("not {expected}: {}", &out[out.find("---").unwrap_or_default()..]).into());
    }
    Ok(Duration::from_nanos(nanos))
}

fn processor_time(of: ClockId) -> Duration {
    let time = clock_gettime(of);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

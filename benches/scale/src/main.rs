//! What a link costs among many others, for `benches/scale/run`
//!
//! ```text
//! devp2p-scale-bench ROUNDS
//! ```
//!
//! All worlds exist at the same time, and rounds alternate between them, so that the machine disturbs all of them alike.
//! Each message goes over a random link, and each timer belongs to another link than the one before, so that caches
//! help as little as in a process that has many peers.

mod world;

use std::error::Error;
use std::fs;
use std::hint::black_box;
use std::time::Duration;

use devp2p_drivers::readiness::Timers;
use devp2p_link_bench::Kind;
use devp2p_proto::Instant;
use rustix::time::{ClockId, clock_gettime};

use world::World;

const COUNTS: [usize; 3] = [1_000, 10_000, 100_000];
/// How often each is done in a round
const TIMES: u32 = 10_000;
/// Messages that are sent at one time, without a timer between them
const BURST: u32 = 100;
/// The time in which each link sends one message on average
const INTERVAL: Duration = Duration::from_secs(60);

/// The least processor times of all rounds, for one of each
#[derive(Clone, Copy)]
struct Least {
    message: Duration,
    timer: Duration,
    change: Duration,
}

fn main() -> Result<(), Box<dyn Error>> {
    let rounds: u32 = std::env::args().nth(1).ok_or("ROUNDS")?.parse()?;
    let payload = Kind::Random.payload(1 << 10);
    let mut worlds = Vec::new();
    for count in COUNTS {
        let before = resident()?;
        let world = World::new(count);
        let memory = (resident()?.saturating_sub(before)) as f64 / count as f64;
        worlds.push((world, memory, Least { message: Duration::MAX, timer: Duration::MAX, change: Duration::MAX }));
    }
    for _ in 0..rounds {
        for (world, _, least) in &mut worlds {
            let before = world.delivered;
            least.message = least.message.min(messages(world, &payload));
            assert_eq!(world.delivered - before, u64::from(TIMES), "every message arrives");
            least.timer = least.timer.min(time(TIMES, || world.tick()) / TIMES);
            let mut alone = Alone::new(world.len());
            least.change = least.change.min(time(TIMES, || alone.change()) / TIMES);
        }
    }
    println!("\n| links | memory of one | message of 1 KiB | ratio | timer, Ping and Pong | ratio | timers alone |");
    println!("|---|---|---|---|---|---|---|");
    let first = worlds[0].2;
    for (world, memory, least) in &worlds {
        let ratio = |time: Duration, of: Duration| time.as_secs_f64() / of.as_secs_f64();
        print!("| {} | {:.2} KiB | {:.2} µs ", world.len(), memory, micros(least.message));
        print!("| {:.2} | {:.2} µs ", ratio(least.message, first.message), micros(least.timer));
        println!("| {:.2} | {:.2} µs |", ratio(least.timer, first.timer), micros(least.change));
    }
    Ok(())
}

/// The timers of as many links without the links
struct Alone {
    timers: Timers<usize>,
    now: Instant,
}

impl Alone {
    fn new(count: usize) -> Self {
        let mut timers = Timers::default();
        for key in 0..count {
            timers.change(key, None, Some(Instant::from_nanos(key as u64 * 1_000)));
        }
        Self { timers, now: Instant::ZERO }
    }

    /// The next one goes off and is set again
    fn change(&mut self) {
        let at = self.timers.next().expect("there are timers");
        let key = self.timers.due(at).next().expect("it is due");
        self.now = at;
        let again = at.checked_add(Duration::from_secs(15));
        self.timers.change(key, Some(at), again);
    }
}

/// Processor time of one message
///
/// The timers that go off between the bursts do not count. They give back what a message has made a link allocate.
fn messages(world: &mut World, payload: &[u8]) -> Duration {
    let pause = INTERVAL.mul_f64(f64::from(BURST) / world.len() as f64);
    let bursts = (0..TIMES / BURST).map(|_| {
        world.idle(pause);
        time(BURST, || world.send(black_box(payload)))
    });
    bursts.sum::<Duration>() / TIMES
}

/// Processor time of so many calls
fn time(count: u32, mut call: impl FnMut()) -> Duration {
    let before = processor_time();
    (0..count).for_each(|_| call());
    processor_time() - before
}

fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

/// The memory that the process has, in KiB
fn resident() -> Result<u64, Box<dyn Error>> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS in /proc/self/status")?;
    Ok(line.trim().trim_end_matches("kB").trim().parse()?)
}

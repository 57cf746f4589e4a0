//! A whole network in one process and in virtual time: every link is real, and every byte is encrypted
//!
//! ```text
//! cargo run --release -p devp2p-network -- --nodes 1000 --links 16 --seed 1 --html network.html
//! ```
//!
//! Change the rule of gossip in `gossip.rs`, and run it again. The same seed gives the same run to the byte.
//!
//! - `gossip.rs` is the rule, `message.rs` what it says, and `library.rs` what it speaks of
//! - `plan.rs` draws from the seed: the links, their latency and bandwidth, and what becomes of each node
//! - `network.rs` has the time and all nodes; `node.rs` is one node, `end.rs` its end of a link, `socket.rs` the cable
//! - `traffic.rs` and `outcome.rs` have the figures; `report.rs` and `progress.rs` print them

mod end;
mod gossip;
mod library;
mod message;
mod network;
mod node;
mod options;
mod outcome;
mod plan;
mod progress;
mod report;
mod socket;
#[cfg(test)]
mod tests;
mod traffic;

use std::process::ExitCode;

use devp2p_drivers::arguments::{Arguments, asks_for_help};
use devp2p_drivers::say::{complain, say_lines};
use devp2p_drivers::session::{interrupt_politely, is_interrupted};
use devp2p_proto::Instant;

use crate::network::Network;
use crate::options::{Options, USAGE};
use crate::outcome::Outcome;
use crate::plan::Plan;
use crate::progress::Progress;

const INCOMPLETE: u8 = 1;
const BAD_ARGUMENTS: u8 = 2;

fn main() -> ExitCode {
    if asks_for_help() {
        say_lines(USAGE);
        return ExitCode::SUCCESS;
    }
    match Options::parse(Arguments::of_process()) {
        Ok(options) => run(options),
        Err(message) => {
            complain(format_args!("devp2p-network: {message}"));
            ExitCode::from(BAD_ARGUMENTS)
        }
    }
}

fn run(options: Options) -> ExitCode {
    interrupt_politely();
    let mut progress = Progress::new();
    let mut network = Network::new(Plan::new(&options));
    let (mut now, end) = (Instant::ZERO, Instant::from(options.time));
    let mut complete = false;
    while !complete && !is_interrupted() {
        match network.advance(end) {
            Some(time) => now = time,
            None => (now, complete) = (end, true),
        }
        progress.show(now, &network, &options);
    }
    progress.say(now, &network, &options);
    report::print(&Outcome::of(options, &mut network, now));
    if complete {
        return ExitCode::SUCCESS;
    }
    complain(format_args!("devp2p-network: interrupted at {now} of the simulated time"));
    ExitCode::from(INCOMPLETE)
}

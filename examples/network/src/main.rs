//! A whole network in one process and in virtual time: every link is real, and every byte is encrypted
//!
//! ```text
//! cargo run --release -p devp2p-network -- --nodes 1000 --links 16 --seed 1 --html network.html
//! ```
//!
//! Change the rule of gossip in `gossip.rs`, and run the network again. The same seed gives the same run, to the byte.
//!
//! A node needs no time for what it does. A cable loses nothing and has no window: only its latency and its bandwidth
//! delay bytes.
//!
//! - `gossip.rs` is the rule, `message.rs` has its messages, and `library.rs` has the blocks and the transactions
//! - `plan.rs` draws from the seed: the links, their latency and bandwidth, and what becomes of each node
//! - `network.rs` has the time and all nodes; `node.rs` is one node, `end.rs` one end of a link, `socket.rs` the cable
//! - `traffic.rs` and `outcome.rs` have the figures; `report.rs` and `progress.rs` print them, `page/` draws them

mod end;
mod gossip;
mod library;
mod message;
mod network;
mod node;
mod options;
mod outcome;
mod page;
mod plan;
mod progress;
mod report;
mod socket;
#[cfg(test)]
mod tests;
mod traffic;

use std::fmt::Display;
use std::process::ExitCode;

use devp2p_drivers::arguments::{Arguments, asks_for_help};
use devp2p_drivers::say::{complain, say_lines};
use devp2p_drivers::session::{interrupt_politely, is_interrupted};
use devp2p_proto::Instant;

use crate::network::Network;
use crate::options::{Options, USAGE};
use crate::outcome::Outcome;
use crate::page::Page;
use crate::plan::Plan;
use crate::progress::Progress;

const INCOMPLETE: u8 = 1;
const BAD_ARGUMENTS: u8 = 2;

fn main() -> ExitCode {
    if asks_for_help() {
        say_lines(USAGE);
        return ExitCode::SUCCESS;
    }
    let page = |options: &Options| {
        let create = |path: &String| Page::create(path).map_err(|error| format!("--html {path}: {error}"));
        options.html.as_ref().map(create).transpose()
    };
    let options = Options::parse(Arguments::of_process());
    match options.and_then(|options| page(&options).map(|page| (options, page))) {
        Ok((options, page)) => run(options, page),
        Err(message) => fail(BAD_ARGUMENTS, message),
    }
}

fn fail(status: u8, message: impl Display) -> ExitCode {
    complain(format_args!("devp2p-network: {message}"));
    ExitCode::from(status)
}

/// Runs the network, prints its figures and writes the page, if there is to be one
fn run(options: Options, page: Option<Page>) -> ExitCode {
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
    let outcome = Outcome::of(options, &mut network, now);
    report::print(&outcome);
    if let Some(Err(error)) = page.map(|page| page.write(&outcome)) {
        return fail(INCOMPLETE, format_args!("the page: {error}"));
    }
    if complete {
        return ExitCode::SUCCESS;
    }
    fail(INCOMPLETE, format_args!("interrupted at {now} of the simulated time"))
}

//! `ping` for devp2p nodes: shows who they are, what they speak, and how fast they answer
//!
//! ```text
//! cargo run -p devp2p-drivers --bin ping -- enode://…@127.0.0.1:30303 [--count N] [--json]
//! cargo run -p devp2p-drivers --bin ping -- --nodes FILE [--at-once N] [--eth] [--format csv]
//! ```
//!
//! Dials a node, shows its Hello and the shared protocols, then sends Pings of the base protocol and shows how
//! long the answers take, until it is told to stop. With `--nodes` it visits every node of a list, many at a time,
//! and sends one Ping to each. It sends Disconnect before it exits, also at Ctrl-C.

mod courtesy;
mod many;
mod one;
mod options;

use std::process::ExitCode;

use devp2p_drivers::arguments::{Arguments, asks_for_help};
use devp2p_drivers::say::{complain, say_lines};

use options::Command;

const BAD_ARGUMENTS: u8 = 2;

fn main() -> ExitCode {
    ExitCode::from(run().unwrap_or_else(|message| {
        complain(format_args!("ping: {message}"));
        BAD_ARGUMENTS
    }))
}

/// Returns the exit status; what is wrong with the arguments is an error
fn run() -> Result<u8, String> {
    if asks_for_help() {
        say_lines(options::USAGE);
        return Ok(0);
    }
    match Command::parse(Arguments::of_process())? {
        Command::One(options) => one::run(&options),
        Command::Many(options) => many::run(options),
    }
}

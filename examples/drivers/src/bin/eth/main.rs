//! Fetches a chain from a node and checks every block of it: `eth` and `snap` on one link
//!
//! ```text
//! cargo run -p devp2p-drivers --bin eth -- enode://…@127.0.0.1:30303 --genesis genesis.json
//! ```
//!
//! A worked example of how to write a subprotocol. What to read, in this order:
//!
//! - `message.rs`, `status.rs` in the library's `eth`: messages as types of the `rlp` crate
//! - `protocol.rs`: `eth` itself, a state machine like the link that carries it
//! - `snap.rs`: the second protocol on the same link
//! - `node.rs`: both of them on a driver
//!
//! The rest is Ethereum: `download.rs` asks for blocks, and has the library's `header.rs`, `body.rs`,
//! `receipt.rs` and `trie.rs` check them; `serve.rs` answers what is asked; the library's `chain.rs`,
//! `genesis.rs` and `fork.rs` know which chain this is.

mod download;
mod failure;
mod node;
mod options;
mod port;
mod progress;
mod protocol;
mod request;
mod serve;
mod snap;

use std::process::ExitCode;

use devp2p_drivers::arguments::{Arguments, asks_for_help};
use devp2p_drivers::eth::message;
use devp2p_drivers::journal::{Offer, Setup};
use devp2p_drivers::say::{complain, say_lines};
use devp2p_drivers::session::{DialError, Session};

use node::{Ending, Node};
use options::Options;

/// What the reference client takes as a message of `eth` or `snap`
const MAX_MESSAGE: usize = 10 * 1024 * 1024;

const BAD_ARGUMENTS: u8 = 2;

fn main() -> ExitCode {
    ExitCode::from(run().unwrap_or_else(|message| {
        complain(format_args!("eth: {message}"));
        BAD_ARGUMENTS
    }))
}

/// Returns the exit status; what is wrong with the arguments is an error
fn run() -> Result<u8, String> {
    if asks_for_help() {
        say_lines(options::USAGE);
        return Ok(0);
    }
    let options = Options::parse(Arguments::of_process())?;
    let setup = setup(&options).map_err(|error| format!("the system gives no random bytes: {error}"))?;
    let ending = match Session::dial(options.node, &setup, options.record.as_deref()) {
        Err(DialError::Unreachable(error)) => Ending::Unreachable(error.to_string()),
        Err(error) => return Err(error.to_string()),
        Ok(session) => {
            let mut node = Node::new(session, &options);
            let ending = node.run();
            node.finish().map_err(|error| format!("the journal is incomplete: {error}"))?;
            ending
        }
    };
    if let Some(why) = ending.why() {
        complain(format_args!("eth: {why}"));
    }
    Ok(ending.exit_status())
}

fn setup(options: &Options) -> Result<Setup, getrandom::Error> {
    let eth =
        options.versions.iter().map(|version| Offer::new("eth", *version, message::length(*version), MAX_MESSAGE));
    let snap = Offer::new("snap", 1, snap::LENGTH, MAX_MESSAGE);
    let setup = Setup::dialled(options.node.node_id, "devp2p-proto-eth/1.0", eth.chain([snap]).collect())?;
    Ok(Setup { timeouts: options.timeouts, ..setup })
}

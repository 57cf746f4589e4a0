//! Fetches a chain from a node, checks every block, and serves the chain to other nodes: `eth` and `snap` on one link
//!
//! ```text
//! cargo run -p devp2p-drivers --bin eth -- enode://…@127.0.0.1:30303 --genesis genesis.json --listen 127.0.0.1:30304
//! ```
//!
//! A worked example of how to write a subprotocol. What to read, in this order:
//!
//! - `message.rs`, `status.rs` in the library's `eth`: messages as types of the `rlp` crate
//! - `protocol.rs`: `eth` itself, a state machine like the link that carries it
//! - `snap.rs`: the second protocol on the same link
//! - `node.rs`: both of them on a driver
//! - `listen.rs`, `inbound.rs`: inbound links, with `eth` alone
//!
//! The rest is Ethereum: `download.rs` asks for blocks, and has the library's `header.rs`, `body.rs`,
//! `receipt.rs` and `trie.rs` check them; the library's `store.rs` keeps the blocks, and `serve.rs`
//! answers requests from the store; the library's `chain.rs`, `genesis.rs` and `fork.rs` know which chain this is.

mod announce;
mod answer;
mod download;
mod failure;
mod inbound;
mod keeping;
mod listen;
mod node;
mod options;
mod pages;
mod port;
mod progress;
mod protocol;
mod request;
mod setup;
mod snap;

use std::process::ExitCode;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use devp2p_drivers::arguments::{Arguments, asks_for_help};
use devp2p_drivers::eth::store::SharedStore;
use devp2p_drivers::journal::Setup;
use devp2p_drivers::say::{complain, say, say_lines};
use devp2p_drivers::session::{DialError, Session, interrupt, is_interrupted};

use keeping::kept;
use listen::{InboundLinks, Listener};
use node::{Ending, Node};
use options::Options;

/// How long Ctrl-C may go unnoticed while there are only inbound links
const LOOK: Duration = Duration::from_millis(100);

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
    let options = Arc::new(Options::parse(Arguments::of_process())?);
    let store = SharedStore::new(options.budget);
    let setup = setup::dialled(&options, 0).map_err(|error| format!("the system gives no random bytes: {error}"))?;
    let bind = |address| {
        Listener::bind(address, setup.key, &options, &store).map_err(|error| format!("--listen {address}: {error}"))
    };
    let listener = options.listen.map(bind).transpose()?;
    let inbound = listener.as_ref().map(Listener::inbound);
    let ending = fetch(&options, setup, &store, listener)?;
    if let Some(why) = ending.why() {
        complain(format_args!("eth: {why}"));
    }
    if let Some(inbound) = inbound {
        serve_on(&store, &inbound);
    }
    Ok(ending.exit_status())
}

/// Runs the link to the node that the chain comes from
fn fetch(options: &Options, setup: Setup, store: &SharedStore, listener: Option<Listener>) -> Result<Ending, String> {
    let setup = Setup { listen_port: listener.as_ref().map_or(0, Listener::port), ..setup };
    match Session::dial(options.node, &setup, options.record.as_deref()) {
        Err(DialError::Unreachable(error)) => Ok(Ending::Unreachable(error.to_string())),
        Err(error) => Err(error.to_string()),
        Ok(session) => {
            let mut node = Node::new(session, options, store.clone(), listener);
            let ending = node.run();
            node.finish().map_err(|error| format!("the journal is incomplete: {error}"))?;
            Ok(ending)
        }
    }
}

/// Serves the kept blocks until Ctrl-C, although no new ones come, and then waits until all links have ended
fn serve_on(store: &SharedStore, inbound: &InboundLinks) {
    if inbound.is_accepting() && !is_interrupted() {
        say(format_args!("{}; they are served until Ctrl-C", kept(&store.read())));
        while !is_interrupted() {
            thread::sleep(LOOK);
        }
    }
    interrupt();
    inbound.close();
}

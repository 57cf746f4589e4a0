//! Two nodes in one process that connect over TCP, exchange messages, and disconnect
//!
//! ```text
//! cargo run --release --example loopback [-- --count N --size BYTES --trace --corrupt]
//! ```
//!
//! Each node is a thread with a plain loop around its `PeerState` (`driver.rs`). The protocols of
//! both are in `node.rs`. The exit status is 0 only if every byte that was sent has arrived and was
//! compared, and both sides know why the link ended.

mod driver;
mod node;
mod options;
mod timeline;

use std::error::Error;
use std::net::{TcpListener, TcpStream};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use devp2p_proto::{Buffers, Cause, Config, Entropy, Instant, PeerState, Protocol, SecretKey, Timeouts};

use driver::Driver;
use node::Node;
use options::Options;
use timeline::Timeline;

fn main() -> ExitCode {
    let options = match Options::parse(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(message) => {
            eprintln!("loopback: {message}\n\n{}", options::USAGE);
            return ExitCode::from(2);
        }
    };
    match run(&options) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("loopback: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<bool, Box<dyn Error>> {
    // The two share two names, and they share `bulk` in the higher of its two versions.
    let dialling = config(
        "dialler/1.0",
        &[
            Protocol::new("chat", 1, 2),
            Protocol::new("bulk", 1, 1),
            Protocol::new("bulk", 2, 2),
            Protocol::new("gossip", 1, 8),
        ],
    )?;
    let listening = config(
        "listener/1.0",
        &[
            Protocol::new("archive", 3, 5),
            Protocol::new("bulk", 2, 2),
            Protocol::new("chat", 1, 2),
            Protocol::new("bulk", 1, 1),
        ],
    )?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let dialled = TcpStream::connect(listener.local_addr()?)?;
    let (accepted, _) = listener.accept()?;

    let timeline = Timeline::start(options.trace);
    let now = Instant::ZERO;
    let initiator = PeerState::initiator(now, &dialling, listening.node_id(), entropy()?, Buffers::growable())?;
    let recipient = PeerState::recipient(now, &listening, entropy()?, Buffers::growable())?;
    let initiator = Driver::new(initiator, dialled, timeline.of("dialler "), options.corrupt)?;
    let recipient = Driver::new(recipient, accepted, timeline.of("listener"), false)?;

    let (count, size) = (options.count, options.size);
    let dialler = thread::spawn(move || initiator.run(Node::dialler(count, size)));
    let listener = thread::spawn(move || recipient.run(Node::listener(count, size)));
    let dialler = dialler.join().map_err(|_| "the dialler's thread panicked")?;
    let listener = listener.join().map_err(|_| "the listener's thread panicked")?;

    println!();
    for outcome in [&dialler, &listener] {
        print!("{outcome}");
    }
    let polite =
        matches!((dialler.cause, listener.cause), (Cause::Local(ours), Cause::Remote(theirs)) if ours == theirs);
    let complete = dialler.complete && listener.complete && polite;
    println!(
        "{}",
        if complete { "Everything that was sent has arrived." } else { "NOT everything that was sent has arrived." }
    );
    Ok(complete)
}

fn config(client_id: &str, protocols: &[Protocol<'_>]) -> Result<Config, Box<dyn Error>> {
    let mut key = [0; 32];
    getrandom::fill(&mut key)?;
    // The default is a Ping every 15 s, which is too long to wait for in an example.
    let mut timeouts = Timeouts::default();
    timeouts.ping = Duration::from_millis(400);
    Ok(Config::new(SecretKey::from_bytes(key)?, client_id, protocols)?.with_timeouts(timeouts)?)
}

fn entropy() -> Result<Entropy, getrandom::Error> {
    let mut bytes = [0; Entropy::SIZE];
    getrandom::fill(&mut bytes)?;
    Ok(Entropy::from_bytes(bytes))
}

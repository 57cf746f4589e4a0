//! Any number of links in one thread, on readiness events from `mio`
//!
//! ```text
//! cargo run -p devp2p-drivers --bin epoll -- listen 127.0.0.1:30303
//! cargo run -p devp2p-drivers --bin epoll -- dial enode://… --send 1000 --size 1024
//! cargo run --release -p devp2p-drivers --bin epoll -- idle 1000
//! ```
//!
//! The run loop of a link is in the library's `readiness`, and the loop over all links is in `reactor.rs`; `idle`
//! measures what links cost on which no messages are sent. What the node sends and prints is the same for all drivers,
//! in the library's `app`.

mod idle;
mod reactor;

use std::io;
use std::process::ExitCode;

use devp2p_drivers::app::{Command, Node};
use devp2p_drivers::say::complain;

use reactor::Reactor;

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some("idle") {
        return idle::main();
    }
    let node = match Node::of_process("epoll") {
        Ok(node) => node,
        Err(code) => return code,
    };
    let run = || -> io::Result<()> {
        let mut reactor = Reactor::new(node.clone())?;
        reactor.quit_on_interrupt()?;
        match node.options.command {
            Command::Listen(address) => drop(reactor.listen(address)?),
            Command::Dial(remote) => (0..node.options.links.unwrap_or(1)).for_each(|_| reactor.dial(remote)),
        }
        reactor.run()
    };
    match run() {
        Ok(()) => node.exit_code(),
        Err(error) => {
            complain(format_args!("epoll: {error}"));
            ExitCode::FAILURE
        }
    }
}

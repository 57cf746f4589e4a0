//! Any number of links in one thread, on readiness events from `mio`
//!
//! ```text
//! cargo run --example epoll -- listen 127.0.0.1:30303
//! cargo run --example epoll -- dial enode://… --send 1000 --size 1024
//! cargo run --release --example epoll -- idle 1000
//! ```
//!
//! The run loop of a link is `drive.rs`, the loop over all of them `reactor.rs`; `idle` measures what links
//! cost on which nothing is said. What the node says and prints is the same for all drivers, in `common/app`.

#[path = "../common/app/mod.rs"]
mod app;
#[path = "../common/arguments.rs"]
mod arguments;
#[path = "../common/app/conversation.rs"]
mod conversation;
mod drive;
#[path = "../common/enode.rs"]
mod enode;
mod idle;
#[path = "../common/journal.rs"]
mod journal;
#[path = "../common/link.rs"]
mod link;
mod reactor;
mod timers;

use std::io;
use std::process::ExitCode;

use app::{Command, Node};
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
            eprintln!("epoll: {error}");
            ExitCode::FAILURE
        }
    }
}

//! Links on blocking sockets, one thread for each
//!
//! ```text
//! cargo run -p devp2p-drivers --bin blocking -- listen 127.0.0.1:30303
//! cargo run -p devp2p-drivers --bin blocking -- dial enode://… --send 1000 --size 1024
//! ```
//!
//! The loop is `drive.rs`. What the node says and prints is the same for all drivers, in the library's `app`.

mod drive;
mod socket;

use std::fmt::Display;
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::Duration;

use devp2p_drivers::app::{Command, Conversation, Node, Report};
use devp2p_drivers::link::RecordedLink;
use devp2p_drivers::say::complain;
use devp2p_proto::Enode;

use drive::drive;

/// How long not to accept after that has failed
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Set once this process is to end; the loops look at it
static QUIT: AtomicBool = AtomicBool::new(false);

fn main() -> ExitCode {
    let node = match Node::of_process("blocking") {
        Ok(node) => node,
        Err(code) => return code,
    };
    let done = match node.options.command {
        Command::Listen(address) => listen(&node, address),
        Command::Dial(remote) => dial(&node, remote),
    };
    match done {
        Ok(()) => node.exit_code(),
        Err(error) => {
            complain(format_args!("blocking: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// What ends the wait in `listen`
enum Happening {
    Interrupt,
    Accepted(TcpStream),
    Ended,
}

fn listen(node: &Arc<Node>, address: SocketAddr) -> io::Result<()> {
    let listener = TcpListener::bind(address)?;
    node.listening(listener.local_addr()?);
    let (sender, happenings) = channel();
    let interrupt = sender.clone();
    quit_on_interrupt(move || drop(interrupt.send(Happening::Interrupt)));
    let accepted = sender.clone();
    // Ends with the process: nothing but a connection wakes it.
    thread::spawn(move || accept_all(&listener, &accepted));

    let (mut running, mut ended) = (0, 0);
    while running > 0 || !(QUIT.load(Ordering::Relaxed) || node.is_done(ended)) {
        match happenings.recv() {
            Ok(Happening::Accepted(socket)) if node.may_accept(running) && !QUIT.load(Ordering::Relaxed) => {
                // Without a thread the connection is refused, as the socket is dropped. The other links go on.
                running += usize::from(spawn(node, &sender, move |node| accept(node, socket)).is_ok());
            }
            Ok(Happening::Ended) => (running, ended) = (running - 1, ended + 1),
            _ => {}
        }
    }
    Ok(())
}

fn accept_all(listener: &TcpListener, accepted: &Sender<Happening>) {
    for result in listener.incoming() {
        match result {
            Ok(socket) => drop(accepted.send(Happening::Accepted(socket))),
            // There may be as many sockets as there can be; some will be closed.
            Err(_) => thread::sleep(ACCEPT_PAUSE),
        }
    }
}

fn dial(node: &Arc<Node>, remote: Enode) -> io::Result<()> {
    quit_on_interrupt(|| {});
    let (sender, ends) = channel();
    let mut running = 0;
    for _ in 0..node.options.links.unwrap_or(1) {
        match spawn(node, &sender, move |node| connect(node, remote)) {
            Ok(()) => running += 1,
            Err(error) => Report::new(node).failed("to start a thread", &error),
        }
    }
    ends.iter().take(running).for_each(drop);
    Ok(())
}

fn quit_on_interrupt(wake: impl Fn() + Send + 'static) {
    let quit = move || {
        QUIT.store(true, Ordering::Relaxed);
        wake();
    };
    // Without a handler the process still ends, only less politely.
    let _ = ctrlc::set_handler(quit);
}

/// Runs a link to its end, and tells of that even if its thread panics; fails if there is no thread for it
fn spawn(
    node: &Arc<Node>,
    sender: &Sender<Happening>,
    link: impl FnOnce(&Arc<Node>) + Send + 'static,
) -> io::Result<()> {
    struct Tell(Sender<Happening>);
    impl Drop for Tell {
        fn drop(&mut self) {
            // The process may be over.
            let _ = self.0.send(Happening::Ended);
        }
    }
    let (node, sender) = (Arc::clone(node), sender.clone());
    let run = move || {
        let _tell = Tell(sender);
        link(&node);
    };
    thread::Builder::new().spawn(run).map(drop)
}

fn accept(node: &Arc<Node>, socket: TcpStream) {
    let conversation = Conversation::new(node);
    match node.recipient() {
        Ok(link) => finish(conversation, link, socket),
        Err(error) => conversation.report().failed("to start", &error),
    }
}

fn connect(node: &Arc<Node>, remote: Enode) {
    let conversation = Conversation::new(node);
    let failed = |error: &dyn Display| conversation.report().failed("to connect", error);
    match TcpStream::connect_timeout(&remote.address, node.options.timeouts.handshake) {
        Ok(socket) => match node.initiator(remote.node_id) {
            Ok(link) => finish(conversation, link, socket),
            Err(error) => failed(&error),
        },
        Err(error) => failed(&error),
    }
}

fn finish(mut conversation: Conversation, link: RecordedLink, socket: TcpStream) {
    match drive(link, &socket, &mut conversation) {
        Ok((link, cause)) => conversation.ended(link, cause),
        Err(error) => conversation.report().failed("to set the socket up", &error),
    }
}

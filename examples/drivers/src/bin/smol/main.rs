//! Links on `smol`: nothing in the loop leans on one executor
//!
//! ```text
//! cargo run -p devp2p-drivers --bin smol -- listen 127.0.0.1:30303
//! cargo run -p devp2p-drivers --bin smol -- dial enode://… --send 1000 --size 1024
//! ```
//!
//! The loop is `drive.rs`, for anything that is read and written through the traits of `futures-io`. What
//! the node says and prints is the same for all drivers, in the library's `app`.

mod drive;

use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use devp2p_drivers::app::{Command, Conversation, Node};
use devp2p_drivers::link::{RecordedLink, StartError};
use devp2p_drivers::say::complain;
use devp2p_proto::Enode;
use futures_lite::future;
use smol::channel::{Receiver, Sender, bounded, unbounded};
use smol::net::{TcpListener, TcpStream};
use smol::{Task, Timer};

use drive::drive;

/// How long not to accept after that has failed
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

fn main() -> ExitCode {
    let node = match Node::of_process("smol") {
        Ok(node) => node,
        Err(code) => return code,
    };
    // Nothing is ever sent: that the channel is closed wakes everybody who waits for it.
    let (interrupt, quit) = bounded::<()>(1);
    // Without a handler the process still ends, only less politely.
    let _ = ctrlc::set_handler(move || {
        interrupt.close();
    });
    let done = smol::block_on(async {
        match node.options.command {
            Command::Listen(address) => listen(&node, address, &quit).await,
            Command::Dial(remote) => dial(&node, remote, &quit).await,
        }
    });
    match done {
        Ok(()) => node.exit_code(),
        Err(error) => {
            complain(format_args!("smol: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// What ends a wait in `listen`
enum Happening {
    Accepted(io::Result<TcpStream>),
    Ended,
    Interrupt,
}

async fn listen(node: &Arc<Node>, address: SocketAddr, quit: &Receiver<()>) -> io::Result<()> {
    let listener = TcpListener::bind(address).await?;
    node.listening(listener.local_addr()?);
    let (sender, ends) = unbounded();
    let (mut running, mut ended) = (0, 0);
    while !node.is_done(ended) {
        let accepted = async { Happening::Accepted(listener.accept().await.map(|(socket, _)| socket)) };
        let end = async { ends.recv().await.map_or(Happening::Interrupt, |()| Happening::Ended) };
        let interrupt = async {
            // Closed is all that the channel can be.
            let _ = quit.recv().await;
            Happening::Interrupt
        };
        match future::or(interrupt, future::or(end, accepted)).await {
            Happening::Accepted(Ok(socket)) if !node.may_accept(running) => drop(socket),
            Happening::Accepted(Ok(socket)) => {
                spawn(&sender, accept(Arc::clone(node), socket, quit.clone())).detach();
                running += 1;
            }
            // There may be as many sockets as there can be; some will be closed.
            Happening::Accepted(Err(_)) => drop(Timer::after(ACCEPT_PAUSE).await),
            Happening::Ended => (running, ended) = (running - 1, ended + 1),
            Happening::Interrupt => break,
        }
    }
    drop(listener);
    for _ in 0..running {
        // This side holds a sender, so the channel is open.
        let _ = ends.recv().await;
    }
    Ok(())
}

async fn dial(node: &Arc<Node>, remote: Enode, quit: &Receiver<()>) -> io::Result<()> {
    let links = 0..node.options.links.unwrap_or(1);
    let links: Vec<Task<()>> = links.map(|_| smol::spawn(connect(Arc::clone(node), remote, quit.clone()))).collect();
    for link in links {
        link.await;
    }
    Ok(())
}

/// Runs a link to its end, and tells of that even if it panics
fn spawn(sender: &Sender<()>, link: impl Future<Output = ()> + Send + 'static) -> Task<()> {
    struct Tell(Sender<()>);
    impl Drop for Tell {
        fn drop(&mut self) {
            // The process may be over.
            let _ = self.0.try_send(());
        }
    }
    let tell = Tell(sender.clone());
    smol::spawn(async move {
        let _tell = tell;
        link.await;
    })
}

async fn accept(node: Arc<Node>, socket: TcpStream, quit: Receiver<()>) {
    let link = node.recipient();
    run(Conversation::new(&node), link, socket, quit).await;
}

async fn connect(node: Arc<Node>, remote: Enode, quit: Receiver<()>) {
    let conversation = Conversation::new(&node);
    let patience = async {
        Timer::after(node.options.timeouts.handshake).await;
        Err(io::ErrorKind::TimedOut.into())
    };
    match future::or(TcpStream::connect(remote.address), patience).await {
        Ok(socket) => run(conversation, node.initiator(remote.node_id), socket, quit).await,
        Err(error) => conversation.report().failed("to connect", &error),
    }
}

async fn run(
    mut conversation: Conversation,
    link: Result<RecordedLink, StartError>,
    socket: TcpStream,
    quit: Receiver<()>,
) {
    // Frames are put together here, so nothing is to be waited for.
    let _ = socket.set_nodelay(true);
    match link {
        Ok(link) => {
            let (link, cause) = drive(link, socket, &mut conversation, Timer::after, quit).await;
            conversation.ended(link, cause);
        }
        Err(error) => conversation.report().failed("to start", &error),
    }
}

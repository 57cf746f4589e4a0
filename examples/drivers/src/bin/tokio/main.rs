//! Links on `tokio`, by the crate `devp2p-tokio`: a task for each link, and the protocols as async functions
//!
//! ```text
//! cargo run -p devp2p-drivers --bin tokio -- listen 127.0.0.1:30303
//! cargo run -p devp2p-drivers --bin tokio -- dial enode://… --send 1000 --size 1024
//! ```
//!
//! A link that may be recorded is no plain `PeerState`, so this drives its links itself and not by a `Node`. What the
//! node says and prints is the same for all drivers, in the library's `app`.

mod echo;

use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use devp2p_drivers::app::{Command, Node, Report};
use devp2p_drivers::link::{RecordedLink, StartError};
use devp2p_drivers::say::complain;
use devp2p_proto::{DisconnectReason, Enode};
use devp2p_tokio::{Driver, control};
use tokio::net::{TcpListener, TcpStream};
use tokio::select;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use echo::Echo;

/// How long not to accept after that has failed
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Becomes true when all links are to be ended
type Quit = watch::Receiver<bool>;

#[tokio::main]
async fn main() -> ExitCode {
    let node = match Node::of_process("tokio") {
        Ok(node) => node,
        Err(code) => return code,
    };
    let (interrupt, quit) = watch::channel(false);
    // Without a handler the process still ends, only less politely.
    let _ = ctrlc::set_handler(move || {
        interrupt.send_replace(true);
    });
    let done = match node.options.command {
        Command::Listen(address) => listen(&node, address, quit).await,
        Command::Dial(remote) => {
            let links = 0..node.options.links.unwrap_or(1);
            links.map(|_| connect(Arc::clone(&node), remote, quit.clone())).collect::<JoinSet<_>>().join_all().await;
            Ok(())
        }
    };
    match done {
        Ok(()) => node.exit_code(),
        Err(error) => {
            complain(format_args!("tokio: {error}"));
            ExitCode::FAILURE
        }
    }
}

async fn listen(node: &Arc<Node>, address: SocketAddr, quit: Quit) -> io::Result<()> {
    let listener = TcpListener::bind(address).await?;
    node.listening(listener.local_addr()?);
    let (mut links, mut ended) = (JoinSet::new(), 0);
    let mut interrupt = quit.clone();
    while !node.is_done(ended) {
        select! {
            accepted = listener.accept() => match accepted {
                Ok((socket, _)) if !node.may_accept(links.len()) => drop(socket),
                Ok((socket, _)) => drop(links.spawn(accept(Arc::clone(node), socket, quit.clone()))),
                // There may be as many sockets as there can be; some will be closed.
                Err(_) => sleep(ACCEPT_PAUSE).await,
            },
            Some(_) = links.join_next() => ended += 1,
            _ = interrupt.wait_for(|quit| *quit) => break,
        }
    }
    drop(listener);
    // Each link has been told too, and says goodbye.
    while links.join_next().await.is_some() {}
    Ok(())
}

async fn accept(node: Arc<Node>, socket: TcpStream, quit: Quit) {
    run(Report::new(&node), node.recipient(), socket, quit).await;
}

async fn connect(node: Arc<Node>, remote: Enode, quit: Quit) {
    let report = Report::new(&node);
    let socket = timeout(node.options.timeouts.handshake, TcpStream::connect(remote.address)).await;
    match socket.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
        Ok(socket) => run(report, node.initiator(remote.node_id), socket, quit).await,
        Err(error) => report.failed("to connect", &error),
    }
}

async fn run(report: Report, link: Result<RecordedLink, StartError>, socket: TcpStream, mut quit: Quit) {
    // Frames are put together by the link, so nothing is to be waited for.
    let _ = socket.set_nodelay(true);
    let link = match link {
        Ok(link) => link,
        Err(error) => return report.failed("to start", &error),
    };
    let (control, commands) = control();
    let mut driver = Driver::new(report.node().now(), link, socket, Echo::new(report.clone()), commands);
    let ended = select! {
        cause = &mut driver => Some(cause),
        _ = quit.wait_for(|quit| *quit) => None,
    };
    let cause = match ended {
        Some(cause) => cause,
        None => {
            control.disconnect(DisconnectReason::CLIENT_QUITTING);
            (&mut driver).await
        }
    };
    let (link, echo) = driver.into_parts();
    report.ended(link, cause, echo.summary());
}

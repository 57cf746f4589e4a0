//! The run loop on a blocking socket

use std::io;
use std::net::TcpStream;
use std::sync::atomic::Ordering;
use std::time::Duration;

use devp2p_drivers::app::Conversation;
use devp2p_drivers::link::{BACKLOG, RecordedLink};
use devp2p_drivers::readiness::Talk;
use devp2p_proto::{Cause, Connection, DisconnectReason, Turn};

use crate::QUIT;
use crate::socket::Socket;

/// How long a loop may take to see `QUIT`: nothing can wake a thread that reads
const QUIT_PATIENCE: Duration = Duration::from_millis(250);

/// Runs a link until it ends
pub fn drive(link: RecordedLink, socket: &TcpStream, talk: &mut Conversation) -> io::Result<(RecordedLink, Cause)> {
    let mut socket = Socket::new(socket)?;
    let mut connection = Connection::new(link, BACKLOG);
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let now = talk.report().node().now();
        let mut out = connection.out(now);
        if QUIT.load(Ordering::Relaxed) && out.link().cause().is_none() {
            out.disconnect(DisconnectReason::CLIENT_QUITTING);
        }
        talk.proceed(&mut out);
        match connection.turn(now, &mut socket, &mut buffer, |notice, out| talk.hear(notice, out)) {
            Turn::Again => {}
            Turn::Ended(cause) => return Ok((connection.into_inner(), cause)),
            Turn::Wait { read, write } => {
                let wake = connection.link().next_timeout().into_iter().chain(talk.next_timeout(now)).min();
                let wait = wake.map_or(QUIT_PATIENCE, |at| at.saturating_since(now).min(QUIT_PATIENCE));
                socket.wait(read, if write { Duration::ZERO } else { wait })?;
            }
        }
    }
}

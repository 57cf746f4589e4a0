//! The run loop on a blocking socket

use std::io::{self, BufRead, BufReader, ErrorKind, Write};
use std::net::TcpStream;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use devp2p_drivers::app::Conversation;
use devp2p_drivers::link::Link;
use devp2p_proto::{Action, Cause, DisconnectReason};

use crate::QUIT;

/// How long a write may keep the loop from looking after its input
const WRITE_PATIENCE: Duration = Duration::from_millis(10);
/// How long a loop may take to see `QUIT`: nothing can wake a thread that reads
const QUIT_PATIENCE: Duration = Duration::from_millis(250);

/// Runs a link until it ends
pub fn drive(link: &mut Link, socket: &TcpStream, talk: &mut Conversation) -> io::Result<Cause> {
    socket.set_nodelay(true)?;
    socket.set_write_timeout(Some(WRITE_PATIENCE))?;
    let mut input = BufReader::with_capacity(64 * 1024, socket);
    // Whether the socket is full, and input comes first for as long as there is some.
    let mut full = false;
    loop {
        let now = talk.report().node().now();
        if QUIT.load(Ordering::Relaxed) {
            link.disconnect(now, DisconnectReason::CLIENT_QUITTING);
        }
        // 1. Do what the link asks for, and let it have what there is to say. One write a turn, so that
        //    neither direction starves the other; none while more input is at hand, whose answers go along.
        let idle = loop {
            talk.write(now, link);
            let more = !input.buffer().is_empty() && talk.has_room(now) && link.wants_input();
            match link.poll() {
                None => break !more,
                Some(Action::Send(_)) if more || full => break false,
                Some(Action::Send(bytes)) => {
                    let offered = bytes.len();
                    match (&*socket).write(bytes) {
                        Ok(len) => {
                            full = len < offered;
                            link.sent(now, len).expect("no more than was offered");
                        }
                        Err(error) if is_patience(&error) => full = true,
                        // The peer's last word may still be there to be read.
                        Err(_) => link.send_failed(now),
                    }
                    break false;
                }
                Some(Action::Disconnect(cause)) => return Ok(cause),
                Some(action) => talk.take(now, action),
            }
        };
        // 2. Wait for bytes, at most until somebody wants to be woken; not at all while there is more to do.
        let room = talk.has_room(now);
        link.hold_input(now, !room);
        let wake = link.next_timeout().into_iter().chain(talk.next_timeout(now)).min();
        let patience = if idle {
            wake.map_or(QUIT_PATIENCE, |at| at.saturating_since(now).min(QUIT_PATIENCE))
        } else {
            Duration::ZERO
        };
        if !room {
            thread::sleep(patience);
        } else if input.buffer().is_empty() && !fill(&mut input, patience)? {
            link.receive_closed(now);
        }
        let now = talk.report().node().now();
        // 3. Give the link what came; it takes one message at a time.
        let taken = if room { link.receive(now, input.buffer()) } else { 0 };
        input.consume(taken);
        full &= taken > 0;
        // 4. Let time pass.
        link.handle_timeout(now);
    }
}

/// Reads what comes within the time, and returns whether the stream goes on
fn fill(input: &mut BufReader<&TcpStream>, patience: Duration) -> io::Result<bool> {
    let socket = *input.get_ref();
    // As a timeout, zero would stand for none at all.
    let at_once = patience.is_zero();
    if at_once {
        socket.set_nonblocking(true)?;
    } else {
        socket.set_read_timeout(Some(patience))?;
    }
    let result = input.fill_buf().map(<[u8]>::len);
    if at_once {
        socket.set_nonblocking(false)?;
    }
    Ok(match result {
        Ok(len) => len > 0,
        Err(error) => is_patience(&error),
    })
}

fn is_patience(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
}

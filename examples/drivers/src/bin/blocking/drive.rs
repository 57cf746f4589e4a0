//! The run loop on a blocking socket

use std::io::{self, BufRead, BufReader, Write};
use std::net::TcpStream;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use devp2p_drivers::app::Conversation;
use devp2p_drivers::link::Link;
use devp2p_drivers::transient::is_transient;
use devp2p_proto::{Cause, DisconnectReason, Event, Instant};

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
        if QUIT.load(Ordering::Relaxed) && link.cause().is_none() {
            link.tell(now, Event::Disconnect(DisconnectReason::CLIENT_QUITTING));
        }
        // 1. Do what the link asks for. One write a turn, so that neither direction starves the other; none
        //    while more input is at hand, whose answers go along.
        if let Some(cause) = talk.act(now, link) {
            return Ok(cause);
        }
        let more = link.wants_input() && !input.buffer().is_empty();
        let unsent = !link.unsent().is_empty();
        if unsent && !more && !full {
            full = !send(now, link, socket);
        }
        // 2. Wait for bytes, at most until somebody wants to be woken; not at all while there is more to do.
        let wake = link.next_timeout().into_iter().chain(talk.next_timeout(now)).min();
        let longest = if unsent { Duration::ZERO } else { QUIT_PATIENCE };
        let patience = wake.map_or(longest, |at| at.saturating_since(now).min(longest));
        if !link.wants_input() {
            thread::sleep(patience);
        } else if input.buffer().is_empty() && !fill(&mut input, patience)? {
            link.tell(talk.report().node().now(), Event::ReceiveClosed);
        }
        let now = talk.report().node().now();
        // 3. Give the link what came; it takes one message at a time.
        let taken = if link.wants_input() { link.receive(now, input.buffer()) } else { 0 };
        input.consume(taken);
        full &= taken > 0;
        // 4. Let time pass.
        link.tell(now, Event::Timeout);
    }
}

/// Writes once, and returns whether the socket took all
fn send(now: Instant, link: &mut Link, mut socket: &TcpStream) -> bool {
    let offered = link.unsent();
    match socket.write(offered) {
        Ok(len) => {
            let all = len == offered.len();
            link.tell(now, Event::Sent(len));
            all
        }
        Err(error) if is_transient(&error) => false,
        Err(_) => {
            // The peer's last word may still be there to be read.
            link.tell(now, Event::SendFailed);
            true
        }
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
        Err(error) => is_transient(&error),
    })
}

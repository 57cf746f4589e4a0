//! The run loop of a link, as a task

use std::future::pending;
use std::time::Duration;

use devp2p_drivers::link::Link;
use devp2p_proto::{Action, Cause, DisconnectReason, Instant, Ready};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::select;
use tokio::sync::watch;
use tokio::time::sleep;

use crate::protocols::Protocols;

/// Becomes true when the link is to be ended
pub type Quit = watch::Receiver<bool>;

/// What a node does on its links
pub trait Service {
    /// The time as links know it
    fn now(&self) -> Instant;

    /// Starts the protocols that were agreed on
    fn start(&self, ready: &Ready<'_>, protocols: &mut Protocols);

    /// Sees all that the link asks for, before it is done
    fn note(&self, action: &Action<'_>);
}

/// Runs a link until it ends, and its protocols with it
pub async fn drive(link: &mut Link, mut socket: TcpStream, service: &impl Service, mut quit: Quit) -> Cause {
    let (reader, mut writer) = socket.split();
    let mut input = BufReader::with_capacity(64 * 1024, reader);
    let mut protocols = Protocols::default();
    let cause = loop {
        // 1. Do what the link asks for, up to `Send`, and let it have what protocols have written.
        let now = service.now();
        let ended = loop {
            protocols.write(now, link);
            let Some(action) = link.poll() else {
                break None;
            };
            service.note(&action);
            match action {
                Action::Ready(ready) => service.start(&ready, &mut protocols),
                Action::Deliver { protocol, code, payload } => protocols.deliver(protocol, code, payload),
                Action::Writable(protocol) => protocols.writable(protocol),
                Action::Send(_) => break None,
                Action::Disconnect(cause) => break Some(cause),
                _ => {}
            }
        };
        if let Some(cause) = ended {
            break cause;
        }
        // 2. Wait for whatever comes first; `Send` is still offered. Input that is at hand is not waited for,
        //    and its answers go along with what is to be sent.
        let room = protocols.have_room();
        link.hold_input(now, !room);
        let (reads, sends, leaving) =
            (room && link.wants_input(), link.unsent().is_empty() == false, link.cause().is_some());
        if !reads || input.buffer().is_empty() {
            let wake = link.next_timeout().map_or(Duration::MAX, |at| at.saturating_since(now));
            let send = async {
                match link.poll() {
                    Some(Action::Send(bytes)) => writer.write(bytes).await,
                    _ => pending().await,
                }
            };
            select! {
                written = send, if sends => match written {
                    Ok(len) => link.sent(service.now(), len).expect("no more than was offered"),
                    // The peer's last word may still be there to be read.
                    Err(_) => link.send_failed(service.now()),
                },
                read = input.fill_buf(), if reads => {
                    if !matches!(read, Ok([_, ..])) {
                        link.receive_closed(service.now());
                    }
                }
                () = protocols.wait() => {}
                () = sleep(wake) => {}
                _ = quit.wait_for(|quit| *quit), if !leaving => {
                    link.disconnect(service.now(), DisconnectReason::CLIENT_QUITTING);
                }
            }
        }
        let now = service.now();
        // 3. Give the link what came; it takes one message at a time.
        if reads {
            let taken = link.receive(now, input.buffer());
            input.consume(taken);
        }
        // 4. Let time pass.
        link.handle_timeout(now);
    };
    drop(socket);
    protocols.finish().await;
    cause
}

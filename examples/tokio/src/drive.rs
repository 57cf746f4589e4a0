//! The run loop of a link, as a task

use std::time::Duration;

use devp2p_drivers::link::RecordedLink;
use devp2p_drivers::transient::is_transient;
use devp2p_proto::{Action, Cause, DisconnectReason, Event, Instant, Link as _, Ready};
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
pub async fn drive(link: &mut RecordedLink, mut socket: TcpStream, service: &impl Service, mut quit: Quit) -> Cause {
    let (reader, mut writer) = socket.split();
    let mut input = BufReader::with_capacity(64 * 1024, reader);
    let mut protocols = Protocols::default();
    let cause = loop {
        // 1. Do what the link asks for, but leave what is unsent for later.
        let now = service.now();
        if let Some(cause) = act(now, link, service, &mut protocols) {
            break cause;
        }
        // 2. Wait for whatever comes first. Input that is at hand is not waited for, and its answers go along
        //    with what is to be sent.
        let reads = link.wants_input();
        if !reads || input.buffer().is_empty() {
            let wake = link.next_timeout().map_or(Duration::MAX, |at| at.saturating_since(now));
            let (unsent, leaving) = (link.unsent(), link.cause().is_some());
            select! {
                written = writer.write(unsent), if !unsent.is_empty() => match written {
                    Ok(len) => link.tell(service.now(), Event::Sent(len)),
                    Err(error) if is_transient(&error) => {}
                    // The peer's last word may still be there to be read.
                    Err(_) => link.tell(service.now(), Event::SendFailed),
                },
                read = input.fill_buf(), if reads => match read {
                    Ok([_, ..]) => {}
                    Err(error) if is_transient(&error) => {}
                    Ok([]) | Err(_) => link.tell(service.now(), Event::ReceiveClosed),
                },
                () = protocols.wait() => {}
                () = sleep(wake) => {}
                _ = quit.wait_for(|quit| *quit), if !leaving => {
                    link.tell(service.now(), Event::Disconnect(DisconnectReason::CLIENT_QUITTING));
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
        link.tell(now, Event::Timeout);
    };
    drop(socket);
    protocols.finish().await;
    cause
}

/// Does all that the link asks for but sending, and returns the cause at the end
fn act(now: Instant, link: &mut RecordedLink, service: &impl Service, protocols: &mut Protocols) -> Option<Cause> {
    loop {
        protocols.write(now, link);
        protocols.hold_input(now, link);
        let action = link.poll()?;
        service.note(&action);
        match action {
            Action::Ready(ready) => service.start(&ready, protocols),
            Action::Deliver { protocol, code, payload } => protocols.deliver(protocol, code, payload),
            Action::Writable(protocol) => protocols.writable(now, link, protocol),
            Action::Send(_) => return None,
            Action::Disconnect(cause) => return Some(cause),
            _ => {}
        }
    }
}

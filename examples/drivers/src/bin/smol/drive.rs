//! The run loop on any asynchronous stream, in any executor

use std::future::pending;
use std::io;
use std::time::Duration;

use devp2p_drivers::app::Conversation;
use devp2p_drivers::link::Link;
use devp2p_drivers::transient::is_transient;
use devp2p_proto::{Cause, DisconnectReason, Event};
use futures_io::{AsyncRead, AsyncWrite};
use futures_lite::future::race;
use futures_lite::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, split};
use smol::channel::Receiver;

/// What ends a wait
enum Happening {
    Written(io::Result<usize>),
    Read(io::Result<usize>),
    Elapsed,
    Quit,
}

/// Runs a link until it ends
///
/// `sleep` is the executor's timer; `quit` is closed when the link is to be ended.
pub async fn drive<S, T: Future>(
    link: &mut Link,
    socket: S,
    talk: &mut Conversation,
    sleep: impl Fn(Duration) -> T,
    quit: Receiver<()>,
) -> Cause
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (reader, mut writer) = split(socket);
    let mut input = BufReader::with_capacity(64 * 1024, reader);
    loop {
        // 1. Do what the link asks for, but leave what is unsent for later.
        let now = talk.report().node().now();
        if let Some(cause) = talk.act(now, link) {
            return cause;
        }
        // 2. Wait for whatever comes first. Input that is at hand is not waited for, and its answers go along
        //    with what is to be sent.
        let reads = link.wants_input();
        if !reads || input.buffer().is_empty() {
            let wake = link.next_timeout().into_iter().chain(talk.next_timeout(now)).min();
            let (unsent, leaving) = (link.unsent(), link.cause().is_some());
            let write = async { Happening::Written(writer.write(unsent).await) };
            let read = async { Happening::Read(input.fill_buf().await.map(<[u8]>::len)) };
            let elapse = async {
                sleep(wake.map_or(Duration::MAX, |at| at.saturating_since(now))).await;
                Happening::Elapsed
            };
            let interrupt = async {
                // Closed is all that the channel can be.
                let _ = quit.recv().await;
                Happening::Quit
            };
            let transport = race(only(!unsent.is_empty(), write), only(reads, read));
            let happening = race(transport, race(elapse, only(!leaving, interrupt))).await;
            let now = talk.report().node().now();
            match happening {
                Happening::Written(Ok(len)) => link.tell(now, Event::Sent(len)),
                Happening::Written(Err(error)) | Happening::Read(Err(error)) if is_transient(&error) => {}
                // The peer's last word may still be there to be read.
                Happening::Written(Err(_)) => link.tell(now, Event::SendFailed),
                Happening::Read(Ok(0) | Err(_)) => link.tell(now, Event::ReceiveClosed),
                Happening::Read(Ok(_)) | Happening::Elapsed => {}
                Happening::Quit => link.tell(now, Event::Disconnect(DisconnectReason::CLIENT_QUITTING)),
            }
        }
        let now = talk.report().node().now();
        // 3. Give the link what came; it takes one message at a time.
        if reads {
            let taken = link.receive(now, input.buffer());
            input.consume(taken);
        }
        // 4. Let time pass.
        link.tell(now, Event::Timeout);
    }
}

/// The future if there is to be one, and otherwise one that is never ready
async fn only<F: Future>(wanted: bool, future: F) -> F::Output {
    if wanted { future.await } else { pending().await }
}

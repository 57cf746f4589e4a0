//! The run loop on any asynchronous stream, in any executor

use std::future::pending;
use std::io;
use std::time::Duration;

use devp2p_drivers::app::Conversation;
use devp2p_drivers::link::Link;
use devp2p_proto::{Action, Cause, DisconnectReason};
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
        // 1. Do what the link asks for, up to `Send`, and let it have what there is to say.
        let now = talk.report().node().now();
        loop {
            talk.write(now, link);
            match link.poll() {
                None | Some(Action::Send(_)) => break,
                Some(Action::Disconnect(cause)) => return cause,
                Some(action) => talk.take(now, action),
            }
        }
        // 2. Wait for whatever comes first; `Send` is still offered. Input that is at hand is not waited for,
        //    and its answers go along with what is to be sent.
        let room = talk.has_room(now);
        link.hold_input(now, !room);
        let reads = room && link.wants_input();
        if !reads || input.buffer().is_empty() {
            let wake = link.next_timeout().into_iter().chain(talk.next_timeout(now)).min();
            let leaving = link.cause().is_some();
            let write = async {
                match link.poll() {
                    Some(Action::Send(bytes)) => Happening::Written(writer.write(bytes).await),
                    _ => pending().await,
                }
            };
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
            let reading = race(write, only(reads, read));
            let happening = race(reading, race(elapse, only(!leaving, interrupt))).await;
            let now = talk.report().node().now();
            match happening {
                Happening::Written(Ok(len)) => link.sent(now, len).expect("no more than was offered"),
                // The peer's last word may still be there to be read.
                Happening::Written(Err(_)) => link.send_failed(now),
                Happening::Read(Ok(0) | Err(_)) => link.receive_closed(now),
                Happening::Read(Ok(_)) | Happening::Elapsed => {}
                Happening::Quit => link.disconnect(now, DisconnectReason::CLIENT_QUITTING),
            }
        }
        let now = talk.report().node().now();
        // 3. Give the link what came; it takes one message at a time.
        if reads {
            let taken = link.receive(now, input.buffer());
            input.consume(taken);
        }
        // 4. Let time pass.
        link.handle_timeout(now);
    }
}

/// The future if there is to be one, and otherwise one that is never ready
async fn only<F: Future>(wanted: bool, future: F) -> F::Output {
    if wanted { future.await } else { pending().await }
}

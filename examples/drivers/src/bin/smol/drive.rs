//! The run loop on any asynchronous stream, in any executor

use std::future::{pending, poll_fn};
use std::io::{self, ErrorKind, Read, Write};
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use devp2p_drivers::app::Conversation;
use devp2p_drivers::link::{BACKLOG, RecordedLink};
use devp2p_drivers::readiness::Talk;
use devp2p_proto::{Cause, Connection, DisconnectReason, Turn};
use futures_io::{AsyncRead, AsyncWrite};
use futures_lite::future::{or, yield_now};
use smol::channel::Receiver;

/// Runs a link until it ends
///
/// `sleep` is the executor's timer; `quit` is closed when the link is to be ended.
pub async fn drive<S, T: Future>(
    link: RecordedLink,
    mut socket: S,
    talk: &mut Conversation,
    sleep: impl Fn(Duration) -> T,
    quit: Receiver<()>,
) -> (RecordedLink, Cause)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut connection = Connection::new(link, BACKLOG);
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let now = talk.report().node().now();
        let mut out = connection.out(now);
        if quit.is_closed() && out.link().cause().is_none() {
            out.disconnect(DisconnectReason::CLIENT_QUITTING);
        }
        talk.proceed(&mut out);
        let turn = poll_fn(|context| {
            let mut attempt = Attempt { socket: &mut socket, context };
            Poll::Ready(connection.turn(now, &mut attempt, &mut buffer, |notice, out| talk.hear(notice, out)))
        });
        match turn.await {
            Turn::Ended(cause) => return (connection.into_inner(), cause),
            // After other tasks have had their turns.
            Turn::Again => yield_now().await,
            Turn::Wait { .. } => {
                let wake = connection.link().next_timeout().into_iter().chain(talk.next_timeout(now)).min();
                let leaving = connection.link().cause().is_some();
                let interrupt = async {
                    // Closed is all that the channel can be.
                    let _ = if leaving { pending().await } else { quit.recv().await };
                };
                let elapse = async { drop(sleep(wake.map_or(Duration::MAX, |at| at.saturating_since(now))).await) };
                or(woken(), or(elapse, interrupt)).await;
            }
        }
    }
}

/// Ready when the task is woken, which the socket does once it is ready for what could not be done
async fn woken() {
    let mut waits = true;
    poll_fn(|_| if mem::take(&mut waits) { Poll::Pending } else { Poll::Ready(()) }).await;
}

/// A stream in one turn: what it would have to wait for, it does not do
struct Attempt<'a, 'b, S> {
    socket: &'a mut S,
    context: &'a mut Context<'b>,
}

impl<S: AsyncRead + Unpin> Read for Attempt<'_, '_, S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        at_once(Pin::new(&mut *self.socket).poll_read(self.context, buffer))
    }
}

impl<S: AsyncWrite + Unpin> Write for Attempt<'_, '_, S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        at_once(Pin::new(&mut *self.socket).poll_write(self.context, bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn at_once(poll: Poll<io::Result<usize>>) -> io::Result<usize> {
    match poll {
        Poll::Ready(result) => result,
        Poll::Pending => Err(ErrorKind::WouldBlock.into()),
    }
}

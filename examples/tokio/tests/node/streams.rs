//! Streams of every kind, and streams that lie

use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use devp2p_proto::{Cause, Timeout, Timeouts};
use devp2p_tokio::{Io, Node, Peer};
use tokio::io::{AsyncRead, AsyncWrite, BufStream, DuplexStream, ReadBuf, duplex};
use tokio::task::JoinSet;

use crate::{Left, NEVER, Outcome, Right, builder, flood, listen, node, noise, returned};

fn echo(key: u8) -> Node {
    node(key, async |_, mut io: Io| {
        while let Some(message) = io.recv().await? {
            io.send(message).await?;
        }
        Ok(())
    })
}

/// Sends a few messages of all sizes, checks that they come back, and returns
fn talk(key: u8) -> Node {
    node(key, async |_, mut io: Io| {
        for len in [0, 1, 1000, 100_000, 1_000_000] {
            let message = noise(len);
            io.send(message.clone()).await?;
            assert_eq!(io.recv().await?, Some(message));
        }
        Ok(())
    })
}

async fn works<S>(near: S, far: S)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let (ours, theirs) = (talk(1), echo(2));
    let (near, far) = (ours.connect(near, theirs.id()), theirs.accept(far));
    assert_eq!(near.await.unwrap(), returned());
    far.await.unwrap();
}

/// A stream that keeps what is written until it is flushed
#[tokio::test(start_paused = true)]
async fn a_stream_with_buffers() {
    let (near, far) = duplex(4096);
    works(BufStream::new(near), BufStream::new(far)).await;
}

#[tokio::test(start_paused = true)]
async fn a_pipe_of_one_byte() {
    let (near, far) = duplex(1);
    let (ours, theirs) = (node(1, async |_, _| Ok(())), node(2, listen));
    let (near, _far) = (ours.connect(near, theirs.id()), theirs.accept(far));
    assert_eq!(near.await.unwrap(), returned());
}

#[cfg(unix)]
#[tokio::test]
async fn a_unix_socket() {
    let (near, far) = tokio::net::UnixStream::pair().unwrap();
    works(near, far).await;
}

/// What a stream does instead of what it should do, after the handshake and Hello
#[derive(Clone, Copy)]
enum Lie {
    /// It is not ready although there is something, and wakes nobody
    Sleeps,
    /// It is not ready, and wakes the task at once
    WakesAlways,
    WouldBlock,
    TimedOut,
    Interrupted,
    /// It has read more than there was room for
    ReadsTooMuch,
    /// It has written more than there was
    WritesTooMuch,
    /// It is ready and has written nothing
    WritesNothing,
}

struct Liar {
    stream: DuplexStream,
    lie: Lie,
    /// How many bytes it reads, and how many it writes, before it begins to lie
    honest: [usize; 2],
}

impl Liar {
    fn lie<T>(&self, context: &Context<'_>, done: T) -> Poll<io::Result<T>> {
        match self.lie {
            Lie::Sleeps => Poll::Pending,
            Lie::WakesAlways => {
                context.waker().wake_by_ref();
                Poll::Pending
            }
            Lie::WouldBlock => Poll::Ready(Err(ErrorKind::WouldBlock.into())),
            Lie::TimedOut => Poll::Ready(Err(ErrorKind::TimedOut.into())),
            Lie::Interrupted => Poll::Ready(Err(ErrorKind::Interrupted.into())),
            Lie::ReadsTooMuch | Lie::WritesTooMuch | Lie::WritesNothing => Poll::Ready(Ok(done)),
        }
    }
}

impl AsyncRead for Liar {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.honest[0] == 0 {
            if matches!(self.lie, Lie::ReadsTooMuch) {
                *buffer = ReadBuf::new(Box::leak(vec![0; 1 << 20].into_boxed_slice()));
                buffer.advance(1 << 20);
            }
            return self.lie(context, ());
        }
        let before = buffer.filled().len();
        let result = Pin::new(&mut self.stream).poll_read(context, buffer);
        self.honest[0] = self.honest[0].saturating_sub(buffer.filled().len() - before);
        result
    }
}

impl AsyncWrite for Liar {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.honest[1] == 0 {
            let claimed = if matches!(self.lie, Lie::WritesTooMuch) { bytes.len() + 1 } else { 0 };
            return self.lie(context, claimed);
        }
        let result = Pin::new(&mut self.stream).poll_write(context, bytes);
        if let Poll::Ready(Ok(len)) = result {
            self.honest[1] = self.honest[1].saturating_sub(len);
        }
        result
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Pending
    }
}

/// Every lie ends the link, at the latest when the peer has been silent for too long
#[tokio::test]
async fn lies_end_the_link() {
    use Lie::*;
    let mut links = JoinSet::new();
    for lie in [Sleeps, WakesAlways, WouldBlock, TimedOut, Interrupted, ReadsTooMuch, WritesTooMuch, WritesNothing] {
        for honest in [[2000, usize::MAX], [usize::MAX, 2000]] {
            links.spawn(lie_ends_the_link(lie, honest));
        }
    }
    links.join_all().await;
}

async fn lie_ends_the_link(lie: Lie, honest: [usize; 2]) {
    let ours = builder(1).timeouts(impatient()).protocol(|| Left(listen)).protocol(|| Right(flood_on));
    let (ours, theirs) = (ours.build().unwrap(), echo(2));
    let (near, far) = duplex(4096);
    let far = theirs.accept(far);
    let cause = ours.connect(Liar { stream: near, lie, honest }, theirs.id()).await.unwrap();
    let expected = match cause {
        Cause::Timeout(timeout) => timeout != Timeout::Handshake,
        cause => matches!(cause, Cause::ReceiveClosed | Cause::SendFailed | Cause::Violation(_)),
    };
    assert!(expected, "{cause}");
    drop(far);
}

/// Patient with the handshake, which is honest
fn impatient() -> Timeouts {
    let mut timeouts = Timeouts::default();
    (timeouts.handshake, timeouts.ping) = (NEVER, Duration::from_millis(100));
    for timeout in [&mut timeouts.pong, &mut timeouts.read, &mut timeouts.write] {
        *timeout = Duration::from_secs(2);
    }
    timeouts
}

async fn flood_on(_: Peer, io: Io) -> Outcome {
    flood(io, usize::MAX).await.map(drop)
}

/// A stream that is always interrupted would be asked for ever
#[tokio::test(start_paused = true)]
async fn interruptions_end_the_link_at_once() {
    let (near, _far) = duplex(4096);
    let stream = Liar { stream: near, lie: Lie::Interrupted, honest: [0, usize::MAX] };
    assert_eq!(echo(1).accept(stream).await.unwrap(), Cause::ReceiveClosed);
}

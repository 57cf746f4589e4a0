//! A stream in one turn, and the buffer that it is read into

use std::cell::Cell;
use std::future::poll_fn;
use std::io::{self, ErrorKind, Read, Write};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::task::unconstrained;

const BUFFER: usize = 64 * 1024;

thread_local! {
    static SPARE: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Lends the buffer of this thread; a call within `work` gets another buffer
pub fn with_buffer<T>(work: impl FnOnce(&mut [u8]) -> T) -> T {
    let mut buffer = SPARE.take();
    buffer.resize(BUFFER, 0);
    let result = work(&mut buffer);
    SPARE.set(buffer);
    result
}

/// A stream that is read and written at once or not at all
///
/// A read or write that would have to wait wakes the task when it is possible.
pub struct Attempt<'a, 'b, S> {
    pub stream: &'a mut S,
    pub context: &'a mut Context<'b>,
    /// Becomes true with each write, since the stream may have a buffer of its own
    pub unflushed: &'a mut bool,
}

impl<S: AsyncRead + Unpin> Read for Attempt<'_, '_, S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut buffer = ReadBuf::new(buffer);
        at_once(always(self.context, |context| Pin::new(&mut *self.stream).poll_read(context, &mut buffer)))?;
        Ok(buffer.filled().len())
    }
}

impl<S: AsyncWrite + Unpin> Write for Attempt<'_, '_, S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        *self.unflushed = true;
        at_once(always(self.context, |context| Pin::new(&mut *self.stream).poll_write(context, bytes)))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Flushes what the stream holds
pub fn poll_flush(stream: &mut (impl AsyncWrite + Unpin), context: &mut Context<'_>) -> Poll<io::Result<()>> {
    always(context, |context| Pin::new(&mut *stream).poll_flush(context))
}

/// Flushes what the stream holds, and closes it
pub fn poll_shutdown(stream: &mut (impl AsyncWrite + Unpin), context: &mut Context<'_>) -> Poll<io::Result<()>> {
    always(context, |context| Pin::new(&mut *stream).poll_shutdown(context))
}

/// Polls a stream or a timer of the link, even if the protocols have used up the budget that `tokio` gives a task
///
/// Otherwise a busy protocol would stop its link. The driver itself bounds what the link does in one poll.
pub fn always<T>(context: &mut Context<'_>, poll: impl FnMut(&mut Context<'_>) -> Poll<T>) -> Poll<T> {
    pin!(unconstrained(poll_fn(poll))).poll(context)
}

fn at_once<T>(poll: Poll<io::Result<T>>) -> io::Result<T> {
    match poll {
        Poll::Pending => Err(ErrorKind::WouldBlock.into()),
        // A stream that has to wait must return `Pending`. After one of these errors nothing would wake the task, and
        // after the other one the link would try again without an end.
        Poll::Ready(Err(error)) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {
            Err(ErrorKind::ConnectionAborted.into())
        }
        Poll::Ready(result) => result,
    }
}

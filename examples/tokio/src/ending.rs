//! What is left to do when a link has ended

use std::task::{Context, Poll, ready};
use std::time::Duration;

use devp2p_proto::{Cause, Instant};
use tokio::io::AsyncWrite;

use crate::alarm::Alarm;
use crate::contained::Contained;
use crate::stream;

/// How long protocols may take to finish after the link has ended
pub const GRACE: Duration = Duration::from_secs(1);

/// A link that has ended: its protocols return, and its stream is closed
pub struct Ending<S> {
    pub cause: Cause,
    /// Until it has passed on what it keeps, and is closed
    pub stream: Option<S>,
    /// When the stream is dropped at the latest
    pub close_by: Instant,
    pub runs: Vec<Contained>,
    /// When the protocols are dropped at the latest
    pub return_by: Instant,
}

impl<S: AsyncWrite + Unpin> Ending<S> {
    /// Ready when all of it is done, or has taken too long
    ///
    /// `inner` is for the protocols, and `context` for all else.
    pub fn poll(&mut self, alarm: &mut Alarm, inner: &mut Context<'_>, context: &mut Context<'_>) -> Poll<Cause> {
        self.runs.retain_mut(|run| run.poll(inner).is_pending());
        // A stream that cannot be closed is closed by being dropped.
        self.stream.take_if(|stream| stream::poll_shutdown(stream, context).is_ready());
        loop {
            let now = alarm.now();
            self.stream.take_if(|_| now >= self.close_by);
            if now >= self.return_by {
                self.runs.clear();
            }
            let next = match (&self.stream, self.runs.is_empty()) {
                (None, true) => return Poll::Ready(self.cause),
                (None, false) => self.return_by,
                (Some(_), true) => self.close_by,
                (Some(_), false) => self.close_by.min(self.return_by),
            };
            ready!(alarm.poll(next, context));
        }
    }
}

//! Code of the application whose panics stay within their link

use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use devp2p_proto::ProtocolError;

/// A protocol that runs
pub type Run = Pin<Box<dyn Future<Output = Outcome> + Send>>;

pub type Outcome = Result<(), ProtocolError>;

/// A protocol that may panic when it is polled and when it is dropped
pub struct Contained(Option<Run>);

impl Contained {
    pub const fn new(run: Run) -> Self {
        Self(Some(run))
    }

    /// Polls the protocol; if it panics, it has failed
    pub fn poll(&mut self, context: &mut Context<'_>) -> Poll<Outcome> {
        let Some(run) = &mut self.0 else {
            return Poll::Pending;
        };
        caught(|| run.as_mut().poll(context)).unwrap_or(Poll::Ready(Err(ProtocolError::Other)))
    }
}

impl Drop for Contained {
    fn drop(&mut self) {
        let run = self.0.take();
        _ = caught(|| drop(run));
    }
}

/// The result of what may panic; `None` if it does
pub fn caught<T>(work: impl FnOnce() -> T) -> Option<T> {
    let payload = match catch_unwind(AssertUnwindSafe(work)) {
        Ok(result) => return Some(result),
        Err(payload) => payload,
    };
    if let Err(payload) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        // To drop this one could panic again, and so on.
        mem::forget(payload);
    }
    None
}

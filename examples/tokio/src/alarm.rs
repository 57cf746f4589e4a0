//! The timer of one link

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use devp2p_proto::Instant;
use tokio::time::{self, Sleep};

use crate::stream::always;

/// The link's clock, and one timer that follows the link's next timeout
///
/// Every message makes the next timeout later, which does not move the timer. The timer goes off early instead, and is
/// then set again.
pub struct Alarm {
    /// What the link's clock shows at `origin`
    start: Instant,
    origin: time::Instant,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Alarm {
    /// For a link whose clock shows `start` now
    pub fn new(start: Instant) -> Self {
        Self { start, origin: time::Instant::now(), sleep: None }
    }

    pub fn now(&self) -> Instant {
        self.start.checked_add(self.origin.elapsed()).unwrap_or(Instant::MAX)
    }

    /// Ready when the link's clock shows `at`; never if there is no such time
    pub fn poll(&mut self, at: Instant, context: &mut Context<'_>) -> Poll<()> {
        let Some(at) = self.origin.checked_add(at.saturating_since(self.start)) else {
            return Poll::Pending;
        };
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(time::sleep_until(at)));
        if at < sleep.deadline() {
            sleep.as_mut().reset(at);
        }
        while always(context, |context| sleep.as_mut().poll(context)).is_ready() {
            if at <= sleep.deadline() {
                return Poll::Ready(());
            }
            sleep.as_mut().reset(at);
        }
        Poll::Pending
    }

    /// The time that is `delay` later than now
    pub fn after(&self, delay: Duration) -> Instant {
        self.now().checked_add(delay).unwrap_or(Instant::MAX)
    }
}

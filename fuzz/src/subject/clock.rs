//! The driver's clock, as a link sees it
//!
//! Where it goes back by less than a minute, time stands still. Where it goes back by more it is a new clock, with
//! which time goes on, and timers that have run out by then start anew.

use std::time::Duration;

use devp2p_proto::Instant;

const NEW_CLOCK: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub(super) struct Clock {
    /// The latest time that the driver's clock has shown
    pub(super) latest: Instant,
    /// How many nanoseconds all the clocks before it have shown
    before: u64,
    /// The last time that was given is the first of a new clock
    pub(super) is_new: bool,
}

impl Clock {
    pub(super) const fn new() -> Self {
        Self { latest: Instant::ZERO, before: 0, is_new: false }
    }

    pub(super) fn advance(&mut self, now: Instant) {
        let back = self.latest.saturating_since(now);
        self.is_new = back >= NEW_CLOCK;
        if self.is_new {
            self.before = self.before.saturating_add(back.as_nanos() as u64);
            self.latest = now;
        } else {
            self.latest = self.latest.max(now);
        }
    }

    /// Time that never goes back
    pub(super) const fn time(&self) -> Instant {
        self.since_start(self.latest)
    }

    /// The same for what this clock shows
    pub(super) const fn since_start(&self, shown: Instant) -> Instant {
        Instant::from_nanos(shown.as_nanos().saturating_add(self.before))
    }
}

/// When a timer goes off, `None` for never
pub(crate) fn deadline(now: Instant, delay: Duration) -> Option<Instant> {
    now.checked_add(delay).filter(|deadline| *deadline < Instant::MAX)
}

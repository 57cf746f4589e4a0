//! The driver's clock, as a link sees it
//!
//! If it goes back by less than a minute, time does not advance. If it goes back by more, or ahead by 146 years, it is a
//! new clock, with which time goes on, and timers that have run out by then start anew.

use std::time::Duration;

use devp2p_proto::Instant;

const NEW_CLOCK: Duration = Duration::from_secs(60);
const FAR_AHEAD: Duration = Duration::from_nanos(1 << 62);

#[derive(Debug)]
pub(super) struct Clock {
    /// The latest time that the driver's clock has shown
    pub(super) latest: Instant,
    /// How many nanoseconds have passed since the start by then
    passed: u64,
    /// The last time that was given is the first of a new clock
    pub(super) is_new: bool,
}

impl Clock {
    pub(super) const fn new() -> Self {
        Self { latest: Instant::ZERO, passed: 0, is_new: false }
    }

    pub(super) fn advance(&mut self, now: Instant) {
        let (back, ahead) = (self.latest.saturating_since(now), now.saturating_since(self.latest));
        self.is_new = back >= NEW_CLOCK || ahead >= FAR_AHEAD;
        if self.is_new {
            self.latest = now;
        } else {
            self.passed = self.passed.saturating_add(ahead.as_nanos() as u64);
            self.latest = self.latest.max(now);
        }
    }

    /// Time that never goes back
    pub(super) const fn time(&self) -> Instant {
        Instant::from_nanos(self.passed)
    }

    /// The same for what this clock shows
    pub(super) fn since_start(&self, shown: Instant) -> Instant {
        let since = i128::from(self.passed) + i128::from(shown.as_nanos()) - i128::from(self.latest.as_nanos());
        Instant::from_nanos(u64::try_from(since).unwrap_or(if since < 0 { 0 } else { u64::MAX }))
    }
}

/// When a timer goes off, `None` for never
pub(crate) fn deadline(now: Instant, delay: Duration) -> Option<Instant> {
    now.checked_add(delay).filter(|deadline| *deadline < Instant::MAX)
}

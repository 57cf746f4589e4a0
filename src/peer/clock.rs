//! The clock of the driver, as the link sees it

use core::time::Duration;

use crate::time::Instant;

/// A clock that goes back by less than this is unsteady; one that goes back further is a new clock
const NEW_CLOCK: Duration = Duration::from_secs(60);

/// Time that never goes back
///
/// The link has a time of its own. If the driver's clock goes back by less than a minute, the link's
/// time does not advance until the clock has caught up. If the clock goes back further, the link takes
/// it for a new clock: its time continues from where it was, and is ahead of the new clock from then
/// on. So one wrong `now` far ahead does not disable the timers.
#[derive(Debug)]
pub(super) struct Clock {
    /// The latest time of the driver's clock
    latest: Instant,
    /// How many nanoseconds the link's time is ahead of the driver's clock
    ahead: u64,
}

impl Clock {
    pub(super) const fn new(now: Instant) -> Self {
        Self { latest: now, ahead: 0 }
    }

    /// Notes what the driver's clock shows, and returns whether it is a new clock
    pub(super) fn advance(&mut self, now: Instant) -> bool {
        let is_new = self.latest.saturating_since(now) >= NEW_CLOCK;
        if is_new {
            self.ahead = self.ahead.saturating_add(self.latest.as_nanos().saturating_sub(now.as_nanos()));
            self.latest = now;
        } else {
            self.latest = self.latest.max(now);
        }
        is_new
    }

    /// The link's time
    pub(super) const fn now(&self) -> Instant {
        self.at(self.latest)
    }

    /// The link's time when the driver's clock shows `now`, which is not noted
    pub(super) fn peek(&self, now: Instant) -> Instant {
        self.at(self.latest.max(now))
    }

    const fn at(&self, driver: Instant) -> Instant {
        Instant::from_nanos(driver.as_nanos().saturating_add(self.ahead))
    }

    /// What the driver's clock shows at this time of the link's
    pub(super) const fn to_driver(&self, time: Instant) -> Instant {
        Instant::from_nanos(time.as_nanos().saturating_sub(self.ahead))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: u64) -> Instant {
        Instant::from_millis(seconds * 1_000)
    }

    #[test]
    fn a_little_back_time_stands_still() {
        let mut clock = Clock::new(seconds(100));
        assert!(!clock.advance(seconds(41)));
        assert_eq!(clock.now(), seconds(100));
        assert!(!clock.advance(seconds(101)));
        assert_eq!(clock.now(), seconds(101));
    }

    #[test]
    fn far_back_time_goes_on_from_there() {
        let mut clock = Clock::new(seconds(10));
        assert!(!clock.advance(seconds(86_400)));
        assert!(clock.advance(seconds(11)));
        assert_eq!((clock.now(), clock.to_driver(clock.now())), (seconds(86_400), seconds(11)));
        assert!(!clock.advance(seconds(13)));
        assert_eq!(clock.now(), seconds(86_402));
        assert_eq!(clock.to_driver(seconds(86_407)), seconds(18));
    }
}

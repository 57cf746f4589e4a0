//! The clock of the driver, as the link sees it

use crate::time::Instant;

/// A clock that goes back by less than this many nanoseconds is unsteady; one that goes back further is a new clock
const BACK: u64 = 60 * 1_000_000_000;
/// A clock that goes ahead by this many nanoseconds at once, 146 years, is a new clock
const AHEAD: u64 = 1 << 62;

/// Time that never goes back
///
/// The link has a time of its own. If the driver's clock goes back by less than a minute, the link's
/// time does not advance until the clock has caught up. If the clock goes back further, or ahead by
/// more than a century, the link takes it for a new clock: its time continues from where it was, at a
/// constant distance from the new clock. So one wrong `now` far ahead does not disable the timers, not
/// even [`Instant::MAX`], after which there is no time for a deadline.
#[derive(Debug)]
pub(super) struct Clock {
    /// The latest time of the driver's clock
    driver: Instant,
    /// The link's time at that moment
    link: Instant,
}

impl Clock {
    pub(super) const fn new(now: Instant) -> Self {
        Self { driver: now, link: now }
    }

    /// Notes what the driver's clock shows, and returns whether it is a new clock
    pub(super) fn advance(&mut self, now: Instant) -> bool {
        let is_new = since(self.driver, now) >= BACK || since(now, self.driver) >= AHEAD;
        if is_new {
            self.driver = now;
        } else {
            self.link = self.peek(now);
            self.driver = self.driver.max(now);
        }
        is_new
    }

    /// The link's time
    pub(super) const fn now(&self) -> Instant {
        self.link
    }

    /// The link's time when the driver's clock shows `now`, which is not noted
    pub(super) const fn peek(&self, now: Instant) -> Instant {
        later(self.link, since(now, self.driver))
    }

    /// What the driver's clock shows at this time of the link's
    pub(super) const fn to_driver(&self, time: Instant) -> Instant {
        let at = later(self.driver, since(time, self.link));
        Instant::from_nanos(at.as_nanos().saturating_sub(since(self.link, time)))
    }
}

/// The nanoseconds from `earlier` to `time`, 0 if `earlier` is not earlier
const fn since(time: Instant, earlier: Instant) -> u64 {
    time.as_nanos().saturating_sub(earlier.as_nanos())
}

const fn later(time: Instant, nanos: u64) -> Instant {
    Instant::from_nanos(time.as_nanos().saturating_add(nanos))
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

    #[test]
    fn centuries_ahead_time_goes_on_from_there() {
        let start = seconds(10);
        let mut clock = Clock::new(start);
        let far = Instant::from_nanos(start.as_nanos() + AHEAD);
        for wrong in [Instant::MAX, far, Instant::MAX] {
            assert!(clock.advance(wrong));
            assert_eq!(
                (clock.now(), clock.to_driver(seconds(9))),
                (start, Instant::from_nanos(wrong.as_nanos() - 1_000_000_000))
            );
            assert!(clock.advance(start));
            assert_eq!((clock.now(), clock.to_driver(seconds(40))), (start, seconds(40)));
        }
        let near = Instant::from_nanos(far.as_nanos() - 1);
        assert!(!clock.advance(near));
        assert_eq!(clock.now(), near);
    }
}

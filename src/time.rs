//! Points in time as the driver counts them
//!
//! The library reads no clock: every method that may need the time takes it as an argument.

use core::fmt;
use core::time::Duration;

/// A point in time, in whole milliseconds since an origin of the driver's choice
///
/// Only differences matter, so any steady clock serves: the time since the program started, a tick
/// counter, or virtual time in a test. A clock that jumps back does no harm; time then stands still
/// until it has caught up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Instant(u64);

impl Instant {
    /// The origin of the driver's clock
    pub const ZERO: Self = Self(0);

    /// The instant `millis` milliseconds after the origin
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the origin
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// The instant `delay` later, or `None` where that is beyond what the type can hold
    ///
    /// Fractions of a millisecond are rounded up, so that a delay is never shorter than asked.
    pub fn checked_add(self, delay: Duration) -> Option<Self> {
        let millis = u64::try_from(delay.as_nanos().div_ceil(1_000_000)).ok()?;
        self.0.checked_add(millis).map(Self)
    }

    /// The time from `earlier` to this instant, zero if `earlier` is not earlier
    pub const fn saturating_since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

/// The time since the origin, as most clocks tell it; fractions of a millisecond are dropped
impl From<Duration> for Instant {
    fn from(since_origin: Duration) -> Self {
        Self(u64::try_from(since_origin.as_millis()).unwrap_or(u64::MAX))
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:03}s", self.0 / 1000, self.0 % 1000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delay_is_rounded_up_to_whole_milliseconds() {
        let later = Instant::ZERO.checked_add(Duration::from_nanos(1));
        assert_eq!(later, Some(Instant::from_millis(1)));
    }

    #[test]
    fn the_end_of_time_is_an_answer() {
        let end = Instant::from_millis(u64::MAX);
        assert_eq!(end.checked_add(Duration::from_millis(1)), None);
        assert_eq!(end.checked_add(Duration::ZERO), Some(end));
        assert_eq!(Instant::ZERO.checked_add(Duration::MAX), None);
    }

    #[test]
    fn a_clock_counts_whole_milliseconds() {
        assert_eq!(Instant::from(Duration::from_micros(1_999)), Instant::from_millis(1));
        assert_eq!(Instant::from(Duration::MAX), Instant::from_millis(u64::MAX));
    }

    #[test]
    fn time_prints_in_seconds() {
        assert_eq!(std::format!("{}", Instant::from_millis(15_042)), "15.042s");
    }
}

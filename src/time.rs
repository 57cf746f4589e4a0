//! Points in time as the driver counts them
//!
//! The library reads no clock: every method that needs the time takes it as an argument.

use core::fmt;
use core::time::Duration;

const NANOS_PER_MILLI: u64 = 1_000_000;
const NANOS_PER_SEC: u64 = 1_000_000_000;

/// A point in time, in whole nanoseconds since an origin of the driver's choice
///
/// Only differences matter, so any steady clock is suitable: the time since the program started, a tick
/// counter, or virtual time in a test. Covers 584 years from the origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Instant(u64);

impl Instant {
    /// The origin of the driver's clock
    pub const ZERO: Self = Self(0);

    /// The last instant that the type can hold
    pub const MAX: Self = Self(u64::MAX);

    /// The instant `nanos` nanoseconds after the origin
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// The instant `millis` milliseconds after the origin, or [`Instant::MAX`] if that is earlier
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis.saturating_mul(NANOS_PER_MILLI))
    }

    /// Nanoseconds since the origin
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Whole milliseconds since the origin
    pub const fn as_millis(self) -> u64 {
        self.0 / NANOS_PER_MILLI
    }

    /// The instant `delay` later, or `None` where that is beyond [`Instant::MAX`]
    pub const fn checked_add(self, delay: Duration) -> Option<Self> {
        match nanos(delay) {
            None => None,
            Some(nanos) => match self.0.checked_add(nanos) {
                None => None,
                Some(later) => Some(Self(later)),
            },
        }
    }

    /// The instant `delay` later, or [`Instant::MAX`] if that is earlier
    pub(crate) const fn saturating_add(self, delay: Delay) -> Self {
        Self(self.0.saturating_add(delay.0))
    }

    /// The time from `earlier` to this instant, zero if `earlier` is not earlier
    pub const fn saturating_since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

/// The nanoseconds of a delay, if 64 bits can hold them
const fn nanos(delay: Duration) -> Option<u64> {
    match delay.as_secs().checked_mul(NANOS_PER_SEC) {
        None => None,
        Some(nanos) => nanos.checked_add(delay.subsec_nanos() as u64),
    }
}

/// A length of time in whole nanoseconds: half as large as a `Duration`, and its arithmetic is that of a number
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Delay(u64);

impl Delay {
    pub(crate) const ZERO: Self = Self(0);

    pub(crate) const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    pub(crate) const fn from_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(NANOS_PER_SEC))
    }

    pub(crate) const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

/// More than 584 years become the largest number, which is beyond every clock
impl From<Duration> for Delay {
    fn from(delay: Duration) -> Self {
        Self(nanos(delay).unwrap_or(u64::MAX))
    }
}

/// The instant that is this long after the origin, as most clocks give it
impl From<Duration> for Instant {
    fn from(since_origin: Duration) -> Self {
        Self(nanos(since_origin).unwrap_or(u64::MAX))
    }
}

/// Seconds with three decimals
impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:03}s", self.as_millis() / 1000, self.as_millis() % 1000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_time_is_an_answer() {
        assert_eq!(Instant::MAX.checked_add(Duration::from_nanos(1)), None);
        assert_eq!(Instant::MAX.checked_add(Duration::ZERO), Some(Instant::MAX));
        assert_eq!(Instant::ZERO.checked_add(Duration::MAX), None);
        assert_eq!(Instant::from_millis(u64::MAX), Instant::MAX);
        assert_eq!(Instant::from(Duration::MAX), Instant::MAX);
    }

    #[test]
    fn differences_are_exact_to_the_nanosecond() {
        let start = Instant::from_millis(3);
        let later = start.checked_add(Duration::from_nanos(1_234_567)).unwrap();
        assert_eq!(later.saturating_since(start), Duration::from_nanos(1_234_567));
        assert_eq!(start.saturating_since(later), Duration::ZERO);
        assert_eq!((later.as_nanos(), later.as_millis()), (4_234_567, 4));
    }

    #[test]
    fn time_prints_in_seconds() {
        assert_eq!(std::format!("{}", Instant::from_millis(15_042)), "15.042s");
    }
}

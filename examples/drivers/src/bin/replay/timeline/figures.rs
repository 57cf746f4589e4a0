//! Figures that the observers of a link do not give

use std::time::Duration;

#[derive(Default)]
pub struct Figures {
    /// From the start of the link to its last event
    pub duration: Duration,
    /// How many bytes have left
    pub sent: u64,
    /// How many bytes were taken
    pub received: u64,
    /// How often the link refused a call
    pub refusals: u64,
    pub round_trips: RoundTrips,
}

/// The times from a Ping to its Pong
#[derive(Default)]
pub struct RoundTrips {
    pub count: u32,
    pub least: Duration,
    pub greatest: Duration,
    total: Duration,
}

impl RoundTrips {
    pub fn add(&mut self, time: Duration) {
        self.least = if self.count == 0 { time } else { self.least.min(time) };
        self.greatest = self.greatest.max(time);
        self.total = self.total.saturating_add(time);
        self.count = self.count.saturating_add(1);
    }

    pub fn mean(&self) -> Duration {
        self.total.checked_div(self.count).unwrap_or_default()
    }
}

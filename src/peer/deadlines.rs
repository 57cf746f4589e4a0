//! Everything that can be waited for, in one table

use core::time::Duration;

use crate::time::Instant;

/// What the link waits for
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Timer {
    /// The handshake is to be complete
    Handshake,
    /// A Ping is to be sent, and memory that is not needed to be given back
    Ping,
    /// Our Ping is to be answered
    Pong,
    /// Something is to come from the peer
    Read,
    /// Something is to be taken by the transport
    Write,
    /// Our Disconnect is to leave, and then the peer to hang up
    Linger,
}

impl Timer {
    /// In the order in which timers that are due together go off
    const ALL: [Self; 6] = [Self::Handshake, Self::Write, Self::Pong, Self::Read, Self::Ping, Self::Linger];

    /// Whether what is waited for comes from the peer
    const fn waits_for_input(self) -> bool {
        matches!(self, Self::Pong | Self::Read)
    }
}

/// When each timer goes off
#[derive(Debug)]
pub(super) struct Deadlines {
    table: [Option<Instant>; Timer::ALL.len()],
    /// A message waits that the driver holds back: what waits for input rests
    resting: bool,
}

impl Deadlines {
    pub(super) const fn new() -> Self {
        Self { table: [None; Timer::ALL.len()], resting: false }
    }

    /// Starts `timer` anew; a delay beyond the end of time is never over
    pub(super) fn set(&mut self, timer: Timer, now: Instant, delay: Duration) {
        self.put(timer, now.checked_add(delay));
    }

    pub(super) fn stop(&mut self, timer: Timer) {
        self.put(timer, None);
    }

    pub(super) fn is_set(&self, timer: Timer) -> bool {
        self.deadline(timer).is_some()
    }

    /// Stops all timers, for a new state to set its own
    pub(super) const fn stop_all(&mut self) {
        *self = Self::new();
    }

    /// Has what waits for input rest, or go on
    pub(super) const fn set_resting(&mut self, resting: bool) {
        self.resting = resting;
    }

    pub(super) const fn is_resting(&self) -> bool {
        self.resting
    }

    /// Stops a timer that is due, and returns it
    pub(super) fn take_due(&mut self, now: Instant) -> Option<Timer> {
        let due = |timer: &Timer| self.running(*timer).is_some_and(|deadline| deadline <= now);
        let timer = Timer::ALL.into_iter().find(due)?;
        self.stop(timer);
        Some(timer)
    }

    /// The timer that goes off next
    pub(super) fn next(&self) -> Option<(Instant, Timer)> {
        let running = Timer::ALL.into_iter().filter_map(|timer| Some((self.running(timer)?, timer)));
        running.min_by_key(|(deadline, _)| *deadline)
    }

    /// A deadline that can pass
    fn running(&self, timer: Timer) -> Option<Instant> {
        if self.resting && timer.waits_for_input() { None } else { self.deadline(timer) }
    }

    fn deadline(&self, timer: Timer) -> Option<Instant> {
        self.table.get(timer as usize).copied().flatten()
    }

    fn put(&mut self, timer: Timer, deadline: Option<Instant>) {
        if let Some(entry) = self.table.get_mut(timer as usize) {
            *entry = deadline;
        }
    }
}

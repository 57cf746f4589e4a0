//! The deadlines of all timers, in one table

use crate::time::{Delay, Instant};

/// The timers of a link
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Timer {
    /// Limits the time of the handshake
    Handshake,
    /// Sends the next Ping
    Ping,
    /// Limits the time until our Ping is answered
    Pong,
    /// Limits the silence of the peer
    Read,
    /// Limits the time of an incomplete frame from the peer
    Frame,
    /// Limits the time for which the transport takes nothing
    Write,
    /// Limits the time until the transport has taken all bytes that were unsent when the timer was set
    Drain,
    /// Gives back memory that is not needed
    Memory,
    /// Limits the time until the peer closes the connection, or sends Disconnect after a failed write
    Linger,
}

impl Timer {
    /// In the order in which timers that are due together go off
    pub(super) const ALL: [Self; 9] = [
        Self::Handshake,
        Self::Write,
        Self::Drain,
        Self::Frame,
        Self::Pong,
        Self::Read,
        Self::Ping,
        Self::Memory,
        Self::Linger,
    ];

    /// Whether the timer waits for input
    const fn waits_for_input(self) -> bool {
        matches!(self, Self::Pong | Self::Read)
    }
}

/// When each timer goes off
#[derive(Debug)]
pub(super) struct Deadlines {
    /// [`NEVER`] for a timer that is not set
    table: [Instant; Timer::ALL.len()],
    /// The driver holds a message: the timers that wait for input are stopped
    resting: bool,
}

const NEVER: Instant = Instant::MAX;

impl Deadlines {
    pub(super) const fn new() -> Self {
        Self { table: [NEVER; Timer::ALL.len()], resting: false }
    }

    /// Starts `timer` anew; a deadline beyond [`Instant::MAX`] never comes
    pub(super) fn set(&mut self, timer: Timer, now: Instant, delay: Delay) {
        self.put(timer, now.saturating_add(delay));
    }

    pub(super) fn stop(&mut self, timer: Timer) {
        self.put(timer, NEVER);
    }

    pub(super) fn is_set(&self, timer: Timer) -> bool {
        self.deadline(timer) != NEVER
    }

    /// Stops all timers, for a new state to set its own
    pub(super) const fn stop_all(&mut self) {
        *self = Self::new();
    }

    /// Stops the timers that wait for input, or lets them run again
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

    /// When the timer goes off
    pub(super) fn deadline(&self, timer: Timer) -> Instant {
        self.table.get(timer as usize).copied().unwrap_or(NEVER)
    }

    /// Sets when the timer goes off
    pub(super) fn put(&mut self, timer: Timer, deadline: Instant) {
        if let Some(entry) = self.table.get_mut(timer as usize) {
            *entry = deadline;
        }
    }

    /// The deadline, if the timer is set and not stopped
    fn running(&self, timer: Timer) -> Option<Instant> {
        let deadline = self.deadline(timer);
        (deadline != NEVER && !(self.resting && timer.waits_for_input())).then_some(deadline)
    }
}

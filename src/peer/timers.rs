//! Everything that can be waited for, in one table

use core::time::Duration;

use crate::time::Instant;

/// What the link waits for
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
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
    pub(super) const ALL: [Self; 6] = [Self::Handshake, Self::Write, Self::Pong, Self::Read, Self::Ping, Self::Linger];

    /// Whether what is waited for comes from the peer
    const fn waits_for_input(self) -> bool {
        matches!(self, Self::Pong | Self::Read)
    }
}

/// Whether the driver takes messages
#[derive(Debug, Clone, Copy)]
enum Input {
    Flowing,
    Held { since: Instant },
}

/// When each timer goes off
#[derive(Debug)]
pub(super) struct Timers {
    deadlines: [Option<Instant>; 6],
    input: Input,
}

impl Timers {
    pub(super) const fn new() -> Self {
        Self { deadlines: [None; 6], input: Input::Flowing }
    }

    /// Starts `timer` anew; a delay beyond the end of time is never over
    ///
    /// One that stands still begins where the hold did, so that it has `delay` left when that ends.
    pub(super) fn set(&mut self, timer: Timer, now: Instant, delay: Duration) {
        let start = match self.input {
            Input::Held { since } if timer.waits_for_input() => since,
            _ => now,
        };
        self.put(timer, start.checked_add(delay));
    }

    pub(super) fn stop(&mut self, timer: Timer) {
        self.put(timer, None);
    }

    pub(super) fn is_set(&self, timer: Timer) -> bool {
        self.deadline(timer).is_some()
    }

    pub(super) fn stop_all(&mut self) {
        self.deadlines = [None; 6];
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

    /// Stops or restarts the clock of everything that waits for the peer
    pub(super) fn hold_input(&mut self, now: Instant, held: bool) {
        match (self.input, held) {
            (Input::Flowing, true) => self.input = Input::Held { since: now },
            (Input::Held { since }, false) => {
                self.input = Input::Flowing;
                let stood_still = now.saturating_since(since);
                for timer in Timer::ALL.into_iter().filter(|timer| timer.waits_for_input()) {
                    let later = self.deadline(timer).and_then(|deadline| deadline.checked_add(stood_still));
                    self.put(timer, later);
                }
            }
            _ => {}
        }
    }

    pub(super) const fn is_input_held(&self) -> bool {
        matches!(self.input, Input::Held { .. })
    }

    /// A deadline that can pass: while input is held back, nothing that waits for input can
    fn running(&self, timer: Timer) -> Option<Instant> {
        match self.input {
            Input::Held { .. } if timer.waits_for_input() => None,
            _ => self.deadline(timer),
        }
    }

    fn deadline(&self, timer: Timer) -> Option<Instant> {
        self.deadlines.get(timer as usize).copied().flatten()
    }

    fn put(&mut self, timer: Timer, deadline: Option<Instant>) {
        if let Some(entry) = self.deadlines.get_mut(timer as usize) {
            *entry = deadline;
        }
    }
}

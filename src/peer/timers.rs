//! The timers: what each one does when it goes off

use super::PeerState;
use super::config::Delays;
use super::deadlines::Timer;
use crate::cause::{Cause, Timeout};
use crate::time::{Delay, Instant};

/// Memory that is not needed for this long is given back
const MEMORY_INTERVAL: Delay = Delay::from_secs(15);
/// Growable buffers of up to this many bytes do not wake a link; they are trimmed at the regular Ping
const KEPT: usize = 4096;

/// # Time
impl PeerState<'_> {
    /// When [`handle_timeout`](Self::handle_timeout) is to be called next, if nothing else happens
    ///
    /// In the time of the driver's clock. Every other call may change it. `None` while no timer runs.
    pub fn next_timeout(&self) -> Option<Instant> {
        self.deadlines.next().map(|(deadline, _)| self.clock.to_driver(deadline))
    }

    /// The timer that goes off at [`next_timeout`](Self::next_timeout)
    pub fn next_timer(&self) -> Option<Timer> {
        self.deadlines.next().map(|(_, timer)| timer)
    }

    /// Does what has become due by `now`; early or spurious calls do nothing
    ///
    /// `now`, here and in every other method, must come from a clock that goes forward at the pace of
    /// real time. If the clock goes back by less than a minute, the link's time does not advance until
    /// the clock has caught up. If the clock goes back by a minute or more, or ahead by more than a
    /// century at once, the link takes it for a new clock: each timer keeps its remaining time, and timers
    /// that are overdue start anew.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.advance_clock(now);
        while let Some(timer) = self.deadlines.take_due(self.clock.now()) {
            match timer {
                Timer::Ping => self.tick(),
                Timer::Memory => self.trim(),
                // No input is taken until the earlier Pong has left, and the write timers bound that.
                Timer::Read if self.owes_pong() => self.set_timer(timer, self.timeouts.read),
                // Behind a large frame of ours, which the peer may read in silence; the drain timer bounds that.
                Timer::Read if self.is_ping_leaving() => {}
                Timer::Pong if self.postpone_pong() => {}
                Timer::Handshake => self.close(Cause::Timeout(Timeout::Handshake)),
                Timer::Pong => self.close(Cause::Timeout(Timeout::Pong)),
                Timer::Read => self.close(Cause::Timeout(Timeout::Read)),
                Timer::Frame => self.close(Cause::Timeout(Timeout::Frame)),
                Timer::Write | Timer::Drain | Timer::Linger => self.close_now(Cause::Timeout(Timeout::Write)),
            }
        }
    }
}

impl PeerState<'_> {
    /// Restarts the timers that a wrong time far ahead has made overdue
    #[cold]
    pub(super) fn restart_overdue_timers(&mut self) {
        let Delays { handshake, ping, pong, read, write, linger, .. } = self.timeouts;
        let now = self.clock.now();
        for timer in Timer::ALL {
            if self.deadlines.deadline(timer) > now {
                continue;
            }
            let timeout = match timer {
                Timer::Handshake => handshake,
                Timer::Ping => ping,
                Timer::Pong => pong,
                Timer::Read => read,
                Timer::Frame => self.time_for(self.ingress.frame_under_way().unwrap_or_default(), read),
                Timer::Write => write,
                Timer::Drain => self.time_for(self.egress.unsent().len(), write),
                Timer::Linger => linger,
                Timer::Memory => MEMORY_INTERVAL,
            };
            self.deadlines.set(timer, now, timeout);
        }
    }

    /// Starts a timer anew, from now
    pub(super) fn set_timer(&mut self, timer: Timer, delay: Delay) {
        self.deadlines.set(timer, self.clock.now(), delay);
    }

    /// Sends the regular Ping, and gives back memory that has no timer of its own
    fn tick(&mut self) {
        self.set_timer(Timer::Ping, self.timeouts.ping);
        if !self.deadlines.is_set(Timer::Memory) {
            self.trim();
        }
        if self.deadlines.is_resting() {
            self.forget_ping();
        }
        self.send_ping();
    }

    /// How long `len` bytes may take, but at least `least`
    #[inline(never)] // for the size of the code on a microcontroller
    fn time_for(&self, len: usize, least: Delay) -> Delay {
        let nanos = (len as u64).saturating_mul(1_000_000_000);
        let slowest = u64::from(self.timeouts.slowest_rate);
        least.max(Delay::from_nanos(if slowest == 0 { 0 } else { nanos.div_ceil(slowest) }))
    }

    /// Notes that bytes have come, and limits the time of an incomplete frame, from its first byte
    ///
    /// `before` is the length of the frame that was incomplete before. A frame's length is known once its
    /// header has come.
    pub(super) fn note_input(&mut self, before: Option<usize>) {
        if self.state.running().is_none() {
            return;
        }
        self.set_timer(Timer::Read, self.timeouts.read);
        match (before, self.ingress.frame_under_way()) {
            (_, None) => {
                self.deadlines.stop(Timer::Frame);
                self.expect_late_pong();
            }
            (None, Some(len)) => self.set_timer(Timer::Frame, self.time_for(len, self.timeouts.read)),
            (Some(before), Some(len)) if before != len => {
                let [known, whole] = [before, len].map(|len| self.time_for(len, self.timeouts.read));
                let more = whole.saturating_sub(known);
                self.deadlines.set(Timer::Frame, self.deadlines.deadline(Timer::Frame), more);
            }
            _ => {}
        }
    }

    /// Notes that bytes were sealed, and limits the time of the unsent bytes
    ///
    /// The write timer ends a link whose transport takes nothing. The drain timer covers all bytes that
    /// are unsent when it is set: it ends a link whose transport takes only a byte now and then.
    pub(super) fn note_sealed(&mut self) {
        self.note_memory();
        if self.egress.is_empty() {
            return;
        }
        if !self.deadlines.is_set(Timer::Write) {
            self.set_timer(Timer::Write, self.timeouts.write);
        }
        if !self.deadlines.is_set(Timer::Drain) {
            self.drain_to = self.egress.end_position();
            let time = self.time_for(self.egress.unsent().len(), self.timeouts.write);
            self.set_timer(Timer::Drain, time);
        }
    }

    /// Notes that bytes have left
    pub(super) fn note_progress(&mut self) {
        self.deadlines.stop(Timer::Write);
        if self.egress.sent() >= self.drain_to {
            self.deadlines.stop(Timer::Drain);
        }
        self.note_sealed();
    }

    /// Sets the memory timer if a running link occupies memory that may have to be given back
    ///
    /// During the handshake our packet stays in the buffer after it has left, since the session is made from it.
    pub(super) fn note_memory(&mut self) {
        if !self.deadlines.is_set(Timer::Memory) && self.memory() > KEPT && self.state.running().is_some() {
            self.set_timer(Timer::Memory, MEMORY_INTERVAL);
        }
    }

    /// How much memory of its own the link occupies
    fn memory(&self) -> usize {
        #[cfg(feature = "rlp")]
        let scratch = self.scratch.as_ref().map_or(0, |stream| stream.len());
        #[cfg(not(feature = "rlp"))]
        let scratch = 0;
        self.ingress.allocated().saturating_add(self.egress.allocated()).saturating_add(scratch)
    }

    /// Gives back memory that was not needed since the last call
    fn trim(&mut self) {
        self.egress.trim();
        self.ingress.trim(self.pending.place());
        #[cfg(feature = "rlp")]
        {
            self.scratch = None;
        }
        self.note_memory();
    }

    /// Stops the input timers while a held message waits, since the driver delays what comes after it
    pub(super) fn rest_input_timers(&mut self) {
        if self.is_message_held() {
            self.deadlines.set_resting(true);
        }
    }

    /// Restarts the input timers with their full time when the held message is handed out
    pub(super) fn wake_input_timers(&mut self) {
        if self.deadlines.is_resting() {
            self.deadlines.set_resting(false);
            for (timer, timeout) in [(Timer::Read, self.timeouts.read), (Timer::Pong, self.timeouts.pong)] {
                if self.deadlines.is_set(timer) {
                    self.set_timer(timer, timeout);
                }
            }
        }
    }
}

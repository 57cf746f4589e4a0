//! What the passing of time does

use core::time::Duration;

use super::PeerState;
use super::config::Timeouts;
use super::deadlines::Timer;
use super::state::Pending;
use crate::cause::{Cause, Timeout};
use crate::time::Instant;

/// What is not needed for as long as this is given back
const MEMORY_INTERVAL: Duration = Duration::from_secs(15);
/// For growable buffers of up to this many bytes a link is not woken; the regular Ping looks after them
const KEPT: usize = 4096;

/// # Time
impl PeerState<'_> {
    /// When [`handle_timeout`](Self::handle_timeout) is to be called next, if nothing else happens
    ///
    /// By the driver's clock. May change with every other call. `None` while nothing is waited for.
    pub fn next_timeout(&self) -> Option<Instant> {
        self.deadlines.next().map(|(deadline, _)| self.clock.to_driver(deadline))
    }

    /// What [`next_timeout`](Self::next_timeout) is about
    pub fn next_timer(&self) -> Option<Timer> {
        self.deadlines.next().map(|(_, timer)| timer)
    }

    /// Does what has become due by `now`; early or spurious calls do nothing
    ///
    /// `now`, here and in every other method, is to come from a clock that goes forward at the pace of
    /// real time. Where it goes back by less than a minute, time stands still until it has caught up.
    /// Where it goes back by a minute or more, it is a new clock: timers keep what is left of them, and
    /// those that have run out by then start anew.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.advance_clock(now);
        while let Some(timer) = self.deadlines.take_due(self.clock.now()) {
            match timer {
                Timer::Ping => self.tick(),
                Timer::Memory => self.trim(),
                // No input is taken until the earlier Pong has left, and the write timers bound that.
                Timer::Pong if self.owes_pong() => self.set_timer(timer, self.timeouts.pong),
                Timer::Read if self.owes_pong() => self.set_timer(timer, self.timeouts.read),
                // The Pong is behind a frame that is within its own time.
                Timer::Pong if self.deadlines.is_set(Timer::Frame) => {
                    self.deadlines.put(timer, self.deadlines.deadline(Timer::Frame));
                }
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
    /// After a wrong time far ahead, no timer is over because of it
    #[cold]
    pub(super) fn restart_overdue_timers(&mut self) {
        let Timeouts { handshake, ping, pong, read, write, linger, .. } = self.timeouts;
        let now = self.clock.now();
        for timer in Timer::ALL {
            if self.deadlines.deadline(timer) > now {
                continue;
            }
            let timeout = match timer {
                Timer::Handshake => handshake,
                Timer::Ping => ping,
                Timer::Pong => pong,
                Timer::Read | Timer::Frame => read,
                Timer::Write | Timer::Drain => write,
                Timer::Linger => linger,
                Timer::Memory => MEMORY_INTERVAL,
            };
            self.deadlines.set(timer, now, timeout);
        }
    }

    /// Starts a timer anew, from now
    pub(super) fn set_timer(&mut self, timer: Timer, delay: Duration) {
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

    /// How long `len` bytes may take, where small pieces get `least`
    fn time_for(&self, len: usize, least: Duration) -> Duration {
        let seconds = (len as u64).checked_div(self.timeouts.slowest_rate.into()).unwrap_or_default();
        least.max(Duration::from_secs(seconds))
    }

    /// Bytes have come: a frame of which a part is there has a time to be complete, from its first byte
    ///
    /// `before` is the frame that was under way before. Its length is known once its header has come.
    pub(super) fn note_input(&mut self, before: Option<usize>) {
        if self.state.running().is_none() {
            return;
        }
        self.set_timer(Timer::Read, self.timeouts.read);
        match (before, self.ingress.frame_under_way()) {
            (_, None) => self.deadlines.stop(Timer::Frame),
            (None, Some(len)) => self.set_timer(Timer::Frame, self.time_for(len, self.timeouts.read)),
            (Some(before), Some(len)) if before != len => {
                let known = self.time_for(before, self.timeouts.read);
                let more = self.time_for(len, self.timeouts.read).saturating_sub(known);
                self.deadlines.set(Timer::Frame, self.deadlines.deadline(Timer::Frame), more);
            }
            _ => {}
        }
    }

    /// Bytes were sealed: what is unsent has a time to leave
    ///
    /// One timer is about silence of the transport, the other about all bytes that are unsent when it is
    /// set, so that a transport which takes a byte now and then does not keep them for good.
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

    /// Bytes have left
    pub(super) fn note_progress(&mut self) {
        self.deadlines.stop(Timer::Write);
        if self.egress.sent() >= self.drain_to {
            self.deadlines.stop(Timer::Drain);
        }
        self.note_sealed();
    }

    /// Makes sure that memory which is occupied now is looked at again
    pub(super) fn note_memory(&mut self) {
        if !self.deadlines.is_set(Timer::Memory) && self.memory() > KEPT && self.state.cause().is_none() {
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

    /// Gives back memory that has not been needed since the last time
    fn trim(&mut self) {
        self.egress.trim();
        self.ingress.trim(match self.pending {
            Pending::Message { place, .. } => Some(place),
            _ => None,
        });
        #[cfg(feature = "rlp")]
        {
            self.scratch = None;
        }
        self.note_memory();
    }

    /// The peer is not timed out for what lies behind a message that the driver holds back
    pub(super) fn rest_input_timers(&mut self) {
        if self.is_message_held() {
            self.deadlines.set_resting(true);
        }
    }

    /// When the message is handed out, the peer gets the whole time again
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

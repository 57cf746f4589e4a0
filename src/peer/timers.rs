//! What the passing of time does

use super::PeerState;
use super::deadlines::Timer;
use super::state::Pending;
use crate::cause::{Cause, Timeout};
use crate::time::Instant;

/// # Time
impl PeerState<'_> {
    /// When [`handle_timeout`](Self::handle_timeout) is to be called next, if nothing else happens
    ///
    /// May change with every other call. `None` while nothing is waited for.
    pub fn next_timeout(&self) -> Option<Instant> {
        self.deadlines.next().map(|(deadline, _)| deadline)
    }

    /// What [`next_timeout`](Self::next_timeout) is about
    pub fn next_timer(&self) -> Option<Timer> {
        self.deadlines.next().map(|(_, timer)| timer)
    }

    /// Does what has become due by `now`; early or spurious calls do nothing
    pub fn handle_timeout(&mut self, now: Instant) {
        self.advance_clock(now);
        while let Some(timer) = self.deadlines.take_due(self.now) {
            match timer {
                Timer::Ping => self.tick(),
                // No input is taken until the earlier Pong has left, and the write timer bounds that.
                Timer::Pong if self.owes_pong() => self.deadlines.set(timer, self.now, self.timeouts.pong),
                Timer::Read if self.owes_pong() => self.deadlines.set(timer, self.now, self.timeouts.read),
                Timer::Handshake => self.close(Cause::Timeout(Timeout::Handshake)),
                Timer::Pong => self.close(Cause::Timeout(Timeout::Pong)),
                Timer::Read => self.close(Cause::Timeout(Timeout::Read)),
                Timer::Write => self.close(Cause::Timeout(Timeout::Write)),
                Timer::Linger => self.close_now(Cause::Timeout(Timeout::Write)),
            }
        }
    }
}

impl PeerState<'_> {
    /// Sends the regular Ping and gives back memory
    fn tick(&mut self) {
        self.deadlines.set(Timer::Ping, self.now, self.timeouts.ping);
        self.trim();
        if self.deadlines.is_resting() {
            self.forget_ping();
        }
        self.send_ping();
    }

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
    }

    /// Makes sure that unsent bytes have a deadline
    pub(super) fn arm_write_timer(&mut self) {
        if !self.egress.is_empty() && !self.deadlines.is_set(Timer::Write) {
            self.deadlines.set(Timer::Write, self.now, self.timeouts.write);
        }
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
                    self.deadlines.set(timer, self.now, timeout);
                }
            }
        }
    }
}

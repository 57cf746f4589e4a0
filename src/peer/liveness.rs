//! Ping and Pong (rlpx.md §Ping)

use super::PeerState;
use super::deadlines::Timer;
use super::state::{Ping, Pong, Running};
use crate::error::PingError;
use crate::p2p::message::{Base, EMPTY_LIST};
use crate::time::Instant;

/// # Requests: Ping
impl PeerState<'_> {
    /// Sends a Ping now; nothing happens if one is on its way already
    ///
    /// The regular Pings of [`Timeouts::ping`](crate::Timeouts) continue. [`liveness`](Self::liveness)
    /// shows the answer; a missing answer ends the link.
    ///
    /// # Errors
    /// `NotReady` before Hello, `Closed` once the link ends. There is always capacity for a Ping.
    pub fn ping(&mut self, now: Instant) -> Result<(), PingError> {
        self.advance_clock(now);
        if self.state.cause().is_some() {
            return Err(PingError::Closed);
        }
        self.state.running().ok_or(PingError::NotReady)?;
        self.send_ping();
        Ok(())
    }
}

impl PeerState<'_> {
    /// Sends a Ping unless one is on its way
    ///
    /// A Ping whose answer came before the driver reported it as sent still occupies its capacity.
    pub(super) fn send_ping(&mut self) {
        match self.state.running_mut() {
            Some(running) if running.ping == Ping::Idle && self.egress.has_left(Base::Ping) => {
                running.ping = Ping::Leaving { since: self.clock.now() };
                self.liveness.pings_sent = self.liveness.pings_sent.saturating_add(1);
                self.send_base(Base::Ping, &EMPTY_LIST);
            }
            _ => {}
        }
    }

    /// Stops waiting for a Pong that cannot be read while a message is held
    ///
    /// The next Ping is still sent, since the peer must hear from us.
    pub(super) fn forget_ping(&mut self) {
        if let Some(Running { ping: ping @ (Ping::Awaited { .. } | Ping::Late { .. }), .. }) = self.state.running_mut()
        {
            *ping = Ping::Idle;
            self.deadlines.stop(Timer::Pong);
        }
    }

    /// Whether our Ping waits for the unsent bytes before it, for a limited time
    pub(super) fn is_ping_leaving(&self) -> bool {
        let leaving = matches!(self.state.running(), Some(Running { ping: Ping::Leaving { .. }, .. }));
        leaving && self.deadlines.is_set(Timer::Drain)
    }

    /// Starts the Pong timer when the Ping has left, and the read timer again if it rested for the Ping
    pub(super) fn note_ping_left(&mut self) {
        if let Some(Running { ping: ping @ Ping::Leaving { .. }, .. }) = self.state.running_mut()
            && self.egress.has_left(Base::Ping)
        {
            *ping = Ping::Awaited { since: self.clock.now() };
            self.deadlines.set(Timer::Pong, self.clock.now(), self.timeouts.pong);
            if !self.deadlines.is_set(Timer::Read) {
                self.set_timer(Timer::Read, self.timeouts.read);
            }
        }
    }

    /// Notes a Pong; a Pong without a Ping changes nothing
    ///
    /// The Pong may come before the driver has reported the Ping as sent.
    pub(super) fn note_pong(&mut self) {
        if let Some(running) = self.state.running_mut()
            && let Ping::Leaving { since } | Ping::Awaited { since } | Ping::Late { since } = running.ping
        {
            running.ping = Ping::Idle;
            self.liveness.pongs_received = self.liveness.pongs_received.saturating_add(1);
            self.liveness.round_trip = Some(self.clock.now().saturating_since(since));
            self.deadlines.stop(Timer::Pong);
        }
    }

    /// Puts off the end of a link whose Pong is due, once for each Ping, if the Pong cannot be read now
    ///
    /// A frame is under way that has a time of its own, or a Pong of ours has to leave first.
    pub(super) fn postpone_pong(&mut self) -> bool {
        let unreadable = self.owes_pong() || self.deadlines.is_set(Timer::Frame);
        match self.state.running_mut() {
            Some(Running { ping: ping @ Ping::Awaited { .. }, .. }) if unreadable => {
                if let Ping::Awaited { since } = *ping {
                    *ping = Ping::Late { since };
                }
                true
            }
            _ => false,
        }
    }

    /// What has put off a late Pong is over: the peer has its time once more
    pub(super) fn expect_late_pong(&mut self) {
        let late = matches!(self.state.running(), Some(Running { ping: Ping::Late { .. }, .. }));
        if late && !self.deadlines.is_set(Timer::Pong) {
            self.set_timer(Timer::Pong, self.timeouts.pong);
        }
    }

    /// Answers a Ping, at once or as soon as the Pong before it has left
    ///
    /// Until then no input is taken, so that a flood of Pings fills the buffers of its sender.
    pub(super) fn owe_pong(&mut self) {
        if let Some(running) = self.state.running_mut() {
            running.pong = Pong::Owed;
            self.liveness.pings_received = self.liveness.pings_received.saturating_add(1);
        }
        self.pay_pong();
    }

    pub(super) const fn owes_pong(&self) -> bool {
        matches!(self.state.running(), Some(Running { pong: Pong::Owed, .. }))
    }

    pub(super) fn pay_pong(&mut self) {
        match self.state.running_mut() {
            Some(running) if running.pong == Pong::Owed && self.egress.has_left(Base::Pong) => {
                running.pong = Pong::Settled;
                self.liveness.pongs_sent = self.liveness.pongs_sent.saturating_add(1);
                self.send_base(Base::Pong, &EMPTY_LIST);
                self.expect_late_pong();
            }
            _ => {}
        }
    }
}

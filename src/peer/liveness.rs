//! Ping and Pong (rlpx.md §Ping)

use super::PeerState;
use super::deadlines::Timer;
use super::state::{Ping, Pong, Running, State};
use crate::error::PingError;
use crate::p2p::message::{Base, EMPTY_LIST};
use crate::time::Instant;

/// # Requests: Ping
impl PeerState<'_> {
    /// Sends a Ping now; nothing happens if one is on its way already
    ///
    /// The regular Pings of [`Timeouts::ping`](crate::Timeouts) go on besides. The answer shows in
    /// [`liveness`](Self::liveness); a missing answer ends the link.
    ///
    /// # Errors
    /// `NotReady` before Hello, `Closed` once the link ends. There is always capacity for a Ping.
    pub fn ping(&mut self, now: Instant) -> Result<(), PingError> {
        self.advance_clock(now);
        match &self.state {
            State::Running(_) => {
                self.send_ping();
                Ok(())
            }
            state if state.cause().is_some() => Err(PingError::Closed),
            _ => Err(PingError::NotReady),
        }
    }
}

impl PeerState<'_> {
    /// Sends a Ping unless one is on its way
    ///
    /// A Ping whose answer came before the driver reported it as sent still occupies its capacity.
    pub(super) fn send_ping(&mut self) {
        match &mut self.state {
            State::Running(running) if running.ping == Ping::Idle && self.egress.has_left(Base::Ping) => {
                running.ping = Ping::Leaving { since: self.now };
                self.liveness.pings_sent = self.liveness.pings_sent.saturating_add(1);
                self.send_base(Base::Ping, &EMPTY_LIST);
            }
            _ => {}
        }
    }

    /// Gives up a Pong that cannot be read while a message is held back
    ///
    /// The next Ping is due all the same, since the peer must hear from us.
    pub(super) fn forget_ping(&mut self) {
        if let State::Running(Running { ping: ping @ Ping::Awaited { .. }, .. }) = &mut self.state {
            *ping = Ping::Idle;
            self.deadlines.stop(Timer::Pong);
        }
    }

    /// The time for the answer runs from the moment at which the Ping has left
    pub(super) fn note_ping_left(&mut self) {
        if let State::Running(Running { ping: ping @ Ping::Leaving { .. }, .. }) = &mut self.state
            && self.egress.has_left(Base::Ping)
        {
            *ping = Ping::Awaited { since: self.now };
            self.deadlines.set(Timer::Pong, self.now, self.timeouts.pong);
        }
    }

    /// A Pong that was not asked for changes nothing
    ///
    /// The answer may be here before the driver has reported the Ping as sent.
    pub(super) fn note_pong(&mut self) {
        let State::Running(running) = &mut self.state else {
            return;
        };
        if let Ping::Leaving { since } | Ping::Awaited { since } = running.ping {
            running.ping = Ping::Idle;
            self.liveness.pongs_received = self.liveness.pongs_received.saturating_add(1);
            self.liveness.round_trip = Some(self.now.saturating_since(since));
            self.deadlines.stop(Timer::Pong);
        }
    }

    /// Answers a Ping, at once or as soon as the Pong before it has left
    ///
    /// Until then no input is taken, so that a flood of Pings becomes the flooder's own backlog.
    pub(super) fn owe_pong(&mut self) {
        if let State::Running(running) = &mut self.state {
            running.pong = Pong::Owed;
            self.liveness.pings_received = self.liveness.pings_received.saturating_add(1);
        }
        self.pay_pong();
    }

    pub(super) const fn owes_pong(&self) -> bool {
        matches!(&self.state, State::Running(Running { pong: Pong::Owed, .. }))
    }

    pub(super) fn pay_pong(&mut self) {
        match &mut self.state {
            State::Running(running) if running.pong == Pong::Owed && self.egress.has_left(Base::Pong) => {
                running.pong = Pong::Settled;
                self.liveness.pongs_sent = self.liveness.pongs_sent.saturating_add(1);
                self.send_base(Base::Pong, &EMPTY_LIST);
            }
            _ => {}
        }
    }
}

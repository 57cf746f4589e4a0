//! Ping and Pong (rlpx.md §Ping)

use core::time::Duration;

use super::PeerState;
use super::state::{Ping, Pong, Running, State};
use super::timers::Timer;
use crate::error::WriteError;
use crate::p2p::message::{EMPTY_LIST, PING, PONG};
use crate::time::Instant;

/// The Pings and Pongs of a link
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Liveness {
    /// Pings that this node has sent
    pub pings_sent: u64,
    /// Pings that the peer has answered
    pub pongs_received: u64,
    /// Pings that the peer has sent
    pub pings_received: u64,
    /// Pings that this node has answered
    pub pongs_sent: u64,
    /// From the moment that the last answered Ping had left to its Pong, by the driver's clock
    pub round_trip: Option<Duration>,
}

impl PeerState<'_> {
    /// Sends a Ping now; nothing happens if one is on its way already
    ///
    /// The regular Pings of [`Timeouts::ping`](super::Timeouts) go on besides. The answer shows in
    /// [`liveness`](Self::liveness), and no answer ends the link.
    ///
    /// # Errors
    /// `NotReady` and `Closed`; there is always room for a Ping.
    pub fn ping(&mut self, now: Instant) -> Result<(), WriteError> {
        self.advance_clock(now);
        match &self.state {
            State::Running(_) => {
                self.send_ping();
                Ok(())
            }
            state if state.cause().is_some() => Err(WriteError::Closed),
            _ => Err(WriteError::NotReady),
        }
    }

    /// The Pings and Pongs so far
    pub const fn liveness(&self) -> Liveness {
        self.liveness
    }

    /// Sends a Ping unless one is on its way
    ///
    /// One whose answer came before the driver reported it as sent still takes its place in the
    /// reserve.
    pub(super) fn send_ping(&mut self) {
        match &mut self.state {
            State::Running(running) if running.ping == Ping::Idle && self.egress.ping_has_left() => {
                running.ping = Ping::Leaving { since: self.now };
                self.liveness.pings_sent = self.liveness.pings_sent.saturating_add(1);
                self.seal(PING, &EMPTY_LIST);
            }
            _ => {}
        }
    }

    /// Gives up an answer that nobody reads while input is held back, since the peer must hear from us
    /// all the same
    pub(super) fn forget_ping(&mut self) {
        if let State::Running(Running { ping: ping @ Ping::Awaited { .. }, .. }) = &mut self.state {
            *ping = Ping::Idle;
            self.timers.stop(Timer::Pong);
        }
    }

    /// The time for the answer runs from the moment that the Ping has left
    pub(super) fn note_ping_left(&mut self) {
        if let State::Running(Running { ping: ping @ Ping::Leaving { .. }, .. }) = &mut self.state
            && self.egress.ping_has_left()
        {
            *ping = Ping::Awaited { since: self.now };
            self.timers.set(Timer::Pong, self.now, self.timeouts.pong);
        }
    }

    /// A Pong that was not asked for changes nothing
    ///
    /// One that was may be here before the driver has reported the Ping as sent.
    pub(super) fn note_pong(&mut self) {
        let State::Running(running) = &mut self.state else {
            return;
        };
        if let Ping::Leaving { since } | Ping::Awaited { since } = running.ping {
            running.ping = Ping::Idle;
            self.liveness.pongs_received = self.liveness.pongs_received.saturating_add(1);
            self.liveness.round_trip = Some(self.now.saturating_since(since));
            self.timers.stop(Timer::Pong);
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
            State::Running(running) if running.pong == Pong::Owed && self.egress.pong_has_left() => {
                running.pong = Pong::Settled;
                self.liveness.pongs_sent = self.liveness.pongs_sent.saturating_add(1);
                self.seal(PONG, &EMPTY_LIST);
            }
            _ => {}
        }
    }
}

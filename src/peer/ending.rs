//! The many ways in which a link ends, and the one in which it is over

use super::PeerState;
use super::egress::Compression;
use super::state::{Pending, Running, State};
use super::timers::Timer;
use crate::error::{Cause, ProtocolError, Refused, Timeout};
use crate::fmt::event;
use crate::p2p::{disconnect, message};
use crate::protocol::ProtocolId;
use crate::reason::DisconnectReason;
use crate::time::Instant;

impl PeerState<'_> {
    /// Notes that the peer's stream has ended, or that reading failed
    ///
    /// A message that came before is still delivered.
    pub fn receive_closed(&mut self, now: Instant) {
        self.advance_clock(now);
        self.close(Cause::ReceiveClosed);
    }

    /// Notes that writing failed
    ///
    /// A peer that refuses us says why and closes at once, so our own writing often fails before its
    /// Disconnect was read. Keep reading: for as long as [`Timeouts::linger`](super::Timeouts) the
    /// link waits for that reason before it ends with `SendFailed`.
    #[inline(never)] // moves the session, for which there must not be room in the caller's frame
    pub fn send_failed(&mut self, now: Instant) {
        self.advance_clock(now);
        let cause = Cause::SendFailed;
        match self.state.take() {
            State::AwaitHello { session } | State::Running(Running { session, .. }) => {
                self.cancel_announcements();
                self.egress.clear();
                self.timers.stop_all();
                self.timers.set(Timer::Linger, self.now, self.timeouts.linger);
                self.state.set(State::Severed { session, cause });
            }
            severed @ State::Severed { .. } => self.state = severed,
            state => {
                self.state.set(state);
                self.close(cause);
            }
        }
    }

    /// Ends the link with a protocol that has finished, or failed
    ///
    /// # Errors
    /// `NotRunning` if the protocol is not shared with the peer; nothing changes then. After the
    /// link has ended a late return is no error.
    pub fn protocol_returned(
        &mut self,
        now: Instant,
        protocol: ProtocolId,
        outcome: Result<(), ProtocolError>,
    ) -> Result<(), Refused> {
        self.advance_clock(now);
        self.protocols.find(protocol).ok_or(Refused::NotRunning)?;
        self.end(match outcome {
            Ok(()) => Cause::ProtocolReturned(protocol),
            Err(error) => Cause::ProtocolFailed(protocol, error),
        });
        Ok(())
    }

    /// Ends the link for a reason of the driver's
    ///
    /// Between [`Action::Authenticated`](super::Action::Authenticated) and the next poll this takes
    /// the place of our Hello. Before the peer has proven its key it is told nothing, since there
    /// are no keys to tell it with.
    pub fn disconnect(&mut self, now: Instant, reason: DisconnectReason) {
        self.advance_clock(now);
        self.end(Cause::Local(reason));
    }

    /// Does what has become due by `now`; early or spurious calls do nothing
    pub fn handle_timeout(&mut self, now: Instant) {
        self.advance_clock(now);
        while let Some(timer) = self.timers.take_due(self.now) {
            match timer {
                Timer::Ping => self.tick(),
                // We take nothing ourselves until a Pong has left, which the Write timer bounds.
                Timer::Pong if self.owes_pong() => self.timers.set(timer, self.now, self.timeouts.pong),
                Timer::Read if self.owes_pong() => self.timers.set(timer, self.now, self.timeouts.read),
                Timer::Handshake => self.end(Cause::Timeout(Timeout::Handshake)),
                Timer::Pong => self.end(Cause::Timeout(Timeout::Pong)),
                Timer::Read => self.end(Cause::Timeout(Timeout::Read)),
                Timer::Write => self.end(Cause::Timeout(Timeout::Write)),
                Timer::Linger => self.close(Cause::Timeout(Timeout::Write)),
            }
        }
    }

    /// Ends the link: with a Disconnect if the peer is to be told and can be
    pub(super) fn end(&mut self, cause: Cause) {
        match (&self.state, cause.sent_reason()) {
            (State::Admission { .. }, Some(reason)) => self.say_goodbye(Compression::None, cause, reason),
            // The peer has our Hello before it has this, and compresses from then on.
            (State::AwaitHello { .. }, Some(reason)) => self.say_goodbye(Compression::Snappy, cause, reason),
            (State::Running(Running { compression, .. }), Some(reason)) => {
                self.say_goodbye(*compression, cause, reason);
            }
            // The peer's last word says more than that it could not hear ours.
            (State::Severed { .. }, _) if cause.is_remote() => {
                self.state.set(State::Closing { cause });
                self.close(cause);
            }
            (State::Closing { .. }, _) => {}
            _ => self.close(cause),
        }
    }

    fn say_goodbye(&mut self, compression: Compression, cause: Cause, reason: DisconnectReason) {
        event!(debug, "link: ends: {:?}", cause);
        let mut out = [0; disconnect::MAX_LEN];
        let payload = disconnect::encode(reason, &mut out);
        if let Some(session) = self.state.session_mut() {
            self.egress.seal(session, message::DISCONNECT, payload, compression);
        }
        self.cancel_announcements();
        self.timers.stop_all();
        self.timers.set(Timer::Linger, self.now, self.timeouts.linger);
        self.state.set(State::Closing { cause });
    }

    /// Ends the link at once; what ended it first remains the cause
    fn close(&mut self, cause: Cause) {
        if matches!(self.state, State::Closed { .. }) {
            return;
        }
        let cause = self.state.cause().unwrap_or(cause);
        event!(debug, "link: closed: {:?}", cause);
        self.cancel_announcements();
        self.egress.clear();
        self.timers.stop_all();
        self.state.set(State::Closed { cause, told: false });
    }

    /// A message that has come is still delivered, but nobody is to be admitted or started any more
    fn cancel_announcements(&mut self) {
        if matches!(self.pending, Pending::Authenticated | Pending::Ready) {
            self.pending = Pending::Nothing;
        }
    }
}

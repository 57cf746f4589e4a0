//! How a link ends, with a Disconnect or at once

use super::PeerState;
use super::compression::Compression;
use super::deadlines::Timer;
use super::state::{End, Pending, Phase, Running, State};
use crate::cause::{Cause, ProtocolError};
use crate::error::NotShared;
use crate::logging::{LinkName, event};
use crate::p2p::disconnect;
use crate::p2p::message::Base;
use crate::protocol::ProtocolId;
use crate::reason::DisconnectReason;
use crate::time::{Delay, Instant};

/// # Requests: the end
impl PeerState<'_> {
    /// Ends the link since a protocol has finished or failed
    ///
    /// Messages that were accepted before leave first, and then Disconnect.
    ///
    /// # Errors
    /// `NotShared` if the protocol is not shared with the peer; nothing changes then. A late call,
    /// after the link has ended, is no error.
    pub fn protocol_returned(
        &mut self,
        now: Instant,
        protocol: ProtocolId,
        outcome: Result<(), ProtocolError>,
    ) -> Result<(), NotShared> {
        self.advance_clock(now);
        let capability = self.protocols.find(protocol).ok_or(NotShared)?.capability;
        self.close(match outcome {
            Ok(()) => Cause::ProtocolReturned { protocol, capability },
            Err(error) => Cause::ProtocolFailed { protocol, capability, error },
        });
        Ok(())
    }

    /// Ends the link for a reason that the driver gives
    ///
    /// Messages that were accepted before leave first, and then Disconnect. Between
    /// [`Action::IdentityClaimed`](crate::Action::IdentityClaimed) and the next poll, Disconnect takes the
    /// place of our Hello. Before the handshake is complete no Disconnect is sent, since there are no
    /// keys to encrypt it with.
    pub fn disconnect(&mut self, now: Instant, reason: DisconnectReason) {
        self.advance_clock(now);
        self.close(Cause::Local(reason));
    }
}

impl PeerState<'_> {
    /// Ends the link: with a Disconnect if the cause has a reason to send and there are keys, else at once
    pub(super) fn close(&mut self, cause: Cause) {
        match (self.state.phase(), cause.sent_reason()) {
            (Some(Phase::Admission), Some(reason)) => self.say_disconnect(Compression::None, cause, reason),
            // The peer reads our Hello before this, and expects compression from then on.
            (Some(Phase::AwaitHello), Some(reason)) => self.say_disconnect(Compression::Snappy, cause, reason),
            (Some(Phase::Running(Running { compression, .. })), Some(reason)) => {
                self.say_disconnect(compression, cause, reason);
            }
            // The Disconnect of the peer is more specific than `SendFailed`.
            (Some(Phase::Severed { .. }), _) if cause.is_remote() => {
                self.end(End::Closing(cause));
                self.close_now(cause);
            }
            (None, _) if matches!(self.state, State::Closing { .. }) => {}
            _ => self.close_now(cause),
        }
    }

    fn say_disconnect(&mut self, compression: Compression, cause: Cause, reason: DisconnectReason) {
        event!(debug, "link {}: ends: {:?}", LinkName(self.remote.id()), cause);
        let mut out = [0; disconnect::MAX_LEN];
        let payload = disconnect::encode(reason, &mut out);
        self.deadlines.stop_all();
        self.seal_base(Base::Disconnect, payload, compression);
        self.cancel_announcements();
        self.release_ingress();
        self.end(End::Closing(cause));
    }

    /// Gives the peer time to close the connection first, once our Disconnect has left
    pub(super) fn linger(&mut self) {
        let State::Closing { cause } = self.state else {
            return;
        };
        if !self.egress.is_empty() {
            return;
        }
        if self.timeouts.linger == Delay::ZERO {
            self.close_now(cause);
        } else {
            self.set_timer(Timer::Linger, self.timeouts.linger);
        }
    }

    /// Ends the link at once; the first cause is kept
    pub(super) fn close_now(&mut self, cause: Cause) {
        if matches!(self.state, State::Closed { .. }) {
            return;
        }
        let cause = self.state.cause().unwrap_or(cause);
        event!(debug, "link {}: closed: {:?}", LinkName(self.remote.id()), cause);
        self.cancel_announcements();
        self.egress.release();
        self.release_ingress();
        self.deadlines.stop_all();
        self.end(End::Closed(cause));
    }

    /// Gives back the memory of input, of which no more comes, and the scratch of typed messages
    #[inline(never)] // for the size of the code on a microcontroller
    fn release_ingress(&mut self) {
        self.ingress.release(self.pending.place());
        #[cfg(feature = "rlp")]
        {
            self.scratch = None;
        }
    }

    /// Drops `IdentityClaimed` and `Ready`; a message that has come is still delivered
    pub(super) fn cancel_announcements(&mut self) {
        if matches!(self.pending, Pending::IdentityClaimed | Pending::Ready) {
            self.pending = Pending::Nothing;
        }
    }
}

//! What the link itself sends, and how bytes leave

use super::PeerState;
use super::compression::Compression;
use super::deadlines::Timer;
use super::state::{Running, State};
use super::write::{encode, write_body};
use crate::cause::Cause;
use crate::error::SentTooMuch;
use crate::p2p::hello;
use crate::p2p::message::Base;
use crate::rlpx::MAX_SENT;
use crate::rlpx::frame::Session;
use crate::time::Instant;
use crate::wire::rlp::{Writer, uint_len};

/// # Events: output
impl PeerState<'_> {
    /// The bytes for the transport, as [`Action::Send`](crate::Action::Send) offers them
    ///
    /// For drivers that write without polling, as with vectored writes. Poll once before: the first poll
    /// of an initiator seals auth, and the poll after `IdentityClaimed` seals our Hello.
    pub fn unsent(&self) -> &[u8] {
        self.egress.unsent()
    }

    /// Notes that the transport took the first `len` unsent bytes
    ///
    /// # Errors
    /// `SentTooMuch` if `len` exceeds the unsent bytes; nothing changes then. A late report, after the
    /// link has ended, is no error.
    pub fn sent(&mut self, now: Instant, len: usize) -> Result<(), SentTooMuch> {
        self.advance_clock(now);
        if matches!(self.state, State::Closed { .. } | State::Severed { .. }) {
            return Ok(());
        }
        self.egress.note_sent(len).ok_or(SentTooMuch)?;
        if len > 0 {
            self.note_progress();
        }
        self.pay_pong();
        Ok(())
    }

    /// Notes that writing failed
    ///
    /// A peer that refuses us says why and closes at once, so our own writing often fails before its
    /// Disconnect was read. Keep reading: for as long as [`Timeouts::linger`](crate::Timeouts) the
    /// link waits for that reason before it ends with `SendFailed`. `Send` does not come again.
    #[inline(never)] // moves the session, for which there must not be room in the caller's frame
    pub fn send_failed(&mut self, now: Instant) {
        self.advance_clock(now);
        let cause = Cause::SendFailed;
        match self.state.take() {
            State::AwaitHello { session } | State::Running(Running { session, .. }) => {
                self.cancel_announcements();
                self.egress.clear();
                self.deadlines.stop_all();
                self.deadlines.set(Timer::Linger, self.now, self.timeouts.linger);
                self.set_state(State::Severed { session, cause });
            }
            severed @ State::Severed { .. } => self.state = severed,
            state => {
                self.state = state;
                self.close_now(cause);
            }
        }
    }
}

impl PeerState<'_> {
    fn note_progress(&mut self) {
        self.deadlines.stop(Timer::Write);
        match &mut self.state {
            State::Closing { .. } if self.egress.is_empty() => {
                self.deadlines.set(Timer::Linger, self.now, self.timeouts.linger);
            }
            State::Closing { .. } => {}
            State::Running(_) => {
                self.note_ping_left();
                self.arm_write_timer();
            }
            _ => self.arm_write_timer(),
        }
    }

    /// Sends our auth
    pub(super) fn dial(&mut self) {
        let State::Dialling { handshake } = &self.state else {
            return;
        };
        match handshake.write_auth(self.egress.packet_room(MAX_SENT)) {
            Some(auth) => self.await_ack(auth),
            None => self.close(Cause::SendFailed),
        }
    }

    #[inline(never)] // moves the state, for which there must not be room in the caller's frame
    fn await_ack(&mut self, auth: usize) {
        if let State::Dialling { handshake } = self.state.take() {
            self.set_state(State::AwaitAck { handshake, auth });
        }
        self.egress.commit_packet(auth);
        self.arm_write_timer();
    }

    /// Sends our Hello to a peer that was announced and not refused
    #[inline(never)] // moves the session, for which there must not be room in the caller's frame
    pub(super) fn admit(&mut self) {
        match self.state.take() {
            State::Admission { session } => self.send_hello(session),
            other => self.state = other,
        }
    }

    fn send_hello(&mut self, mut session: Session) {
        let Self { egress, protocols, local, .. } = self;
        let max_len = hello::max_len(local.client_id.len(), protocols.capabilities().count());
        let max_body = uint_len(Base::Hello.id()).saturating_add(max_len);
        egress.seal_base(&mut session, Base::Hello, max_body, |body, _| {
            write_body(body, Base::Hello.id(), |payload| {
                let mut writer = Writer::new(payload);
                hello::encode(&mut writer, &local.client_id, protocols.capabilities(), local.listen_port, &local.id);
                writer.finish().ok().map(<[u8]>::len)
            })
        });
        self.set_state(State::AwaitHello { session });
        self.arm_write_timer();
    }

    /// Sends a message of the base protocol on a running link
    pub(super) fn send_base(&mut self, message: Base, payload: &[u8]) {
        if let State::Running(Running { compression, .. }) = &self.state {
            self.seal_base(message, payload, *compression);
            self.arm_write_timer();
        }
    }

    /// Seals a message of the base protocol, for which there is always capacity
    pub(super) fn seal_base(&mut self, message: Base, payload: &[u8], compression: Compression) {
        let Self { state, egress, .. } = self;
        if let Some(session) = state.session_mut() {
            let id = message.id();
            let max_body = uint_len(id).saturating_add(compression.max_len(payload.len()));
            egress.seal_base(session, message, max_body, |body, table| {
                write_body(body, id, |room| encode(payload, room, compression, table))
            });
        }
    }
}

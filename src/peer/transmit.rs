//! What the link itself sends, and how bytes leave

use super::PeerState;
use super::compression::Compression;
use super::deadlines::Timer;
use super::remote::Greeting;
use super::state::{Auth, Phase, Running, State};
use super::write::{encode, write_body};
use crate::cause::Cause;
use crate::error::SentTooMuch;
use crate::invariant::invariant;
use crate::p2p::hello;
use crate::p2p::message::Base;
use crate::rlpx::MAX_SENT;
use crate::time::Instant;
use crate::wipe::{ARITHMETIC, WipesStack};
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
        if matches!(self.state, State::Closed { .. }) || matches!(self.state.phase(), Some(Phase::Severed { .. })) {
            return Ok(());
        }
        self.egress.note_sent(len).ok_or(SentTooMuch)?;
        if len > 0 {
            self.note_progress();
            self.note_ping_left();
            self.linger();
        }
        self.pay_pong();
        Ok(())
    }

    /// Notes that writing failed
    ///
    /// A peer that refuses us sends Disconnect and closes at once, so our write often fails before that
    /// Disconnect is read. Keep reading: the link waits for the Disconnect for
    /// [`Timeouts::linger`](crate::Timeouts), and then ends with `SendFailed`. `Send` does not come again.
    pub fn send_failed(&mut self, now: Instant) {
        self.advance_clock(now);
        let cause = Cause::SendFailed;
        match self.state.phase() {
            Some(Phase::AwaitHello | Phase::Running(_)) => {
                self.cancel_announcements();
                self.egress.clear();
                self.deadlines.stop_all();
                self.set_timer(Timer::Linger, self.timeouts.linger);
                self.set_phase(Phase::Severed { cause });
            }
            Some(Phase::Severed { .. }) => {}
            Some(Phase::Admission) | None => self.close_now(cause),
        }
    }
}

impl PeerState<'_> {
    /// Sends our auth
    pub(super) fn dial(&mut self) {
        let _wipes = WipesStack::<ARITHMETIC>;
        let State::Dialling { handshake, auth } = &mut self.state else {
            return;
        };
        match handshake.write_auth(self.egress.packet_room(MAX_SENT)) {
            Some(len) => {
                *auth = Auth::Written(len);
                self.egress.commit_packet(len);
                self.note_sealed();
            }
            None => self.close(Cause::SendFailed),
        }
    }

    /// Sends our Hello to a peer that was announced and not refused
    pub(super) fn admit(&mut self) {
        let Self {
            state: State::Established { session, .. },
            greeting: Greeting::Ours { client_id, listen_port },
            egress,
            protocols,
            local_id,
            ..
        } = self
        else {
            return;
        };
        let max_len = hello::max_len(client_id.len(), protocols.capabilities().count());
        let max_body = uint_len(Base::Hello.id()).saturating_add(max_len);
        egress.seal_base(session, Base::Hello, max_body, |body, _| {
            write_body(body, Base::Hello.id(), |payload| {
                let mut writer = Writer::new(payload);
                hello::encode(&mut writer, client_id, protocols.capabilities(), *listen_port, local_id);
                writer.finish().ok().map(<[u8]>::len)
            })
        });
        self.set_phase(Phase::AwaitHello);
        self.note_sealed();
    }

    /// Sends a message of the base protocol on a running link
    pub(super) fn send_base(&mut self, message: Base, payload: &[u8]) {
        if let Some(Running { compression, .. }) = self.state.running() {
            self.seal_base(message, payload, *compression);
        }
    }

    /// Seals a message of the base protocol, for which there is always capacity
    pub(super) fn seal_base(&mut self, message: Base, payload: &[u8], compression: Compression) {
        let Self { state: State::Established { session, .. }, egress, .. } = self else {
            return;
        };
        let id = message.id();
        let max_body = uint_len(id).saturating_add(compression.max_len(payload.len()));
        let sealed = egress.seal_base(session, message, max_body, |body, table| {
            write_body(body, id, |room| encode(payload, room, compression, table))
        });
        invariant!(sealed.is_some(), "there is always capacity for the base protocol");
        self.note_sealed();
    }
}

//! From messages to bytes

use super::PeerState;
use super::action::{Direction, MessageEvent};
use super::config::MAX_MESSAGE;
use super::egress::{Compression, Egress};
use super::state::{Pending, Running, Stage, State};
use super::timers::Timer;
use crate::error::{Cause, Refused, WriteError};
use crate::p2p::hello;
use crate::p2p::message::MAX_ID_LEN;
use crate::protocol::ProtocolId;
use crate::rlpx::frame::{Session, body_room};
use crate::rlpx::handshake::MAX_SENT;
use crate::time::Instant;
use crate::wire::snappy;

impl PeerState<'_> {
    /// Sends a message, all of it or nothing
    ///
    /// The message is sealed at once, so `payload` is free again. `code` is relative to the
    /// protocol. Returns what an observer of messages wants to know.
    ///
    /// # Errors
    /// A refused message changes nothing that the peer could ever see. After `Full` the protocol has
    /// a place in line: it is told by [`Action::Writable`](super::Action::Writable) when its turn has
    /// come, and until then nobody who was refused later or not at all gets the room. If another is
    /// quicker to take it all the same, which can only be when everything has been sent, the room is
    /// kept the next time; a turn that is kept and not taken up ends with the next regular Ping.
    pub fn write(
        &mut self,
        now: Instant,
        protocol: ProtocolId,
        code: u64,
        payload: &[u8],
    ) -> Result<MessageEvent, WriteError> {
        self.advance_clock(now);
        let (id, compression) = self.check_write(protocol, code, payload.len())?;
        let needed = Egress::max_frame_len(id, payload.len(), compression);
        let claimed = self.protocols.claimed_before(protocol, self.egress.messages_have_left());
        if needed > self.egress.room(claimed) {
            self.protocols.refuse(protocol, needed);
            return Err(WriteError::Full);
        }
        let sealed = self.seal(id, payload);
        self.protocols.wrote(protocol, needed);
        let wire_size = sealed.ok_or(WriteError::TooLarge)?;
        if let Some(traffic) = self.protocols.traffic_mut(protocol) {
            traffic.egress.count(payload.len(), wire_size);
        }
        Ok(MessageEvent { direction: Direction::Sent, protocol, code, size: payload.len(), wire_size })
    }

    /// Sends a message that the `rlp` crate encodes; otherwise like [`write`](Self::write)
    ///
    /// # Errors
    /// As for [`write`](Self::write), and `Unfinished`.
    #[cfg(feature = "alloc")]
    pub fn write_rlp<T: rlp::Encodable>(
        &mut self,
        now: Instant,
        protocol: ProtocolId,
        code: u64,
        message: &T,
    ) -> Result<MessageEvent, WriteError> {
        let mut stream = self.scratch.take().unwrap_or_default();
        stream.clear();
        message.rlp_append(&mut stream);
        let outcome = match stream.is_finished() {
            true => self.write(now, protocol, code, stream.as_raw()),
            false => Err(WriteError::Unfinished),
        };
        self.scratch = Some(stream);
        outcome
    }

    /// Everything about a write that waiting would not change
    fn check_write(&self, protocol: ProtocolId, code: u64, len: usize) -> Result<(u64, Compression), WriteError> {
        let compression = match &self.state {
            State::Running(_) if self.pending == Pending::Ready => return Err(WriteError::NotReady),
            State::Running(running) => running.compression,
            state if matches!(state.stage(), Stage::Closing | Stage::Closed) => return Err(WriteError::Closed),
            _ => return Err(WriteError::NotReady),
        };
        let shared = self.protocols.find(protocol).ok_or(WriteError::NotShared)?;
        if code >= shared.length {
            return Err(WriteError::InvalidCode);
        }
        let id = shared.offset.saturating_add(code);
        let limit = self.protocols.max_message(protocol).min(self.limits.max_message).min(MAX_MESSAGE);
        let needed = Egress::max_frame_len(id, len, compression);
        if len > limit || needed > self.egress.capacity() {
            return Err(WriteError::TooLarge);
        }
        Ok((id, compression))
    }

    /// Notes that the transport took the first `len` bytes of [`Action::Send`](super::Action::Send)
    ///
    /// # Errors
    /// `SentTooMuch` if there were not as many; nothing changes then. After the link has ended a
    /// late report is no error.
    pub fn sent(&mut self, now: Instant, len: usize) -> Result<(), Refused> {
        self.advance_clock(now);
        if matches!(self.state, State::Closed { .. } | State::Severed { .. }) {
            return Ok(());
        }
        let waited = !self.egress.messages_have_left();
        self.egress.note_sent(len).ok_or(Refused::SentTooMuch)?;
        if len > 0 {
            self.note_progress();
        }
        if waited && self.egress.messages_have_left() {
            self.protocols.lapse();
        }
        self.pay_pong();
        Ok(())
    }

    fn note_progress(&mut self) {
        self.timers.stop(Timer::Write);
        match &mut self.state {
            State::Closing { .. } if self.egress.is_empty() => {
                self.timers.set(Timer::Linger, self.now, self.timeouts.linger);
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
            None => self.end(Cause::SendFailed),
        }
    }

    #[inline(never)] // moves the state, for which there must not be room in the caller's frame
    fn await_ack(&mut self, auth: usize) {
        if let State::Dialling { handshake } = self.state.take() {
            self.state.set(State::AwaitAck { handshake, auth });
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
        egress.seal_hello(&mut session, max_len, |writer| {
            hello::encode(writer, &local.client_id, protocols.capabilities(), local.listen_port, &local.id);
        });
        self.state.set(State::AwaitHello { session });
        self.arm_write_timer();
    }

    /// Sends the regular Ping, gives back memory, and ends turns that nobody has taken up
    pub(super) fn tick(&mut self) {
        self.timers.set(Timer::Ping, self.now, self.timeouts.ping);
        self.trim();
        self.protocols.lapse_all();
        if self.timers.is_input_held() {
            self.forget_ping();
        }
        self.send_ping();
    }

    fn trim(&mut self) {
        self.egress.trim();
        if self.pending == Pending::Nothing {
            self.ingress.trim();
        }
        #[cfg(feature = "alloc")]
        {
            self.scratch = None;
        }
    }

    /// Seals a message on a running link, and returns the length of its frame
    ///
    /// `None`, and nothing happens, if the link is not running or a frame cannot hold the message.
    pub(super) fn seal(&mut self, id: u64, payload: &[u8]) -> Option<usize> {
        let State::Running(Running { session, compression, .. }) = &mut self.state else {
            return None;
        };
        let len = self.egress.seal(session, id, payload, *compression)?;
        self.arm_write_timer();
        Some(len)
    }

    /// Makes sure that bytes which wait have a deadline
    pub(super) fn arm_write_timer(&mut self) {
        if !self.egress.is_empty() && !self.timers.is_set(Timer::Write) {
            self.timers.set(Timer::Write, self.now, self.timeouts.write);
        }
    }

    /// The next protocol that is to be told that it can write
    pub(super) fn take_writable(&mut self) -> Option<ProtocolId> {
        let Self { state: State::Running(_), protocols, egress, .. } = self else {
            return None;
        };
        protocols.take_writable(|claimed| egress.room(claimed), egress.messages_have_left())
    }

    /// A payload of this many bytes would be taken now, whatever its content
    ///
    /// 0 while the link is not ready. A little more may be taken, but never less, as long as no
    /// other protocol was refused before.
    pub fn write_capacity(&self) -> usize {
        let running = match &self.state {
            State::Running(running) if self.pending != Pending::Ready => running,
            _ => return 0,
        };
        let room = body_room(self.egress.room(0)).saturating_sub(MAX_ID_LEN);
        let payload = match running.compression {
            Compression::None => room,
            Compression::Snappy => snappy::max_input(room),
        };
        payload.min(self.limits.max_message)
    }
}

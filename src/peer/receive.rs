//! From bytes to deliveries

use core::ops::Range;

use super::PeerState;
use super::compression::Compression;
use super::deadlines::Timer;
use super::ingress::{Complete, FirstBlock, Macs};
use super::protocols::Capacity;
use super::remote::{Greeting, Remote, RemoteHello};
use super::state::{Auth, Pending, Phase, Ping, Pong, Role, Running, State};
use super::verdict::{Verdict, judge};
use crate::cause::Cause;
use crate::invariant::invariant;
use crate::logging::{LinkName, event};
use crate::p2p::disconnect;
use crate::p2p::hello::Hello;
use crate::p2p::message::{self, Base};
use crate::protocol::ProtocolId;
use crate::rlpx::frame::frame_len;
use crate::rlpx::handshake::{Agreement, Answer};
use crate::rlpx::{MAX_SENT, Refusal};
use crate::time::Instant;
use crate::violation::Violation;
use crate::wipe::{ARITHMETIC, WipesStack, wipe_stack};
use crate::wire::snappy;

/// # Events: input
impl PeerState<'_> {
    /// Takes bytes from the peer, and returns how many were taken
    ///
    /// Completes at most one message, and takes nothing more until the action of that message was
    /// polled. Returns 0 while such an action waits, while a Pong is owed and an earlier Pong is unsent,
    /// or if `bytes` is empty. A waiting `Send` alone does not stop input.
    /// [`wants_input`](Self::wants_input) says beforehand whether bytes are taken. Keep the rest of the
    /// bytes and offer it again. After the link has ended, everything is taken and ignored.
    ///
    /// The end of the stream is not an empty slice but [`receive_closed`](Self::receive_closed).
    #[must_use = "bytes that were not taken have to be offered again"]
    pub fn receive(&mut self, now: Instant, bytes: &[u8]) -> usize {
        self.advance_clock(now);
        if let Some(taken) = self.takes_unread(bytes) {
            return taken;
        }
        let before = self.ingress.frame_under_way();
        let (taken, complete) = self.take(bytes, Macs::Session);
        self.handle_input(before, taken, complete);
        taken
    }

    /// Whether bytes would be taken now
    ///
    /// A driver reads from its socket only while this is true. Every other call may change it.
    pub fn wants_input(&self) -> bool {
        match &self.state {
            State::Closing { .. } | State::Closed { .. } => true,
            State::Dialling { auth: Auth::Unwritten, .. } => false,
            State::Established { phase: Phase::Admission, .. } => false,
            _ => self.pending == Pending::Nothing && !self.owes_pong(),
        }
    }

    /// Notes that the stream from the peer has ended, or that reading failed
    ///
    /// A message that came before is still delivered.
    pub fn receive_closed(&mut self, now: Instant) {
        self.advance_clock(now);
        self.close_now(Cause::ReceiveClosed);
    }

    /// Holds messages back while the driver cannot take another one
    ///
    /// While `held` is true, continue to feed input: Pings are answered, and [`poll`](Self::poll) gives
    /// everything but `Deliver`. Once a message waits, [`wants_input`](Self::wants_input) is false, and
    /// the read and Pong deadlines stop; they start anew when the message is handed out. Input after
    /// that message is not answered until then. The end of the link lifts the hold: the
    /// message is handed out, and then `Disconnect`. A second call with the same value does nothing.
    ///
    /// Do not hold a message for longer than the peer waits for a Pong, 30 s in a link of this crate: its Ping
    /// may be behind the message.
    pub fn hold_input(&mut self, now: Instant, held: bool) {
        self.advance_clock(now);
        self.held = held;
        self.rest_input_timers();
    }
}

impl PeerState<'_> {
    /// Whether a message waits and is held; the end of the link lifts the hold
    pub(super) const fn is_message_held(&self) -> bool {
        self.held && matches!(self.pending, Pending::Message { .. }) && self.state.cause().is_none()
    }

    /// How many bytes a link takes that does not read them; `None` if the link reads them
    #[inline(always)]
    pub(super) fn takes_unread(&self, bytes: &[u8]) -> Option<usize> {
        match self.state {
            State::Closing { .. } | State::Closed { .. } => Some(bytes.len()),
            _ => (!self.wants_input()).then_some(0),
        }
    }

    /// Does what follows from input of `taken` bytes
    ///
    /// `before` is the length of the frame that was incomplete before.
    pub(super) fn handle_input(
        &mut self,
        before: Option<usize>,
        taken: usize,
        complete: Result<Option<Complete>, Violation>,
    ) {
        if taken > 0 {
            self.note_input(before);
        }
        let outcome = match complete {
            Ok(None | Some(Complete::Sealed)) => Ok(()),
            Ok(Some(Complete::Packet(len))) => self.handle_packet(len),
            Ok(Some(Complete::Body(size))) => self.handle_body(size),
            Ok(Some(Complete::Drained { size, start })) => self.handle_drained(start, size),
            Err(violation) => Err(Cause::Violation(violation)),
        };
        if let Err(cause) = outcome {
            self.close(cause);
        }
        self.rest_input_timers();
        self.note_memory();
    }

    pub(super) fn take(&mut self, bytes: &[u8], macs: Macs) -> (usize, Result<Option<Complete>, Violation>) {
        let Self { state, ingress, protocols, .. } = self;
        match state {
            State::Established { session, phase: Phase::Running(Running { compression, .. }) } => {
                let verdict = |start: &[u8], size| judge(start, size, protocols, *compression);
                let stores = |start: &[u8], size| matches!(verdict(start, size), Ok(Verdict::Take { .. }));
                ingress.take(bytes, Some(session), stores, macs)
            }
            // On a severed link, messages before a Disconnect are read and ignored.
            State::Established { session, .. } => ingress.take(bytes, Some(session), |_, _| false, macs),
            _ => ingress.take(bytes, None, |_, _| false, macs),
        }
    }

    fn handle_packet(&mut self, len: usize) -> Result<(), Cause> {
        let _wipes = WipesStack::<ARITHMETIC>;
        self.shake_hands(len).map_err(|refusal| Cause::Violation(refusal.into()))
    }

    #[inline(never)] // so that what it leaves is below the caller's frame, and wiped
    fn shake_hands(&mut self, len: usize) -> Result<(), Refusal> {
        let packet = self.ingress.packet_mut(len);
        let (agreement, remote, sent) = match &self.state {
            State::Dialling { handshake, auth: Auth::Written(auth) } => {
                let agreement = handshake.read_ack(packet)?;
                (agreement, handshake.remote(), *auth)
            }
            State::AwaitAuth { handshake } => {
                let out = self.egress.packet_room(MAX_SENT);
                let Answer { outcome, remote, len } = handshake.answer_auth(packet, out)?;
                self.egress.commit_packet(len);
                (outcome, remote, len)
            }
            _ => return Ok(()),
        };
        self.remote = Remote::Claimed(remote);
        self.establish(&agreement, sent, len);
        self.note_sealed();
        Ok(())
    }

    /// Makes the session from the two packets, of `sent` and `received` bytes
    ///
    /// Never inlined: the session and the curve arithmetic would be on the stack at the same time.
    #[inline(never)]
    fn establish(&mut self, agreement: &Agreement, sent: usize, received: usize) {
        let ours = self.egress.packet(sent);
        let theirs = self.ingress.frame(received);
        let session = match self.role {
            Role::Initiator => agreement.initiator_session(ours, theirs),
            Role::Recipient => agreement.recipient_session(theirs, ours),
        };
        self.ingress.expect_hello();
        let before = self.state.stage();
        self.state = State::Established { session, phase: Phase::Admission };
        self.log_stage(before);
        self.pending = Pending::IdentityClaimed;
    }

    fn handle_body(&mut self, size: usize) -> Result<(), Cause> {
        self.remote.prove();
        let (id, payload) = message::split(self.ingress.frame(size)).map_err(Cause::Violation)?;
        let part = size.saturating_sub(payload.len())..size;
        match self.state.phase() {
            Some(Phase::Running(Running { compression, .. })) => self.handle_message(id, part, compression),
            Some(Phase::Severed { .. }) if Base::from_id(id) == Some(Base::Disconnect) => {
                Err(self.read_disconnect(part))
            }
            Some(Phase::AwaitHello) => match Base::from_id(id) {
                Some(Base::Hello) => {
                    // A Hello is kept with capacity that it does not fill: no MAC is to be in that.
                    wipe_stack();
                    self.handle_hello(part)
                }
                Some(Base::Disconnect) => Err(self.read_disconnect(part)),
                _ => Err(Cause::Violation(Violation::ExpectedHello { id })),
            },
            _ => Ok(()),
        }
    }

    #[inline(never)] // what is kept of a Hello would be in the frame of a driver's loop
    fn handle_hello(&mut self, part: Range<usize>) -> Result<(), Cause> {
        let payload = self.ingress.payload(part);
        let hello = Hello::decode(payload).map_err(|error| Cause::Violation(Violation::MalformedHello(error)))?;
        let version = hello.version;
        let capacity = match self.egress.fixed_capacity() {
            Some(len) => Capacity::Fixed(len),
            None => Capacity::Window(self.send_window),
        };
        let shared = self.protocols.assign(hello.capabilities(), capacity);
        let Some(claimed) = self.remote.id() else { return Ok(()) };
        let checked = hello.check(&claimed, &self.local_id);
        self.greeting = Greeting::Theirs(RemoteHello::new(&hello));
        self.run(version);
        checked.map_err(Cause::Violation)?;
        if !shared {
            return Err(Cause::NothingShared);
        }
        event!(debug, "link {}: ready", LinkName(Some(claimed)));
        self.pending = Pending::Ready;
        Ok(())
    }

    /// Switches to messages, compressed if the peer's version of the base protocol compresses
    fn run(&mut self, version: u64) {
        let compression = Compression::with_version(version);
        self.set_phase(Phase::Running(Running { compression, ping: Ping::Idle, pong: Pong::Settled }));
        self.ingress.expect_messages(self.protocols.largest_message(), self.protocols.largest_read());
        self.deadlines.stop(Timer::Handshake);
        self.set_timer(Timer::Read, self.timeouts.read);
        self.set_timer(Timer::Ping, self.timeouts.ping);
    }

    fn handle_message(&mut self, id: u64, part: Range<usize>, compression: Compression) -> Result<(), Cause> {
        match Base::from_id(id) {
            Some(Base::Disconnect) => return Err(self.read_disconnect(part)),
            // The payload of a Ping is of no interest, and not worth the work of decompressing it.
            Some(Base::Ping) => self.owe_pong(),
            Some(Base::Pong) => self.note_pong(),
            // A second Hello and the reserved ids are ignored, as in the reference client.
            Some(Base::Hello) => {}
            None if id < message::BASE_LENGTH => {}
            None => self.handle_protocol_message(part, compression).map_err(Cause::Violation)?,
        }
        Ok(())
    }

    fn handle_protocol_message(&mut self, part: Range<usize>, compression: Compression) -> Result<(), Violation> {
        let size = part.end; // a payload is the last part of its body
        match judge(self.ingress.frame(size), size, &self.protocols, compression)? {
            Verdict::Take { protocol, code, len } => {
                let place = self.ingress.decompress(part, compression, len)?;
                let wire_len = frame_len(size);
                self.protocols.count_ingress(protocol, len, wire_len);
                self.pending = Pending::Message { protocol, code, place, wire_len };
            }
            Verdict::Skip { protocol, code, len } => self.skip(protocol, code, len, size),
        }
        Ok(())
    }

    /// Handles an authentic body of which only the first block is left
    fn handle_drained(&mut self, FirstBlock(start): FirstBlock, size: usize) -> Result<(), Cause> {
        let Some(Phase::Running(Running { compression, .. })) = self.state.phase() else { return Ok(()) };
        match judge(&start, size, &self.protocols, compression).map_err(Cause::Violation)? {
            Verdict::Skip { protocol, code, len } => self.skip(protocol, code, len, size),
            Verdict::Take { .. } => invariant!(false, "a message that is taken was stored"),
        }
        Ok(())
    }

    fn skip(&mut self, protocol: ProtocolId, code: u64, size: usize, body: usize) {
        self.pending = Pending::Skipped { protocol, code, size, wire_len: frame_len(body) };
    }

    /// Reads a Disconnect in every form that is seen on the network
    ///
    /// Whether it is compressed does not depend on the stage: old clients never compress it, and for
    /// others it depends on which Hello they have sent or read. A payload that can be read both ways is
    /// read as agreed. No client sends such a payload, since it must be a list with items after the reason.
    #[inline(never)] // the buffer must not be in the frame of a driver's loop
    fn read_disconnect(&self, part: Range<usize>) -> Cause {
        let mut scratch = [0; message::MAX_BASE_PAYLOAD];
        let payload = self.ingress.payload(part);
        let decompressed = match snappy::decompress(payload, &mut scratch) {
            Ok(len) => scratch.get(..len).and_then(|payload| disconnect::decode(payload).ok()),
            Err(_) => None,
        };
        let plain = disconnect::decode(payload);
        let reason = match (self.state.running(), decompressed) {
            (Some(Running { compression: Compression::Snappy, .. }), Some(reason)) => Ok(reason),
            (_, Some(reason)) => Ok(plain.unwrap_or(reason)),
            (_, None) => plain,
        };
        match reason {
            Ok(reason) => Cause::Remote(reason),
            Err(error) => Cause::Violation(Violation::MalformedDisconnect(error)),
        }
    }
}

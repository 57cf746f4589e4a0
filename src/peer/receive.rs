//! From bytes to deliveries

use super::PeerState;
use super::egress::Compression;
use super::info::RemoteHello;
use super::ingress::Complete;
use super::state::{Pending, Ping, Place, Pong, Running, State};
use super::timers::Timer;
use super::{Remote, Role, buffers};
use crate::error::{Cause, Violation};
use crate::fmt::event;
use crate::p2p::hello::{self, Hello};
use crate::p2p::{disconnect, message};
use crate::reason::DisconnectReason;
use crate::rlpx::frame::frame_len;
use crate::rlpx::handshake::{Agreement, Answer, MAX_SENT};
use crate::time::Instant;
use crate::wire::snappy;

impl PeerState<'_> {
    /// Takes bytes from the peer, and returns how many were taken
    ///
    /// Completes at most one message, and takes nothing more until what it led to was polled: 0 is
    /// returned only while an action waits (or if `bytes` is empty). Keep the rest and offer it
    /// again. After the link has ended, everything is taken and ignored.
    ///
    /// An end of stream is not an empty slice but [`receive_closed`](Self::receive_closed).
    pub fn receive(&mut self, now: Instant, bytes: &[u8]) -> usize {
        self.advance_clock(now);
        if matches!(self.state, State::Closing { .. } | State::Closed { .. }) {
            return bytes.len();
        }
        if !self.wants_input() {
            return 0;
        }
        let (taken, complete) = self.ingress.take(bytes, self.state.session_mut());
        if taken > 0 && matches!(self.state, State::Running(_)) {
            self.timers.set(Timer::Read, self.now, self.timeouts.read);
        }
        let outcome = match complete {
            Ok(None) => Ok(()),
            Ok(Some(Complete::Packet(len))) => self.handle_packet(len),
            Ok(Some(Complete::Body(size))) => self.handle_body(size),
            Err(violation) => Err(Cause::Violation(violation)),
        };
        if let Err(cause) = outcome {
            self.end(cause);
        }
        taken
    }

    /// Whether bytes would be taken now
    ///
    /// While not, a driver need not read from its socket. May change with every other call.
    pub fn wants_input(&self) -> bool {
        match &self.state {
            State::Closing { .. } | State::Closed { .. } => true,
            State::Dialling { .. } | State::Admission { .. } => false,
            _ => self.pending == Pending::Nothing && !self.owes_pong(),
        }
    }

    fn handle_packet(&mut self, len: usize) -> Result<(), Cause> {
        let packet = self.ingress.arena.frame_mut().get_mut(..len).unwrap_or_default();
        let (agreement, remote, sent) = match &self.state {
            State::AwaitAck { handshake, auth } => {
                let agreement = handshake.agree(packet).map_err(Cause::Violation)?;
                (agreement, handshake.remote(), *auth)
            }
            State::AwaitAuth { handshake } => {
                let out = self.egress.packet_room(MAX_SENT);
                let Answer { session, remote, len } = handshake.agree(packet, out).map_err(Cause::Violation)?;
                self.egress.commit_packet(len);
                (session, remote, len)
            }
            _ => return Ok(()),
        };
        self.remote = Remote::Proven(remote);
        self.establish(&agreement, sent, len);
        self.arm_write_timer();
        Ok(())
    }

    /// Goes over to the session that was agreed on by two packets, of which ours has `sent` bytes
    ///
    /// Never a part of its caller: the session and the curve arithmetic would be on the stack at the
    /// same time.
    #[inline(never)]
    fn establish(&mut self, agreement: &Agreement, sent: usize, received: usize) {
        let ours = self.egress.packet(sent);
        let theirs = self.ingress.arena.frame().get(..received).unwrap_or_default();
        let session = match self.role {
            Role::Initiator => agreement.initiator_session(ours, theirs),
            Role::Recipient => agreement.recipient_session(theirs, ours),
        };
        self.ingress.expect_hello();
        self.state.set(State::Admission { session });
        self.pending = Pending::Authenticated;
    }

    fn handle_body(&mut self, size: usize) -> Result<(), Cause> {
        let body = self.ingress.arena.frame().get(..size).unwrap_or_default();
        let (id, payload) = message::split(body).map_err(Cause::Violation)?;
        let place = Place::Frame { start: size.saturating_sub(payload.len()), end: size };
        match &self.state {
            State::Running(running) => {
                let compression = running.compression;
                self.handle_message(id, place, compression, frame_len(size))
            }
            State::Severed { .. } if id == message::DISCONNECT => Err(self.read_disconnect(place)),
            State::AwaitHello { .. } => match id {
                message::HELLO => self.handle_hello(place),
                message::DISCONNECT => Err(self.read_disconnect(place)),
                _ => Err(Cause::Violation(Violation::ExpectedHello { id })),
            },
            _ => Ok(()),
        }
    }

    #[inline(never)] // what is kept of a Hello would be in the frame of a driver's loop
    fn handle_hello(&mut self, place: Place) -> Result<(), Cause> {
        let payload = self.ingress.arena.frame().get(place.range()).unwrap_or_default();
        let hello = Hello::decode(payload).map_err(|error| Cause::Violation(Violation::MalformedHello(error)))?;
        let proven = self.remote.id();
        let version = hello.version;
        let shared = self.protocols.assign(hello.capabilities());
        let checked = hello.check(&proven, &self.local.id);
        self.remote = Remote::Greeted(proven, RemoteHello::new(&hello));
        self.run(version);
        checked.map_err(Cause::Violation)?;
        if !shared {
            return Err(Cause::NothingShared);
        }
        event!(debug, "link: ready");
        self.pending = Pending::Ready;
        Ok(())
    }

    /// Goes over to messages, compressed if the peer is of a version that does
    #[inline(never)] // moves the session, for which there must not be room in the caller's frame
    fn run(&mut self, version: u64) {
        let compression = if version >= hello::SNAPPY_VERSION { Compression::Snappy } else { Compression::None };
        if let State::AwaitHello { session } = self.state.take() {
            self.state.set(State::Running(Running { session, compression, ping: Ping::Idle, pong: Pong::Settled }));
        }
        self.ingress.expect_messages(self.limits.max_message);
        self.timers.stop(Timer::Handshake);
        self.timers.set(Timer::Read, self.now, self.timeouts.read);
        self.timers.set(Timer::Ping, self.now, self.timeouts.ping);
    }

    fn handle_message(&mut self, id: u64, place: Place, compression: Compression, wire: usize) -> Result<(), Cause> {
        match id {
            message::DISCONNECT => Err(self.read_disconnect(place)),
            message::PING | message::PONG => self.handle_ping(id, place, compression),
            // A second Hello and the reserved ids are ignored, as the reference client does.
            0..message::BASE_LENGTH => Ok(()),
            _ => self.handle_protocol_message(id, place, compression, wire).map_err(Cause::Violation),
        }
    }

    fn handle_ping(&mut self, id: u64, place: Place, compression: Compression) -> Result<(), Cause> {
        let limit = message::MAX_BASE_PAYLOAD.min(self.limits.max_message);
        let place = self.decompress(place, compression, limit).map_err(Cause::Violation)?;
        let checked = message::check_empty(self.payload(place));
        checked.map_err(|error| Cause::Violation(Violation::MalformedPing(error)))?;
        if id == message::PING {
            self.owe_pong();
        } else {
            self.note_pong();
        }
        Ok(())
    }

    fn handle_protocol_message(
        &mut self,
        id: u64,
        place: Place,
        compression: Compression,
        wire_len: usize,
    ) -> Result<(), Violation> {
        let (protocol, code) = self.protocols.route(id)?;
        let limit = self.protocols.max_message(protocol).min(self.limits.max_message);
        let place = self.decompress(place, compression, limit)?;
        if let Some(traffic) = self.protocols.traffic_mut(protocol) {
            traffic.ingress.count(place.len(), wire_len);
        }
        self.pending = Pending::Message { protocol, code, place, wire_len };
        Ok(())
    }

    /// Decompresses a payload of at most `limit` bytes, which is checked before anything grows
    fn decompress(&mut self, place: Place, compression: Compression, limit: usize) -> Result<Place, Violation> {
        let len = match compression {
            Compression::None => place.len(),
            Compression::Snappy => {
                let block = self.ingress.arena.frame().get(place.range()).unwrap_or_default();
                snappy::decompressed_len(block).map_err(Violation::MalformedCompression)?
            }
        };
        if len > limit {
            return Err(Violation::PayloadTooLarge { size: len });
        }
        if compression == Compression::None {
            return Ok(place);
        }
        let (frame, message) = self.ingress.frame_and_message(len);
        let block = frame.get(place.range()).unwrap_or_default();
        snappy::decompress(block, message).map_err(Violation::MalformedCompression)?;
        Ok(Place::Message { len })
    }

    /// Reads a Disconnect in every form that is seen in the wild
    ///
    /// Compressed or not is no question of the stage: old clients never compress it, and others
    /// decide by which of the two Hellos has crossed already. No payload means the same in both
    /// forms, since an uncompressed one claims a length that does not follow.
    fn read_disconnect(&mut self, place: Place) -> Cause {
        let mut scratch = [0; buffers::BASE_FRAME];
        let payload = self.ingress.arena.frame().get(place.range()).unwrap_or_default();
        let decompressed = match snappy::decompress(payload, &mut scratch) {
            Ok(len) => scratch.get(..len).and_then(|payload| disconnect::decode(payload).ok()),
            Err(_) => None,
        };
        let plain = disconnect::decode(payload);
        let reason: Result<DisconnectReason, _> = match (&self.state, decompressed) {
            (State::Running(Running { compression: Compression::Snappy, .. }), Some(reason)) => Ok(reason),
            (_, Some(reason)) => Ok(plain.unwrap_or(reason)),
            (_, None) => plain,
        };
        match reason {
            Ok(reason) => Cause::Remote(reason),
            Err(error) => Cause::Violation(Violation::MalformedDisconnect(error)),
        }
    }

    /// A payload that has come
    fn payload(&mut self, place: Place) -> &[u8] {
        match place {
            Place::Frame { start, end } => self.ingress.arena.frame().get(start..end).unwrap_or_default(),
            Place::Message { len } => self.ingress.frame_and_message(len).1,
        }
    }
}

impl Place {
    /// Where a payload is in the frame; nowhere if it is beside it
    pub(super) const fn range(self) -> core::ops::Range<usize> {
        match self {
            Self::Frame { start, end } => start..end,
            Self::Message { .. } => 0..0,
        }
    }

    pub(super) const fn len(self) -> usize {
        match self {
            Self::Frame { start, end } => end.saturating_sub(start),
            Self::Message { len } => len,
        }
    }
}

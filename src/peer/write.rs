//! From the messages of protocols to frames

use super::PeerState;
use super::action::{Direction, MessageEvent};
use super::buffers::Table;
use super::compression::Compression;
use super::state::{Pending, State};
use crate::error::WriteError;
use crate::protocol::ProtocolId;
use crate::rlpx::frame::{body_room, frame_len};
use crate::time::Instant;
use crate::wire::rlp::{Writer, uint_len};
use crate::wire::{copy, snappy};

/// # Requests: messages
impl PeerState<'_> {
    /// Sends a complete message, or refuses it
    ///
    /// The message is sealed at once, so `payload` is free again. `code` is relative to the protocol.
    /// Returns a [`MessageEvent`] for observers of messages.
    ///
    /// A message is taken if nothing of its protocol is unsent. Otherwise it is taken if it fits the
    /// protocol's share together with what the protocol has written since it last had nothing unsent.
    /// The unsent bytes of other protocols do not matter. See [`Config`](crate::Config) for the size of a
    /// share.
    ///
    /// # Errors
    /// A refused message changes nothing that the peer could ever see. After `Full` every message of the
    /// protocol is refused until nothing of the protocol is unsent. Then
    /// [`Action::Writable`](crate::Action::Writable) comes.
    pub fn write(
        &mut self,
        now: Instant,
        protocol: ProtocolId,
        code: u64,
        payload: &[u8],
    ) -> Result<MessageEvent, WriteError> {
        self.advance_clock(now);
        let draft = self.draft(protocol, code, payload.len())?;
        let compression = draft.compression;
        self.seal_message(draft, |room, table| {
            let len = encode(payload, room, compression, table)?;
            Some(Written { payload: payload.len(), encoded: len })
        })
    }

    /// Sends a message that `fill` writes directly into the transmit buffer
    ///
    /// For devices that have no memory for a second copy of the message. `fill` gets `max` bytes with any
    /// content, and returns how many of them are the payload. It is called only if a message of `max`
    /// bytes is taken by the rule of [`write`](Self::write). The message is not compressed; every peer
    /// can read that.
    ///
    /// # Errors
    /// As for [`write`](Self::write), and `TooLarge` if `fill` returns more than `max`.
    pub fn write_with(
        &mut self,
        now: Instant,
        protocol: ProtocolId,
        code: u64,
        max: usize,
        fill: impl FnOnce(&mut [u8]) -> usize,
    ) -> Result<MessageEvent, WriteError> {
        self.advance_clock(now);
        let draft = self.draft(protocol, code, max)?;
        let compression = draft.compression;
        self.seal_message(draft, |room, _| {
            let mut payload = 0;
            let fill = |room: &mut [u8]| {
                payload = fill(room);
                payload
            };
            let encoded = match compression {
                Compression::None => Some(fill(room.get_mut(..max)?)).filter(|len| *len <= max)?,
                Compression::Snappy => snappy::store(room, max, fill)?,
            };
            Some(Written { payload, encoded })
        })
    }

    /// Sends a message that the `rlp` crate encodes; otherwise like [`write`](Self::write)
    ///
    /// # Errors
    /// As for [`write`](Self::write), and `Unfinished`.
    #[cfg(feature = "rlp")]
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
        // Before and after `Running` there is none.
        self.scratch = self.state.running().map(|_| stream);
        self.note_memory();
        outcome
    }

    /// The largest payload that the protocol can write now
    ///
    /// A payload of this many bytes is taken, whatever its content and code. A longer one is refused, with
    /// two exceptions. A code whose message id is shorter than the id of the last code may leave up to 8
    /// bytes more. A payload of nearly [`MAX_MESSAGE`](crate::MAX_MESSAGE) may fit a frame although its
    /// worst case does not. `None` if no payload is taken, not even an empty one: while the link is not
    /// ready, has ended, or does not share the protocol, and from `Full` until nothing of the protocol is
    /// unsent.
    pub fn write_capacity(&self, protocol: ProtocolId) -> Option<usize> {
        let running = self.state.running()?;
        if self.pending == Pending::Ready || !self.egress.takes_messages() {
            return None;
        }
        let shared = self.protocols.find(protocol)?;
        let last_code = shared.length.checked_sub(1)?;
        let body = body_room(self.protocols.write_capacity(protocol, self.egress.sent()));
        let room = body.checked_sub(uint_len(shared.offset.saturating_add(last_code)))?;
        Some(running.compression.max_input(room)?.min(self.protocols.max_send(protocol)))
    }
}

/// A message that has passed every check except the check of the share
pub(super) struct Draft {
    protocol: ProtocolId,
    code: u64,
    pub(super) id: u64,
    pub(super) compression: Compression,
    max_body: usize,
}

/// The lengths of a message that was written
pub(super) struct Written {
    pub(super) payload: usize,
    /// The length in the body, compressed or not
    pub(super) encoded: usize,
}

impl PeerState<'_> {
    /// Makes every check of a message whose result does not change by waiting
    pub(super) fn draft(&self, protocol: ProtocolId, code: u64, len: usize) -> Result<Draft, WriteError> {
        if self.state.cause().is_some() {
            return Err(WriteError::Closed);
        }
        let ready = self.state.running().filter(|_| self.pending != Pending::Ready);
        let compression = ready.ok_or(WriteError::NotReady)?.compression;
        let shared = self.protocols.find(protocol).ok_or(WriteError::NotShared)?;
        if code >= shared.length {
            return Err(WriteError::InvalidCode);
        }
        if len > self.protocols.max_send(protocol) {
            return Err(WriteError::TooLarge);
        }
        let id = shared.offset.saturating_add(code);
        let max_body = uint_len(id).saturating_add(compression.max_len(len));
        Ok(Draft { protocol, code, id, compression, max_body })
    }

    /// Seals a message if the share of its protocol takes it
    fn seal_message(
        &mut self,
        draft: Draft,
        write: impl FnOnce(&mut [u8], &mut Table<'_>) -> Option<Written>,
    ) -> Result<MessageEvent, WriteError> {
        let (event, body) = self.place_message(draft, write)?;
        if let State::Established { session, .. } = &mut self.state {
            session.seal(self.egress.last_frame(body), body);
        }
        Ok(event)
    }

    /// The first part of [`seal_message`](Self::seal_message): does everything but seal, and returns the length of the body
    ///
    /// The frame that [`last_frame`](super::egress::Egress::last_frame) gives has to be sealed before anything else
    /// happens to the link.
    #[inline(always)]
    pub(super) fn place_message(
        &mut self,
        Draft { protocol, code, id, max_body, .. }: Draft,
        write: impl FnOnce(&mut [u8], &mut Table<'_>) -> Option<Written>,
    ) -> Result<(MessageEvent, usize), WriteError> {
        let Self { egress, protocols, .. } = self;
        let sent = egress.sent();
        if !egress.takes_messages() || frame_len(max_body) > protocols.write_capacity(protocol, sent) {
            protocols.refuse(protocol);
            egress.trim_large();
            return Err(WriteError::Full);
        }
        let mut size = 0;
        let placed = egress.place(max_body, |body, table| {
            write_body(body, id, |room| {
                let Written { payload, encoded } = write(room, table)?;
                size = payload;
                Some(encoded)
            })
        });
        let outcome = placed.ok_or(WriteError::TooLarge).map(|body| {
            let wire_size = frame_len(body);
            protocols.wrote(protocol, size, wire_size, sent, egress.end_position());
            (MessageEvent { direction: Direction::Sent, protocol, code, size, wire_size }, body)
        });
        // A message that is too large has taken memory, too.
        self.note_sealed();
        outcome
    }

    /// The next protocol that is to be told that it can write
    pub(super) fn take_writable(&mut self) -> Option<ProtocolId> {
        self.state.running().filter(|_| self.egress.takes_messages())?;
        self.protocols.take_writable(self.egress.sent())
    }
}

/// Writes a message id and then the payload; returns the length of both together
pub(super) fn write_body(body: &mut [u8], id: u64, payload: impl FnOnce(&mut [u8]) -> Option<usize>) -> Option<usize> {
    let (head, room) = body.split_at_mut_checked(uint_len(id))?;
    let mut writer = Writer::new(head);
    writer.uint(id);
    Some(uint_len(id).saturating_add(payload(room)?))
}

/// Writes a payload into a body, compressed or not; returns its length in the body
pub(super) fn encode(
    payload: &[u8],
    room: &mut [u8],
    compression: Compression,
    table: &mut Table<'_>,
) -> Option<usize> {
    match compression {
        Compression::None => Some(copy(room, payload)),
        Compression::Snappy => snappy::compress(payload, room, table.for_payload(payload.len())).ok(),
    }
}

//! What is sealed and has not been sent

use super::buffers::{BASE_FRAME, RESERVE, Store, Table};
use crate::p2p::message::{HELLO, PING, PONG};
use crate::rlpx::frame::{HEADER, MAX_BODY, Session, frame_len};
use crate::wire::rlp::{Writer, uint_len};
use crate::wire::{copy, snappy};

/// How the payloads on a link are encoded (EIP-706)
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compression {
    None,
    Snappy,
}

impl Compression {
    /// The most that a payload of `len` bytes takes
    const fn max_len(self, len: usize) -> usize {
        match self {
            Self::None => len,
            Self::Snappy => snappy::max_compressed_len(len),
        }
    }
}

/// Frames in the order in which they leave, in one contiguous piece
#[derive(Debug)]
pub(super) struct Egress<'buf> {
    pub(super) store: Store<'buf>,
    pub(super) table: Table<'buf>,
    /// The unsent bytes are `start..end` of the store
    start: usize,
    end: usize,
    /// With growable buffers, how much may wait
    window: usize,
    /// How many bytes have been sent, ever
    sent: u64,
    /// Where the last Ping, the last Pong and the last of all else end in the stream of all bytes
    ping_end: u64,
    pong_end: u64,
    message_end: u64,
    /// The most that was used since memory was last given back
    peak: usize,
}

impl<'buf> Egress<'buf> {
    pub(super) fn new(store: Store<'buf>, table: Table<'buf>, window: usize) -> Self {
        Self { store, table, start: 0, end: 0, window, sent: 0, ping_end: 0, pong_end: 0, message_end: 0, peak: 0 }
    }

    pub(super) fn unsent(&self) -> &[u8] {
        self.store.bytes().get(self.start..self.end).unwrap_or_default()
    }

    pub(super) fn unsent_len(&self) -> usize {
        self.end.saturating_sub(self.start)
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Notes that `len` bytes are gone; `None`, and nothing happens, if there were not as many
    pub(super) fn note_sent(&mut self, len: usize) -> Option<()> {
        if len > self.unsent_len() {
            return None;
        }
        self.start = self.start.saturating_add(len);
        self.sent = self.sent.saturating_add(len as u64);
        Some(())
    }

    pub(super) fn clear(&mut self) {
        self.start = 0;
        self.end = 0;
    }

    /// Whether the last Ping has left completely
    pub(super) const fn ping_has_left(&self) -> bool {
        self.sent >= self.ping_end
    }

    /// Whether the last Pong has left completely
    pub(super) const fn pong_has_left(&self) -> bool {
        self.sent >= self.pong_end
    }

    /// Whether nothing waits but Ping and Pong, which never keep a protocol from its turn
    pub(super) const fn messages_have_left(&self) -> bool {
        self.sent >= self.message_end
    }

    /// How many bytes of frames a protocol may add now, beside what others have a claim to
    ///
    /// What has been sent is reclaimed for this only when that moves no more bytes than it frees,
    /// so that bytes move once on average however small the pieces are that leave. A message larger
    /// than a window goes when nothing waits, and nobody else does.
    pub(super) fn room(&self, claimed: usize) -> usize {
        let room = match &self.store {
            Store::Growable(_) if claimed > 0 || !self.messages_have_left() => {
                self.window.saturating_sub(self.unsent_len())
            }
            Store::Fixed(bytes) if !self.messages_have_left() => {
                let used = if self.reclaim_is_cheap() { self.unsent_len() } else { self.end };
                bytes.len().saturating_sub(used).saturating_sub(RESERVE)
            }
            _ => self.capacity(),
        };
        room.saturating_sub(claimed)
    }

    /// How many bytes of frames protocols may add when none of theirs waits
    pub(super) fn capacity(&self) -> usize {
        match &self.store {
            Store::Fixed(bytes) => bytes.len().saturating_sub(RESERVE),
            // Whatever a frame can hold may come of it, since the compressor decides at the end.
            Store::Growable(_) => usize::MAX,
        }
    }

    /// The most that the frame of a message takes
    pub(super) const fn max_frame_len(id: u64, payload: usize, compression: Compression) -> usize {
        frame_len(uint_len(id).saturating_add(compression.max_len(payload)))
    }

    /// The start of the buffer, for the handshake packet that leaves first
    pub(super) fn packet_room(&mut self, len: usize) -> &mut [u8] {
        self.store.grow(len)
    }

    /// The handshake packet of `len` bytes, sent or not
    pub(super) fn packet(&self, len: usize) -> &[u8] {
        self.store.bytes().get(..len).unwrap_or_default()
    }

    pub(super) fn commit_packet(&mut self, len: usize) {
        self.end = len;
        self.note_position(HELLO);
    }

    /// Seals a message behind what waits; returns the length of its frame
    ///
    /// Callers have made sure that there is room: protocols by asking for it, the base protocol by
    /// the reserve. `None`, and nothing happens, if the body is larger than a frame can hold, which
    /// depends on how well a payload near the limit is compressed.
    pub(super) fn seal(
        &mut self,
        session: &mut Session,
        id: u64,
        payload: &[u8],
        compression: Compression,
    ) -> Option<usize> {
        let needed = Self::max_frame_len(id, payload.len(), compression);
        self.make_room(needed);
        let end = self.end.saturating_add(needed);
        let room = self.store.grow(end).get_mut(self.end..end).unwrap_or_default();
        let body = write_body(room, id, payload, compression, &mut self.table).filter(|body| *body <= MAX_BODY)?;
        let len = frame_len(body);
        session.seal(room.get_mut(..len)?, body);
        self.end = self.end.saturating_add(len);
        self.peak = self.peak.max(self.end);
        self.note_position(id);
        Some(len)
    }

    /// Seals a Hello, which `write` encodes in up to `max_len` bytes
    pub(super) fn seal_hello(&mut self, session: &mut Session, max_len: usize, write: impl FnOnce(&mut Writer<'_>)) {
        let needed = frame_len(max_len.saturating_add(1));
        self.make_room(needed);
        let end = self.end.saturating_add(needed);
        let room = self.store.grow(end).get_mut(self.end..end).unwrap_or_default();
        let mut writer = Writer::new(room.get_mut(HEADER..).unwrap_or_default());
        writer.uint(HELLO);
        write(&mut writer);
        let body = writer.finish().unwrap_or_default().len();
        let len = frame_len(body);
        if let Some(frame) = room.get_mut(..len) {
            session.seal(frame, body);
            self.end = self.end.saturating_add(len);
            self.note_position(HELLO);
        }
    }

    /// Remembers where the last of its kind ends, to know later whether it has left
    fn note_position(&mut self, id: u64) {
        let position = self.sent.saturating_add(self.unsent_len() as u64);
        match id {
            PING => self.ping_end = position,
            PONG => self.pong_end = position,
            _ => self.message_end = position,
        }
    }

    /// Moves the unsent bytes to the front if `len` more need it, or if there is nothing to move
    fn make_room(&mut self, len: usize) {
        let fits = self.end.saturating_add(len) <= self.store.bytes().len();
        if self.is_empty() {
            self.clear();
        } else if !fits && (self.reclaim_is_cheap() || len <= BASE_FRAME) {
            let unsent = self.start..self.end;
            self.end = self.unsent_len();
            self.start = 0;
            let bytes = self.store.grow(unsent.end);
            if unsent.start <= unsent.end && unsent.end <= bytes.len() {
                bytes.copy_within(unsent, 0);
            }
        }
    }

    /// A Ping and a Pong are little enough to be moved at any time
    const fn reclaim_is_cheap(&self) -> bool {
        let unsent = self.end.saturating_sub(self.start);
        self.start >= unsent || unsent <= 2 * BASE_FRAME
    }

    /// Gives back memory that has not been needed since the last time
    pub(super) fn trim(&mut self) {
        let peak = core::mem::take(&mut self.peak);
        if self.is_empty() {
            self.clear();
            self.store.trim(peak);
            if peak <= RESERVE {
                self.table.clear();
            }
        }
    }
}

/// Writes message id and payload behind the place of the header; returns the length of the body
fn write_body(
    frame: &mut [u8],
    id: u64,
    payload: &[u8],
    compression: Compression,
    table: &mut Table<'_>,
) -> Option<usize> {
    let body = frame.get_mut(HEADER..)?;
    let id_len = uint_len(id);
    let mut writer = Writer::new(body.get_mut(..id_len)?);
    writer.uint(id);
    let target = body.get_mut(id_len..)?;
    let len = match compression {
        Compression::None => copy(target, payload),
        Compression::Snappy => snappy::compress(payload, target, table.for_payload(payload.len())).ok()?,
    };
    Some(id_len.saturating_add(len))
}

//! Frames that are sealed and unsent

use super::buffers::{Store, Table};
use super::limits::RESERVE;
use crate::invariant::{invariant, must};
use crate::p2p::message::{Base, TABLE};
use crate::rlpx::frame::{HEADER, MAX_BODY, Session, frame_len};

/// A buffer of this many bytes is worth another allocation
const LARGE: usize = 1 << 20;

/// Frames in the order in which they leave, in one contiguous piece
///
/// A position counts the bytes of the whole stream, sent and unsent. A frame has left once `sent` has
/// reached the position of its end.
#[derive(Debug)]
pub(super) struct Egress<'buf> {
    store: Store<'buf>,
    table: Table<'buf>,
    /// The unsent bytes are `start..end` of the store
    start: usize,
    end: usize,
    /// How many bytes have been sent, ever
    sent: u64,
    /// Where the last message of each kind of the base protocol ends
    base_ends: [u64; TABLE.len()],
    /// The most that was used since memory was last given back
    peak: usize,
}

impl<'buf> Egress<'buf> {
    pub(super) const fn new(store: Store<'buf>, table: Table<'buf>) -> Self {
        Self { store, table, start: 0, end: 0, sent: 0, base_ends: [0; TABLE.len()], peak: 0 }
    }

    pub(super) fn into_parts(self) -> (Store<'buf>, Table<'buf>) {
        (self.store, self.table)
    }

    /// How much memory the buffer and the table of the compressor occupy
    pub(super) fn allocated(&self) -> usize {
        self.store.allocated().saturating_add(self.table.allocated())
    }

    pub(super) fn unsent(&self) -> &[u8] {
        must(self.store.bytes().get(self.start..self.end), "unsent bytes are in the store")
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.start == self.end
    }

    const fn unsent_len(&self) -> usize {
        self.end.saturating_sub(self.start)
    }

    /// How many bytes have been sent, ever
    pub(super) const fn sent(&self) -> u64 {
        self.sent
    }

    /// The position at which the last sealed frame ends
    pub(super) const fn end_position(&self) -> u64 {
        self.sent.saturating_add(self.unsent_len() as u64)
    }

    /// Notes that `len` bytes were sent; `None`, and nothing happens, if fewer are unsent
    pub(super) fn note_sent(&mut self, len: usize) -> Option<()> {
        if len > self.unsent_len() {
            return None;
        }
        self.start = self.start.saturating_add(len);
        self.sent = self.sent.saturating_add(len as u64);
        Some(())
    }

    /// Drops the unsent bytes
    pub(super) const fn clear(&mut self) {
        self.start = 0;
        self.end = 0;
    }

    /// Drops what is unsent, and gives all memory back
    pub(super) fn release(&mut self) {
        self.clear();
        self.peak = 0;
        self.store.trim(0, 0..0);
        self.table.clear();
    }

    /// Whether the last message of this kind has left completely
    pub(super) fn has_left(&self, message: Base) -> bool {
        self.base_ends.get(message as usize).is_none_or(|end| self.sent >= *end)
    }

    /// The capacity of the caller's buffer for frames of protocols; `None` for a growable buffer
    pub(super) fn fixed_capacity(&self) -> Option<usize> {
        match &self.store {
            Store::Fixed(bytes) => Some(bytes.len().saturating_sub(RESERVE)),
            Store::Growable(_) => None,
        }
    }

    /// Whether messages of protocols are taken at all
    ///
    /// The caller's buffer has capacity for the shares only once our Hello has left.
    pub(super) fn takes_messages(&self) -> bool {
        matches!(self.store, Store::Growable(_)) || self.has_left(Base::Hello)
    }

    /// The start of the buffer, for the handshake packet that leaves first
    pub(super) fn packet_room(&mut self, len: usize) -> &mut [u8] {
        self.store.grow(len)
    }

    /// The handshake packet of `len` bytes, sent or not
    pub(super) fn packet(&self, len: usize) -> &[u8] {
        must(self.store.bytes().get(..len), "the packet is in the store")
    }

    pub(super) const fn commit_packet(&mut self, len: usize) {
        self.end = len;
    }

    /// Seals a message of the base protocol, for which there is always capacity
    pub(super) fn seal_base(
        &mut self,
        session: &mut Session,
        message: Base,
        max_body: usize,
        write: impl FnOnce(&mut [u8], &mut Table<'_>) -> Option<usize>,
    ) -> Option<usize> {
        invariant!(self.has_left(message), "at most one of each message of the base protocol is unsent");
        let len = self.seal(session, max_body, write)?;
        let end = self.end_position();
        if let Some(entry) = self.base_ends.get_mut(message as usize) {
            *entry = end;
        }
        Some(len)
    }

    /// Seals a frame after the unsent bytes, and returns its length
    ///
    /// `write` puts the body into `max_body` bytes and returns its length. The caller has made sure
    /// that the frame fits. `None`, and nothing happens, if `write` fails or if the body is larger than
    /// a frame can hold, which depends on how well a payload near the limit is compressed.
    pub(super) fn seal(
        &mut self,
        session: &mut Session,
        max_body: usize,
        write: impl FnOnce(&mut [u8], &mut Table<'_>) -> Option<usize>,
    ) -> Option<usize> {
        let body = self.place(max_body, write)?;
        session.seal(self.last_frame(body), body);
        Some(frame_len(body))
    }

    /// The first part of [`seal`](Self::seal): writes the body where its frame will be, and returns its length
    ///
    /// The frame is a part of the unsent bytes from now on, so it has to be sealed before anything else happens.
    #[inline(always)]
    pub(super) fn place(
        &mut self,
        max_body: usize,
        write: impl FnOnce(&mut [u8], &mut Table<'_>) -> Option<usize>,
    ) -> Option<usize> {
        let needed = frame_len(max_body);
        self.make_room(needed);
        let end = self.end.saturating_add(needed);
        let room = must(self.store.grow(end).get_mut(self.end..end), "the frame fits the transmit buffer");
        let body = room.get_mut(HEADER..HEADER.saturating_add(max_body))?;
        let body = write(body, &mut self.table).filter(|body| *body <= MAX_BODY)?;
        self.end = self.end.saturating_add(frame_len(body));
        self.peak = self.peak.max(self.unsent_len());
        Some(body)
    }

    /// The frame that was placed last, whose body has `body` bytes
    #[inline(always)]
    pub(super) fn last_frame(&mut self, body: usize) -> &mut [u8] {
        let start = self.end.saturating_sub(frame_len(body));
        must(self.store.grow(self.end).get_mut(start..), "the frame is in the transmit buffer")
    }

    /// Makes `len` bytes available after the unsent bytes
    fn make_room(&mut self, len: usize) {
        if self.is_empty() {
            self.clear();
        } else if self.end.saturating_add(len) > self.store.bytes().len() && self.should_move() {
            let unsent = self.start..self.end;
            self.end = self.unsent_len();
            self.start = 0;
            let bytes = self.store.grow(unsent.end);
            if unsent.start <= unsent.end && unsent.end <= bytes.len() {
                bytes.copy_within(unsent, 0);
            }
        }
    }

    /// Whether to move the unsent bytes to the front, now that the buffer is full to its end
    ///
    /// The caller's buffer has no other free bytes. A growable buffer grows instead until the sent bytes
    /// at its front are an eighth of the unsent ones: at most eight bytes are moved for each byte sent.
    const fn should_move(&self) -> bool {
        match self.store {
            Store::Fixed(_) => true,
            Store::Growable(_) => self.start >= self.unsent_len() / 8,
        }
    }

    /// Gives back memory that was not needed since the last call
    pub(super) fn trim(&mut self) {
        let unsent = self.unsent_len();
        let peak = core::mem::replace(&mut self.peak, unsent);
        self.shrink(peak);
        self.table.clear();
    }

    /// Gives back a large buffer that messages needed only until they were compressed
    ///
    /// For a transport that is slow: the timer may not give the buffer back before the next large message comes.
    #[cold]
    pub(super) fn trim_large(&mut self) {
        if self.store.allocated() >= LARGE {
            self.shrink(self.peak);
        }
    }

    fn shrink(&mut self, peak: usize) {
        if self.store.trim(peak, self.start..self.end) {
            self.end = self.unsent_len();
            self.start = 0;
        }
    }
}

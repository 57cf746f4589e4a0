//! Where a link keeps its bytes: the caller's slices, or buffers that grow and shrink
#![cfg_attr(not(feature = "alloc"), expect(dead_code, reason = "nothing can grow without an allocator"))]

use core::fmt;
use core::ops::Range;

use super::growable::{Growable, GrowableSlots, GrowableTable};
use super::limits::{self, MAX_CLIENT_ID, MAX_PROTOCOLS};
use super::payload::Payload;
use super::protocols::ProtocolSlot;
use crate::error::StartError;
use crate::invariant::must;
use crate::wire::snappy;

/// The memory of one link
///
/// Either the caller's four slices, without an allocator, or buffers that grow with the messages and
/// shrink again. Prints sizes only, since the bytes may be messages of a link.
pub struct Buffers<'buf> {
    pub(super) receive: Arena<'buf>,
    pub(super) transmit: Store<'buf>,
    pub(super) table: Table<'buf>,
    pub(super) slots: Slots<'buf>,
}

impl<'buf> Buffers<'buf> {
    /// Uses the caller's memory
    ///
    /// - `receive` holds one incoming frame and, beside it, its payload decompressed: at least
    ///   [`Buffers::receive_len`] of the configured message limit.
    /// - `transmit` holds frames that are sealed and unsent: at least [`Buffers::transmit_len`] of the
    ///   largest messages to be sent. Capacity beyond that is divided equally among the shared
    ///   protocols, so that several messages of a protocol can be unsent.
    /// - `table` is the hash table of the compressor. Any length is accepted: the largest power of two
    ///   from 256 to 16,384 entries is used. For messages of up to 1 KiB more than 1,024 entries do not
    ///   help. With fewer than 256 entries nothing is compressed; every peer can read that.
    /// - `slots` holds what the link keeps of each protocol: one slot for each protocol that the node offers.
    ///
    /// The constructor of the link refuses slices that are too small, and says what is needed.
    pub const fn fixed(
        receive: &'buf mut [u8],
        transmit: &'buf mut [u8],
        table: &'buf mut [u16],
        slots: &'buf mut [ProtocolSlot],
    ) -> Self {
        Self {
            receive: Arena::Fixed { bytes: receive, frame: 0 },
            transmit: Store::Fixed(transmit),
            table: Table::Fixed(table),
            slots: Slots::Fixed(slots),
        }
    }

    /// The length of `receive` for payloads of up to `max_message` bytes
    ///
    /// The frame of the payload at the worst compression of any encoder (a sixth more than its length),
    /// and the payload itself. Never less than 2,080 bytes, which a Hello of 2 KiB needs.
    pub const fn receive_len(max_message: usize) -> usize {
        limits::receive_len(max_message)
    }

    /// The length of `transmit` for these largest payloads
    ///
    /// `max_send` has the largest payload to be sent under each name of a protocol: one entry for
    /// `eth`, however many versions of it the node offers, since only one of them is shared. The
    /// result is the sum of their frames, and capacity for Ping, Pong and Disconnect. It is never less
    /// than ack and Hello need.
    pub const fn transmit_len(max_send: &[usize]) -> usize {
        let (mut rest, mut frames) = (max_send, 0_usize);
        while let [len, others @ ..] = rest {
            frames = frames.saturating_add(limits::largest_frame(*len));
            rest = others;
        }
        limits::transmit_len(frames, limits::greeting_len(MAX_CLIENT_ID, MAX_PROTOCOLS))
    }

    /// Checks that the caller's slices have so many bytes, and a slot for each protocol
    pub(super) fn check(&self, receive: usize, transmit: usize, protocols: usize) -> Result<(), StartError> {
        if matches!(&self.receive, Arena::Fixed { bytes, .. } if bytes.len() < receive) {
            return Err(StartError::ReceiveBufferTooSmall { needed: receive });
        }
        if matches!(&self.transmit, Store::Fixed(bytes) if bytes.len() < transmit) {
            return Err(StartError::TransmitBufferTooSmall { needed: transmit });
        }
        if matches!(&self.slots, Slots::Fixed(slots) if slots.len() < protocols) {
            return Err(StartError::TooFewSlots { needed: protocols });
        }
        Ok(())
    }
}

impl fmt::Debug for Buffers<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (receive, transmit) = (self.receive.frame().len(), self.transmit.bytes().len());
        write!(f, "Buffers({receive} bytes to receive, {transmit} to transmit)")
    }
}

#[cfg(feature = "alloc")]
impl Buffers<'static> {
    /// Grows with the messages, up to the limits in [`Config`](crate::Config), and later gives unneeded memory back
    pub fn growable() -> Self {
        Self {
            receive: Arena::Growable { frame: Growable::default(), message: Growable::default() },
            transmit: Store::Growable(Growable::default()),
            table: Table::Growable(GrowableTable::default()),
            slots: Slots::Growable(GrowableSlots::default()),
        }
    }
}

/// The first `len` items, or all if there are fewer
fn up_to<T>(slice: &mut [T], len: usize) -> &mut [T] {
    let len = slice.len().min(len);
    must(slice.get_mut(..len), "the length is at most that of the slice")
}

/// Bytes that stay where they are until they are overwritten
#[derive(Debug)]
pub(super) enum Store<'buf> {
    Fixed(&'buf mut [u8]),
    Growable(Growable),
}

impl Store<'_> {
    /// The bytes that are there without growing
    pub(super) fn bytes(&self) -> &[u8] {
        match self {
            Self::Fixed(bytes) => bytes,
            Self::Growable(bytes) => bytes.bytes(),
        }
    }

    /// The first `len` bytes, or all of the caller's slice if it is shorter
    pub(super) fn grow(&mut self, len: usize) -> &mut [u8] {
        match self {
            Self::Fixed(bytes) => up_to(bytes, len),
            Self::Growable(bytes) => bytes.grow(len),
        }
    }

    /// How much memory the buffer occupies; 0 for the caller's slice
    pub(super) fn allocated(&self) -> usize {
        match self {
            Self::Fixed(_) => 0,
            Self::Growable(bytes) => bytes.allocated(),
        }
    }

    /// Gives back what exceeds `peak` bytes; returns whether `kept` has moved to the front
    pub(super) fn trim(&mut self, peak: usize, kept: Range<usize>) -> bool {
        match self {
            Self::Fixed(_) => false,
            Self::Growable(bytes) => bytes.trim(peak, kept),
        }
    }
}

/// What comes in: the frame as it was on the wire, and its payload decompressed
#[derive(Debug)]
pub(super) enum Arena<'buf> {
    /// One slice for both: a handshake packet may take all of it, since nothing is decompressed then
    Fixed {
        bytes: &'buf mut [u8],
        /// Where the part for payloads begins, 0 while there is none
        frame: usize,
    },
    Growable {
        frame: Growable,
        message: Growable,
    },
}

impl Arena<'_> {
    /// Keeps the last `largest` bytes for payloads, and the rest for frames
    pub(super) fn split(&mut self, largest: usize) {
        match self {
            Self::Fixed { bytes, frame } => *frame = bytes.len().saturating_sub(largest),
            Self::Growable { .. } => {}
        }
    }

    /// The frame, as far as it has been written
    pub(super) fn frame(&self) -> &[u8] {
        match self {
            Self::Fixed { bytes, .. } => bytes,
            Self::Growable { frame, .. } => frame.bytes(),
        }
    }

    pub(super) fn frame_mut(&mut self) -> &mut [u8] {
        match self {
            Self::Fixed { bytes, .. } => bytes,
            Self::Growable { frame, .. } => frame.bytes_mut(),
        }
    }

    /// The first `len` bytes of a frame that will have `whole`
    ///
    /// The buffer grows with the bytes that have come, so that a large announced size alone costs nothing.
    pub(super) fn grow_frame(&mut self, len: usize, whole: usize) -> &mut [u8] {
        match self {
            Self::Fixed { bytes, .. } => up_to(bytes, len),
            Self::Growable { frame, .. } => frame.grow_within(len, whole),
        }
    }

    /// The frame, and `len` bytes for its payload
    pub(super) fn frame_and_message(&mut self, len: usize) -> (&[u8], &mut [u8]) {
        match self {
            Self::Fixed { bytes, frame } => {
                let (frame, message) = must(bytes.split_at_mut_checked(*frame), "the frame is a part of the slice");
                (frame, up_to(message, len))
            }
            Self::Growable { frame, message } => (frame.bytes(), message.grow(len)),
        }
    }

    /// A part of the frame, to be handed out
    pub(super) fn frame_payload(&mut self, part: Range<usize>, wire_len: usize) -> Payload<'_> {
        match self {
            Self::Fixed { bytes, .. } => Payload::slice(must(bytes.get(part), "the payload is in the frame"), wire_len),
            Self::Growable { frame, .. } => Payload::buffer(frame, part, wire_len),
        }
    }

    /// The first `len` bytes beside the frame, to be handed out
    pub(super) fn message_payload(&mut self, len: usize, wire_len: usize) -> Payload<'_> {
        match self {
            Self::Fixed { bytes, frame } => {
                let message = must(bytes.get(*frame..), "the frame is a part of the slice");
                Payload::slice(must(message.get(..len), "the payload is in the buffer"), wire_len)
            }
            Self::Growable { message, .. } => Payload::buffer(message, 0..len, wire_len),
        }
    }

    /// How much memory the buffers occupy; 0 for the caller's slice
    pub(super) fn allocated(&self) -> usize {
        match self {
            Self::Fixed { .. } => 0,
            Self::Growable { frame, message } => frame.allocated().saturating_add(message.allocated()),
        }
    }

    /// Gives back what exceeds the two peaks; the first `kept` bytes of each buffer stay
    pub(super) fn trim(&mut self, peak: (usize, usize), kept: (usize, usize)) {
        match self {
            Self::Fixed { .. } => {}
            Self::Growable { frame, message } => {
                frame.trim(peak.0, 0..kept.0);
                message.trim(peak.1, 0..kept.1);
            }
        }
    }
}

/// The compressor's table of positions
#[derive(Debug)]
pub(super) enum Table<'buf> {
    Fixed(&'buf mut [u16]),
    Growable(GrowableTable),
}

impl Table<'_> {
    /// The table for a payload of `len` bytes; empty if the payload is too short to compress
    pub(super) fn for_payload(&mut self, len: usize) -> &mut [u16] {
        match self {
            Self::Fixed(table) => table,
            Self::Growable(table) => match growable_len(len) {
                0 => &mut [],
                entries => table.grow(entries),
            },
        }
    }

    /// How many entries the compressor uses for a payload of `len` bytes: the compressed bytes depend on that
    pub(super) fn used(&self, len: usize) -> usize {
        match self {
            Self::Fixed(table) => snappy::used_len(table.len(), len),
            Self::Growable(_) => growable_len(len),
        }
    }

    /// How much memory the table occupies; 0 for the caller's slice
    pub(super) fn allocated(&self) -> usize {
        match self {
            Self::Fixed(_) => 0,
            Self::Growable(table) => table.allocated(),
        }
    }

    /// Gives the memory back; the next payload does not need the content
    pub(super) fn clear(&mut self) {
        match self {
            Self::Fixed(_) => {}
            Self::Growable(table) => table.clear(),
        }
    }
}

/// How many entries a table that grows has for a payload of `len` bytes; it is not worth its memory for a short one
fn growable_len(len: usize) -> usize {
    if len < 16 { 0 } else { snappy::table_len(len) }
}

/// What a link keeps of each protocol
#[derive(Debug)]
pub(super) enum Slots<'buf> {
    Fixed(&'buf mut [ProtocolSlot]),
    Growable(GrowableSlots),
}

impl Slots<'_> {
    pub(super) fn get(&self) -> &[ProtocolSlot] {
        match self {
            Self::Fixed(slots) => slots,
            Self::Growable(slots) => slots.get(),
        }
    }

    pub(super) fn get_mut(&mut self) -> &mut [ProtocolSlot] {
        match self {
            Self::Fixed(slots) => slots,
            Self::Growable(slots) => slots.get_mut(),
        }
    }

    /// Empties all slots; there are at least `protocols` slots, since `check` refuses a shorter slice
    pub(super) fn renew(&mut self, protocols: usize) -> &mut [ProtocolSlot] {
        match self {
            Self::Fixed(slots) => slots.fill(ProtocolSlot::EMPTY),
            Self::Growable(slots) => slots.renew(protocols),
        }
        self.get_mut()
    }
}

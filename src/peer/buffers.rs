//! Where a link keeps its bytes: slices of the caller's, or buffers that grow and shrink
#![cfg_attr(not(feature = "alloc"), allow(dead_code, reason = "nothing can grow without an allocator"))]

use super::config::{Config, MAX_CLIENT_ID, MAX_MESSAGE, MAX_PROTOCOLS};
use super::growable::{Growable, GrowableTable};
use crate::error::ConfigError;
use crate::p2p::message::{MAX_BASE_PAYLOAD, MAX_ID_LEN};
use crate::p2p::{disconnect, hello};
use crate::rlpx::ecies::MAX_PACKET;
use crate::rlpx::frame::{MAX_BODY, frame_len, sealed_body_len};
use crate::rlpx::handshake::MAX_SENT;
use crate::wire::snappy;

/// Room for the frame of a Ping, a Pong or a Disconnect, of which the last is the longest
pub(super) const BASE_FRAME: usize = frame_len(1 + snappy::max_compressed_len(disconnect::MAX_LEN));
/// Kept free of protocols' messages, so that Ping, Pong and Disconnect always fit
pub(super) const RESERVE: usize = 3 * BASE_FRAME;

/// How much a link may take in and hold back
#[derive(Debug, Clone, Copy)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(super) struct Limits {
    pub(super) max_message: usize,
    pub(super) send_window: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_message: MAX_MESSAGE, send_window: 256 * 1024 }
    }
}

/// The largest frame body that a peer may send, Snappy at its worst included
pub(super) const fn max_body(max_message: usize) -> usize {
    // What the reference encoder may need; ours stays below.
    let compressed = max_message.saturating_add(max_message / 6).saturating_add(32);
    let body = compressed.saturating_add(MAX_ID_LEN);
    if body < MAX_BODY { body } else { MAX_BODY }
}

/// The memory of one link
///
/// Either three slices of the caller's, from which the link never strays, or buffers that grow with
/// the messages and shrink again. Prints their sizes only: they may hold what was said on a link.
pub struct Buffers<'buf> {
    pub(super) receive: Arena<'buf>,
    pub(super) transmit: Store<'buf>,
    pub(super) table: Table<'buf>,
}

impl<'buf> Buffers<'buf> {
    /// Uses the caller's memory and no other
    ///
    /// - `receive` holds one incoming frame and, beside it, its payload decompressed:
    ///   [`Buffers::receive_len`] of the configured message limit.
    /// - `transmit` holds what has not been sent: at least [`Buffers::transmit_len`] of the largest
    ///   message that is to be sent. A multiple of that lets several messages wait.
    /// - `table` is the compressor's: any length, of which the largest power of two from 256 to
    ///   16,384 is used. 1,024 entries cost nothing in size up to 1 KiB messages; with fewer than
    ///   256 nothing is compressed, which every peer can read.
    ///
    /// The constructor of the link refuses slices that are too small with the size that is needed.
    pub const fn fixed(receive: &'buf mut [u8], transmit: &'buf mut [u8], table: &'buf mut [u16]) -> Self {
        Self {
            receive: Arena::Fixed { bytes: receive, frame: 0 },
            transmit: Store::Fixed(transmit),
            table: Table::Fixed(table),
        }
    }

    /// The length of `receive` for payloads of up to `max_message` bytes
    ///
    /// A frame with the payload as badly compressed as any encoder may (a sixth more than its
    /// length), and the payload itself; never less than a handshake packet or a Hello takes.
    pub const fn receive_len(max_message: usize) -> usize {
        let message = sealed_body_len(max_body(max_message)).saturating_add(max_message);
        let hello = sealed_body_len(1 + MAX_BASE_PAYLOAD);
        max(message, max(hello, MAX_PACKET))
    }

    /// The length of `transmit` for one payload of up to `max_message` bytes at a time
    ///
    /// The message's frame and room for Ping, Pong and Disconnect; never less than ack and Hello take.
    pub const fn transmit_len(max_message: usize) -> usize {
        let message = frame_len(snappy::max_compressed_len(max_message).saturating_add(MAX_ID_LEN));
        let greeting = greeting_len(MAX_CLIENT_ID, MAX_PROTOCOLS);
        max(message, greeting).saturating_add(RESERVE)
    }

    /// Checks the sizes against the configuration
    pub(super) fn check(&self, config: &Config) -> Result<(), ConfigError> {
        let needed = Self::receive_len(config.limits.max_message);
        if matches!(&self.receive, Arena::Fixed { bytes, .. } if bytes.len() < needed) {
            return Err(ConfigError::ReceiveBufferTooSmall { needed });
        }
        let needed = greeting_len(config.client_id.len(), config.protocols.len()).saturating_add(RESERVE);
        if matches!(&self.transmit, Store::Fixed(bytes) if bytes.len() < needed) {
            return Err(ConfigError::TransmitBufferTooSmall { needed });
        }
        Ok(())
    }
}

impl core::fmt::Debug for Buffers<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let (receive, transmit) = (self.receive.frame().len(), self.transmit.bytes().len());
        write!(f, "Buffers({receive} bytes to receive, {transmit} to transmit)")
    }
}

#[cfg(feature = "alloc")]
impl Buffers<'static> {
    /// Grows with the messages, up to the limits in [`Config`], and gives memory back when idle
    pub fn growable() -> Self {
        Self {
            receive: Arena::Growable { frame: Growable::default(), message: Growable::default() },
            transmit: Store::Growable(Growable::default()),
            table: Table::Growable(GrowableTable::default()),
        }
    }
}

/// What the recipient sends without being asked to wait: ack and Hello
const fn greeting_len(client_id: usize, protocols: usize) -> usize {
    MAX_SENT.saturating_add(frame_len(hello::max_len(client_id, protocols).saturating_add(1)))
}

const fn max(a: usize, b: usize) -> usize {
    if a > b { a } else { b }
}

/// As many of the bytes as asked for, or all
fn up_to<T>(slice: &mut [T], len: usize) -> &mut [T] {
    let len = slice.len().min(len);
    slice.get_mut(..len).unwrap_or_default()
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

    /// As many bytes from the start as asked for, or all that the caller gave
    pub(super) fn grow(&mut self, len: usize) -> &mut [u8] {
        match self {
            Self::Fixed(bytes) => up_to(bytes, len),
            Self::Growable(bytes) => bytes.grow(len),
        }
    }

    /// Gives back what exceeds `peak` bytes; the content is lost
    pub(super) fn trim(&mut self, peak: usize) {
        match self {
            Self::Fixed(_) => {}
            Self::Growable(bytes) => bytes.trim(peak, 0),
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
    /// Makes room for payloads beside the frame
    pub(super) fn split(&mut self, max_message: usize) {
        match self {
            Self::Fixed { frame, .. } => *frame = sealed_body_len(max_body(max_message)),
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

    /// The frame with room for `len` bytes, growing at most to twice what it was or to `limit`
    ///
    /// Doubling makes the copies add up to the frame's own length however it is cut, and growing
    /// with what has come keeps a large claim from costing anything by itself.
    pub(super) fn grow_frame(&mut self, len: usize, limit: usize) -> &mut [u8] {
        match self {
            Self::Fixed { bytes, .. } => up_to(bytes, len),
            Self::Growable { frame, .. } => {
                let present = frame.bytes().len();
                let doubled = present.saturating_mul(2).min(limit);
                frame.grow(if present < len { len.max(doubled) } else { len })
            }
        }
    }

    /// The frame, and `len` bytes for its payload
    pub(super) fn frame_and_message(&mut self, len: usize) -> (&[u8], &mut [u8]) {
        match self {
            Self::Fixed { bytes, frame } => match bytes.split_at_mut_checked(*frame) {
                Some((frame, message)) => (frame, up_to(message, len)),
                None => (&[], &mut []),
            },
            Self::Growable { frame, message } => (frame.bytes(), message.grow(len)),
        }
    }

    /// Gives back what exceeds the two peaks; of the content only the frame's first `kept` bytes stay
    pub(super) fn trim(&mut self, peak_frame: usize, peak_message: usize, kept: usize) {
        match self {
            Self::Fixed { .. } => {}
            Self::Growable { frame, message } => {
                frame.trim(peak_frame, kept);
                message.trim(peak_message, 0);
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
    /// The table for a payload of `len` bytes, none for one that is too short to repeat itself
    pub(super) fn for_payload(&mut self, len: usize) -> &mut [u16] {
        match self {
            Self::Fixed(table) => table,
            Self::Growable(_) if len < 16 => &mut [],
            Self::Growable(table) => table.grow(snappy::table_len(len)),
        }
    }

    /// Gives the memory back; nothing of value is lost
    pub(super) fn clear(&mut self) {
        match self {
            Self::Fixed(_) => {}
            Self::Growable(table) => table.clear(),
        }
    }
}

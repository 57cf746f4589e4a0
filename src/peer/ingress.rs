//! Reassembly of the incoming stream: packets, headers, bodies, payloads

use core::ops::Range;

use super::buffers::Arena;
use super::compression::Compression;
use super::limits::max_body;
use super::payload::Payload;
use crate::invariant::must;
use crate::p2p::message::MAX_BASE_BODY;
use crate::rlpx::frame::{BLOCK, HEADER, MacWork, Session, TAG, Tag, frame_len, sealed_body_len};
use crate::rlpx::{MIN_PREFIX, PREFIX, check_key_form, packet_len};
use crate::violation::Violation;
use crate::wire::{copy, snappy};

/// What the next bytes belong to
#[derive(Clone, Copy)]
enum Expected {
    /// The size prefix of a handshake packet
    PacketPrefix,
    /// The prefix and the first byte of the packet, which shows the form of its key
    PacketKeyForm(usize),
    /// A handshake packet of this length
    Packet(usize),
    /// The header of a frame
    Header,
    /// The first block of a large body of this size, which decides whether the body is stored
    Start(usize),
    /// The body of a frame, of the size that the header announced
    Body(usize),
    /// What is left of a body that is not stored
    Drained { size: usize, left: usize, start: FirstBlock },
    /// The MAC after a body that was not stored
    DrainedTag { size: usize, start: FirstBlock },
}

/// The first block of a body, decrypted
///
/// It has no `Debug`, since a part of a payload is in it. The types that contain it have none for the same reason.
#[derive(Clone, Copy)]
pub(super) struct FirstBlock(pub(super) [u8; BLOCK]);

impl Expected {
    /// How many bytes of the frame buffer it needs
    const fn len(self) -> usize {
        match self {
            Self::PacketPrefix => PREFIX,
            Self::PacketKeyForm(_) => MIN_PREFIX,
            Self::Packet(len) => len,
            Self::Header => HEADER,
            Self::Start(_) => BLOCK,
            Self::Body(size) => sealed_body_len(size),
            Self::Drained { .. } => 0,
            Self::DrainedTag { .. } => TAG,
        }
    }
}

/// The incoming bytes, and what they belong to
pub(super) struct Ingress<'buf> {
    arena: Arena<'buf>,
    expected: Expected,
    filled: usize,
    /// The largest frame body that is accepted
    body_limit: usize,
    peak: Peak,
}

/// The most that was used since memory was last given back
#[derive(Debug, Default)]
struct Peak {
    frame: usize,
    message: usize,
}

/// Who computes the MACs of headers and of bodies that are stored
#[derive(Clone, Copy)]
pub(super) enum Macs {
    /// The session of the link, as soon as a piece is complete
    Session,
    /// The caller, who may have computed that of the next complete piece
    Caller(Option<Tag>),
}

impl Macs {
    /// The MAC that the caller has computed, once
    fn take(&mut self) -> Option<Tag> {
        match self {
            Self::Session => None,
            Self::Caller(mac) => mac.take(),
        }
    }
}

/// What is complete, with its length
#[derive(Clone, Copy)]
pub(super) enum Complete {
    /// A header or a stored body whose MAC the caller has to compute
    Sealed,
    Packet(usize),
    Body(usize),
    /// A body of which only the first block is left
    Drained {
        size: usize,
        start: FirstBlock,
    },
}

/// Where a payload is
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// In the frame, as it came
    Frame { start: usize, end: usize },
    /// Decompressed beside the frame
    Message { len: usize },
}

impl<'buf> Ingress<'buf> {
    pub(super) fn new(arena: Arena<'buf>) -> Self {
        Self { arena, expected: Expected::PacketPrefix, filled: 0, body_limit: 0, peak: Peak::default() }
    }

    pub(super) fn into_arena(self) -> Arena<'buf> {
        self.arena
    }

    /// Switches to frames, the first of which is a Hello
    pub(super) fn expect_hello(&mut self) {
        self.expected = Expected::Header;
        self.body_limit = MAX_BASE_BODY;
    }

    /// Switches to messages: payloads of up to `taken` bytes may be stored, and payloads of up to `read` bytes are read
    pub(super) fn expect_messages(&mut self, taken: usize, read: usize) {
        self.body_limit = max_body(read).max(MAX_BASE_BODY);
        self.arena.split(taken);
    }

    /// The length of an incomplete frame, as far as it is known
    pub(super) const fn frame_under_way(&self) -> Option<usize> {
        match self.expected {
            Expected::Header if self.filled > 0 => Some(HEADER),
            Expected::Start(size)
            | Expected::Body(size)
            | Expected::Drained { size, .. }
            | Expected::DrainedTag { size, .. } => Some(frame_len(size)),
            _ => None,
        }
    }

    /// How much memory the buffers occupy
    pub(super) fn allocated(&self) -> usize {
        self.arena.allocated()
    }

    /// Takes bytes, at most to the end of a packet or frame; returns how many and what is complete
    ///
    /// `stores` gets the first block of a large body and its size, and decides whether the body is stored.
    pub(super) fn take(
        &mut self,
        mut bytes: &[u8],
        mut session: Option<&mut Session>,
        stores: impl Fn(&[u8], usize) -> bool,
        mut macs: Macs,
    ) -> (usize, Result<Option<Complete>, Violation>) {
        let offered = bytes.len();
        loop {
            let taken = match (&mut self.expected, &mut session) {
                (Expected::Drained { left, .. }, Some(session)) => drain(left, bytes, session),
                _ => self.fill(bytes),
            };
            bytes = must(bytes.get(taken..), "no more is taken than there is");
            let used = offered.saturating_sub(bytes.len());
            let complete = match self.expected {
                Expected::Drained { left, .. } => left == 0,
                expected => self.filled >= expected.len(),
            };
            if !complete {
                return (used, Ok(None));
            }
            if matches!((&macs, self.expected), (Macs::Caller(None), Expected::Header | Expected::Body(_))) {
                return (used, Ok(Some(Complete::Sealed)));
            }
            match self.advance(session.as_deref_mut(), &stores, &mut macs) {
                Ok(None) => {}
                result => return (used, result),
            }
        }
    }

    /// The MAC of the complete header or body that [`Complete::Sealed`] is about
    pub(super) fn mac_work<'a>(&'a self, session: &'a mut Session, mac: &'a mut Tag) -> Option<MacWork<'a>> {
        match self.expected {
            Expected::Header => session.header_work(self.arena.frame().first_chunk()?, mac),
            Expected::Body(size) => session.body_work(self.arena.frame().get(..sealed_body_len(size))?, mac),
            _ => None,
        }
    }

    /// Copies the bytes of the expected piece, and returns how many it copied
    fn fill(&mut self, bytes: &[u8]) -> usize {
        let whole = self.expected.len();
        let len = bytes.len().min(whole.saturating_sub(self.filled));
        let end = self.filled.saturating_add(len);
        let target = must(self.arena.grow_frame(end, whole).get_mut(self.filled..end), "the frame fits its buffer");
        let copied = copy(target, bytes);
        self.filled = self.filled.saturating_add(copied);
        self.peak.frame = self.peak.frame.max(self.filled);
        copied
    }

    /// Handles a complete piece, and expects the next one
    fn advance(
        &mut self,
        session: Option<&mut Session>,
        stores: impl Fn(&[u8], usize) -> bool,
        macs: &mut Macs,
    ) -> Result<Option<Complete>, Violation> {
        match (self.expected, session) {
            (Expected::PacketPrefix, _) => {
                let prefix = self.arena.frame().first_chunk().ok_or(Violation::HandshakeTooShort)?;
                self.expected = Expected::PacketKeyForm(packet_len(*prefix)?);
                Ok(None)
            }
            (Expected::PacketKeyForm(len), _) => {
                let prefix = self.arena.frame().first_chunk().ok_or(Violation::HandshakeTooShort)?;
                check_key_form(*prefix)?;
                self.expected = Expected::Packet(len);
                Ok(None)
            }
            (Expected::Packet(len), _) => {
                self.start(Expected::PacketPrefix);
                Ok(Some(Complete::Packet(len)))
            }
            (Expected::Header, Some(session)) => {
                let header = self.arena.frame().first_chunk().ok_or(Violation::HeaderMacMismatch)?;
                let size = match macs.take() {
                    Some(mac) => session.check_header(header, &mac)?,
                    None => session.open_header(header)?,
                };
                self.check_size(size)?;
                // A body that fits every buffer is judged when it is complete and authentic.
                self.start(if size > MAX_BASE_BODY { Expected::Start(size) } else { Expected::Body(size) });
                Ok(None)
            }
            (Expected::Start(size), Some(session)) => {
                let block = *self.arena.frame().first_chunk().ok_or(Violation::BodyMacMismatch)?;
                let start = FirstBlock(session.peek(block));
                if stores(&start.0, size) {
                    // The block is a part of the stored body.
                    self.expected = Expected::Body(size);
                } else {
                    session.absorb(&block);
                    let left = sealed_body_len(size).saturating_sub(BLOCK + TAG);
                    self.start(Expected::Drained { size, left, start });
                }
                Ok(None)
            }
            (Expected::Drained { size, start, .. }, Some(_)) => {
                self.start(Expected::DrainedTag { size, start });
                Ok(None)
            }
            (Expected::DrainedTag { size, start }, Some(session)) => {
                let tag = self.arena.frame().first_chunk().ok_or(Violation::BodyMacMismatch)?;
                session.close_body(size, tag)?;
                self.start(Expected::Header);
                Ok(Some(Complete::Drained { size, start }))
            }
            (Expected::Body(size), Some(session)) => {
                let sealed = self.arena.frame_mut().get_mut(..sealed_body_len(size));
                let sealed = sealed.ok_or(Violation::BodyMacMismatch)?;
                match macs.take() {
                    Some(mac) => session.check_body(sealed, &mac)?,
                    None => session.open_body(sealed)?,
                }
                self.start(Expected::Header);
                Ok(Some(Complete::Body(size)))
            }
            (_, None) => Err(Violation::HeaderMacMismatch),
        }
    }

    /// Expects this next, from the start of the frame buffer
    fn start(&mut self, expected: Expected) {
        self.expected = expected;
        self.filled = 0;
    }

    const fn check_size(&self, size: usize) -> Result<(), Violation> {
        match size {
            0 => Err(Violation::EmptyFrame),
            _ if size > self.body_limit => Err(Violation::FrameTooLarge { size }),
            _ => Ok(()),
        }
    }

    /// The complete packet, or the body that was opened
    pub(super) fn frame(&self, len: usize) -> &[u8] {
        must(self.arena.frame().get(..len), "what is complete is in the frame")
    }

    /// The complete packet, which is decrypted in place
    pub(super) fn packet_mut(&mut self, len: usize) -> &mut [u8] {
        must(self.arena.frame_mut().get_mut(..len), "what is complete is in the frame")
    }

    /// The payload at this part of the frame, as it came
    pub(super) fn payload(&self, part: Range<usize>) -> &[u8] {
        must(self.arena.frame().get(part), "the payload is in the frame")
    }

    /// The payload, to be handed out
    pub(super) fn hand_out(&mut self, place: Place, wire_len: usize) -> Payload<'_> {
        match place {
            Place::Frame { start, end } => self.arena.frame_payload(start..end, wire_len),
            Place::Message { len } => self.arena.message_payload(len, wire_len),
        }
    }

    /// Decompresses the payload at `start..end` of the frame; the payload claims to have `len` bytes
    pub(super) fn decompress(
        &mut self,
        Range { start, end }: Range<usize>,
        compression: Compression,
        len: usize,
    ) -> Result<Place, Violation> {
        if compression == Compression::None {
            return Ok(Place::Frame { start, end });
        }
        self.peak.message = self.peak.message.max(len);
        let (frame, message) = self.arena.frame_and_message(len);
        let block = must(frame.get(start..end), "the payload is in the frame");
        snappy::decompress(block, message).map_err(Violation::MalformedCompression)?;
        Ok(Place::Message { len })
    }

    /// Gives back all memory but that of a payload that is not delivered yet
    pub(super) fn release(&mut self, waiting: Option<Place>) {
        self.filled = 0;
        self.peak = Peak::default();
        self.trim(waiting);
    }

    /// Gives back memory that was not needed since the last call
    ///
    /// `waiting` is a payload that has not been handed out, and stays where it is.
    pub(super) fn trim(&mut self, waiting: Option<Place>) {
        let Peak { frame, message } = core::mem::take(&mut self.peak);
        let kept = match waiting {
            Some(Place::Frame { end, .. }) => (end, 0),
            Some(Place::Message { len }) => (0, len),
            None => (self.filled, 0),
        };
        self.arena.trim((frame, message), kept);
    }
}

/// Takes the bytes of a body that is not stored, and returns how many it took
fn drain(left: &mut usize, bytes: &[u8], session: &mut Session) -> usize {
    let len = bytes.len().min(*left);
    session.absorb(must(bytes.get(..len), "no more is taken than there is"));
    *left = left.saturating_sub(len);
    len
}

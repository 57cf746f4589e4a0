//! Putting the incoming stream together: packets, headers, bodies

use super::buffers::{Arena, max_body};
use crate::error::Violation;
use crate::p2p::message::MAX_BASE_PAYLOAD;
use crate::rlpx::ecies::{self, MIN_PREFIX};
use crate::rlpx::frame::{HEADER, Session, sealed_body_len};
use crate::wire::copy;

/// What the next bytes belong to
#[derive(Debug, Clone, Copy)]
enum Expected {
    /// The start of a handshake packet
    PacketPrefix,
    /// A handshake packet of this length
    Packet(usize),
    /// The header of a frame
    Header,
    /// The body of a frame, whose size the header told
    Body(usize),
}

impl Expected {
    /// How many bytes it takes from the start of the frame buffer
    const fn len(self) -> usize {
        match self {
            Self::PacketPrefix => MIN_PREFIX,
            Self::Packet(len) => len,
            Self::Header => HEADER,
            Self::Body(size) => sealed_body_len(size),
        }
    }
}

/// Bytes that have come, up to what they are expected to become
#[derive(Debug)]
pub(super) struct Ingress<'buf> {
    pub(super) arena: Arena<'buf>,
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

/// What is complete
pub(super) enum Complete {
    Packet(usize),
    Body(usize),
}

impl<'buf> Ingress<'buf> {
    pub(super) fn new(arena: Arena<'buf>) -> Self {
        Self { arena, expected: Expected::PacketPrefix, filled: 0, body_limit: 0, peak: Peak::default() }
    }

    /// Goes over to frames, of which the first is a Hello
    pub(super) fn expect_hello(&mut self) {
        self.expected = Expected::Header;
        self.body_limit = MAX_BASE_PAYLOAD.saturating_add(1);
    }

    /// Goes over to messages of up to `max_message` bytes
    pub(super) fn expect_messages(&mut self, max_message: usize) {
        self.arena.split(max_message);
        self.body_limit = max_body(max_message);
    }

    /// Takes bytes, at most to the end of a packet or frame; returns how many and what is complete
    pub(super) fn take(
        &mut self,
        mut bytes: &[u8],
        mut session: Option<&mut Session>,
    ) -> (usize, Result<Option<Complete>, Violation>) {
        let offered = bytes.len();
        loop {
            let taken = self.fill(bytes);
            bytes = bytes.get(taken..).unwrap_or_default();
            let used = offered.saturating_sub(bytes.len());
            if self.filled < self.expected.len() {
                return (used, Ok(None));
            }
            match self.advance(session.as_deref_mut()) {
                Ok(None) => {}
                result => return (used, result),
            }
        }
    }

    /// Copies what belongs to the expected piece, and returns how much that was
    fn fill(&mut self, bytes: &[u8]) -> usize {
        let whole = self.expected.len();
        let len = bytes.len().min(whole.saturating_sub(self.filled));
        let end = self.filled.saturating_add(len);
        let target = self.arena.grow_frame(end, whole).get_mut(self.filled..end).unwrap_or_default();
        let copied = copy(target, bytes);
        self.filled = self.filled.saturating_add(copied);
        self.peak.frame = self.peak.frame.max(self.filled);
        copied
    }

    /// Goes from a complete piece to the one after it
    fn advance(&mut self, session: Option<&mut Session>) -> Result<Option<Complete>, Violation> {
        match (self.expected, session) {
            (Expected::PacketPrefix, _) => {
                let prefix = self.arena.frame().first_chunk().ok_or(Violation::HandshakeTooShort)?;
                self.expected = Expected::Packet(ecies::packet_len(*prefix)?);
                Ok(None)
            }
            (Expected::Packet(len), _) => {
                self.start(Expected::PacketPrefix);
                Ok(Some(Complete::Packet(len)))
            }
            (Expected::Header, Some(session)) => {
                let header = self.arena.frame().first_chunk().ok_or(Violation::HeaderMacMismatch)?;
                let size = session.open_header(header)?;
                self.check_size(size)?;
                self.start(Expected::Body(size));
                Ok(None)
            }
            (Expected::Body(size), Some(session)) => {
                let sealed = self.arena.frame_mut().get_mut(..sealed_body_len(size));
                session.open_body(sealed.ok_or(Violation::BodyMacMismatch)?)?;
                self.start(Expected::Header);
                Ok(Some(Complete::Body(size)))
            }
            (_, None) => Err(Violation::HeaderMacMismatch),
        }
    }

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

    /// The frame, and room for its payload of `len` bytes
    pub(super) fn frame_and_message(&mut self, len: usize) -> (&[u8], &mut [u8]) {
        self.peak.message = self.peak.message.max(len);
        self.arena.frame_and_message(len)
    }

    /// Gives back memory that has not been needed since the last time
    pub(super) fn trim(&mut self) {
        let Peak { frame, message } = core::mem::take(&mut self.peak);
        self.arena.trim(frame, message, self.filled);
    }
}

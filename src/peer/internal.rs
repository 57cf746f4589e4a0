//! For this repository's own fuzzing and tests, with no promise of any kind
//!
//! Data that the public surface does not show, and the other end of a connection. This module is a part of `peer`,
//! since it needs private fields. Published packages do not contain it, so that nothing can build with `__internal`
//! there.
#![expect(missing_debug_implementations, reason = "most of what is here holds keys")]

use alloc::vec::Vec;

use super::PeerState;
use super::fuzzing::fixed_session;
pub use super::fuzzing::past_handshake;
use crate::invariant::must;
pub use crate::keccak::side_by_side;
use crate::node_id::NodeId;
use crate::rlpx::frame::{self, HEADER, Session, sealed_body_len};
use crate::rlpx::handshake::{Answer, Initiator, Recipient};
use crate::rlpx::{Entropy, MAX_SENT, SecretKey};
use crate::violation::Violation;

/// Sets the function that is called with every value that was computed from secrets and is known to the peer
///
/// Only the first function that is set is called.
pub fn on_disclosure(hook: fn(&mut [u8])) {
    _ = crate::disclosed::HOOK.set(hook);
}

/// How many bytes the growable buffers of a link occupy: receiving, and sending
pub fn memory(link: &PeerState<'_>) -> (usize, usize) {
    (link.ingress.allocated(), link.egress.allocated())
}

/// How a log line names the link with this remote
#[cfg(feature = "defmt")]
pub fn log_name(remote: Option<NodeId>) -> impl core::fmt::Display + defmt::Format {
    crate::logging::LinkName(remote)
}

/// Both directions of an encrypted connection, as one of its ends writes and reads frames
pub struct Frames(Session);

/// A frame that was opened
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// What it carries
    pub body: Vec<u8>,
    /// What follows the body up to the next multiple of 16 bytes
    pub padding: Vec<u8>,
    /// The length of the whole frame
    pub len: usize,
}

impl Frames {
    /// The other end of a link from [`past_handshake`]
    pub fn past_handshake() -> Self {
        Self(fixed_session())
    }

    /// A frame with this body
    pub fn seal(&mut self, body: &[u8]) -> Vec<u8> {
        let mut frame = alloc::vec![0; frame::frame_len(body.len())];
        crate::wire::copy(must(frame.get_mut(HEADER..), "a frame has a header"), body);
        self.0.seal(&mut frame, body.len());
        frame
    }

    /// Opens the frame at the start of `bytes`, `None` if it is not complete or not authentic
    pub fn open(&mut self, bytes: &[u8]) -> Option<Frame> {
        let (header, rest) = bytes.split_first_chunk()?;
        let size = self.0.open_header(header).ok()?;
        let mut body = rest.get(..sealed_body_len(size))?.to_vec();
        self.0.open_body(&mut body).ok()?;
        body.truncate(size.next_multiple_of(16));
        let padding = body.split_off(size);
        Some(Frame { body, padding, len: frame::frame_len(size) })
    }
}

/// A node that has dialled and waits for the ack
pub struct Dialled {
    handshake: Initiator,
    auth: Vec<u8>,
}

impl Dialled {
    /// `None` if `remote` is no public key, or if `entropy` is weak
    pub fn new(identity: &SecretKey, remote: NodeId, entropy: Entropy) -> Option<Self> {
        let handshake = Initiator::new(identity, remote, &entropy).ok()?;
        let mut auth = alloc::vec![0; MAX_SENT];
        let len = handshake.write_auth(&mut auth)?;
        auth.truncate(len);
        Some(Self { handshake, auth })
    }

    /// The packet that the other node has to answer
    pub fn auth(&self) -> &[u8] {
        &self.auth
    }

    /// Reads the answer
    ///
    /// # Errors
    /// The violation in the ack.
    pub fn finish(self, ack: &[u8]) -> Result<Frames, Violation> {
        let agreement = self.handshake.read_ack(&mut ack.to_vec())?;
        Ok(Frames(agreement.initiator_session(&self.auth, ack)))
    }
}

/// The answer of a node that was dialled
pub struct Answered {
    /// Who has dialled
    pub remote: NodeId,
    /// The packet to answer with
    pub ack: Vec<u8>,
    /// The frames that follow the ack
    pub frames: Frames,
}

impl Answered {
    /// Answers `auth`
    ///
    /// # Errors
    /// The violation in `auth`; `None` if `entropy` is weak.
    pub fn new(identity: &SecretKey, entropy: Entropy, auth: &[u8]) -> Result<Self, Option<Violation>> {
        let handshake = Recipient::new(identity, &entropy).map_err(|_| None)?;
        let mut ack = alloc::vec![0; MAX_SENT];
        let Answer { outcome, remote, len } =
            handshake.answer_auth(&mut auth.to_vec(), &mut ack).map_err(Violation::from)?;
        ack.truncate(len);
        let frames = Frames(outcome.recipient_session(auth, &ack));
        Ok(Self { remote, ack, frames })
    }
}

/// Snappy blocks, as a link reads and writes them
pub mod snappy {
    use crate::wire::snappy::{self, SnappyError};

    /// The length that a block of `size` bytes declares, after a check that its elements can decompress to so many bytes
    ///
    /// `start` is the block, or at least its first five bytes.
    ///
    /// # Errors
    /// `BadLength` and `TooShort`.
    pub fn decompressed_len(start: &[u8], size: usize) -> Result<usize, SnappyError> {
        snappy::decompressed_len(start, size)
    }

    /// Writes the data of a block to the start of `output`, and returns its length
    ///
    /// # Errors
    /// Any error.
    pub fn decompress(block: &[u8], output: &mut [u8]) -> Result<usize, SnappyError> {
        snappy::decompress(block, output)
    }

    /// Writes a block to the start of `output`, and returns its length
    ///
    /// # Errors
    /// `OutputTooSmall`.
    pub fn compress(input: &[u8], output: &mut [u8], table: &mut [u16]) -> Result<usize, SnappyError> {
        snappy::compress(input, output, table)
    }

    /// Writes a block that holds the bytes from `fill` uncompressed, and returns its length
    pub fn store(output: &mut [u8], max: usize, fill: impl FnOnce(&mut [u8]) -> usize) -> Option<usize> {
        snappy::store(output, max, fill)
    }
}

//! Text and ids in structs of C

use core::ffi::c_char;
use core::fmt;

use devp2p_proto::{Capability, NodeId};

use crate::sizes::{DEVP2P_ID_SIZE, DEVP2P_NAME_SIZE};

/// The id of a node: its public key
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Id {
    /// The two coordinates, big-endian
    pub bytes: [u8; DEVP2P_ID_SIZE],
}

impl From<NodeId> for Id {
    fn from(id: NodeId) -> Self {
        Self { bytes: *id.as_bytes() }
    }
}

impl From<&Id> for NodeId {
    fn from(id: &Id) -> Self {
        Self::new(id.bytes)
    }
}

/// A protocol by name and version
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct CapabilityText {
    /// Its name, with a zero at its end
    pub name: [c_char; DEVP2P_NAME_SIZE],
    /// Its version
    pub version: u64,
}

impl CapabilityText {
    /// No protocol
    pub(crate) const NONE: Self = Self { name: [0; DEVP2P_NAME_SIZE], version: 0 };
}

impl From<Capability> for CapabilityText {
    fn from(capability: Capability) -> Self {
        Self { name: text(capability.name.as_str()), version: capability.version }
    }
}

/// As much of the text as fits, and a zero at its end
pub(crate) fn text<const N: usize>(text: &str) -> [c_char; N] {
    let mut out = [0; N];
    let room = N.saturating_sub(1);
    for (to, from) in out.iter_mut().take(room).zip(text.bytes()) {
        *to = from as c_char;
    }
    out
}

/// The bytes of a text up to its zero
pub(crate) struct Bytes<const N: usize> {
    bytes: [u8; N],
    len: Option<usize>,
}

impl<const N: usize> Bytes<N> {
    pub(crate) fn new(text: &[c_char; N]) -> Self {
        Self { bytes: text.map(|byte| byte as u8), len: text.iter().position(|byte| *byte == 0) }
    }

    /// The text, `None` if it has no end or is not UTF-8
    pub(crate) fn as_str(&self) -> Option<&str> {
        core::str::from_utf8(self.bytes.get(..self.len?)?).ok()
    }
}

/// Writes text into memory with a fixed size, and counts what there would be to write
pub(crate) struct Sink<'a> {
    room: &'a mut [u8],
    len: usize,
}

impl<'a> Sink<'a> {
    pub(crate) const fn new(room: &'a mut [u8]) -> Self {
        Self { room, len: 0 }
    }

    /// Bytes of the whole text
    pub(crate) const fn len(&self) -> usize {
        self.len
    }
}

impl fmt::Write for Sink<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = self.room.get_mut(self.len..).unwrap_or_default();
        for (to, from) in room.iter_mut().zip(text.bytes()) {
            *to = from;
        }
        self.len = self.len.saturating_add(text.len());
        Ok(())
    }
}

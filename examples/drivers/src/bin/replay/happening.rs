//! What can happen on a link, as a person sees it

use std::borrow::Cow;
use std::io;
use std::time::Duration;

use devp2p_proto::ProtocolId;

use crate::rerun::Rerun;

/// One thing that happened on a link
pub struct Happening<'a> {
    /// Since the link was made
    pub at: Duration,
    pub side: Side,
    pub kind: Kind,
    pub layer: Layer,
    pub name: Cow<'static, str>,
    /// The code of a message, relative to its protocol
    pub code: Option<u64>,
    /// Bytes on the wire
    pub wire: Option<u64>,
    /// Bytes of the payload, decrypted and decompressed, where this is known
    pub size: Option<u64>,
    pub detail: String,
    /// The payload of a message of a protocol; it may be secret
    pub payload: Option<&'a [u8]>,
}

impl Happening<'static> {
    /// With no code, sizes, detail or payload
    pub fn new(at: Duration, side: Side, kind: Kind, layer: Layer, name: impl Into<Cow<'static, str>>) -> Self {
        Self {
            at,
            side,
            kind,
            layer,
            name: name.into(),
            code: None,
            wire: None,
            size: None,
            detail: String::new(),
            payload: None,
        }
    }
}

/// Who has caused it
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// From this node to the peer
    Sent,
    /// From the peer to this node
    Received,
    /// Within this node
    Here,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A packet of the encryption handshake
    Handshake,
    /// A message in a frame
    Message,
    /// A message that was larger than its limit, and was dropped
    Skipped,
    /// A frame that has changed nothing
    Ignored,
    /// A call of the driver that the link refused
    Refused,
    /// Bytes of the peer that ended the link
    Violation,
    /// Another stage of the link, or the end
    State,
    /// A timer went off
    Timer,
    /// What the driver did, or was told
    Driver,
}

impl Kind {
    /// In the order of the variants
    pub const NAMES: [&str; 9] =
        ["handshake", "message", "skipped", "ignored", "refused", "violation", "state", "timer", "driver"];
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layer {
    /// The link as a whole
    Link,
    /// The encryption handshake
    Rlpx,
    /// The base protocol
    Base,
    Protocol(ProtocolId),
}

impl Layer {
    /// The names of the layers below the protocols, in the order of the variants
    pub const NAMES: [&str; 3] = ["link", "rlpx", "p2p"];

    /// Its position in a list of the layers below the protocols, and then the protocols
    pub const fn index(self) -> usize {
        match self {
            Self::Link => 0,
            Self::Rlpx => 1,
            Self::Base => 2,
            Self::Protocol(ProtocolId(id)) => Self::NAMES.len() + id,
        }
    }
}

/// The files that show what happened, with their names
pub type Views = Vec<(String, Box<dyn View>)>;

/// A file that shows what happened
pub trait View {
    /// Shows something; `number` counts what is shown, from 0 on
    fn show(&mut self, number: usize, happening: &Happening<'_>);

    /// Notes when something that was shown came to its end
    ///
    /// What was sealed has left, what was received was handed out, what was refused was taken.
    fn complete(&mut self, number: usize, at: Duration);

    /// Writes what is not written yet
    ///
    /// # Errors
    /// The first failure to write, now or before.
    fn finish(self: Box<Self>, rerun: &Rerun<'_>) -> io::Result<()>;
}

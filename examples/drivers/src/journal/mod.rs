//! The journal of a link: what made it, then all that happened to it and all that came out of it
//!
//! A link has no other input than its constructor's arguments and its events, so the journal is enough to
//! run it again, down to the last byte. `replay` does that.
//!
//! # Format
//!
//! The line `devp2p journal 2`, then RLP items, one after the other:
//!
//! ```text
//! setup    [remote, key, client-id, listen-port, [[name, version, length, max-message], …],
//!           [handshake, ping, pong, read, write, linger], slowest-rate, max-message, send-window,
//!           entropy, [receive, transmit, table], now]
//!              remote is empty for a recipient; the three lengths are missing where buffers grow;
//!              timeouts and now are nanoseconds, 2^64 - 1 for never
//! event    [0, now, kind, …, outcome]
//!              all that came of it, in words
//! polled   [1, text] or [1, text, length, Keccak-256]
//!              what poll returned: in words, and what bytes came with it
//! end      [2]
//!              a journal without it is truncated
//! ```
//!
//! The kinds of events are those of `devp2p_proto::Event`, numbered in `write.rs`.
//!
//! **A journal holds secrets**: the node's key, the randomness that the keys of the link are made of, and
//! every message that was sent, in plain text. The file is created unreadable to others.

mod read;
mod setup;
mod write;

use std::fmt;

use devp2p_proto::rlp::{Reader, RlpError};
use devp2p_proto::{Action, Handled, Ready, Refused, keccak256};

pub use read::{Damage, Entry, Player};
pub use setup::{Memory, Offer, Setup, SetupError};
pub use write::Journal;

const MAGIC: &[u8] = b"devp2p journal 2\n";

const EVENT: u8 = 0;
const POLLED: u8 = 1;
const END: u8 = 2;

/// What became of an event: all that the link returned, in words
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome(String);

impl Outcome {
    pub fn new(result: &Result<Handled, Refused>) -> Self {
        Self(match result {
            Ok(Handled::Done) => "done".to_string(),
            Ok(Handled::Received(len)) => format!("{len} bytes taken"),
            Ok(Handled::Written(event)) => format!("{} bytes written as {}", event.size, event.wire_size),
            Ok(other) => format!("{other:?}"),
            Err(refused) => format!("refused: {refused}"),
        })
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What `poll` returned, so that it can be compared without keeping the bytes
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Polled {
    text: String,
    bytes: Option<(u64, [u8; 32])>,
}

impl Polled {
    pub fn new(action: Option<&Action<'_>>) -> Self {
        let (text, bytes): (String, Option<&[u8]>) = match action {
            None => ("nothing to do".into(), None),
            Some(Action::IdentityClaimed(id)) => (format!("IdentityClaimed {id}"), None),
            Some(Action::Ready(ready)) => (format!("Ready: {}, {}", ready.hello().client_id(), sharing(ready)), None),
            Some(Action::Deliver { protocol, code, payload }) => {
                (format!("Deliver {protocol} code {code}"), Some(payload))
            }
            Some(Action::Skipped { protocol, code, size, wire_len }) => {
                (format!("Skipped {protocol} code {code}, {wire_len} bytes on the wire that claim {size}"), None)
            }
            Some(Action::Writable(protocol)) => (format!("Writable {protocol}"), None),
            Some(Action::Send(bytes)) => ("Send".into(), Some(bytes)),
            Some(Action::Disconnect(cause)) => (format!("Disconnect: {cause}"), None),
            Some(other) => (format!("{other:?}"), None),
        };
        Self { text, bytes: bytes.map(|bytes| (bytes.len() as u64, keccak256(bytes))) }
    }

    /// How many bytes came with it
    pub fn size(&self) -> u64 {
        self.bytes.map_or(0, |(len, _)| len)
    }

    pub fn is_delivery(&self) -> bool {
        self.text.starts_with("Deliver")
    }

    pub fn is_nothing(&self) -> bool {
        *self == Self::new(None)
    }
}

impl fmt::Display for Polled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)?;
        match self.bytes {
            Some((len, [a, b, c, d, ..])) => write!(f, ", {len} bytes with hash {a:02x}{b:02x}{c:02x}{d:02x}…"),
            None => Ok(()),
        }
    }
}

/// The shared protocols of a link that is ready, and where their message ids begin
pub fn sharing(ready: &Ready<'_>) -> String {
    let shared = ready.shared().map(|shared| format!(" {} at {:#x}", shared.capability, shared.offset));
    format!("sharing{}", shared.collect::<String>())
}

fn text(list: &mut Reader<'_>) -> Result<String, RlpError> {
    Ok(String::from_utf8_lossy(list.bytes()?).into_owned())
}

fn small<T: TryFrom<u64>>(list: &mut Reader<'_>) -> Result<T, RlpError> {
    T::try_from(list.uint()?).map_err(|_| RlpError::IntegerTooLarge)
}

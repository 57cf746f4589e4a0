//! What protocols say, and what they make of what they hear

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use devp2p_proto::ProtocolError;

/// A message of a protocol, whichever way it goes
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub code: u64,
    pub payload: Bytes,
}

/// Numbered messages, each different from its neighbours
#[derive(Clone)]
pub struct Items {
    size: usize,
    /// How many codes there are to choose from
    codes: u64,
    noise: Arc<[u8]>,
}

impl Items {
    pub fn new(size: usize) -> Self {
        let mut state = 0x2545_f491_u32;
        let next = || {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            state as u8
        };
        Self { size, codes: 0, noise: std::iter::repeat_with(next).take(size + 256).collect() }
    }

    pub fn with_codes(&self, codes: u64) -> Self {
        Self { codes, ..self.clone() }
    }

    fn code(&self, number: u64) -> u64 {
        number.checked_rem(self.codes).unwrap_or_default()
    }

    /// What follows the number
    fn body(&self, number: u64) -> &[u8] {
        &self.noise[number as usize % 256..][..self.size - 8]
    }

    fn get(&self, number: u64) -> Message {
        let payload = [&number.to_le_bytes(), self.body(number)].concat();
        Message { code: self.code(number), payload: Bytes::from(payload) }
    }

    fn is(&self, number: u64, message: &Message) -> bool {
        let parts = message.payload.split_at_checked(8);
        message.code == self.code(number) && parts == Some((&number.to_le_bytes(), self.body(number)))
    }
}

/// The messages of our own
pub struct Speech {
    items: Items,
    said: u64,
    count: u64,
}

impl Speech {
    pub const fn new(items: Items, count: u64) -> Self {
        Self { items, said: 0, count }
    }
}

impl Iterator for Speech {
    type Item = Message;

    fn next(&mut self) -> Option<Message> {
        let number = (self.said < self.count).then_some(self.said)?;
        self.said += 1;
        Some(self.items.get(number))
    }
}

/// What is to come from the peer
pub struct Hearing {
    items: Items,
    heard: u64,
    expected: Expected,
}

pub enum Expected {
    /// Anything, to be sent back
    Anything,
    /// As many numbered messages, in their order
    Items(u64),
}

impl Hearing {
    pub const fn new(items: Items, expected: Expected) -> Self {
        Self { items, heard: 0, expected }
    }

    /// Whether every message is answered
    pub const fn echoes(&self) -> bool {
        matches!(self.expected, Expected::Anything)
    }

    /// Takes a message, and returns what it is answered with
    pub fn hear(&mut self, message: Message) -> Result<Option<Message>, ProtocolError> {
        let answer = match self.expected {
            Expected::Anything => Some(message),
            Expected::Items(count) if self.heard < count && self.items.is(self.heard, &message) => None,
            Expected::Items(_) => return Err(ProtocolError::BadMessage),
        };
        self.heard += 1;
        Ok(answer)
    }

    pub const fn is_complete(&self) -> bool {
        match self.expected {
            Expected::Anything => true,
            Expected::Items(count) => self.heard == count,
        }
    }
}

/// What became of all protocols of a link
#[derive(Debug, Clone, Copy, Default)]
pub struct Summary {
    pub sent: u64,
    pub heard: u64,
    /// Whether at least one protocol ran, and each said and heard all it should
    pub complete: bool,
    protocols: usize,
}

impl Summary {
    pub fn add(&mut self, speech: &Speech, hearing: &Hearing) {
        let complete = speech.said == speech.count && hearing.is_complete();
        self.sent += speech.said;
        self.heard += hearing.heard;
        self.complete = complete && (self.complete || self.protocols == 0);
        self.protocols += 1;
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = if self.complete { "complete" } else { "incomplete" };
        write!(f, "sent {}, heard {}, {verdict}", self.sent, self.heard)
    }
}

//! What is sent, by kind of message

use std::ops::AddAssign;

use devp2p_proto::{Action, Event, Handled, Instant, Link, MessageEvent, PeerState, Refused};

use crate::message::CODES;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    pub messages: u64,
    /// As on the wire
    pub bytes: u64,
}

/// What one node or all nodes have sent
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Traffic {
    pub by_code: [Count; CODES],
    /// All bytes, those of handshakes and Pings included
    pub bytes: u64,
}

impl Traffic {
    fn count(&mut self, message: &MessageEvent) {
        if let Some(count) = usize::try_from(message.code).ok().and_then(|code| self.by_code.get_mut(code)) {
            count.messages += 1;
            count.bytes += message.wire_size as u64;
        }
    }

    /// Bytes that belong to no message of the gossip protocol
    ///
    /// A message that was sealed, and had not left when its link ended, is counted as a message only.
    pub fn other_bytes(&self) -> u64 {
        self.bytes.saturating_sub(self.by_code.iter().map(|count| count.bytes).sum())
    }
}

impl AddAssign<&Self> for Traffic {
    fn add_assign(&mut self, other: &Self) {
        self.bytes += other.bytes;
        for (count, other) in self.by_code.iter_mut().zip(&other.by_code) {
            count.messages += other.messages;
            count.bytes += other.bytes;
        }
    }
}

/// A link that counts what is written
pub struct Counted {
    pub link: PeerState<'static>,
    pub sent: Traffic,
}

impl Link for Counted {
    fn handle(&mut self, now: Instant, event: Event<'_>) -> Result<Handled, Refused> {
        let handled = self.link.handle(now, event)?;
        if let Handled::Written(message) = &handled {
            self.sent.count(message);
        }
        Ok(handled)
    }

    fn poll(&mut self) -> Option<Action<'_>> {
        self.link.poll()
    }

    fn state(&self) -> &PeerState<'static> {
        &self.link
    }
}

//! What one protocol has to write, and its place in line for that

use devp2p_proto::{Instant, ProtocolError, ProtocolId, WriteError};

use crate::app::Message;
use crate::link::Link;

pub struct Outbox {
    protocol: ProtocolId,
    /// What is to be written next
    next: Option<Message>,
    /// It was refused, and `Writable` has not come yet
    full: bool,
}

impl Outbox {
    pub const fn new(protocol: ProtocolId) -> Self {
        Self { protocol, next: None, full: false }
    }

    pub const fn protocol(&self) -> ProtocolId {
        self.protocol
    }

    /// Whether nothing waits to be written
    pub const fn is_empty(&self) -> bool {
        self.next.is_none()
    }

    /// Has a message written next
    pub fn put(&mut self, message: Message) {
        self.next = Some(message);
    }

    /// Notes that the link has room again
    pub const fn note_writable(&mut self) {
        self.full = false;
    }

    /// Gives the link what waits and what there is `more` of, as much as it takes
    ///
    /// A message that the link will never take is dropped, and is the protocol's failure.
    pub fn write(
        &mut self,
        now: Instant,
        link: &mut Link,
        mut more: impl FnMut() -> Option<Message>,
    ) -> Result<(), ProtocolError> {
        while !self.full {
            self.next = self.next.take().or_else(&mut more);
            let Some(Message { code, payload }) = &self.next else {
                break;
            };
            match link.write(now, self.protocol, *code, payload) {
                Ok(_) => self.next = None,
                Err(WriteError::Full) => self.full = true,
                // Whoever runs the link comes to know of it there.
                Err(WriteError::Closed) => break,
                // Nothing but a mistake of the protocol's is left.
                Err(_) => {
                    self.next = None;
                    return Err(ProtocolError::Other);
                }
            }
        }
        Ok(())
    }
}

//! Messages on their way into the link
//!
//! The link takes a message at once or refuses it as `Full`. What was refused waits here, in order, until the
//! link says `Writable`. The box is small: what this node asks for by itself always fits, so only a peer that
//! asks and does not take the answers can fill it.

use std::collections::VecDeque;

use devp2p_drivers::link::Link;
use devp2p_proto::{Instant, ProtocolId, WriteError};
use rlp::Encodable;

use crate::failure::Failure;

const CAPACITY: usize = 64;

#[derive(Default)]
pub struct Outbox(VecDeque<Outgoing>);

struct Outgoing {
    protocol: ProtocolId,
    code: u64,
    message: Box<dyn Encodable>,
}

impl Outbox {
    /// The box as one protocol sees it
    pub const fn port(&mut self, protocol: ProtocolId) -> Port<'_> {
        Port { outbox: self, protocol }
    }

    /// Hands over what the link takes
    pub fn flush(&mut self, link: &mut Link, now: Instant) {
        while let Some(Outgoing { protocol, code, message }) = self.0.front() {
            match link.write_rlp(now, *protocol, *code, message) {
                Err(WriteError::Full) => return,
                // What is refused for good, on a link that has ended, nobody waits for.
                Ok(_) | Err(_) => self.0.pop_front(),
            };
        }
    }
}

pub struct Port<'a> {
    outbox: &'a mut Outbox,
    protocol: ProtocolId,
}

impl Port<'_> {
    pub fn send(&mut self, code: u64, message: impl Encodable + 'static) -> Result<(), Failure> {
        if self.outbox.0.len() == CAPACITY {
            return Err(Failure::Breach(format!("{CAPACITY} answers wait for it, and it asks for more")));
        }
        self.outbox.0.push_back(Outgoing { protocol: self.protocol, code, message: Box::new(message) });
        Ok(())
    }
}

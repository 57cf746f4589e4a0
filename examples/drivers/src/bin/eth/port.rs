//! How a protocol sends

use devp2p_drivers::eth::serve::HARD_LIMIT;
use devp2p_drivers::link::RecordedLink;
use devp2p_proto::{Instant, Outbox, ProtocolId, WriteError};
use rlp::Encodable;

use crate::failure::Failure;

/// Bytes that may wait for a peer that does not read
///
/// The largest answer fits, however full the link is. The requests of this node are small, so only a peer that
/// sends requests and does not read the answers can exceed this limit.
const LIMIT: usize = HARD_LIMIT + Outbox::OVERHEAD;

pub const fn outbox(protocol: ProtocolId) -> Outbox {
    Outbox::new(protocol, LIMIT)
}

pub struct Port<'a> {
    pub link: &'a mut RecordedLink,
    pub now: Instant,
    pub outbox: &'a mut Outbox,
}

impl Port<'_> {
    pub fn send(&mut self, code: u64, message: impl Encodable) -> Result<(), Failure> {
        self.send_encoded(code, &rlp::encode(&message))
    }

    pub fn send_encoded(&mut self, code: u64, payload: &[u8]) -> Result<(), Failure> {
        let Self { link, now, outbox } = self;
        let outcome = outbox.send(code, payload, |protocol, code, payload| link.write(*now, protocol, code, payload));
        match outcome {
            Err(WriteError::Full) => {
                Err(Failure::Breach(format!("the node asks for more while {} bytes of answers wait", outbox.bytes())))
            }
            // On a link that has ended, the message has no use.
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Sends what waits, as far as the link takes it
    pub fn flush(&mut self) {
        let Self { link, now, outbox } = self;
        // On a link that has ended, the messages have no use.
        let _ = outbox.flush(|protocol, code, payload| link.write(*now, protocol, code, payload));
    }
}

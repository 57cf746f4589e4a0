//! Messages that the link has refused and that wait to be written

use alloc::collections::VecDeque;
use core::fmt;

use bytes::Bytes;

use crate::error::WriteError;
use crate::protocol::ProtocolId;

/// The messages of one protocol that wait until the link takes them, bounded in bytes
///
/// A driver keeps one for each protocol, writes through [`send`](Self::send), and calls
/// [`flush`](Self::flush) when [`Action::Writable`](crate::Action::Writable) comes for the protocol.
/// Messages leave in the order in which they were sent. Both methods write by a closure, so that a
/// driver may wrap its link. Prints sizes only.
///
/// ```
/// use devp2p_proto::{Instant, Outbox, PeerState, ProtocolId, WriteError};
///
/// struct Chat<'buf> {
///     link: PeerState<'buf>,
///     outbox: Outbox, // Outbox::new(ProtocolId(0), 1 << 20)
/// }
///
/// impl Chat<'_> {
///     fn say(&mut self, now: Instant, text: &str) -> Result<(), WriteError> {
///         let Self { link, outbox } = self;
///         outbox.send(0, text.as_bytes(), |protocol, code, payload| {
///             link.write(now, protocol, code, payload)
///         })
///     }
///
///     fn writable(&mut self, now: Instant) -> Result<(), WriteError> {
///         let Self { link, outbox } = self;
///         outbox.flush(|protocol, code, payload| link.write(now, protocol, code, payload))
///     }
/// }
/// ```
#[derive(Clone)]
pub struct Outbox {
    protocol: ProtocolId,
    waiting: VecDeque<(u64, Bytes)>,
    bytes: usize,
    limit: usize,
}

impl Outbox {
    /// An outbox for a protocol; its waiting messages take at most `limit` bytes together
    ///
    /// A message takes its payload and [`Outbox::OVERHEAD`] bytes.
    pub const fn new(protocol: ProtocolId, limit: usize) -> Self {
        Self { protocol, waiting: VecDeque::new(), bytes: 0, limit }
    }

    /// What a waiting message takes besides its payload, so that empty messages are bounded too
    pub const OVERHEAD: usize = 64;

    /// Writes a message, or keeps it if the link refuses it as `Full` or other messages wait before it
    ///
    /// # Errors
    /// `Full` if the message has to wait and exceeds the rest of the limit; the message is not kept then, and
    /// nothing changes. Otherwise the error of `write`, other than `Full`. A message that has to wait is not
    /// checked by the link until [`flush`](Self::flush) writes it.
    pub fn send<T>(
        &mut self,
        code: u64,
        payload: &[u8],
        write: impl FnOnce(ProtocolId, u64, &[u8]) -> Result<T, WriteError>,
    ) -> Result<(), WriteError> {
        if self.waiting.is_empty() {
            match write(self.protocol, code, payload) {
                Ok(_) => return Ok(()),
                Err(WriteError::Full) => {}
                Err(error) => return Err(error),
            }
        }
        let bytes = self.bytes.saturating_add(cost(payload));
        if bytes > self.limit {
            return Err(WriteError::Full);
        }
        self.bytes = bytes;
        self.waiting.push_back((code, Bytes::copy_from_slice(payload)));
        Ok(())
    }

    /// Writes the waiting messages, as many as the link takes
    ///
    /// # Errors
    /// The first error of `write` other than `Full`. The message that led to it is dropped, and the others are
    /// written all the same. After `Closed` all messages are kept.
    pub fn flush<T>(
        &mut self,
        mut write: impl FnMut(ProtocolId, u64, &[u8]) -> Result<T, WriteError>,
    ) -> Result<(), WriteError> {
        let mut outcome = Ok(());
        while let Some((code, payload)) = self.waiting.front() {
            match write(self.protocol, *code, payload) {
                Ok(_) => {}
                Err(WriteError::Full) => break,
                Err(WriteError::Closed) => return outcome.and(Err(WriteError::Closed)),
                Err(error) => outcome = outcome.and(Err(error)),
            }
            self.bytes = self.bytes.saturating_sub(cost(payload));
            self.waiting.pop_front();
        }
        outcome
    }

    /// The protocol whose messages these are
    pub const fn protocol(&self) -> ProtocolId {
        self.protocol
    }

    /// Whether no message waits
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// How many bytes the waiting messages take
    pub const fn bytes(&self) -> usize {
        self.bytes
    }
}

impl fmt::Debug for Outbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (messages, bytes, limit) = (self.waiting.len(), self.bytes, self.limit);
        write!(f, "Outbox({:?}: {messages} messages, {bytes} of {limit} bytes)", self.protocol)
    }
}

/// How many bytes a waiting message counts
fn cost(payload: &[u8]) -> usize {
    payload.len().saturating_add(Outbox::OVERHEAD)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    const PROTOCOL: ProtocolId = ProtocolId(3);

    /// A link that takes `room` messages
    #[derive(Default)]
    struct Link {
        room: usize,
        taken: Vec<Vec<u8>>,
    }

    impl Link {
        fn write(&mut self, protocol: ProtocolId, code: u64, payload: &[u8]) -> Result<(), WriteError> {
            assert_eq!(protocol, PROTOCOL);
            if code != 0 {
                return Err(WriteError::InvalidCode);
            }
            self.room = self.room.checked_sub(1).ok_or(WriteError::Full)?;
            self.taken.push(payload.to_vec());
            Ok(())
        }
    }

    #[test]
    fn messages_leave_in_order_and_the_bound_holds() {
        let mut outbox = Outbox::new(PROTOCOL, 5 + 2 * Outbox::OVERHEAD);
        let mut link = Link { room: 1, ..Link::default() };
        for (payload, outcome) in
            [(&b"a"[..], Ok(())), (b"bb", Ok(())), (b"ccc", Ok(())), (b"d", Err(WriteError::Full))]
        {
            assert_eq!(outbox.send(0, payload, |p, c, b| link.write(p, c, b)), outcome);
        }
        assert_eq!(outbox.bytes(), 5 + 2 * Outbox::OVERHEAD);
        link.room = 1;
        outbox.flush(|p, c, b| link.write(p, c, b)).unwrap();
        assert_eq!(outbox.bytes(), 3 + Outbox::OVERHEAD);
        link.room = 9;
        outbox.send(0, b"e", |p, c, b| link.write(p, c, b)).unwrap();
        assert_eq!(outbox.bytes(), 4 + 2 * Outbox::OVERHEAD, "it goes behind what waits");
        outbox.flush(|p, c, b| link.write(p, c, b)).unwrap();
        assert!(outbox.is_empty());
        assert_eq!(link.taken, [&b"a"[..], b"bb", b"ccc", b"e"]);
    }

    #[test]
    fn a_message_that_is_never_taken_is_dropped_and_reported_once() {
        let mut outbox = Outbox::new(PROTOCOL, 1_000);
        let mut link = Link::default();
        for code in [0, 1, 0] {
            outbox.send(code, b"x", |p, c, b| link.write(p, c, b)).unwrap();
        }
        link.room = 9;
        assert_eq!(outbox.flush(|p, c, b| link.write(p, c, b)), Err(WriteError::InvalidCode));
        assert_eq!(link.taken.len(), 2, "and the message behind it is written");
        assert_eq!(outbox.flush(|p, c, b| link.write(p, c, b)), Ok(()));
        assert_eq!(outbox.flush(|_, _, _| Err::<(), _>(WriteError::Closed)), Ok(()), "nothing waits");
    }

    #[test]
    fn a_message_that_the_link_refuses_for_good_is_not_kept() {
        let mut outbox = Outbox::new(PROTOCOL, 1_000);
        let mut link = Link { room: 9, ..Link::default() };
        assert_eq!(outbox.send(1, b"x", |p, c, b| link.write(p, c, b)), Err(WriteError::InvalidCode));
        assert!(outbox.is_empty());
    }

    #[test]
    fn what_waits_at_the_end_of_the_link_is_kept() {
        let mut outbox = Outbox::new(PROTOCOL, 1_000);
        let mut link = Link::default();
        for code in [0, 1, 0] {
            outbox.send(code, b"x", |p, c, b| link.write(p, c, b)).unwrap();
        }
        assert_eq!(outbox.flush(|_, _, _| Err::<(), _>(WriteError::Closed)), Err(WriteError::Closed));
        assert_eq!(outbox.bytes(), 3 * (1 + Outbox::OVERHEAD));
        link.room = 1;
        let ends = |p, c, b: &[u8]| {
            link.write(p, c, b).map_err(|error| match error {
                WriteError::Full => WriteError::Closed,
                other => other,
            })
        };
        assert_eq!(outbox.flush(ends), Err(WriteError::InvalidCode), "the first error");
        assert_eq!((outbox.bytes(), outbox.protocol()), (1 + Outbox::OVERHEAD, PROTOCOL));
    }
}

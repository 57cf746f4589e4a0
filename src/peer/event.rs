//! What goes into a link, by value

use core::fmt;

use super::PeerState;
use super::action::MessageEvent;
use crate::cause::ProtocolError;
use crate::error::Refused;
use crate::protocol::ProtocolId;
use crate::reason::DisconnectReason;
use crate::time::Instant;

/// What can happen to a link, as a value: for recordings, fuzzers and queues
///
/// Each variant stands for the method of [`PeerState`] of the same name, whose documentation says more.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Event<'a> {
    /// [`receive`](PeerState::receive)
    Receive(&'a [u8]),
    /// [`receive_closed`](PeerState::receive_closed)
    ReceiveClosed,
    /// [`hold_input`](PeerState::hold_input)
    HoldInput(bool),
    /// [`handle_timeout`](PeerState::handle_timeout)
    Timeout,
    /// [`write`](PeerState::write)
    Write {
        /// The protocol that writes
        protocol: ProtocolId,
        /// The message code, relative to the protocol
        code: u64,
        /// The payload
        payload: &'a [u8],
    },
    /// [`ping`](PeerState::ping)
    Ping,
    /// [`sent`](PeerState::sent)
    Sent(usize),
    /// [`send_failed`](PeerState::send_failed)
    SendFailed,
    /// [`protocol_returned`](PeerState::protocol_returned)
    ProtocolReturned(ProtocolId, Result<(), ProtocolError>),
    /// [`disconnect`](PeerState::disconnect)
    Disconnect(DisconnectReason),
}

/// The result of an [`Event`]: everything that its method returns
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Handled {
    /// The method returns nothing
    Done,
    /// How many bytes [`Event::Receive`] took
    Received(usize),
    /// The message that [`Event::Write`] sealed
    Written(MessageEvent),
}

/// # Events by value
impl PeerState<'_> {
    /// Feeds any event by value
    ///
    /// Calls the method of the event and returns its result, so that a recorder has to wrap only this
    /// method.
    ///
    /// # Errors
    /// As for the method of the event. Nothing changes then.
    pub fn handle(&mut self, now: Instant, event: Event<'_>) -> Result<Handled, Refused> {
        match event {
            Event::Receive(bytes) => return Ok(Handled::Received(self.receive(now, bytes))),
            Event::ReceiveClosed => self.receive_closed(now),
            Event::HoldInput(held) => self.hold_input(now, held),
            Event::Timeout => self.handle_timeout(now),
            Event::Write { protocol, code, payload } => {
                return Ok(Handled::Written(self.write(now, protocol, code, payload)?));
            }
            Event::Ping => self.ping(now)?,
            Event::Sent(len) => self.sent(now, len)?,
            Event::SendFailed => self.send_failed(now),
            Event::ProtocolReturned(protocol, outcome) => self.protocol_returned(now, protocol, outcome)?,
            Event::Disconnect(reason) => self.disconnect(now, reason),
        }
        Ok(Handled::Done)
    }
}

impl fmt::Debug for Event<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Receive(bytes) => write!(f, "Receive({} bytes)", bytes.len()),
            Self::ReceiveClosed => f.write_str("ReceiveClosed"),
            Self::HoldInput(held) => write!(f, "HoldInput({held})"),
            Self::Timeout => f.write_str("Timeout"),
            Self::Write { protocol, code, payload } => {
                write!(f, "Write({protocol}, code {code}, {} bytes)", payload.len())
            }
            Self::Ping => f.write_str("Ping"),
            Self::Sent(len) => write!(f, "Sent({len})"),
            Self::SendFailed => f.write_str("SendFailed"),
            Self::ProtocolReturned(protocol, outcome) => write!(f, "ProtocolReturned({protocol}, {outcome:?})"),
            Self::Disconnect(reason) => write!(f, "Disconnect({reason:?})"),
        }
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Event<'_> {
    fn format(&self, f: defmt::Formatter<'_>) {
        match self {
            Self::Receive(bytes) => defmt::write!(f, "Receive({} bytes)", bytes.len()),
            Self::ReceiveClosed => defmt::write!(f, "ReceiveClosed"),
            Self::HoldInput(held) => defmt::write!(f, "HoldInput({})", held),
            Self::Timeout => defmt::write!(f, "Timeout"),
            Self::Write { protocol, code, payload } => {
                defmt::write!(f, "Write({}, code {}, {} bytes)", protocol, code, payload.len());
            }
            Self::Ping => defmt::write!(f, "Ping"),
            Self::Sent(len) => defmt::write!(f, "Sent({})", len),
            Self::SendFailed => defmt::write!(f, "SendFailed"),
            Self::ProtocolReturned(protocol, outcome) => {
                defmt::write!(f, "ProtocolReturned({}, {})", protocol, outcome);
            }
            Self::Disconnect(reason) => defmt::write!(f, "Disconnect({})", reason),
        }
    }
}

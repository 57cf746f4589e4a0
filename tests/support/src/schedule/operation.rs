//! What can happen to a pair

use std::time::Duration;

use devp2p_proto::ProtocolError;

/// One of the two nodes
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The node that has dialled
    Initiator,
    /// The node that was dialled
    Recipient,
}

/// One thing that happens
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// One turn of each driver's loop
    Step,
    /// Turns until neither driver has anything to do
    Settle,
    /// A protocol writes a message
    Write {
        /// The node that writes
        side: Side,
        /// The position of the protocol in the configuration
        protocol: usize,
        /// The message code
        code: u64,
        /// The length of the payload
        len: usize,
    },
    /// This side sends a Ping
    Ping(Side),
    /// Time passes
    Advance(Duration),
    /// The clock jumps back by this much, until time passes
    ClockBack(Duration),
    /// This side stops reading, or reads again
    Hold(Side, bool),
    /// How many bytes the pipe from this side holds; 0 stalls it, and a small number makes partial writes
    Capacity(Side, usize),
    /// The largest number of bytes that this side reads at once
    MaxRead(Side, usize),
    /// This side disconnects, with the reason of this code
    Disconnect(Side, u64),
    /// A protocol of this side returns
    ProtocolReturned(Side, usize, Result<(), ProtocolError>),
    /// This side reads the end of the stream
    Close(Side),
    /// This side can neither read nor write any more
    Reset(Side),
    /// This side cannot write any more
    SendFailed(Side),
    /// A bit is flipped on the way from this side
    Flip(Side, usize, u8),
    /// Bytes that nobody has sent arrive on the way from this side
    Garbage(Side, Vec<u8>),
    /// The driver of this side makes a call that a correct one does not make
    Misuse(Side, Misuse),
}

/// Calls that a correct driver does not make
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Misuse {
    /// More bytes were sent than were offered
    SentTooMuch,
    /// No bytes were sent
    SentNothing,
    /// No bytes were received
    EmptyInput,
    /// The link is woken before the time that it has asked for
    EarlyTimeout,
    /// A write for a protocol that is not configured
    UnknownProtocol,
    /// A write with a code that the protocol does not have
    CodeOutOfRange,
    /// A write of a message that is larger than the limit
    TooLarge,
    /// A protocol that is not configured returns
    UnknownReturned,
    /// Bytes are received before the actions of the last bytes were polled
    InputWithoutPolling,
    /// The driver reads again without having stopped
    ReleaseUnheld,
}

#[cfg(feature = "proptest")]
impl Misuse {
    pub(super) const ALL: [Self; 10] = [
        Self::SentTooMuch,
        Self::SentNothing,
        Self::EmptyInput,
        Self::EarlyTimeout,
        Self::UnknownProtocol,
        Self::CodeOutOfRange,
        Self::TooLarge,
        Self::UnknownReturned,
        Self::InputWithoutPolling,
        Self::ReleaseUnheld,
    ];
}

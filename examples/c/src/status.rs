//! What a call returns

use core::ffi::{CStr, c_char};

use devp2p_proto::{ConfigError, NotShared, PingError, SentTooMuch, StartError, WriteError};

/// Whether a call did what it is for; every other value than `DEVP2P_STATUS_OK` means that nothing has changed
#[repr(i32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// The call did what it is for
    Ok = 0,
    /// There is no such thing now: no timer runs, nothing is shared at this index, Hello has not come
    Absent,
    /// A pointer is NULL that must not be NULL
    NullPointer,
    /// Memory does not begin at a multiple of its alignment
    Misaligned,
    /// Memory has fewer bytes than its content needs
    TooShort,
    /// The link or the configuration was taken down, and its memory is the caller's again
    Gone,
    /// The library was built without an allocator, so a link needs buffers of the caller
    NoAllocator,
    /// A value is none of those that are listed for it
    InvalidValue,

    /// The bytes of the node's key are no secret key
    InvalidSecretKey = 16,
    /// There are more protocols than a link can carry
    TooManyProtocols,
    /// A protocol's name is empty, longer than 8 bytes, or not printable ASCII
    InvalidName,
    /// A protocol is listed twice, with the same name and version
    DuplicateProtocol,
    /// The ranges of message ids do not fit into 64 bits
    RangesTooLarge,
    /// More message codes of a protocol have limits of their own than a link can hold
    TooManyCodeLimits,
    /// The message code in a limit does not exist or has two limits
    InvalidCodeLimit,
    /// The client id has no zero at its end, or is not UTF-8
    InvalidClientId,
    /// A timeout that would end every link at once is zero
    ZeroTimeout,
    /// The read timeout is not longer than the time from one Ping to the next
    ReadBeforePing,
    /// A message limit is smaller than the base protocol needs, or larger than a frame can hold
    InvalidMessageLimit,

    /// The receive buffer is smaller than `devp2p_config_receive_len`
    ReceiveBufferTooSmall = 32,
    /// The transmit buffer is smaller than `devp2p_config_transmit_len`
    TransmitBufferTooSmall,
    /// There are fewer slots than protocols
    TooFewSlots,
    /// The id of the node to dial is no public key
    InvalidRemote,
    /// The entropy is zero, constant or repeats itself, so no random generator made it
    WeakEntropy,

    /// Earlier messages of the protocol are unsent; `DEVP2P_ACTION_KIND_WRITABLE` says when to write again
    Full = 48,
    /// The message is larger than this link can send
    TooLarge,
    /// The message code is not below the protocol's length
    InvalidCode,
    /// The protocol is not shared with the peer
    NotShared,
    /// The link is not ready for messages yet
    NotReady,
    /// The link has ended or is about to end
    Closed,
    /// More bytes were reported as sent than were unsent
    SentTooMuch,

    /// An enode URL does not begin with `enode://`
    InvalidEnodeScheme = 56,
    /// An enode URL does not have 128 hexadecimal digits before the `@`
    InvalidEnodeId,
    /// An enode URL does not have an IP address with a port after the `@`
    InvalidEnodeAddress,
    /// The query of an enode URL is not `discport` with a port
    InvalidEnodeQuery,

    /// Refused for a reason that has no number here yet
    Refused = 64,
}

impl From<ConfigError> for Status {
    fn from(error: ConfigError) -> Self {
        match error {
            ConfigError::InvalidSecretKey => Self::InvalidSecretKey,
            ConfigError::TooManyProtocols { .. } => Self::TooManyProtocols,
            ConfigError::InvalidName(_) => Self::InvalidName,
            ConfigError::DuplicateProtocol(_) => Self::DuplicateProtocol,
            ConfigError::RangesTooLarge => Self::RangesTooLarge,
            ConfigError::TooManyCodeLimits { .. } => Self::TooManyCodeLimits,
            ConfigError::InvalidCodeLimit { .. } => Self::InvalidCodeLimit,
            ConfigError::ClientIdTooLong => Self::InvalidClientId,
            ConfigError::ZeroTimeout => Self::ZeroTimeout,
            ConfigError::ReadBeforePing => Self::ReadBeforePing,
            ConfigError::InvalidMessageLimit { .. } => Self::InvalidMessageLimit,
            _ => Self::Refused,
        }
    }
}

impl From<StartError> for Status {
    fn from(error: StartError) -> Self {
        match error {
            StartError::ReceiveBufferTooSmall { .. } => Self::ReceiveBufferTooSmall,
            StartError::TransmitBufferTooSmall { .. } => Self::TransmitBufferTooSmall,
            StartError::TooFewSlots { .. } => Self::TooFewSlots,
            StartError::InvalidRemote => Self::InvalidRemote,
            StartError::WeakEntropy => Self::WeakEntropy,
            _ => Self::Refused,
        }
    }
}

impl From<WriteError> for Status {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Full => Self::Full,
            WriteError::TooLarge => Self::TooLarge,
            WriteError::InvalidCode => Self::InvalidCode,
            WriteError::NotShared => Self::NotShared,
            WriteError::NotReady => Self::NotReady,
            WriteError::Closed => Self::Closed,
            _ => Self::Refused,
        }
    }
}

impl From<PingError> for Status {
    fn from(error: PingError) -> Self {
        match error {
            PingError::NotReady => Self::NotReady,
            PingError::Closed => Self::Closed,
            _ => Self::Refused,
        }
    }
}

impl From<SentTooMuch> for Status {
    fn from(_: SentTooMuch) -> Self {
        Self::SentTooMuch
    }
}

impl From<NotShared> for Status {
    fn from(_: NotShared) -> Self {
        Self::NotShared
    }
}

/// The status of a call that was carried out or refused
pub(crate) fn status(outcome: Result<(), Status>) -> Status {
    outcome.err().unwrap_or(Status::Ok)
}

/// The texts, by number; an `i32` since C may pass any number
const TEXTS: &[(Status, &CStr)] = &[
    (Status::Ok, c"done"),
    (Status::Absent, c"there is no such thing now"),
    (Status::NullPointer, c"a pointer is NULL"),
    (Status::Misaligned, c"memory is not aligned"),
    (Status::TooShort, c"memory is too short"),
    (Status::Gone, c"the link or configuration was taken down"),
    (Status::NoAllocator, c"the library has no allocator, so buffers are needed"),
    (Status::InvalidValue, c"a value is none of those that are listed"),
    (Status::InvalidSecretKey, c"a secret key is neither zero nor beyond the order of secp256k1"),
    (Status::TooManyProtocols, c"there are too many protocols"),
    (Status::InvalidName, c"the name of a protocol is 1 to 8 printable ASCII characters"),
    (Status::DuplicateProtocol, c"a protocol is listed twice"),
    (Status::RangesTooLarge, c"the ranges of message ids do not fit into 64 bits"),
    (Status::TooManyCodeLimits, c"too many message codes have limits of their own"),
    (Status::InvalidCodeLimit, c"the message code of a limit does not exist or has two limits"),
    (Status::InvalidClientId, c"the client id has no end or is not UTF-8"),
    (Status::ZeroTimeout, c"a timeout is zero"),
    (Status::ReadBeforePing, c"the read timeout is not longer than the ping interval"),
    (Status::InvalidMessageLimit, c"a message limit is too small or too large"),
    (Status::ReceiveBufferTooSmall, c"the receive buffer is too small"),
    (Status::TransmitBufferTooSmall, c"the transmit buffer is too small"),
    (Status::TooFewSlots, c"there are fewer slots than protocols"),
    (Status::InvalidRemote, c"the remote's id is not a public key"),
    (Status::WeakEntropy, c"the entropy was not made by a random generator"),
    (Status::Full, c"earlier messages of the protocol are unsent"),
    (Status::TooLarge, c"the message is too large for this link"),
    (Status::InvalidCode, c"the message code is not below the protocol's length"),
    (Status::NotShared, c"the protocol is not shared with the peer"),
    (Status::NotReady, c"the link is not ready"),
    (Status::Closed, c"the link has ended"),
    (Status::InvalidEnodeScheme, c"an enode URL begins with enode://"),
    (Status::InvalidEnodeId, c"an enode URL has 128 hexadecimal digits before the @"),
    (Status::InvalidEnodeAddress, c"an enode URL has an IP address and a port after the @"),
    (Status::InvalidEnodeQuery, c"the query of an enode URL is discport and a port"),
    (Status::SentTooMuch, c"more bytes were reported as sent than were unsent"),
];

/// The meaning of a status in English, as a string that always exists; never NULL
#[unsafe(no_mangle)]
pub extern "C" fn devp2p_status_text(status: i32) -> *const c_char {
    let text = TEXTS.iter().find(|(known, _)| *known as i32 == status).map(|(_, text)| *text);
    text.unwrap_or(c"refused").as_ptr()
}

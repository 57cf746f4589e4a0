//! The configuration of a node: key, name, protocols, timeouts, limits

use core::time::Duration;

use heapless::{String, Vec};

use super::limits::{
    self, Limits, MAX_CLIENT_ID, MAX_CODE_LIMITS, MAX_MESSAGE, MAX_PROTOCOLS, MIN_MESSAGE, largest_frame, up_to_4_gib,
};
use crate::error::ConfigError;
use crate::node_id::NodeId;
use crate::p2p::message::BASE_LENGTH;
use crate::protocol::{Capability, Name, ProtocolId};
use crate::rlpx::SecretKey;
use crate::time::Delay;

/// A subprotocol as a node offers it
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Protocol<'a> {
    name: &'a str,
    version: u64,
    length: u64,
    max_message: usize,
    max_send: usize,
    code_limits: &'a [(u64, usize)],
    larger: Larger,
}

/// What becomes of a received message that is larger than its limit
///
/// No variant is 0, so that 0 can stand for an empty `ProtocolSlot`. Such a slot is all zeros, and a static of zeros
/// takes no flash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(super) enum Larger {
    Refused = 1,
    Skipped = 2,
}

impl<'a> Protocol<'a> {
    /// The protocol `name/version`, whose message codes are `0..length`
    ///
    /// The name must be 1 to 8 printable ASCII characters, which [`Config::new`] checks. A protocol
    /// of length 0 has no messages of its own.
    pub const fn new(name: &'a str, version: u64, length: u64) -> Self {
        Self {
            name,
            version,
            length,
            max_message: MAX_MESSAGE,
            max_send: MAX_MESSAGE,
            code_limits: &[],
            larger: Larger::Refused,
        }
    }

    /// Limits the payload of the protocol's messages to `len` bytes, in both directions
    ///
    /// A peer that sends a larger one is disconnected before the message is decompressed, unless the
    /// protocol [skips](Self::skip_larger) such messages. The limit of [`Config::with_max_message`] applies as well.
    #[must_use]
    pub const fn with_max_message(self, len: usize) -> Self {
        Self { max_message: len, max_send: len, ..self }
    }

    /// Limits the payload of sent messages to `len` bytes, and keeps the limit of received messages
    ///
    /// For a device that sends short requests and receives long answers: it needs a smaller transmit
    /// buffer. The limit of [`Config::with_max_send`] applies as well.
    #[must_use]
    pub const fn with_max_send(self, len: usize) -> Self {
        Self { max_send: len, ..self }
    }

    /// Limits received messages by their message code, in bytes of payload
    ///
    /// Each item is a message code and the limit that replaces the limit of
    /// [`with_max_message`](Self::with_max_message) for that code; it may be larger or smaller. The limit of
    /// [`Config::with_max_message`] applies as well. The limits for sending do not change. A second call replaces
    /// the first. [`Config::new`] checks the items: at most [`MAX_CODE_LIMITS`], each code once, below the length
    /// of the protocol and at most `u32::MAX`.
    ///
    /// ```
    /// use devp2p_proto::Protocol;
    ///
    /// const BLOCK_HEADERS: u64 = 4;
    /// // Takes headers of up to 2 MiB and everything else of up to 4 KiB.
    /// let eth = Protocol::new("eth", 69, 18).with_max_message(4096).with_code_limits(&[(BLOCK_HEADERS, 2 << 20)]);
    /// ```
    #[must_use]
    pub const fn with_code_limits(self, limits: &'a [(u64, usize)]) -> Self {
        Self { code_limits: limits, ..self }
    }

    /// Skips received messages that are larger than their limit, instead of ending the link
    ///
    /// Both MACs of a skipped message are checked. Its payload is not decompressed, and at most 2 KiB of it are
    /// stored, the most that a message of the base protocol needs, even if it has 16 MiB.
    /// [`Action::Skipped`](crate::Action::Skipped) comes once for each skipped message.
    ///
    /// While the protocol is shared, the link reads frames of up to 16 MiB for every protocol. So a message that is
    /// too large for another protocol ends the link only after its last byte. Such a frame may take 256 s at the
    /// default [`Timeouts::slowest_rate`], and nothing else is received meanwhile. A message still ends the link if
    /// it claims more than [`MAX_MESSAGE`] bytes, or a size that does not fit the length of its frame.
    #[must_use]
    pub const fn skip_larger(self) -> Self {
        Self { larger: Larger::Skipped, ..self }
    }
}

/// The time limits and intervals of a link
///
/// [`Duration::MAX`] means that a timer never goes off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct Timeouts {
    /// Both stages of the handshake together: 5 s
    pub handshake: Duration,
    /// From Ready to the first Ping, and from one Ping to the next: 15 s
    pub ping: Duration,
    /// From the moment at which a Ping has left to its Pong: 30 s
    pub pong: Duration,
    /// The longest silence of the peer, and the longest time from the first byte of its frame to the last: 30 s
    ///
    /// A large frame may take as long as it takes at `slowest_rate`. While our Ping waits behind a large
    /// frame of ours, a peer may have nothing to say: its silence then counts from when the Ping has left.
    pub read: Duration,
    /// The longest time for which the transport takes none of the unsent bytes, and the longest time until
    /// it has taken all bytes that are unsent at one moment: 20 s
    ///
    /// Many bytes may take as long as they take at `slowest_rate`.
    pub write: Duration,
    /// The slowest rate at which large frames may come and leave, in bytes per second: 64 KiB/s
    ///
    /// A frame of 16 MiB may take 256 s at that rate, and takes 134 s at 1 Mbit/s. 0 makes `read` and
    /// `write` hold for frames of every size.
    pub slowest_rate: u32,
    /// How long the peer may take to close the connection after our Disconnect has left: 2 s
    ///
    /// Also how long the link waits for a Disconnect from the peer after a failed write.
    pub linger: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            handshake: Duration::from_secs(5),
            ping: Duration::from_secs(15),
            pong: Duration::from_secs(30),
            read: Duration::from_secs(30),
            write: Duration::from_secs(20),
            slowest_rate: 64 * 1024,
            linger: Duration::from_secs(2),
        }
    }
}

/// The timeouts as a link keeps them, in half the memory
#[derive(Debug, Clone, Copy)]
pub(super) struct Delays {
    pub(super) handshake: Delay,
    pub(super) ping: Delay,
    pub(super) pong: Delay,
    pub(super) read: Delay,
    pub(super) write: Delay,
    /// In bytes per second
    pub(super) slowest_rate: u32,
    pub(super) linger: Delay,
}

impl Delays {
    pub(super) fn new(timeouts: &Timeouts) -> Self {
        let Timeouts { handshake, ping, pong, read, write, slowest_rate, linger } = *timeouts;
        let [handshake, ping, pong, read, write, linger] =
            [handshake, ping, pong, read, write, linger].map(Delay::from);
        Self { handshake, ping, pong, read, write, slowest_rate, linger }
    }
}

/// A node: its key, its name, its protocols, its limits
///
/// One `Config` serves any number of links. A link copies what it needs.
///
/// # Memory of a link with growable buffers
///
/// - *Receiving*: one frame of the largest message that the limits permit, and its payload
///   decompressed. With the limits of 16 MiB that is 33 MB, with 1 MiB for every protocol 2.3 MB.
/// - *Sending*: for each shared protocol the larger of its share and its largest frame, where the
///   share is the send window divided by the number of shared protocols. With the defaults and two
///   protocols that is 2 × 17 MB while both have a message of 16 MiB unsent, and 256 KiB while
///   messages are smaller than 128 KiB. With 64 KiB for every protocol it is never more than 256 KiB.
///
/// A buffer that grows may be allocated at up to twice the size that it needs at that moment. While a
/// link occupies more than 4 KiB, it checks its buffers every 15 seconds; otherwise it checks them
/// at each regular Ping. A buffer that occupies at least twice the memory that it has needed since the
/// last check shrinks to what it has needed.
#[derive(Debug, Clone)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Config {
    pub(super) identity: SecretKey,
    pub(super) client_id: ClientId,
    pub(super) listen_port: u16,
    pub(super) offers: Vec<Offer, MAX_PROTOCOLS>,
    pub(super) timeouts: Timeouts,
    pub(super) limits: Limits,
}

pub(super) type ClientId = String<MAX_CLIENT_ID>;

impl Config {
    /// A node with this key, client id and list of protocols, and defaults for the rest
    ///
    /// The client id is for people to read, by convention `name/version/platform`. The position of a
    /// protocol in the list is its [`ProtocolId`].
    ///
    /// # Errors
    /// `TooManyProtocols`, `InvalidName`, `DuplicateProtocol`, `RangesTooLarge`, `TooManyCodeLimits`,
    /// `InvalidCodeLimit`, `ClientIdTooLong`.
    pub fn new(identity: SecretKey, client_id: &str, protocols: &[Protocol<'_>]) -> Result<Self, ConfigError> {
        Ok(Self {
            identity,
            client_id: ClientId::try_from(client_id).map_err(|_| ConfigError::ClientIdTooLong)?,
            listen_port: 0,
            offers: offers(protocols)?,
            timeouts: Timeouts::default(),
            limits: Limits::default(),
        })
    }

    /// Announces the TCP port on which the node listens; 0, the default, means that it does not
    #[must_use]
    pub fn with_listen_port(self, listen_port: u16) -> Self {
        Self { listen_port, ..self }
    }

    /// Replaces the timeouts
    ///
    /// # Errors
    /// `ZeroTimeout` if any but `linger` is zero. `ReadBeforePing` if `read` is not longer than `ping`: that
    /// would end every idle link before its Ping is answered. With `ping` at [`Duration::MAX`] the link
    /// relies on the Pings of the peer, and any `read` is accepted.
    pub fn with_timeouts(self, timeouts: Timeouts) -> Result<Self, ConfigError> {
        let Timeouts { handshake, ping, pong, read, write, slowest_rate: _, linger: _ } = timeouts;
        if [handshake, ping, pong, read, write].contains(&Duration::ZERO) {
            return Err(ConfigError::ZeroTimeout);
        }
        if read <= ping && ping != Duration::MAX {
            return Err(ConfigError::ReadBeforePing);
        }
        Ok(Self { timeouts, ..self })
    }

    /// Limits the payload of every message, in both directions; [`MAX_MESSAGE`] by default
    ///
    /// A larger message from the peer ends the link before it is decompressed, unless its protocol
    /// [skips](Protocol::skip_larger) such messages. This limit bounds the memory of growable buffers, and determines
    /// the size that the caller's buffers must have.
    ///
    /// # Errors
    /// `InvalidMessageLimit` outside of [`MIN_MESSAGE`] to [`MAX_MESSAGE`].
    pub fn with_max_message(self, len: usize) -> Result<Self, ConfigError> {
        check_limit(len)?;
        Ok(Self { limits: Limits { max_message: len, max_send: len, ..self.limits }, ..self })
    }

    /// Limits the payload of every sent message, and keeps the limit of received messages
    ///
    /// # Errors
    /// As for [`with_max_message`](Self::with_max_message).
    pub fn with_max_send(self, len: usize) -> Result<Self, ConfigError> {
        check_limit(len)?;
        Ok(Self { limits: Limits { max_send: len, ..self.limits }, ..self })
    }

    /// Sets how many bytes of frames may be unsent in a growable buffer; 256 KiB by default
    ///
    /// The window is divided equally among the shared protocols. A protocol of which nothing is
    /// unsent may write a message that is larger than its share. The caller's buffers do not use
    /// the window: there, the share of a protocol is its largest frame plus an equal part of the rest.
    #[must_use]
    pub fn with_send_window(self, len: usize) -> Self {
        Self { limits: Limits { send_window: len, ..self.limits }, ..self }
    }

    /// The id of the node
    pub const fn node_id(&self) -> NodeId {
        self.identity.node_id()
    }

    /// The client id of the node
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// The port that the node announces
    pub const fn listen_port(&self) -> u16 {
        self.listen_port
    }

    /// The protocols that the node offers, in the order of their [`ProtocolId`]s
    pub fn capabilities(&self) -> impl Iterator<Item = Capability> + '_ {
        self.offers.iter().map(|offer| offer.capability)
    }

    /// The length that the caller's receive buffer must have
    pub fn receive_len(&self) -> usize {
        limits::receive_len(self.limits.max_message)
    }

    /// The length that the caller's transmit buffer must have
    ///
    /// The sum of the largest frames of all protocol names, plus capacity for Ping, Pong and
    /// Disconnect; see [`Buffers::transmit_len`](crate::Buffers::transmit_len).
    pub fn transmit_len(&self) -> usize {
        let names = self.offers.iter().enumerate().filter(|(index, offer)| self.is_first_of_name(*index, offer));
        let frames = names.fold(0_usize, |sum, (_, offer)| sum.saturating_add(self.largest_frame_of(offer)));
        limits::transmit_len(frames, limits::greeting_len(self.client_id.len(), self.offers.len()))
    }

    fn is_first_of_name(&self, index: usize, offer: &Offer) -> bool {
        self.offers.iter().position(|other| other.capability.name == offer.capability.name) == Some(index)
    }

    /// The largest frame of all versions of this name
    fn largest_frame_of(&self, offer: &Offer) -> usize {
        let versions = self.offers.iter().filter(|other| other.capability.name == offer.capability.name);
        versions.map(|version| largest_frame(version.max_send.min(self.limits.max_send))).max().unwrap_or_default()
    }
}

fn check_limit(len: usize) -> Result<(), ConfigError> {
    if (MIN_MESSAGE..=MAX_MESSAGE).contains(&len) {
        Ok(())
    } else {
        Err(ConfigError::InvalidMessageLimit { min: MIN_MESSAGE, max: MAX_MESSAGE })
    }
}

/// One protocol of ours
#[derive(Debug, Clone)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(super) struct Offer {
    pub(super) capability: Capability,
    pub(super) length: u64,
    /// The largest payload that is taken from a peer
    pub(super) max_message: usize,
    /// The largest payload that is sent
    pub(super) max_send: usize,
    /// The codes with a limit of their own instead of `max_message`
    pub(super) code_limits: CodeLimits,
    /// What becomes of a peer's larger messages
    pub(super) larger: Larger,
}

/// The limit of the received messages with one code
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(super) struct CodeLimit {
    pub(super) code: u32,
    pub(super) max_message: u32,
}

pub(super) type CodeLimits = Vec<CodeLimit, MAX_CODE_LIMITS, u8>;

fn code_limits(id: ProtocolId, protocol: &Protocol<'_>) -> Result<CodeLimits, ConfigError> {
    let mut limits = CodeLimits::new();
    for &(code, len) in protocol.code_limits {
        let invalid = ConfigError::InvalidCodeLimit { protocol: id, code };
        let small = u32::try_from(code).ok().filter(|_| code < protocol.length).ok_or(invalid)?;
        if limits.iter().any(|limit| limit.code == small) {
            return Err(invalid);
        }
        let limit = CodeLimit { code: small, max_message: up_to_4_gib(len) };
        limits.push(limit).map_err(|_| ConfigError::TooManyCodeLimits { protocol: id, max: MAX_CODE_LIMITS })?;
    }
    Ok(limits)
}

fn offers(protocols: &[Protocol<'_>]) -> Result<Vec<Offer, MAX_PROTOCOLS>, ConfigError> {
    let mut offers = Vec::<Offer, MAX_PROTOCOLS>::new();
    let mut end = BASE_LENGTH;
    for (index, protocol) in protocols.iter().enumerate() {
        let name = Name::new(protocol.name.as_bytes()).ok_or(ConfigError::InvalidName(ProtocolId(index)))?;
        let capability = Capability { name, version: protocol.version };
        if offers.iter().any(|offer| offer.capability == capability) {
            return Err(ConfigError::DuplicateProtocol(capability));
        }
        end = end.checked_add(protocol.length).ok_or(ConfigError::RangesTooLarge)?;
        let code_limits = code_limits(ProtocolId(index), protocol)?;
        let Protocol { length, max_message, max_send, larger, .. } = *protocol;
        offers
            .push(Offer { capability, length, max_message, max_send, code_limits, larger })
            .map_err(|_| ConfigError::TooManyProtocols { max: MAX_PROTOCOLS })?;
    }
    Ok(offers)
}

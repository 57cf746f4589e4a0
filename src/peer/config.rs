//! What a node is to its peers, and how patient it is

use core::time::Duration;

use heapless::{String, Vec};

use super::buffers::Limits;
use crate::error::ConfigError;
use crate::node_id::NodeId;
use crate::p2p::capability::{Matched, Share};
use crate::p2p::message::BASE_LENGTH;
use crate::protocol::{Capability, Name, ProtocolId};
use crate::rlpx::SecretKey;
use crate::rlpx::frame::MAX_BODY;

/// The most protocols that a node can offer on one link: 16, or 8 without an allocator
pub const MAX_PROTOCOLS: usize = if cfg!(feature = "alloc") { 16 } else { 8 };

/// The longest client id, in bytes
pub const MAX_CLIENT_ID: usize = 96;

/// The smallest limit for messages, in bytes: what the base protocol itself needs
pub const MIN_MESSAGE: usize = 64;

/// The largest limit for messages, in bytes: 16 MiB - 1, what a frame can announce
pub const MAX_MESSAGE: usize = MAX_BODY;

/// A subprotocol as a node offers it
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Protocol<'a> {
    name: &'a str,
    version: u64,
    length: u64,
    max_message: usize,
}

impl<'a> Protocol<'a> {
    /// The protocol `name/version`, whose message codes are `0..length`
    ///
    /// The name must be 1 to 8 printable ASCII characters, which [`Config::new`] checks. A length
    /// of 0 makes a protocol without messages of its own.
    pub const fn new(name: &'a str, version: u64, length: u64) -> Self {
        Self { name, version, length, max_message: MAX_MESSAGE }
    }

    /// Limits the protocol's messages to `len` bytes of payload, in both directions
    ///
    /// A peer that announces a larger one is disconnected before the message is decompressed. The
    /// limit of [`Config::with_max_message`] holds besides.
    #[must_use]
    pub const fn with_max_message(self, len: usize) -> Self {
        Self { max_message: len, ..self }
    }
}

/// How long to wait for what
///
/// [`Duration::MAX`] stands for never. Fractions of a millisecond are rounded up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct Timeouts {
    /// Both stages of the handshake together: 5 s
    pub handshake: Duration,
    /// From Ready or one Ping to the next: 15 s
    pub ping: Duration,
    /// From the moment that a Ping has left to its Pong: 30 s
    pub pong: Duration,
    /// The longest silence of the peer: 30 s
    pub read: Duration,
    /// The longest time in which the transport takes nothing of what is to be sent: 20 s
    pub write: Duration,
    /// How long our Disconnect may take to leave, and how long the peer then has to hang up: 2 s each
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
            linger: Duration::from_secs(2),
        }
    }
}

/// A node: its key, its name, its protocols, its limits
///
/// One `Config` serves any number of links; a link copies what it needs.
#[derive(Debug, Clone)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Config {
    pub(super) identity: SecretKey,
    pub(super) client_id: ClientId,
    pub(super) listen_port: u16,
    pub(super) protocols: Vec<Slot, MAX_PROTOCOLS>,
    pub(super) timeouts: Timeouts,
    pub(super) limits: Limits,
}

pub(super) type ClientId = String<MAX_CLIENT_ID>;

impl Config {
    /// A node with this key, client id and list of protocols, and defaults for the rest
    ///
    /// The client id is for people to read, by convention `name/version/platform`. A protocol's
    /// position in the list is its [`ProtocolId`].
    ///
    /// # Errors
    /// `TooManyProtocols`, `InvalidName`, `DuplicateProtocol`, `RangesTooLarge`, `ClientIdTooLong`.
    pub fn new(identity: SecretKey, client_id: &str, protocols: &[Protocol<'_>]) -> Result<Self, ConfigError> {
        Ok(Self {
            identity,
            client_id: ClientId::try_from(client_id).map_err(|_| ConfigError::ClientIdTooLong)?,
            listen_port: 0,
            protocols: slots(protocols)?,
            timeouts: Timeouts::default(),
            limits: Limits::default(),
        })
    }

    /// Announces the TCP port that the node listens on; 0, the default, means that it does not
    #[must_use]
    pub fn with_listen_port(self, listen_port: u16) -> Self {
        Self { listen_port, ..self }
    }

    /// Replaces the timeouts
    ///
    /// # Errors
    /// `ZeroTimeout` if any but `linger` is zero.
    pub fn with_timeouts(self, timeouts: Timeouts) -> Result<Self, ConfigError> {
        let Timeouts { handshake, ping, pong, read, write, linger: _ } = timeouts;
        if [handshake, ping, pong, read, write].contains(&Duration::ZERO) {
            return Err(ConfigError::ZeroTimeout);
        }
        Ok(Self { timeouts, ..self })
    }

    /// Limits the payload of every message, in both directions; [`MAX_MESSAGE`] by default
    ///
    /// A larger message from the peer ends the link before it is stored. This is what bounds the
    /// memory of growable buffers, and the size that caller-provided ones must have.
    ///
    /// # Errors
    /// `InvalidMessageLimit` outside of [`MIN_MESSAGE`] to [`MAX_MESSAGE`].
    pub fn with_max_message(self, len: usize) -> Result<Self, ConfigError> {
        if !(MIN_MESSAGE..=MAX_MESSAGE).contains(&len) {
            return Err(ConfigError::InvalidMessageLimit { min: MIN_MESSAGE, max: MAX_MESSAGE });
        }
        Ok(Self { limits: Limits { max_message: len, ..self.limits }, ..self })
    }

    /// How many bytes may wait to be sent before growable buffers refuse more; 256 KiB by default
    ///
    /// A message larger than the window is taken when nothing else waits. Caller-provided buffers
    /// take what fits.
    #[must_use]
    pub fn with_send_window(self, len: usize) -> Self {
        Self { limits: Limits { send_window: len, ..self.limits }, ..self }
    }

    /// The id of the node
    pub const fn node_id(&self) -> NodeId {
        self.identity.node_id()
    }

    /// The name that the node goes by
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// The port that the node announces
    pub const fn listen_port(&self) -> u16 {
        self.listen_port
    }

    /// The protocols that the node offers, in the order of their [`ProtocolId`]s
    pub fn capabilities(&self) -> impl Iterator<Item = Capability> + '_ {
        self.protocols.iter().map(Matched::capability)
    }
}

/// One protocol of ours on one link
#[derive(Debug, Clone, Copy)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(super) struct Slot {
    pub(super) capability: Capability,
    pub(super) length: u64,
    pub(super) max_message: usize,
    pub(super) share: Share,
}

impl Matched for Slot {
    fn capability(&self) -> Capability {
        self.capability
    }

    fn length(&self) -> u64 {
        self.length
    }

    fn share(&self) -> Share {
        self.share
    }

    fn set_share(&mut self, share: Share) {
        self.share = share;
    }
}

fn slots(protocols: &[Protocol<'_>]) -> Result<Vec<Slot, MAX_PROTOCOLS>, ConfigError> {
    let mut slots = Vec::<Slot, MAX_PROTOCOLS>::new();
    let mut end = BASE_LENGTH;
    for (index, protocol) in protocols.iter().enumerate() {
        let id = ProtocolId(index);
        let name = Name::new(protocol.name.as_bytes()).ok_or(ConfigError::InvalidName(id))?;
        let capability = Capability { name, version: protocol.version };
        if slots.iter().any(|slot| slot.capability == capability) {
            return Err(ConfigError::DuplicateProtocol(id));
        }
        end = end.checked_add(protocol.length).ok_or(ConfigError::RangesTooLarge)?;
        let Protocol { length, max_message, .. } = *protocol;
        slots
            .push(Slot { capability, length, max_message, share: Share::Unshared })
            .map_err(|_| ConfigError::TooManyProtocols { max: MAX_PROTOCOLS })?;
    }
    Ok(slots)
}

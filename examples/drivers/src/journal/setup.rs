//! What makes a link

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use devp2p_proto::rlp::{Reader, RlpError};
use devp2p_proto::{
    Buffers, Config, ConfigError, Entropy, Instant, NodeId, NotStarted, PeerState, Protocol, SecretKey, StartError,
    Timeouts,
};
use rlp::RlpStream;

use super::{small, text};

/// All that a constructor of a link takes
///
/// Not `Clone`, since its randomness must not make two links, and not `Debug`, since it is secret.
pub struct Setup {
    /// Whom an initiator dials; `None` for a recipient
    pub remote: Option<NodeId>,
    pub key: [u8; 32],
    pub client_id: String,
    pub listen_port: u16,
    pub protocols: Vec<Offer>,
    pub timeouts: Timeouts,
    pub max_message: usize,
    pub send_window: usize,
    pub entropy: [u8; Entropy::SIZE],
    pub memory: Memory,
    /// The time at which the link was made
    pub now: Instant,
}

/// A protocol that the node offers
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    pub name: String,
    pub version: u64,
    pub length: u64,
    pub max_message: usize,
}

impl Offer {
    pub fn new(name: &str, version: u64, length: u64, max_message: usize) -> Self {
        Self { name: name.to_string(), version, length, max_message }
    }

    fn protocol(&self) -> Protocol<'_> {
        Protocol::new(&self.name, self.version, self.length).with_max_message(self.max_message)
    }
}

/// As command lines have it, without a limit of its own
impl FromStr for Offer {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parse = || {
            let (name, numbers) = text.split_once('/')?;
            let (version, length) = numbers.split_once(':')?;
            Some(Self::new(name, version.parse().ok()?, length.parse().ok()?, devp2p_proto::MAX_MESSAGE))
        };
        parse().ok_or("not NAME/VERSION:LENGTH")
    }
}

/// Which kind of [`Buffers`] the link has
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Memory {
    Growable,
    /// The lengths of the caller's slices
    Fixed {
        receive: usize,
        transmit: usize,
        table: usize,
    },
}

impl Memory {
    /// More bytes than any link needs
    ///
    /// With 16 protocols and the largest messages, a link needs a third of this.
    pub const LARGEST: usize = 1 << 30;

    /// The length of all buffers together in bytes, or `None` on overflow
    pub fn size(self) -> Option<usize> {
        match self {
            Self::Growable => Some(0),
            Self::Fixed { receive, transmit, table } => {
                receive.checked_add(transmit)?.checked_add(table.checked_mul(size_of::<u16>())?)
            }
        }
    }
}

impl Setup {
    /// A dialled link at time zero, with defaults for what is rarely of interest, and its key and randomness
    /// from the operating system
    pub fn dialled(remote: NodeId, client_id: &str, protocols: Vec<Offer>) -> Result<Self, getrandom::Error> {
        Ok(Self { remote: Some(remote), ..Self::accepted(client_id, protocols)? })
    }

    /// The same for a link that a peer has dialled
    pub fn accepted(client_id: &str, protocols: Vec<Offer>) -> Result<Self, getrandom::Error> {
        let (mut key, mut entropy) = ([0; 32], [0; Entropy::SIZE]);
        getrandom::fill(&mut key)?;
        getrandom::fill(&mut entropy)?;
        Ok(Self {
            remote: None,
            key,
            client_id: client_id.to_string(),
            listen_port: 0,
            protocols,
            timeouts: Timeouts::default(),
            max_message: devp2p_proto::MAX_MESSAGE,
            send_window: 256 * 1024,
            entropy,
            memory: Memory::Growable,
            now: Instant::ZERO,
        })
    }

    /// What all links of this node have in common
    pub fn config(&self) -> Result<Config, SetupError> {
        let protocols: Vec<_> = self.protocols.iter().map(Offer::protocol).collect();
        let key = SecretKey::from_bytes(self.key).map_err(ConfigError::from)?;
        Ok(Config::new(key, &self.client_id, &protocols)?
            .with_listen_port(self.listen_port)
            .with_timeouts(self.timeouts)?
            .with_max_message(self.max_message)?
            .with_send_window(self.send_window))
    }

    /// The link; `buffers` must be of the kind and size that `memory` says
    pub fn link<'buf>(&self, buffers: Buffers<'buf>) -> Result<PeerState<'buf>, SetupError> {
        let config = self.config()?;
        let entropy = Entropy::from_bytes(self.entropy);
        Ok(match self.remote {
            Some(remote) => PeerState::initiator(self.now, &config, remote, entropy, buffers)?,
            None => PeerState::recipient(self.now, &config, entropy, buffers)?,
        })
    }

    pub(super) fn append(&self, stream: &mut RlpStream) {
        let mut timeouts = self.timeouts;
        let durations = durations(&mut timeouts).map(|duration| nanos(*duration));
        stream.begin_list(12);
        stream.append(&self.remote.as_ref().map_or(&[][..], |id| &id.as_bytes()[..]));
        stream.append(&&self.key[..]).append(&self.client_id).append(&self.listen_port);
        stream.begin_list(self.protocols.len());
        for Offer { name, version, length, max_message } in &self.protocols {
            stream.begin_list(4).append(name).append(version).append(length).append(&(*max_message as u64));
        }
        stream.append_list(&durations).append(&self.timeouts.slowest_rate);
        stream.append(&(self.max_message as u64)).append(&(self.send_window as u64)).append(&&self.entropy[..]);
        match self.memory {
            Memory::Growable => stream.begin_list(0),
            Memory::Fixed { receive, transmit, table } => {
                stream.append_list(&[receive, transmit, table].map(|len| len as u64))
            }
        };
        stream.append(&self.now.as_nanos());
    }

    pub(super) fn read(mut list: Reader<'_>) -> Result<Self, RlpError> {
        let remote = list.bytes()?;
        let setup = Self {
            remote: match remote {
                [] => None,
                id => Some(NodeId::new(id.try_into().map_err(|_| RlpError::WrongLength)?)),
            },
            key: *list.array()?,
            client_id: text(&mut list)?,
            listen_port: small(&mut list)?,
            protocols: read_offers(list.list()?)?,
            timeouts: read_timeouts(&mut list)?,
            max_message: small(&mut list)?,
            send_window: small(&mut list)?,
            entropy: *list.array()?,
            memory: read_memory(list.list()?)?,
            now: Instant::from_nanos(list.uint()?),
        };
        list.finish()?;
        Ok(setup)
    }
}

fn read_offers(mut list: Reader<'_>) -> Result<Vec<Offer>, RlpError> {
    let mut offers = Vec::new();
    while !list.is_empty() {
        let mut offer = list.list()?;
        let (name, version, length) = (text(&mut offer)?, offer.uint()?, offer.uint()?);
        offers.push(Offer { name, version, length, max_message: small(&mut offer)? });
        offer.finish()?;
    }
    Ok(offers)
}

/// In the order of the journal
const fn durations(timeouts: &mut Timeouts) -> [&mut Duration; 6] {
    let Timeouts { handshake, ping, pong, read, write, linger, .. } = timeouts;
    [handshake, ping, pong, read, write, linger]
}

fn read_timeouts(setup: &mut Reader<'_>) -> Result<Timeouts, RlpError> {
    let (mut timeouts, mut list) = (Timeouts::default(), setup.list()?);
    for duration in durations(&mut timeouts) {
        *duration = match list.uint()? {
            u64::MAX => Duration::MAX,
            nanos => Duration::from_nanos(nanos),
        };
    }
    list.finish()?;
    timeouts.slowest_rate = small(setup)?;
    Ok(timeouts)
}

fn read_memory(mut list: Reader<'_>) -> Result<Memory, RlpError> {
    if list.is_empty() {
        return Ok(Memory::Growable);
    }
    let memory = Memory::Fixed { receive: small(&mut list)?, transmit: small(&mut list)?, table: small(&mut list)? };
    list.finish()?;
    Ok(memory)
}

/// Why a setup makes no link
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SetupError {
    Config(ConfigError),
    Start(StartError),
}

impl From<ConfigError> for SetupError {
    fn from(error: ConfigError) -> Self {
        Self::Config(error)
    }
}

impl From<NotStarted<'_>> for SetupError {
    fn from(refusal: NotStarted<'_>) -> Self {
        Self::Start(refusal.error)
    }
}

impl fmt::Display for SetupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(error) => error.fmt(f),
            Self::Start(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for SetupError {}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

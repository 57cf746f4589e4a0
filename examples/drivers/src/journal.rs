//! The journal of a link: what made it, then all that happened to it and all that came out of it
//!
//! A link has no other input than its constructor's arguments and its events, so the journal is enough to
//! live its life again, down to the last byte. `replay` does that.
//!
//! # Format
//!
//! The line `devp2p journal 1`, then RLP items, one after the other:
//!
//! ```text
//! setup    [remote, key, client-id, listen-port, [[name, version, length, max-message], …],
//!           [handshake, ping, pong, read, write, linger], max-message, send-window, entropy,
//!           [receive, transmit, table], now]
//!              remote is empty for a recipient; the three lengths are missing where buffers grow;
//!              timeouts and now are milliseconds, 2^64 - 1 for never
//! event    [0, now, kind, …, outcome]
//!              outcome is the number of bytes taken, or [text] if the event was refused
//! polled   [1, text] or [1, text, length, Keccak-256]
//!              what poll returned: in words, and what bytes came with it
//! end      [2]
//!              a journal without it is truncated
//! ```
//!
//! The kinds of events are those of [`Event`], numbered in [`write_event`].
//!
//! **A journal holds secrets**: the node's key, the randomness that the keys of the link are made of, and
//! every message that was sent, in plain text. The file is created unreadable to others.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::str::FromStr;
use std::time::Duration;

use devp2p_proto::rlp::{Reader, RlpError};
use devp2p_proto::{
    Action, Buffers, Config, ConfigError, DisconnectReason, Entropy, Event, Instant, NodeId, PeerState, Protocol,
    ProtocolError, ProtocolId, Refused, SecretKey, Timeouts, keccak256,
};
use rlp::RlpStream;

const MAGIC: &[u8] = b"devp2p journal 1\n";

const EVENT: u8 = 0;
const POLLED: u8 = 1;
const END: u8 = 2;

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
        let key = SecretKey::from_bytes(self.key).map_err(|_| SetupError::Key)?;
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

    fn append(&self, stream: &mut RlpStream) {
        let timeouts = [
            self.timeouts.handshake,
            self.timeouts.ping,
            self.timeouts.pong,
            self.timeouts.read,
            self.timeouts.write,
            self.timeouts.linger,
        ];
        stream.begin_list(11);
        stream.append(&self.remote.as_ref().map_or(&[][..], |id| &id.as_bytes()[..]));
        stream.append(&&self.key[..]).append(&self.client_id).append(&self.listen_port);
        stream.begin_list(self.protocols.len());
        for Offer { name, version, length, max_message } in &self.protocols {
            stream.begin_list(4).append(name).append(version).append(length).append(&(*max_message as u64));
        }
        stream.append_list(&timeouts.map(millis));
        stream.append(&(self.max_message as u64)).append(&(self.send_window as u64)).append(&&self.entropy[..]);
        match self.memory {
            Memory::Growable => stream.begin_list(0),
            Memory::Fixed { receive, transmit, table } => {
                stream.append_list(&[receive, transmit, table].map(|len| len as u64))
            }
        };
        stream.append(&self.now.as_millis());
    }

    fn read(mut list: Reader<'_>) -> Result<Self, RlpError> {
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
            timeouts: read_timeouts(list.list()?)?,
            max_message: small(&mut list)?,
            send_window: small(&mut list)?,
            entropy: *list.array()?,
            memory: read_memory(list.list()?)?,
            now: Instant::from_millis(list.uint()?),
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

fn read_timeouts(mut list: Reader<'_>) -> Result<Timeouts, RlpError> {
    let mut timeouts = Timeouts::default();
    for timeout in [
        &mut timeouts.handshake,
        &mut timeouts.ping,
        &mut timeouts.pong,
        &mut timeouts.read,
        &mut timeouts.write,
        &mut timeouts.linger,
    ] {
        *timeout = match list.uint()? {
            u64::MAX => Duration::MAX,
            millis => Duration::from_millis(millis),
        };
    }
    list.finish()?;
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
    Key,
    Config(ConfigError),
}

impl From<ConfigError> for SetupError {
    fn from(error: ConfigError) -> Self {
        Self::Config(error)
    }
}

impl fmt::Display for SetupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key => f.write_str("the key is not a secret key of secp256k1"),
            Self::Config(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for SetupError {}

/// What became of an event
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Took(u64),
    Refused(String),
}

impl From<&Result<usize, Refused>> for Outcome {
    fn from(result: &Result<usize, Refused>) -> Self {
        match result {
            Ok(len) => Self::Took(*len as u64),
            Err(refused) => Self::Refused(refused.to_string()),
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Took(0) => f.write_str("done"),
            Self::Took(len) => write!(f, "{len} bytes taken"),
            Self::Refused(why) => write!(f, "refused: {why}"),
        }
    }
}

/// What `poll` returned, so that it can be compared without keeping the bytes
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Polled {
    text: String,
    bytes: Option<(u64, [u8; 32])>,
}

impl Polled {
    pub fn new(action: Option<&Action<'_>>) -> Self {
        let (text, bytes): (String, Option<&[u8]>) = match action {
            None => ("nothing to do".into(), None),
            Some(Action::Authenticated(id)) => (format!("Authenticated {id}"), None),
            Some(Action::Ready(ready)) => {
                let shared = ready.shared().map(|shared| format!(" {} at {:#x}", shared.capability, shared.offset));
                (format!("Ready: {}, sharing{}", ready.hello().client_id(), shared.collect::<String>()), None)
            }
            Some(Action::Deliver { protocol, code, payload }) => {
                (format!("Deliver {protocol} code {code}"), Some(payload))
            }
            Some(Action::Writable(protocol)) => (format!("Writable {protocol}"), None),
            Some(Action::Send(bytes)) => ("Send".into(), Some(bytes)),
            Some(Action::Disconnect(cause)) => (format!("Disconnect: {cause}"), None),
            Some(other) => (format!("{other:?}"), None),
        };
        Self { text, bytes: bytes.map(|bytes| (bytes.len() as u64, keccak256(bytes))) }
    }

    /// How many bytes came with it
    pub fn size(&self) -> u64 {
        self.bytes.map_or(0, |(len, _)| len)
    }

    pub fn is_delivery(&self) -> bool {
        self.text.starts_with("Deliver")
    }

    pub fn is_nothing(&self) -> bool {
        *self == Self::new(None)
    }
}

impl fmt::Display for Polled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)?;
        match self.bytes {
            Some((len, [a, b, c, d, ..])) => write!(f, ", {len} bytes with hash {a:02x}{b:02x}{c:02x}{d:02x}…"),
            None => Ok(()),
        }
    }
}

/// A journal that is being written
///
/// The first failure to write ends it, and is told by [`Journal::finish`]: the link goes on.
pub struct Journal {
    file: BufWriter<File>,
    outcome: io::Result<()>,
}

impl Journal {
    /// A new file that only its owner can read; an existing one is never written over
    pub fn create(path: &str, setup: &Setup) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut journal = Self { file: BufWriter::new(options.open(path)?), outcome: Ok(()) };
        journal.file.write_all(MAGIC)?;
        journal.put(|stream| setup.append(stream));
        Ok(journal)
    }

    pub fn event(&mut self, now: Instant, event: Event<'_>, outcome: &Outcome) {
        self.put(|stream| {
            stream.begin_unbounded_list();
            stream.append(&EVENT).append(&now.as_millis());
            write_event(stream, event);
            match outcome {
                Outcome::Took(len) => stream.append(len),
                Outcome::Refused(why) => stream.begin_list(1).append(why),
            };
            stream.finalize_unbounded_list();
        });
    }

    pub fn polled(&mut self, polled: &Polled) {
        self.put(|stream| match &polled.bytes {
            None => {
                stream.begin_list(2).append(&POLLED).append(&polled.text);
            }
            Some((len, digest)) => {
                stream.begin_list(4).append(&POLLED).append(&polled.text).append(len).append(&&digest[..]);
            }
        });
    }

    /// Completes the file
    pub fn finish(mut self) -> io::Result<()> {
        self.put(|stream| {
            stream.begin_list(1).append(&END);
        });
        self.outcome?;
        self.file.flush()
    }

    fn put(&mut self, item: impl FnOnce(&mut RlpStream)) {
        if self.outcome.is_ok() {
            let mut stream = RlpStream::new();
            item(&mut stream);
            self.outcome = self.file.write_all(&stream.out());
        }
    }
}

/// The event's number and what belongs to it
fn write_event(stream: &mut RlpStream, event: Event<'_>) {
    match event {
        Event::Receive(bytes) => stream.append(&0_u8).append(&bytes),
        Event::ReceiveClosed => stream.append(&1_u8),
        Event::HoldInput(held) => stream.append(&2_u8).append(&held),
        Event::Timeout => stream.append(&3_u8),
        Event::Write { protocol, code, payload } => {
            stream.append(&4_u8).append(&(protocol.0 as u64)).append(&code).append(&payload)
        }
        Event::Ping => stream.append(&5_u8),
        Event::Sent(len) => stream.append(&6_u8).append(&(len as u64)),
        Event::SendFailed => stream.append(&7_u8),
        Event::ProtocolReturned(protocol, outcome) => {
            stream.append(&8_u8).append(&(protocol.0 as u64));
            match outcome {
                Ok(()) => stream.begin_list(0),
                Err(ProtocolError::BadMessage) => stream.append(&0_u8),
                Err(ProtocolError::Other) => stream.append(&1_u8),
                Err(ProtocolError::Reason(reason)) => stream.begin_list(1).append(&reason.code()),
            }
        }
        Event::Disconnect(reason) => stream.append(&9_u8).append(&reason.code()),
        // `Event` may grow; a number that no reader knows is better than a journal that lies.
        _ => stream.append(&u8::MAX),
    };
}

fn read_event<'a>(list: &mut Reader<'a>) -> Result<Option<Event<'a>>, RlpError> {
    Ok(Some(match list.uint()? {
        0 => Event::Receive(list.bytes()?),
        1 => Event::ReceiveClosed,
        2 => Event::HoldInput(list.uint()? != 0),
        3 => Event::Timeout,
        4 => Event::Write { protocol: ProtocolId(small(list)?), code: list.uint()?, payload: list.bytes()? },
        5 => Event::Ping,
        6 => Event::Sent(small(list)?),
        7 => Event::SendFailed,
        8 => Event::ProtocolReturned(ProtocolId(small(list)?), read_return(list)?),
        9 => Event::Disconnect(DisconnectReason::from_code(list.uint()?)),
        _ => return Ok(None),
    }))
}

fn read_return(list: &mut Reader<'_>) -> Result<Result<(), ProtocolError>, RlpError> {
    if let Ok(code) = list.uint() {
        return Ok(Err(if code == 0 { ProtocolError::BadMessage } else { ProtocolError::Other }));
    }
    let mut reason = list.list()?;
    if reason.is_empty() {
        return Ok(Ok(()));
    }
    Ok(Err(ProtocolError::Reason(DisconnectReason::from_code(reason.uint()?))))
}

/// One entry of a journal
pub enum Entry<'a> {
    Event { now: Instant, event: Event<'a>, outcome: Outcome },
    Polled(Polled),
    End,
}

/// A journal that is being read
pub struct Player<'a> {
    journal: &'a [u8],
    rest: Reader<'a>,
}

impl<'a> Player<'a> {
    pub fn open(journal: &'a [u8]) -> Result<(Setup, Self), Damage> {
        let Some(items) = journal.strip_prefix(MAGIC) else {
            return Err(if MAGIC.starts_with(journal) { Damage::Truncated } else { Damage::Foreign });
        };
        let mut player = Self { journal, rest: Reader::new(items) };
        let setup = player.item(|list| Setup::read(list).map(Some))?;
        Ok((setup, player))
    }

    /// The next entry, where the last one is [`Entry::End`]
    pub fn next_entry(&mut self) -> Result<Entry<'a>, Damage> {
        let entry = self.item(read_entry)?;
        match entry {
            Entry::End if !self.rest.is_empty() => Err(Damage::Malformed { offset: self.offset() }),
            entry => Ok(entry),
        }
    }

    fn item<T>(&mut self, read: impl FnOnce(Reader<'a>) -> Result<Option<T>, RlpError>) -> Result<T, Damage> {
        let malformed = Damage::Malformed { offset: self.offset() };
        let list = self.rest.list().map_err(|error| match error {
            RlpError::Truncated => Damage::Truncated,
            _ => malformed,
        })?;
        read(list).ok().flatten().ok_or(malformed)
    }

    fn offset(&self) -> usize {
        self.journal.len() - self.rest.remaining().len()
    }
}

/// `None` stands for an entry that a later version may know
fn read_entry(mut list: Reader<'_>) -> Result<Option<Entry<'_>>, RlpError> {
    let entry = match list.uint()? {
        tag if tag == u64::from(EVENT) => {
            let now = Instant::from_millis(list.uint()?);
            let Some(event) = read_event(&mut list)? else {
                return Ok(None);
            };
            Entry::Event { now, event, outcome: read_outcome(&mut list)? }
        }
        tag if tag == u64::from(POLLED) => Entry::Polled(read_polled(&mut list)?),
        tag if tag == u64::from(END) => Entry::End,
        _ => return Ok(None),
    };
    list.finish()?;
    Ok(Some(entry))
}

fn read_outcome(list: &mut Reader<'_>) -> Result<Outcome, RlpError> {
    match list.uint() {
        Ok(len) => Ok(Outcome::Took(len)),
        Err(_) => Ok(Outcome::Refused(text(&mut list.list()?)?)),
    }
}

fn read_polled(list: &mut Reader<'_>) -> Result<Polled, RlpError> {
    let text = text(list)?;
    let bytes = if list.is_empty() { None } else { Some((list.uint()?, *list.array()?)) };
    Ok(Polled { text, bytes })
}

fn text(list: &mut Reader<'_>) -> Result<String, RlpError> {
    Ok(String::from_utf8_lossy(list.bytes()?).into_owned())
}

fn small<T: TryFrom<u64>>(list: &mut Reader<'_>) -> Result<T, RlpError> {
    T::try_from(list.uint()?).map_err(|_| RlpError::IntegerTooLarge)
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Why a file is no whole journal
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Damage {
    Foreign,
    Truncated,
    Malformed { offset: usize },
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Foreign => f.write_str("not a journal of a link, or of another version"),
            Self::Truncated => f.write_str("truncated: the journal ends before its last entry"),
            Self::Malformed { offset } => write!(f, "damaged: the entry at byte {offset} makes no sense"),
        }
    }
}

impl std::error::Error for Damage {}

//! A plain loop around [`PeerState`] on a blocking socket, which keeps what it saw

use std::collections::VecDeque;
use std::fmt;
use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant as Clock};

use devp2p_proto::{
    Action, Buffers, Cause, Config, DisconnectReason, Entropy, Instant, NodeId, PeerState, Protocol, ProtocolId,
    SecretKey, Stage, Timeouts, WriteError,
};

use crate::NEVER;

/// A message, whichever way it goes
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    pub protocol: ProtocolId,
    pub code: u64,
    pub payload: Vec<u8>,
}

impl Message {
    pub fn new(protocol: ProtocolId, code: u64, kind: Kind, size: usize, seed: u32) -> Self {
        Self { protocol, code, payload: kind.payload(size, seed) }
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let start = &self.payload[..self.payload.len().min(8)];
        write!(f, "{} code {}, {} bytes {start:02x?}..", self.protocol, self.code, self.payload.len())
    }
}

/// What the peers were told and came to
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    IdentityClaimed(NodeId),
    /// `name/version@offset+length` of each shared protocol
    Ready(Vec<String>),
    Deliver(Message),
    Disconnect(Cause),
}

/// When this side leaves by its own `disconnect`
#[derive(Debug, Clone, Copy, Default)]
pub enum Leave {
    #[default]
    Never,
    /// In place of Hello
    AtIdentityClaimed(DisconnectReason),
    /// Before any message
    AtReady(DisconnectReason),
}

/// One link of ours on one socket
pub struct Driver {
    pub link: PeerState<'static>,
    pub seen: Vec<Seen>,
    /// Messages that `write` refused, other than for lack of room
    pub refused: Vec<(Message, WriteError)>,
    /// Whether messages go back to where they came from
    pub echo: bool,
    pub leave: Leave,
    /// Whether bytes leave in small pieces with pauses, so that the peer may be gone before the last
    pub hesitant: bool,
    pub failed_writes: usize,
    pub counted: Counted,
    stream: Option<TcpStream>,
    /// False after the end of the stream
    receiving: bool,
    outbox: VecDeque<Message>,
    /// The first message of the outbox waits for `Writable`
    full: bool,
    started: Clock,
    log: Vec<String>,
}

/// What went over the wire, and which frames of the base protocol this side added to it
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counted {
    pub sent: usize,
    pub received: usize,
    /// Frames that a timer made: Pings
    pub on_timeout: usize,
    /// Frames that bytes from the peer made on a running link: Pongs
    pub on_receive: usize,
}

impl Driver {
    /// The side that opened the connection
    pub fn initiator(config: &Config, remote: NodeId, stream: TcpStream) -> Self {
        let link = PeerState::initiator(Instant::ZERO, config, remote, entropy(), Buffers::growable());
        Self::new(link.expect("a usable configuration"), stream)
    }

    /// The side that was connected to
    pub fn recipient(config: &Config, stream: TcpStream) -> Self {
        let link = PeerState::recipient(Instant::ZERO, config, entropy(), Buffers::growable());
        Self::new(link.expect("a usable configuration"), stream)
    }

    fn new(link: PeerState<'static>, stream: TcpStream) -> Self {
        stream.set_nodelay(true).expect("a TCP socket");
        stream.set_write_timeout(Some(NEVER)).expect("a TCP socket");
        Self {
            link,
            seen: Vec::new(),
            refused: Vec::new(),
            echo: false,
            leave: Leave::Never,
            hesitant: false,
            failed_writes: 0,
            counted: Counted::default(),
            stream: Some(stream),
            receiving: true,
            outbox: VecDeque::new(),
            full: false,
            started: Clock::now(),
            log: Vec::new(),
        }
    }

    /// One turn of the loop: everything to be done, then a read of at most `patience`, then time
    pub fn turn(&mut self, patience: Duration) {
        self.act();
        self.read(patience);
        let unsent = self.link.unsent().len();
        self.link.handle_timeout(self.now());
        self.counted.on_timeout += usize::from(self.link.unsent().len() > unsent);
        self.act();
    }

    /// Queues a message, to be written as soon as there is room
    pub fn send(&mut self, message: Message) {
        self.outbox.push_back(message);
    }

    /// Ends the socket without a word, as the death of a process does
    pub fn die(&mut self) {
        self.note("dies");
        self.stream = None;
    }

    pub fn now(&self) -> Instant {
        Instant::from(self.started.elapsed())
    }

    pub fn socket(&self) -> &TcpStream {
        self.stream.as_ref().expect("the link is up")
    }

    pub fn is_ready(&self) -> bool {
        self.seen.iter().any(|seen| matches!(seen, Seen::Ready(_)))
    }

    /// Why the link ended, once the driver has been told
    pub fn cause(&self) -> Option<Cause> {
        self.seen.iter().find_map(|seen| match seen {
            Seen::Disconnect(cause) => Some(*cause),
            _ => None,
        })
    }

    pub fn delivered(&self) -> impl Iterator<Item = &Message> {
        self.seen.iter().filter_map(|seen| match seen {
            Seen::Deliver(message) => Some(message),
            _ => None,
        })
    }

    /// Whether everything that was queued is on its way
    pub fn is_drained(&self) -> bool {
        self.outbox.is_empty() && self.link.unsent().is_empty()
    }

    /// What happened, for a reader
    pub fn log(&self) -> &[String] {
        &self.log
    }

    fn note(&mut self, what: &str) {
        self.log.push(format!("{} {what}", self.now()));
    }

    /// Does what the link asks for until it asks for nothing and there is nothing to write
    fn act(&mut self) {
        loop {
            let now = self.now();
            let seen = match self.link.poll() {
                None => {
                    if self.post() {
                        continue;
                    }
                    return;
                }
                Some(Action::Send(bytes)) => {
                    let Some(stream) = &mut self.stream else {
                        return;
                    };
                    let mut bytes = bytes;
                    if self.hesitant {
                        bytes = &bytes[..bytes.len().min(64)];
                        std::thread::sleep(Duration::from_millis(5));
                    }
                    // After a failed write there may still be a Disconnect to read.
                    match stream.write(bytes) {
                        Ok(len) => {
                            self.counted.sent += len;
                            self.link.sent(now, len).expect("no more than was offered");
                        }
                        Err(error) => {
                            self.failed_writes += 1;
                            self.link.send_failed(now);
                            self.note(&format!("write failed: {error}"));
                        }
                    }
                    continue;
                }
                Some(Action::Writable(_)) => {
                    self.full = false;
                    continue;
                }
                Some(Action::IdentityClaimed(id)) => Seen::IdentityClaimed(id),
                Some(Action::Ready(ready)) => {
                    let shared = ready.shared().map(|s| format!("{}@{}+{}", s.capability, s.offset, s.length));
                    Seen::Ready(shared.collect())
                }
                Some(Action::Deliver { protocol, code, payload }) => {
                    Seen::Deliver(Message { protocol, code, payload: payload.to_vec() })
                }
                Some(Action::Disconnect(cause)) => Seen::Disconnect(cause),
                Some(other) => panic!("an action that this driver does not know: {other:?}"),
            };
            self.react(seen);
        }
    }

    fn react(&mut self, seen: Seen) {
        self.note(&format!("{seen:?}"));
        match (&seen, self.leave) {
            (Seen::IdentityClaimed(_), Leave::AtIdentityClaimed(reason)) | (Seen::Ready(_), Leave::AtReady(reason)) => {
                self.link.disconnect(self.now(), reason);
            }
            (Seen::Deliver(message), _) if self.echo => self.outbox.push_back(message.clone()),
            (Seen::Disconnect(_), _) => self.stream = None,
            _ => {}
        }
        self.seen.push(seen);
    }

    /// Writes the next message; returns whether the link is to be polled again
    fn post(&mut self) -> bool {
        if self.full || self.link.stage() != Stage::Running {
            return false;
        }
        let Some(message) = self.outbox.pop_front() else {
            return false;
        };
        match self.link.write(self.now(), message.protocol, message.code, &message.payload) {
            Ok(_) => {}
            Err(WriteError::Full) => {
                self.full = true;
                self.outbox.push_front(message);
            }
            Err(error) => {
                self.note(&format!("refused {message:?}: {error}"));
                self.refused.push((message, error));
            }
        }
        true
    }

    fn read(&mut self, patience: Duration) {
        let due = self.link.next_timeout().map_or(patience, |due| due.saturating_since(self.now()));
        // A socket has no use for a timeout of zero.
        let patience = patience.min(due).max(Duration::from_millis(1));
        let Some(stream) = self.stream.as_mut().filter(|_| self.receiving) else {
            std::thread::sleep(patience);
            return;
        };
        let mut buffer = [0; 64 * 1024];
        stream.set_read_timeout(Some(patience)).expect("a TCP socket");
        match stream.read(&mut buffer) {
            Ok(0) => self.end_of_stream("end of stream"),
            Ok(len) => self.feed(&buffer[..len]),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(error) => self.end_of_stream(&format!("read failed: {error}")),
        }
    }

    fn end_of_stream(&mut self, how: &str) {
        self.note(how);
        self.receiving = false;
        self.link.receive_closed(self.now());
    }

    fn feed(&mut self, mut bytes: &[u8]) {
        self.counted.received += bytes.len();
        while !bytes.is_empty() {
            let running = self.link.stage() == Stage::Running;
            let unsent = self.link.unsent().len();
            let taken = self.link.receive(self.now(), bytes);
            let answered = running && self.link.stage() == Stage::Running && self.link.unsent().len() > unsent;
            self.counted.on_receive += usize::from(answered);
            bytes = &bytes[taken..];
            self.act();
            assert!(taken > 0 || self.link.wants_input(), "the link takes nothing although nothing waits");
        }
    }
}

/// A node of ours with a new key, and with time limits only for its Pings
pub fn node(protocols: &[Protocol<'_>]) -> Config {
    let config = Config::new(new_key(), "devp2p-proto/interop", protocols);
    config.and_then(|config| config.with_timeouts(patient())).expect("a usable configuration")
}

/// Pings in regular intervals, and waits as long as it takes
pub fn patient() -> Timeouts {
    let mut timeouts = Timeouts::default();
    for timeout in [&mut timeouts.handshake, &mut timeouts.pong, &mut timeouts.read, &mut timeouts.write] {
        *timeout = NEVER;
    }
    timeouts
}

pub fn new_key() -> SecretKey {
    let mut bytes = [0; 32];
    fill(&mut bytes);
    SecretKey::from_bytes(bytes).expect("nearly every number is a key")
}

fn entropy() -> Entropy {
    Entropy::from_rng(fill)
}

fn fill(bytes: &mut [u8]) {
    File::open("/dev/urandom").and_then(|mut random| random.read_exact(bytes)).expect("a random device");
}

/// The contents of a message, the same in every peer program
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Zero,
    Text,
    /// Does not compress
    Random,
}

impl Kind {
    pub const ALL: [Self; 3] = [Self::Zero, Self::Text, Self::Random];

    /// The name that the programs know it by
    pub const fn name(self) -> &'static str {
        match self {
            Self::Zero => "zero",
            Self::Text => "text",
            Self::Random => "random",
        }
    }

    pub fn payload(self, size: usize, seed: u32) -> Vec<u8> {
        match self {
            Self::Zero => vec![0; size],
            Self::Text => b"the quick brown fox jumps over the lazy dog. ".iter().copied().cycle().take(size).collect(),
            Self::Random => {
                let mut x = match 0x9e37_79b9_u32.wrapping_add(seed) {
                    0 => 1,
                    start => start,
                };
                let mut word = || {
                    x ^= x << 13;
                    x ^= x >> 17;
                    x ^= x << 5;
                    x.to_le_bytes()
                };
                let mut bytes: Vec<u8> = (0..size.div_ceil(4)).flat_map(|_| word()).collect();
                bytes.truncate(size);
                bytes
            }
        }
    }
}

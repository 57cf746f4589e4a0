//! The link under test: whose it is, what it offers, and how much room it has

use std::sync::OnceLock;
use std::time::Duration;

use devp2p_proto::{Buffers, Config, Entropy, Protocol, Role, SecretKey, Timeouts};

use crate::input::Input;

/// A protocol of ours: name, version, length, and the largest message that it takes
pub(crate) type Local = (&'static str, u64, u64, usize);

const ANY: usize = devp2p_proto::MAX_MESSAGE;

const PROTOCOLS: &[&[Local]] = &[
    &[("alpha", 1, 4, ANY), ("beta", 2, 3, ANY)],
    &[("alpha", 1, 4, ANY), ("beta", 2, 3, ANY), ("alpha", 3, 1, ANY), ("alpha", 2, 6, 60)],
    &[("zero", 1, 0, ANY), ("eth", 68, 17, 100), ("Snap", 1, 8, ANY), ("snap", 1, 8, 1000)],
    &[("zero", 1, 0, ANY)],
    &[("b", 1, u64::MAX / 2, ANY), ("a", 1, 1 << 40, ANY), ("c", 1, 200, 0)],
    &[],
    &[("h", 1, 1, ANY), ("g", 1, 1, ANY), ("f", 1, 1, ANY), ("e", 1, 1, ANY), ("d", 1, 1, ANY), ("c", 1, 1, ANY)],
];

const MESSAGE_LIMITS: &[usize] = &[1024, 64, 100, 257, 4096, 66_000];
const WINDOWS: &[usize] = &[4096, 0, 64, 1000, 16_384, 200_000];
const TABLES: &[usize] = &[1024, 0, 255, 256, 300, 16_384];

/// Whether and how the memory of the link is limited
#[derive(Debug, Clone, Copy)]
enum Room {
    Growable,
    /// Slices: for this many messages to wait, and this many entries of the compressor's table
    Fixed {
        messages: usize,
        table: usize,
    },
}

/// Everything that is decided before the first event
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) config: Config,
    pub(crate) protocols: &'static [Local],
    pub(crate) timeouts: Timeouts,
    pub(crate) max_message: usize,
    window: usize,
    room: Room,
    pub(crate) role: Role,
    /// The encryption handshake is part of the run
    pub(crate) handshake: bool,
    /// The run begins when both sides have said Hello
    pub(crate) running: bool,
    /// A second link gets the same events as values
    pub(crate) twin: bool,
    /// Protocols write again as soon as they are told that they can
    pub(crate) retry: bool,
}

impl Settings {
    pub(crate) fn read(input: &mut Input<'_>) -> Self {
        let flags = input.byte();
        let (protocols, sizes) = (input.byte(), input.byte());
        let protocols = PROTOCOLS[usize::from(protocols) % PROTOCOLS.len()];
        let max_message = MESSAGE_LIMITS[usize::from(sizes & 0x0f) % MESSAGE_LIMITS.len()];
        let size = usize::from(sizes >> 4);
        let window = WINDOWS[size % WINDOWS.len()];
        let fixed = Room::Fixed { messages: 1 + size % 3, table: TABLES[size % TABLES.len()] };
        let timeouts = timeouts(input.byte());
        Self {
            config: config(protocols, max_message, window, timeouts),
            protocols,
            timeouts,
            max_message,
            window,
            room: if flags & 1 == 0 { Room::Growable } else { fixed },
            role: if flags & 2 == 0 { Role::Initiator } else { Role::Recipient },
            twin: flags & 4 != 0,
            retry: flags & 8 != 0,
            running: flags & 0x10 == 0,
            // Curve arithmetic takes a hundred times as long as everything else, so that
            // handshakes must stay rare: only short inputs have one.
            handshake: flags & 0xe0 == 0xe0 && input.rest().len() < 40,
        }
    }

    /// The memory of one link
    pub(crate) fn memory(&self) -> Memory {
        match self.room {
            Room::Growable => Memory::Growable,
            Room::Fixed { messages, table } => Memory::Fixed {
                receive: vec![0xee; Buffers::receive_len(self.max_message)],
                transmit: vec![0xee; messages * Buffers::transmit_len(self.max_message)],
                table: vec![0xeeee; table],
            },
        }
    }

    /// How many bytes may wait to be sent, `None` where the slices limit that
    pub(crate) fn send_window(&self) -> Option<usize> {
        matches!(self.room, Room::Growable).then_some(self.window)
    }

    /// The largest body that the link takes once messages are exchanged: a sixth is what the
    /// reference encoder may add, and nine bytes are the longest message id
    pub(crate) const fn max_body(&self) -> usize {
        self.max_message + self.max_message / 6 + 32 + 9
    }

    /// The most that growable buffers may occupy: receiving, and sending
    ///
    /// Twice what is needed, since memory grows by doubling. For sending twice as much again: bytes that were sent
    /// may still stand in front of those that wait.
    pub(crate) fn max_memory(&self) -> (usize, usize) {
        let frame = (self.max_body() + 32).max(2050 + 32);
        let waiting = self.window.max(self.max_message + self.max_message / 64 + 100);
        (2 * (frame + self.max_message) + 256, 4 * (waiting + 1024))
    }
}

/// What [`Buffers`] are made of
#[derive(Debug)]
pub(crate) enum Memory {
    Growable,
    Fixed { receive: Vec<u8>, transmit: Vec<u8>, table: Vec<u16> },
}

impl Memory {
    pub(crate) fn buffers(&mut self) -> Buffers<'_> {
        match self {
            Self::Growable => Buffers::growable(),
            Self::Fixed { receive, transmit, table } => Buffers::fixed(receive, transmit, table),
        }
    }
}

fn config(protocols: &[Local], max_message: usize, window: usize, timeouts: Timeouts) -> Config {
    let protocol =
        |(name, version, length, limit): &Local| Protocol::new(name, *version, *length).with_max_message(*limit);
    let protocols: Vec<_> = protocols.iter().map(protocol).collect();
    let config = Config::new(key(Side::Link), "fuzz/1", &protocols).unwrap();
    let config = config.with_timeouts(timeouts).unwrap().with_max_message(max_message).unwrap();
    config.with_send_window(window).with_listen_port(30303)
}

fn timeouts(choice: u8) -> Timeouts {
    let millis = Duration::from_millis;
    let fast = [10, 3, 7, 12, 5, 2].map(millis);
    let [handshake, ping, pong, read, write, linger] = match choice % 5 {
        0 => return Timeouts::default(),
        1 => fast,
        2 => [fast[0], fast[1], fast[2], Duration::from_nanos(1), fast[4], Duration::ZERO],
        3 => [Duration::MAX; 6],
        _ => [fast[0], millis(1), millis(2), fast[3], fast[4], fast[5]],
    };
    let mut timeouts = Timeouts::default();
    timeouts.handshake = handshake;
    timeouts.ping = ping;
    timeouts.pong = pong;
    timeouts.read = read;
    timeouts.write = write;
    timeouts.linger = linger;
    timeouts
}

/// The owner of a key
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Link,
    Remote,
    /// A third node
    Stranger,
}

/// The key of a side; made once, since every one costs a multiplication
pub(crate) fn key(side: Side) -> SecretKey {
    static KEYS: OnceLock<[SecretKey; 3]> = OnceLock::new();
    let keys = KEYS.get_or_init(|| [1, 2, 3].map(|seed| SecretKey::from_bytes([seed; 32]).unwrap()));
    keys[side as usize].clone()
}

/// The randomness of a side, the same in every run
pub(crate) fn entropy(side: Side) -> Entropy {
    let byte = |index: usize| (index as u8).wrapping_mul(37) ^ (side as u8 + 1);
    Entropy::from_bytes(std::array::from_fn(byte))
}

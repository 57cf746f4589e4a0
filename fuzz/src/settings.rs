//! The link under test: its key, its protocols, and its memory

use std::sync::OnceLock;
use std::time::Duration;

use devp2p_proto::{Buffers, Config, Entropy, Protocol, ProtocolId, ProtocolSlot, Role, SecretKey, Timeouts};

use crate::input::Input;
use crate::sizes;

/// A protocol of ours: name, version, length, and the limit for its messages in both directions
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
/// The choice that permits messages of any size; one of many, since such a run takes fifty times as long
const HUGE: u8 = 255;
/// A limit for sending that differs from the limit for receiving
const SEND_LIMITS: &[Option<usize>] = &[None, Some(64), None, Some(500), None];
const WINDOWS: &[usize] = &[4096, 0, 64, 1000, 16_384, 200_000];
const TABLES: &[usize] = &[1024, 0, 255, 256, 300, 16_384];

/// Whether and how the memory of the link is limited
#[derive(Debug, Clone, Copy)]
enum Room {
    Growable,
    /// Slices: with this much beyond the smallest lengths, and this many entries of the compressor's table
    Fixed {
        surplus: (usize, usize),
        table: usize,
    },
}

/// The largest messages that the link takes
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    protocols: &'static [Local],
    pub(crate) max_message: usize,
    /// Every second protocol skips larger messages, and its code 0 has a limit of its own
    skips: bool,
}

impl Limits {
    /// The largest payload with this code that the link takes
    pub(crate) fn of(&self, protocol: ProtocolId, code: u64) -> usize {
        let own = self.code_limit(protocol).filter(|_| code == 0);
        own.unwrap_or(self.protocols[protocol.0].3).min(self.max_message)
    }

    /// The largest payload of any code that the link takes
    pub(crate) fn largest(&self, protocol: ProtocolId) -> usize {
        self.of(protocol, 0).max(self.of(protocol, 1))
    }

    pub(crate) const fn skips(&self, protocol: ProtocolId) -> bool {
        self.skips && protocol.0.is_multiple_of(2)
    }

    /// The limit of the protocol's code 0, if it has one of its own
    fn code_limit(&self, protocol: ProtocolId) -> Option<usize> {
        (self.skips(protocol) && self.protocols[protocol.0].2 > 0).then_some(self.max_message / 2)
    }
}

/// Everything that is decided before the first event
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) config: Config,
    pub(crate) protocols: &'static [Local],
    pub(crate) timeouts: Timeouts,
    pub(crate) limits: Limits,
    /// The largest payload that each protocol may send
    pub(crate) max_sends: Vec<usize>,
    pub(crate) window: usize,
    room: Room,
    /// The caller's buffers are as small as possible
    pub(crate) smallest: bool,
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
        let (choice, sizes, times) = (input.byte(), input.byte(), input.byte());
        let protocols = PROTOCOLS[usize::from(choice) % PROTOCOLS.len()];
        let size = usize::from(sizes >> 4);
        let window = WINDOWS[size % WINDOWS.len()];
        let timeouts = timeouts(times);
        let extra = times / 5;
        let mut max_message = MESSAGE_LIMITS[usize::from(sizes & 0x0f) % MESSAGE_LIMITS.len()];
        if times == HUGE {
            max_message = ANY;
            input.permit_huge();
        }
        let max_send = SEND_LIMITS[usize::from(extra / 2) % SEND_LIMITS.len()].unwrap_or(max_message);
        let limits = Limits { protocols, max_message, skips: choice >= 0x80 };
        let (config, max_sends) = config(&limits, max_send, window, timeouts);
        // The smallest possible buffers, or buffers that are larger by a few bytes or a few messages.
        let surplus = match extra & 1 {
            1 => (0, size % 3),
            _ => (size, size % 3 * (sizes::largest_frame(max_send) + sizes::RESERVE)),
        };
        let fixed = Room::Fixed { surplus, table: TABLES[size % TABLES.len()] };
        Self {
            config,
            protocols,
            timeouts,
            limits,
            max_sends,
            window,
            smallest: flags & extra & 1 == 1,
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
            Room::Fixed { surplus, table } => Memory::Fixed {
                receive: vec![0xee; self.config.receive_len() + surplus.0],
                transmit: vec![0xee; self.config.transmit_len() + surplus.1],
                table: vec![0xeeee; table],
                slots: vec![ProtocolSlot::EMPTY; self.protocols.len()],
            },
        }
    }

    /// How many bytes of protocols' frames the caller's buffer holds, `None` for one that grows
    pub(crate) fn fixed_capacity(&self) -> Option<usize> {
        match self.room {
            Room::Growable => None,
            Room::Fixed { surplus, .. } => Some(self.config.transmit_len() + surplus.1 - sizes::RESERVE),
        }
    }

    /// The share that each of these shared protocols has for writing
    pub(crate) fn shares(&self, shared: &[ProtocolId]) -> Vec<usize> {
        let largest = |protocol: &ProtocolId| sizes::largest_frame(self.max_sends[protocol.0]);
        let all: usize = shared.iter().map(largest).sum();
        let share = |protocol| match self.fixed_capacity() {
            None => self.window / shared.len(),
            Some(capacity) => largest(protocol) + (capacity - all) / shared.len(),
        };
        shared.iter().map(share).collect()
    }

    /// The most that growable buffers may occupy before protocols are shared: receiving, and sending
    ///
    /// Twice what is needed, since memory grows by doubling.
    pub(crate) fn max_memory(&self) -> (usize, usize) {
        let max_message = self.limits.max_message;
        (2 * (sizes::max_body(max_message) + max_message) + 4400, 2 * GREETING)
    }

    /// The most that growable buffers may occupy for receiving, once these protocols are shared
    pub(crate) fn max_receive(&self, shared: &[ProtocolId]) -> usize {
        let largest = shared.iter().map(|protocol| self.limits.largest(*protocol)).max().unwrap_or_default();
        2 * (sizes::max_body(largest).max(sizes::MAX_BASE_BODY) + 64 + largest)
    }

    /// The most that a growable buffer may occupy for sending, once these protocols are shared
    ///
    /// An eighth more than what is unsent is in use before the bytes that were sent are overwritten.
    pub(crate) fn max_transmit(&self, shared: &[ProtocolId]) -> usize {
        let largest = shared.iter().map(|protocol| sizes::largest_frame(self.max_sends[protocol.0]));
        let unsent: usize = self.shares(shared).into_iter().zip(largest).map(|(share, frame)| share.max(frame)).sum();
        let unsent = unsent + sizes::RESERVE + GREETING;
        2 * (unsent + unsent / 8) + TABLE
    }
}

/// The largest table of the compressor
const TABLE: usize = 2 * 16_384;
/// Ack and Hello are shorter than this
pub(crate) const GREETING: usize = 1400;

/// What [`Buffers`] are made of
#[derive(Debug)]
pub(crate) enum Memory {
    Growable,
    Fixed { receive: Vec<u8>, transmit: Vec<u8>, table: Vec<u16>, slots: Vec<ProtocolSlot> },
}

impl Memory {
    pub(crate) fn buffers(&mut self) -> Buffers<'_> {
        match self {
            Self::Growable => Buffers::growable(),
            Self::Fixed { receive, transmit, table, slots } => Buffers::fixed(receive, transmit, table, slots),
        }
    }
}

/// The configuration, and the largest payload that each protocol may send by it
fn config(limits: &Limits, max_send: usize, window: usize, timeouts: Timeouts) -> (Config, Vec<usize>) {
    let Limits { protocols, max_message, .. } = *limits;
    let own =
        |index: usize, limit: usize| if max_send == max_message || index.is_multiple_of(2) { limit } else { limit / 2 };
    let code_limit = |index| limits.code_limit(ProtocolId(index)).map(|limit| (0, limit));
    let code_limits: Vec<_> = (0..protocols.len()).map(code_limit).collect();
    let protocol = |(index, (name, version, length, limit)): (usize, &'static Local)| {
        let protocol = Protocol::new(name, *version, *length).with_max_message(*limit);
        let protocol = protocol.with_max_send(own(index, *limit)).with_code_limits(code_limits[index].as_slice());
        if limits.skips(ProtocolId(index)) { protocol.skip_larger() } else { protocol }
    };
    let offers: Vec<_> = protocols.iter().enumerate().map(protocol).collect();
    let config = Config::new(key(Side::Link), "fuzz/1", &offers).unwrap();
    let config = config.with_timeouts(timeouts).unwrap().with_max_message(max_message).unwrap();
    let config = config.with_max_send(max_send).unwrap().with_send_window(window).with_listen_port(30303);
    let max_sends = protocols.iter().enumerate().map(|(index, local)| own(index, local.3).min(max_send)).collect();
    (config, max_sends)
}

fn timeouts(choice: u8) -> Timeouts {
    let mut timeouts = Timeouts::default();
    timeouts.slowest_rate = [timeouts.slowest_rate, 0, 1000][usize::from(choice / 5) % 3];
    let millis = Duration::from_millis;
    let fast = [10, 3, 7, 12, 5, 2].map(millis);
    let [handshake, ping, pong, read, write, linger] = match choice % 5 {
        0 => return timeouts,
        1 => fast,
        // Such a short time to read is permitted only to a link that sends no Pings.
        2 => [fast[0], Duration::MAX, fast[2], Duration::from_nanos(1), fast[4], Duration::ZERO],
        3 => [Duration::MAX; 6],
        _ => [fast[0], millis(1), millis(2), fast[3], fast[4], fast[5]],
    };
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

/// The key of a side; made once, since each key costs a multiplication
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

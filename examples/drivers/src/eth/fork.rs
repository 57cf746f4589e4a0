//! Fork ids: which rule changes a node has made and will make (EIP-2124, with times by EIP-6122)

use std::fmt;
use std::str::FromStr;

use rlp::{Decodable, DecoderError, Encodable, Rlp, RlpStream};

use crate::arguments::hex;
use crate::eth::hash::Hash;
use crate::eth::message::expect_fields;

/// From this number on a fork point is a time: the moment of mainnet's genesis, and no block number for ages
const FIRST_TIME: u64 = 1_438_269_973;

/// A checksum over genesis and the forks behind the head, and the fork ahead of it, 0 if none is known
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ForkId {
    pub checksum: [u8; 4],
    pub next: u64,
}

impl Encodable for ForkId {
    fn rlp_append(&self, stream: &mut RlpStream) {
        stream.begin_list(2).append(&&self.checksum[..]).append(&self.next);
    }
}

impl Decodable for ForkId {
    fn decode(rlp: &Rlp<'_>) -> Result<Self, DecoderError> {
        expect_fields(rlp, 2)?;
        let checksum = rlp.at(0)?.data()?.try_into().map_err(|_| DecoderError::RlpInvalidLength)?;
        Ok(Self { checksum, next: rlp.val_at(1)? })
    }
}

impl fmt::Display for ForkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.checksum.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        if self.next == 0 { Ok(()) } else { write!(f, "/{}", self.next) }
    }
}

impl FromStr for ForkId {
    type Err = String;

    /// Parses `CHECKSUM` or `CHECKSUM/NEXT`
    fn from_str(text: &str) -> Result<Self, String> {
        let (checksum, next) = text.split_once('/').unwrap_or((text, "0"));
        let next = next.parse().map_err(|_| format!("{next:?} is neither a block number nor a time"))?;
        Ok(Self { checksum: hex(checksum)?, next })
    }
}

/// The number and the time of a chain's head, which decide which forks are behind it
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    pub number: u64,
    pub time: u64,
}

/// The forks of our chain
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Forks {
    /// One id is all that is known
    Only(ForkId),
    Schedule(Schedule),
}

/// Every fork of a chain after its genesis
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// The checksum before each fork of `points`, and after the last
    checksums: Vec<[u8; 4]>,
    /// Block numbers, then times, each rising
    points: Vec<u64>,
    /// How many of `points` are block numbers
    by_number: usize,
    /// The time of the genesis block
    time: u64,
}

impl Schedule {
    /// Forks by number and by time; those that genesis has already are no forks
    pub fn new(genesis: Hash, time: u64, mut blocks: Vec<u64>, mut times: Vec<u64>) -> Self {
        blocks.retain(|block| *block > 0);
        times.retain(|fork| *fork > time);
        for part in [&mut blocks, &mut times] {
            part.sort_unstable();
            part.dedup();
        }
        let by_number = blocks.len();
        let points = [blocks, times].concat();
        let mut checksum = Crc32::default();
        checksum.update(&genesis.0);
        let mut checksums = vec![checksum.value()];
        for point in &points {
            checksum.update(&point.to_be_bytes());
            checksums.push(checksum.value());
        }
        Self { checksums, points, by_number, time }
    }

    const fn genesis(&self) -> Position {
        Position { number: 0, time: self.time }
    }

    /// How many forks are behind a head
    fn behind(&self, at: Position) -> usize {
        let is_behind = |(index, point): &(usize, &u64)| **point <= self.measure(*index, at);
        self.points.iter().enumerate().take_while(is_behind).count()
    }

    /// The number or the time of a head, whichever the fork at this index is given by
    ///
    /// The index after the last stands for a fork that we do not know, which is of the same kind as the last.
    const fn measure(&self, index: usize, at: Position) -> u64 {
        if index < self.by_number || self.by_number == self.points.len() { at.number } else { at.time }
    }

    fn id(&self, at: Position) -> ForkId {
        let behind = self.behind(at);
        ForkId { checksum: self.checksums[behind], next: self.points.get(behind).copied().unwrap_or_default() }
    }

    /// The rules of EIP-2124, with a local head at this position
    fn check(&self, theirs: ForkId, at: Position) -> Result<(), ForkMismatch> {
        let behind = self.behind(at);
        let next = theirs.next;
        match self.checksums.iter().position(|checksum| *checksum == theirs.checksum) {
            // The same forks are behind both. Their next fork must not be one that we have passed without knowing it.
            Some(same) if same == behind => {
                let passed = next <= self.measure(behind, at) || (next >= FIRST_TIME && next <= at.time);
                if next > 0 && passed { Err(ForkMismatch::UnknownFork) } else { Ok(()) }
            }
            // Fewer forks are behind them. They must know the fork that comes next for them.
            Some(fewer) if fewer < behind && next != self.points[fewer] => Err(ForkMismatch::Stale(self.points[fewer])),
            // Fewer forks are behind them, and they know the next; or more are behind them, and we know all of these.
            Some(_) => Ok(()),
            None => Err(ForkMismatch::Incompatible),
        }
    }
}

impl Forks {
    /// The position of the genesis block
    pub const fn genesis(&self) -> Position {
        match self {
            // Where only one id is known, the position changes nothing.
            Self::Only(_) => Position { number: 0, time: 0 },
            Self::Schedule(schedule) => schedule.genesis(),
        }
    }

    /// The id of a node whose head is at this position
    pub fn id(&self, at: Position) -> ForkId {
        match self {
            Self::Only(id) => *id,
            Self::Schedule(schedule) => schedule.id(at),
        }
    }

    /// Whether a node with this id is on our chain, seen from a head at this position
    pub fn check(&self, theirs: ForkId, at: Position) -> Result<(), ForkMismatch> {
        match self {
            Self::Only(ours) if ours.checksum == theirs.checksum => Ok(()),
            Self::Only(ours) => Err(ForkMismatch::Other(*ours)),
            Self::Schedule(schedule) => schedule.check(theirs, at),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ForkMismatch {
    /// Their next fork is at a block or time that our chain has passed without forking
    UnknownFork,
    /// They have not passed the fork at this block or time, and it is not the next fork that they name
    Stale(u64),
    /// No stretch of our forks has that checksum
    Incompatible,
    /// Not the only one that we know
    Other(ForkId),
}

impl fmt::Display for ForkMismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownFork => f.write_str("its next fork is one that our chain has passed without forking"),
            Self::Stale(point) => write!(f, "it does not know the fork at {point}, which our chain has passed"),
            Self::Incompatible => f.write_str("its forks are not those of our chain"),
            Self::Other(ours) => write!(f, "expected {ours}"),
        }
    }
}

/// CRC-32 as of IEEE 802.3, bit by bit: it is run over a few dozen bytes
#[derive(Clone, Copy, Default)]
struct Crc32(u32);

impl Crc32 {
    fn update(&mut self, bytes: &[u8]) {
        let mut register = !self.0;
        for byte in bytes {
            register ^= u32::from(*byte);
            for _ in 0..8 {
                let feedback = if register & 1 == 1 { 0xedb8_8320 } else { 0 };
                register = register >> 1 ^ feedback;
            }
        }
        self.0 = !register;
    }

    const fn value(self) -> [u8; 4] {
        self.0.to_be_bytes()
    }
}

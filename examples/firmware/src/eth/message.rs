//! The messages of `eth`, read and written in place
//!
//! See caps/eth.md of the devp2p specifications; request ids are those of EIP-2481.

use core::str::FromStr;

use devp2p_proto::keccak256;
use devp2p_proto::rlp::{Reader, RlpError, Writer};

use super::Failure;

pub const STATUS: u64 = 0x00;
pub const GET_BLOCK_HEADERS: u64 = 0x03;
pub const BLOCK_HEADERS: u64 = 0x04;
const GET_BLOCK_BODIES: u64 = 0x05;
const GET_POOLED_TRANSACTIONS: u64 = 0x09;
const GET_RECEIPTS: u64 = 0x0f;

/// The first version whose Status tells a range of blocks (EIP-7642), where older ones tell a difficulty
const RANGE_VERSION: u64 = 69;

/// Room for each message of ours: the longest is Status, three hashes and a few small fields
pub const MAX_LEN: usize = 160;

/// The block's number among the header's fields; those that forks have added come after it
const NUMBER: usize = 8;

/// 32 bytes of Keccak-256
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Hash(pub [u8; 32]);

impl defmt::Format for Hash {
    fn format(&self, f: defmt::Formatter<'_>) {
        // As digits, not as a list of numbers
        for word in self.0.as_chunks().0 {
            defmt::write!(f, "{=u128:032x}", u128::from_be_bytes(*word));
        }
    }
}

impl FromStr for Hash {
    type Err = NotHexadecimal;

    fn from_str(digits: &str) -> Result<Self, NotHexadecimal> {
        hex(digits).map(Self)
    }
}

/// Which rule changes a node has made and will make (EIP-2124)
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ForkId {
    pub checksum: [u8; 4],
    /// The block or the time of the next fork, 0 if none is known
    pub next: u64,
}

impl ForkId {
    fn read(reader: &mut Reader<'_>) -> Result<Self, RlpError> {
        let mut fields = reader.list()?;
        let id = Self { checksum: *fields.array()?, next: fields.uint()? };
        fields.finish()?;
        Ok(id)
    }

    fn write(&self, writer: &mut Writer<'_>) {
        writer.list(|fields| {
            fields.bytes(&self.checksum);
            fields.uint(self.next);
        });
    }
}

impl defmt::Format for ForkId {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "{=u32:08x}/{=u64}", u32::from_be_bytes(self.checksum), self.next);
    }
}

impl FromStr for ForkId {
    type Err = NotHexadecimal;

    /// Parses `CHECKSUM` or `CHECKSUM/NEXT`
    fn from_str(text: &str) -> Result<Self, NotHexadecimal> {
        let (checksum, next) = text.split_once('/').unwrap_or((text, "0"));
        Ok(Self { checksum: hex(checksum)?, next: next.parse().map_err(|_| NotHexadecimal)? })
    }
}

/// A chain, as its nodes tell it from others
#[derive(Clone, Copy)]
pub struct Chain {
    pub network: u64,
    pub genesis: Hash,
    pub fork_id: ForkId,
}

impl Chain {
    pub const fn first_block(&self) -> Block {
        Block { hash: self.genesis, number: Some(0) }
    }

    /// Whether it is `ours`
    pub fn check(&self, ours: &Self) -> Result<(), Failure> {
        let Self { network, genesis, fork_id } = *self;
        if network != ours.network {
            return Err(Failure::OtherNetwork { theirs: network, ours: ours.network });
        }
        if genesis != ours.genesis {
            return Err(Failure::OtherGenesis { theirs: genesis, ours: ours.genesis });
        }
        // Without the chain's list of forks, ids are the same or they are not.
        if fork_id.checksum != ours.fork_id.checksum {
            return Err(Failure::OtherForks { theirs: fork_id, ours: ours.fork_id });
        }
        Ok(())
    }
}

/// What is known of a block whose header is still to be seen
#[derive(Clone, Copy)]
pub struct Block {
    pub hash: Hash,
    /// Up to eth/68 nodes do not tell it
    pub number: Option<u64>,
}

impl defmt::Format for Block {
    fn format(&self, f: defmt::Formatter<'_>) {
        match self.number {
            Some(number) => defmt::write!(f, "block {=u64}, {}", number, self.hash),
            None => defmt::write!(f, "block {}", self.hash),
        }
    }
}

/// The first message of both sides
pub struct Status {
    pub version: u64,
    pub chain: Chain,
    pub newest: Block,
}

impl Status {
    pub fn read(payload: &[u8]) -> Result<Self, RlpError> {
        let mut fields = Reader::new(payload).only_list()?;
        let (version, network) = (fields.uint()?, fields.uint()?);
        let status = if version < RANGE_VERSION {
            fields.bytes()?; // the total difficulty, which means nothing any more
            let newest = Block { hash: Hash(*fields.array()?), number: None };
            let genesis = Hash(*fields.array()?);
            Self { version, chain: Chain { network, genesis, fork_id: ForkId::read(&mut fields)? }, newest }
        } else {
            let genesis = Hash(*fields.array()?);
            let chain = Chain { network, genesis, fork_id: ForkId::read(&mut fields)? };
            fields.uint()?; // the earliest block that it has
            let number = Some(fields.uint()?);
            Self { version, chain, newest: Block { number, hash: Hash(*fields.array()?) } }
        };
        fields.finish()?;
        Ok(status)
    }
}

/// The header of a block: what is checked of it
pub struct Header {
    pub hash: Hash,
    pub number: u64,
}

/// The answer to a request for one header
pub struct Answer {
    /// Of the request
    pub id: u64,
    /// `None` if the node does not have it
    pub header: Option<Header>,
}

impl Header {
    pub fn read_answer(payload: &[u8]) -> Result<Answer, RlpError> {
        let (id, mut content) = read_numbered(payload)?;
        let mut headers = content.list()?;
        content.finish()?;
        let header = if headers.is_empty() { None } else { Some(Self::read(headers.raw()?)?) };
        headers.finish()?;
        Ok(Answer { id, header })
    }

    fn read(encoded: &[u8]) -> Result<Self, RlpError> {
        let mut fields = Reader::new(encoded).only_list()?;
        for _ in 0..NUMBER {
            fields.item()?;
        }
        Ok(Self { hash: Hash(keccak256(encoded)), number: fields.uint()? })
    }

    /// Whether it is the header of the block
    pub fn check(&self, block: Block) -> Result<(), Failure> {
        if self.hash != block.hash {
            return Err(Failure::OtherHash { theirs: self.hash, asked: block.hash });
        }
        match block.number {
            Some(told) if told != self.number => Err(Failure::OtherNumber { header: self.number, told }),
            _ => Ok(()),
        }
    }
}

/// What this node says
#[derive(Clone, Copy)]
pub enum Outgoing {
    /// Of a node that has the genesis block and nothing more
    Status,
    GetHeader {
        id: u64,
        hash: Hash,
    },
    /// That nothing is here of what a request with this code has asked for
    Nothing {
        code: u64,
        id: u64,
    },
}

impl Outgoing {
    /// The answer to a message, if it is a request
    pub fn answer(code: u64, payload: &[u8]) -> Result<Option<Self>, RlpError> {
        match code {
            GET_BLOCK_HEADERS | GET_BLOCK_BODIES | GET_POOLED_TRANSACTIONS | GET_RECEIPTS => {
                let (id, _) = read_numbered(payload)?;
                Ok(Some(Self::Nothing { code, id }))
            }
            _ => Ok(None),
        }
    }

    pub const fn code(self) -> u64 {
        match self {
            Self::Status => STATUS,
            Self::GetHeader { .. } => GET_BLOCK_HEADERS,
            Self::Nothing { code, .. } => code + 1,
        }
    }

    /// Writes the payload into `room`, and returns its length; more than there is room for if it does not fit
    pub fn write(self, room: &mut [u8], version: u64, chain: &Chain) -> usize {
        let mut writer = Writer::new(room);
        writer.list(|fields| match self {
            Self::Status => write_status(fields, version, chain),
            Self::GetHeader { id, hash } => {
                fields.uint(id);
                fields.list(|headers| {
                    headers.bytes(&hash.0);
                    // This one alone; how many to skip, and whether backwards, is all the same.
                    [1, 0, 0].into_iter().for_each(|field| headers.uint(field));
                });
            }
            Self::Nothing { id, .. } => {
                fields.uint(id);
                fields.list(|_| {});
            }
        });
        writer.finish().map_or(usize::MAX, <[u8]>::len)
    }
}

fn write_status(fields: &mut Writer<'_>, version: u64, chain: &Chain) {
    fields.uint(version);
    fields.uint(chain.network);
    if version < RANGE_VERSION {
        fields.uint(0); // the total difficulty
        fields.bytes(&chain.genesis.0); // the newest block
        fields.bytes(&chain.genesis.0);
        chain.fork_id.write(fields);
    } else {
        fields.bytes(&chain.genesis.0);
        chain.fork_id.write(fields);
        fields.uint(0); // the earliest block, and the newest
        fields.uint(0);
        fields.bytes(&chain.genesis.0);
    }
}

/// The id of a request or an answer, and a reader of what it is about
fn read_numbered(payload: &[u8]) -> Result<(u64, Reader<'_>), RlpError> {
    let mut list = Reader::new(payload).only_list()?;
    Ok((list.uint()?, list))
}

/// The text is not as many hexadecimal digits as it must be
#[derive(Debug)]
pub struct NotHexadecimal;

fn hex<const N: usize>(digits: &str) -> Result<[u8; N], NotHexadecimal> {
    let (pairs, odd) = digits.as_bytes().as_chunks::<2>();
    if !odd.is_empty() || pairs.len() != N {
        return Err(NotHexadecimal);
    }
    let digit = |digit: u8| char::from(digit).to_digit(16).ok_or(NotHexadecimal);
    let mut bytes = [0; N];
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = (digit(*high)? << 4 | digit(*low)?) as u8;
    }
    Ok(bytes)
}

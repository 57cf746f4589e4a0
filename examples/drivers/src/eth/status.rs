//! Status, the first message of both sides: whether they are on the same chain at all
//!
//! Two forms: up to eth/68 `[version, network, total difficulty, head, genesis, fork id]`, from eth/69 on
//! (EIP-7642) `[version, network, genesis, fork id, earliest, latest, latest hash]`.

use std::fmt;

use rlp::{Decodable, DecoderError, Encodable, Rlp, RlpStream};

use crate::eth::chain::{Chain, Standing};
use crate::eth::fork::{ForkId, ForkMismatch, Position};
use crate::eth::hash::Hash;
use crate::eth::message::{BlockRange, RANGE_VERSION, Raw, expect_fields};

/// The largest length of a total difficulty, in bytes: the integers of the virtual machine are not longer
const MAX_DIFFICULTY: usize = 32;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    pub version: u64,
    pub network: u64,
    pub genesis: Hash,
    pub fork_id: ForkId,
    pub head: Head,
}

/// How far the node has come
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Head {
    /// Up to eth/68; the total difficulty is not kept, since it can exceed 64 bits and has no meaning since the Merge
    Difficulty {
        total: Raw,
        hash: Hash,
    },
    Range(BlockRange),
}

impl Head {
    pub const fn hash(&self) -> Hash {
        match self {
            Self::Difficulty { hash, .. } => *hash,
            Self::Range(range) => range.latest_hash,
        }
    }
}

impl Status {
    /// The Status of a node that has these blocks
    pub fn of(version: u64, chain: &Chain, standing: &Standing) -> Self {
        let head = if version >= RANGE_VERSION {
            Head::Range(standing.range)
        } else {
            // The total difficulty means nothing since the Merge, and is not known.
            Head::Difficulty { total: Raw(rlp::encode(&0_u8).to_vec()), hash: standing.range.latest_hash }
        };
        let fork_id = chain.forks.id(standing.position());
        Self { version, network: chain.network, genesis: chain.genesis, fork_id, head }
    }

    /// Whether the node that sent this is on our chain, seen from our head
    pub fn check(&self, version: u64, chain: &Chain, at: Position) -> Result<(), Mismatch> {
        if self.version != version {
            return Err(Mismatch::Version { theirs: self.version, agreed: version });
        }
        if self.network != chain.network {
            return Err(Mismatch::Network { theirs: self.network, ours: chain.network });
        }
        if self.genesis != chain.genesis {
            return Err(Mismatch::Genesis { theirs: self.genesis, ours: chain.genesis });
        }
        chain.forks.check(self.fork_id, at).map_err(|why| Mismatch::Fork { theirs: self.fork_id, why })?;
        match self.head {
            Head::Range(range) if !range.is_possible() => Err(Mismatch::Range),
            _ => Ok(()),
        }
    }
}

impl Encodable for Status {
    fn rlp_append(&self, stream: &mut RlpStream) {
        match &self.head {
            Head::Difficulty { total, hash } => {
                stream.begin_list(6).append(&self.version).append(&self.network).append(total).append(hash);
                stream.append(&self.genesis).append(&self.fork_id);
            }
            Head::Range(BlockRange { earliest, latest, latest_hash }) => {
                stream.begin_list(7).append(&self.version).append(&self.network).append(&self.genesis);
                stream.append(&self.fork_id).append(earliest).append(latest).append(latest_hash);
            }
        }
    }
}

impl Decodable for Status {
    fn decode(rlp: &Rlp<'_>) -> Result<Self, DecoderError> {
        let (version, network) = (rlp.val_at(0)?, rlp.val_at(1)?);
        if version < RANGE_VERSION {
            expect_fields(rlp, 6)?;
            if rlp.at(2)?.data()?.len() > MAX_DIFFICULTY {
                return Err(DecoderError::Custom("a total difficulty of more than 32 bytes"));
            }
            let head = Head::Difficulty { total: rlp.val_at(2)?, hash: rlp.val_at(3)? };
            return Ok(Self { version, network, genesis: rlp.val_at(4)?, fork_id: rlp.val_at(5)?, head });
        }
        expect_fields(rlp, 7)?;
        let range = BlockRange { earliest: rlp.val_at(4)?, latest: rlp.val_at(5)?, latest_hash: rlp.val_at(6)? };
        Ok(Self { version, network, genesis: rlp.val_at(2)?, fork_id: rlp.val_at(3)?, head: Head::Range(range) })
    }
}

/// Why two nodes have nothing to say to each other
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mismatch {
    Version { theirs: u64, agreed: u64 },
    Network { theirs: u64, ours: u64 },
    Genesis { theirs: Hash, ours: Hash },
    Fork { theirs: ForkId, why: ForkMismatch },
    Range,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version { theirs, agreed } => {
                write!(f, "its Status is for eth/{theirs}, but eth/{agreed} was agreed on")
            }
            Self::Network { theirs, ours } => write!(f, "it is on network {theirs}, not on {ours}"),
            Self::Genesis { theirs, ours } => write!(f, "its genesis is {theirs}, not {ours}"),
            Self::Fork { theirs, why } => write!(f, "its fork id is {theirs}: {why}"),
            Self::Range => f.write_str("its range of blocks is impossible"),
        }
    }
}

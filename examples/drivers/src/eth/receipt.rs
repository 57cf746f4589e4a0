//! Receipts, in the two forms that they travel in, and how the header vouches for them
//!
//! Up to eth/68 they come as they stand in their trie. From eth/69 on (EIP-7642) they come as
//! `[type, status, gas, logs]`, without the bloom filter, which the receiver works out from the logs.

use rlp::{Decodable, DecoderError, Rlp, RlpStream};

use crate::eth::answer::PerBlock;
use crate::eth::body::Typed;
use crate::eth::hash::Hash;
use crate::eth::header::Header;
use crate::eth::message::expect_fields;
use crate::eth::trie::ordered_root;

const BLOOM_LEN: usize = 256;
const ADDRESS_LEN: usize = 20;
/// The most topics of a log: the virtual machine has instructions up to LOG4
const MAX_TOPICS: usize = 4;

/// One receipt as its trie has it, whichever way it came
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    encoded: Typed,
    pub logs: usize,
}

/// The receipts of one block
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipts(pub Vec<Receipt>);

impl Receipts {
    /// Whether these are the receipts that the header speaks of
    pub fn check(&self, header: &Header) -> Result<(), String> {
        match ordered_root(&self.0) == header.receipts_root {
            true => Ok(()),
            false => Err(format!("the receipts of block {} are not those of its header", header.number)),
        }
    }
}

impl Decodable for Receipts {
    fn decode(rlp: &Rlp<'_>) -> Result<Self, DecoderError> {
        rlp.as_list().map(Self)
    }
}

impl PerBlock for Receipts {
    fn count(rlp: &Rlp<'_>) -> Result<usize, DecoderError> {
        rlp.item_count()
    }
}

impl Decodable for Receipt {
    fn decode(rlp: &Rlp<'_>) -> Result<Self, DecoderError> {
        // The older form also is a list of four, but its third item is a bloom filter and not a number.
        if rlp.is_list() && rlp.at(2)?.size() != BLOOM_LEN {
            return Self::without_bloom(rlp);
        }
        let encoded = Typed::decode(rlp)?;
        let list = if rlp.is_list() { Rlp::new(&encoded.0) } else { Rlp::new(&encoded.0[1..]) };
        // What is wrapped up in a string was not looked at when the message was.
        devp2p_proto::rlp::validate(list.as_raw()).map_err(|_| DecoderError::Custom("a receipt is not RLP"))?;
        expect_fields(&list, 4)?;
        let logs = list.at(3)?.item_count()?;
        Ok(Self { logs, encoded })
    }
}

impl Receipt {
    fn without_bloom(rlp: &Rlp<'_>) -> Result<Self, DecoderError> {
        expect_fields(rlp, 4)?;
        let kind: u8 = rlp.val_at(0)?;
        let logs = rlp.at(3)?;
        let mut encoded = RlpStream::new_list(4);
        encoded.append_raw(rlp.at(1)?.as_raw(), 1).append_raw(rlp.at(2)?.as_raw(), 1);
        encoded.append(&&bloom(&logs)?[..]).append_raw(logs.as_raw(), 1);
        let mut envelope = if kind == 0 { Vec::new() } else { vec![kind] };
        envelope.extend_from_slice(encoded.as_raw());
        Ok(Self { encoded: Typed(envelope), logs: logs.item_count()? })
    }
}

/// How a receipt is encoded in a message, by the version of `eth`
impl Receipt {
    /// Up to eth/68: as in the trie
    pub fn append_with_bloom(&self, stream: &mut RlpStream) {
        self.encoded.append_wrapped(stream);
    }

    /// From eth/69 on (EIP-7642): `[type, status, gas, logs]`
    pub fn append_without_bloom(&self, stream: &mut RlpStream) {
        let (kind, list) = match self.encoded.0.split_first() {
            Some((kind @ 0..=0x7f, list)) => (*kind, list),
            _ => (0, &self.encoded.0[..]),
        };
        let list = Rlp::new(list);
        stream.begin_list(4).append(&kind);
        for field in [0, 1, 3] {
            // A receipt has four fields, which was checked when it was made.
            stream.append_raw(list.at(field).map_or(&[0x80], |field| field.as_raw()), 1);
        }
    }
}

/// Three bits for the address of each log and for each of its topics (Yellow Paper, section 4.3.1)
///
/// The lengths of addresses and topics are checked, so that there is at most one hash for every 21 bytes.
fn bloom(logs: &Rlp<'_>) -> Result<[u8; BLOOM_LEN], DecoderError> {
    let mut bloom = [0; BLOOM_LEN];
    for log in logs {
        expect_fields(&log, 3)?;
        let (address, topics) = (log.at(0)?.data()?, log.at(1)?);
        if address.len() != ADDRESS_LEN {
            return Err(DecoderError::Custom("the address of a log does not have 20 bytes"));
        }
        if topics.item_count()? > MAX_TOPICS {
            return Err(DecoderError::Custom("a log has more than four topics"));
        }
        mark(&mut bloom, address);
        for topic in &topics {
            mark(&mut bloom, &topic.as_val::<Hash>()?.0);
        }
    }
    Ok(bloom)
}

fn mark(bloom: &mut [u8; BLOOM_LEN], item: &[u8]) {
    let hash = Hash::of(item);
    for pair in hash.0[..6].chunks_exact(2) {
        let bit = usize::from(u16::from_be_bytes([pair[0], pair[1]])) % (8 * BLOOM_LEN);
        bloom[BLOOM_LEN - 1 - bit / 8] |= 1 << (bit % 8);
    }
}

impl AsRef<[u8]> for Receipt {
    fn as_ref(&self) -> &[u8] {
        &self.encoded.0
    }
}

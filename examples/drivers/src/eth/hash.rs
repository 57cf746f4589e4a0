//! Hashes, and the ones that stand for nothing

use std::fmt;
use std::str::FromStr;

use devp2p_proto::keccak256;
use rlp::{Decodable, DecoderError, Encodable, Rlp, RlpStream};

use crate::arguments::hex;

/// 32 bytes of Keccak-256; prints as hexadecimal digits
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    pub fn of(bytes: &[u8]) -> Self {
        Self(keccak256(bytes))
    }

    /// The root of a trie without entries: the hash of the empty string's encoding
    pub fn empty_trie() -> Self {
        Self::of(&[0x80])
    }

    /// The hash of the encoding of an empty list
    pub fn empty_list() -> Self {
        Self::of(&[0xc0])
    }

    /// The hash of no bytes, which accounts without code have
    pub fn empty_code() -> Self {
        Self::of(&[])
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // `{:.8}` prints the first digits only.
        let shown = f.precision().map_or(self.0.len(), |digits| digits / 2);
        self.0.iter().take(shown).try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hash({self:.8})")
    }
}

impl FromStr for Hash {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        hex(text).map(Self)
    }
}

impl Encodable for Hash {
    fn rlp_append(&self, stream: &mut RlpStream) {
        stream.encoder().encode_value(&self.0);
    }
}

impl Decodable for Hash {
    fn decode(rlp: &Rlp<'_>) -> Result<Self, DecoderError> {
        rlp.data()?.try_into().map(Self).map_err(|_| DecoderError::RlpInvalidLength)
    }
}

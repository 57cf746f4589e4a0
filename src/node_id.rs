//! How nodes are named on the network

use core::fmt;
use core::str::FromStr;

/// A node's name: its secp256k1 public key without the 0x04 prefix, X ‖ Y
///
/// Prints as 128 hexadecimal digits, the form in an `enode://` URL. Any 64 bytes make a `NodeId`;
/// whether they are a point of the curve is checked when the key is used.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId([u8; 64]);

impl NodeId {
    /// The id with these bytes
    pub const fn new(bytes: [u8; 64]) -> Self {
        Self(bytes)
    }

    /// The bytes of the id, X ‖ Y
    pub const fn as_bytes(&self) -> &[u8; 64] {
        &self.0
    }

    /// Whether every byte is zero, which is not the id of any node
    pub fn is_zero(&self) -> bool {
        self.0.iter().all(|byte| *byte == 0)
    }

    /// The hash that geth shows as a node's `id`: Keccak-256 of the public key
    pub fn hash(&self) -> NodeHash {
        NodeHash(crate::keccak::keccak256(&self.0))
    }
}

impl From<[u8; 64]> for NodeId {
    fn from(bytes: [u8; 64]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(f, &self.0)
    }
}

impl fmt::Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NodeId({self})")
    }
}

impl FromStr for NodeId {
    type Err = ParseNodeIdError;

    /// Parses 128 hexadecimal digits, upper or lower case
    fn from_str(digits: &str) -> Result<Self, Self::Err> {
        let (pairs, odd) = digits.as_bytes().as_chunks::<2>();
        let mut bytes = [0; 64];
        if !odd.is_empty() || pairs.len() != bytes.len() {
            return Err(ParseNodeIdError);
        }
        for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
            *byte = (hex_digit(*high)? << 4) | hex_digit(*low)?;
        }
        Ok(Self(bytes))
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for NodeId {
    fn format(&self, f: defmt::Formatter<'_>) {
        format_hex(f, &self.0);
    }
}

/// The text is not 128 hexadecimal digits
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct ParseNodeIdError;

impl fmt::Display for ParseNodeIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a node id is 128 hexadecimal digits")
    }
}

impl core::error::Error for ParseNodeIdError {}

fn hex_digit(digit: u8) -> Result<u8, ParseNodeIdError> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok()).ok_or(ParseNodeIdError)
}

/// The Keccak-256 hash of a [`NodeId`], by which geth lists nodes
///
/// Prints as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeHash([u8; 32]);

impl NodeHash {
    /// The bytes of the hash
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for NodeHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(f, &self.0)
    }
}

impl fmt::Debug for NodeHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NodeHash({self})")
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for NodeHash {
    fn format(&self, f: defmt::Formatter<'_>) {
        format_hex(f, &self.0);
    }
}

/// Prints digits, not a list of numbers; words of 16 bytes keep the log frames short
#[cfg(feature = "defmt")]
fn format_hex(f: defmt::Formatter<'_>, bytes: &[u8]) {
    for word in bytes.as_chunks().0 {
        defmt::write!(f, "{=u128:032x}", u128::from_be_bytes(*word));
    }
}

fn write_hex(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    #[test]
    fn text_and_bytes_are_the_same_id() {
        let bytes = core::array::from_fn(|i| (i * 3) as u8);
        let id = NodeId::new(bytes);
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(id.to_string().to_uppercase().parse(), Ok(id));
    }

    #[test]
    fn other_text_is_refused() {
        for text in ["", "12", &"0".repeat(127), &"0".repeat(129), &"g".repeat(128), &"é".repeat(64)] {
            assert_eq!(text.parse::<NodeId>(), Err(ParseNodeIdError), "{text}");
        }
        assert_eq!(ParseNodeIdError.to_string(), "a node id is 128 hexadecimal digits");
    }

    /// 64 zeros hash to this: it is where a Solidity contract stores the first entry of its first mapping
    #[test]
    fn a_hash_prints_its_bytes() {
        let digits = "ad3228b676f7d3cd4284a5443f17f1962b36e491b30a40b2405849e597ba5fb5";
        let hash = NodeId::new([0; 64]).hash();
        assert_eq!(hash.to_string(), digits);
        assert_eq!(hash.as_bytes()[..3], [0xad, 0x32, 0x28]);
        assert_eq!(hash.as_bytes()[31], 0xb5);
    }
}

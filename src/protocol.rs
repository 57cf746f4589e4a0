//! How subprotocols are named

use core::fmt;

/// The name of a capability: 1 to 8 printable ASCII characters
///
/// Orders byte by byte, case-sensitively, as message id ranges are handed out.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name {
    /// Padded with zeros, which keeps the order of the unpadded bytes
    bytes: [u8; 8],
}

impl Name {
    /// The name that `bytes` spell, if they can be one
    pub fn new(bytes: &[u8]) -> Option<Self> {
        let valid = matches!(bytes.len(), 1..=8) && bytes.iter().all(u8::is_ascii_graphic);
        let mut name = Self { bytes: [0; 8] };
        crate::wire::copy(&mut name.bytes, bytes);
        valid.then_some(name)
    }

    /// The name as bytes
    pub fn as_bytes(&self) -> &[u8] {
        let len = self.bytes.iter().take_while(|byte| **byte != 0).count();
        self.bytes.get(..len).unwrap_or_default()
    }

    /// The name as text
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(self.as_bytes()).unwrap_or_default()
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Name {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "{=str}", self.as_str());
    }
}

/// A protocol by name and version, as Hello announces it; prints as `eth/68`
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Capability {
    /// The protocol's name
    pub name: Name,
    /// The protocol's version
    pub version: u64,
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.name, self.version)
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Capability {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "{=str}/{=u64}", self.name.as_str(), self.version);
    }
}

/// A protocol of this node: its position in the list that the configuration was made with
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct ProtocolId(pub usize);

impl fmt::Display for ProtocolId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "protocol {}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_order_as_their_bytes_do() {
        let name = |text: &str| Name::new(text.as_bytes()).unwrap();
        assert!(name("Z") < name("a"));
        assert!(name("eth") < name("eth2"));
        assert!(name("eth2") < name("etj"));
        assert_eq!(name("12345678").as_str(), "12345678");
    }

    #[test]
    fn what_is_no_name() {
        for bytes in [&b""[..], b"123456789", b"a b", b"a\0", b"\xc3\xa9th"] {
            assert_eq!(Name::new(bytes), None);
        }
    }
}

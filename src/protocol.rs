//! How subprotocols are named

use core::error::Error;
use core::fmt;
use core::str::FromStr;

use crate::invariant::must;

/// The name of a capability: 1 to 8 printable ASCII characters
///
/// Ordered byte by byte and case-sensitively, which is the order of the message id ranges.
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
        must(self.bytes.get(..len), "a name has at most eight bytes")
    }

    /// The name as text
    pub fn as_str(&self) -> &str {
        must(core::str::from_utf8(self.as_bytes()).ok(), "a name is ASCII")
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

impl FromStr for Name {
    type Err = ParseCapabilityError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::new(text.as_bytes()).ok_or(ParseCapabilityError)
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

impl FromStr for Capability {
    type Err = ParseCapabilityError;

    /// Parses `name/version`
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, version) = text.rsplit_once('/').ok_or(ParseCapabilityError)?;
        let digits = !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_digit());
        let version = version.parse().ok().filter(|_| digits).ok_or(ParseCapabilityError)?;
        Ok(Self { name: name.parse()?, version })
    }
}

/// The text is not the name of a capability, or not `name/version`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct ParseCapabilityError;

impl fmt::Display for ParseCapabilityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a capability is a name of 1 to 8 printable ASCII characters, a slash, and a version number")
    }
}

impl Error for ParseCapabilityError {}

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
    use std::string::ToString;

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

    #[test]
    fn a_capability_reads_as_it_prints() {
        for text in ["eth/68", "snap/1", "12345678/18446744073709551615", "a/b/0"] {
            assert_eq!(text.parse::<Capability>().unwrap().to_string(), text);
        }
        assert_eq!("eth".parse::<Name>().unwrap().as_str(), "eth");
    }

    #[test]
    fn other_text_is_no_capability() {
        for text in
            ["", "eth", "eth/", "/68", "eth/x", "eth/+1", "eth/-1", "123456789/1", "e h/1", "eth/18446744073709551616"]
        {
            assert_eq!(text.parse::<Capability>(), Err(ParseCapabilityError), "{text}");
        }
    }
}

//! Hello (rlpx.md §Hello, EIP-8, EIP-706)

use crate::node_id::NodeId;
use crate::protocol::{Capability, Name};
use crate::violation::Violation;
use crate::wire::rlp::{Reader, RlpError, Writer};

/// The version of the base protocol that this crate speaks
pub(crate) const VERSION: u64 = 5;
/// The first version whose payloads are compressed (EIP-706)
pub(crate) const SNAPPY_VERSION: u64 = 5;
/// The oldest version that speaks RLPx v4
const OLDEST_VERSION: u64 = 4;

/// A Hello, borrowed from the bytes of its payload
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hello<'a> {
    pub(crate) version: u64,
    pub(crate) client_id: &'a [u8],
    capabilities: Reader<'a>,
    pub(crate) listen_port: u64,
    pub(crate) id: NodeId,
}

impl<'a> Hello<'a> {
    /// Reads the payload; what follows the five fields is ignored (EIP-8)
    pub(crate) fn decode(payload: &'a [u8]) -> Result<Self, RlpError> {
        let mut list = Reader::new(payload).list()?;
        let hello = Self {
            version: list.uint()?,
            client_id: list.bytes()?,
            capabilities: list.list()?,
            listen_port: list.uint()?,
            id: read_id(&mut list)?,
        };
        let mut capabilities = hello.capabilities;
        while !capabilities.is_empty() {
            read_capability(&mut capabilities)?;
        }
        Ok(hello)
    }

    /// Checks the content of Hello against the result of the handshake
    pub(crate) fn check(&self, proven: &NodeId, local: &NodeId) -> Result<(), Violation> {
        if self.version < OLDEST_VERSION {
            Err(Violation::IncompatibleVersion(self.version))
        } else if self.id.is_zero() {
            Err(Violation::NullIdentity)
        } else if self.id != *proven {
            Err(Violation::UnexpectedIdentity)
        } else if self.id == *local {
            Err(Violation::ConnectedToSelf)
        } else {
            Ok(())
        }
    }

    /// The capabilities whose names can be shared; others are skipped
    pub(crate) fn capabilities(&self) -> impl Iterator<Item = Capability> + use<'a> {
        let mut rest = self.capabilities;
        core::iter::from_fn(move || read_capability(&mut rest).ok())
            .filter_map(|(name, version)| Some(Capability { name: Name::new(name)?, version }))
    }
}

/// A node id that is missing or has another length reads as null, as in the reference client
fn read_id(list: &mut Reader<'_>) -> Result<NodeId, RlpError> {
    let bytes = if list.is_empty() { &[] } else { list.bytes()? };
    Ok(NodeId::new(bytes.try_into().unwrap_or([0; 64])))
}

fn read_capability<'a>(list: &mut Reader<'a>) -> Result<(&'a [u8], u64), RlpError> {
    let mut fields = list.list()?;
    let capability = (fields.bytes()?, fields.uint()?);
    fields.finish()?;
    Ok(capability)
}

/// Writes the payload of our Hello
pub(crate) fn encode(
    writer: &mut Writer<'_>,
    client_id: &str,
    capabilities: impl Iterator<Item = Capability>,
    listen_port: u16,
    id: &NodeId,
) {
    writer.list(|list| {
        list.uint(VERSION);
        list.bytes(client_id.as_bytes());
        list.list(|list| capabilities.for_each(|capability| write_capability(list, capability)));
        list.uint(listen_port.into());
        list.bytes(id.as_bytes());
    });
}

fn write_capability(list: &mut Writer<'_>, capability: Capability) {
    list.list(|list| {
        list.bytes(capability.name.as_bytes());
        list.uint(capability.version);
    });
}

/// A bound on the length of our Hello's payload
pub(crate) const fn max_len(client_id: usize, capabilities: usize) -> usize {
    const LIST_HEADER: usize = 3;
    const CAPABILITY: usize = 1 + 9 + 9;
    const PORT: usize = 3;
    const ID: usize = 66;
    const FIXED: usize = LIST_HEADER + 1 + 3 + LIST_HEADER + PORT + ID;
    FIXED.saturating_add(client_id).saturating_add(capabilities.saturating_mul(CAPABILITY))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::string::String;
    use std::vec::Vec;

    fn capability(name: &str, version: u64) -> Capability {
        Capability { name: Name::new(name.as_bytes()).unwrap(), version }
    }

    fn encoded(client_id: &str, capabilities: &[Capability], listen_port: u16, id: NodeId) -> Vec<u8> {
        let mut buffer = std::vec![0; max_len(client_id.len(), capabilities.len())];
        let mut writer = Writer::new(&mut buffer);
        encode(&mut writer, client_id, capabilities.iter().copied(), listen_port, &id);
        writer.finish().unwrap().to_vec()
    }

    proptest! {
        #[test]
        fn reads_back_what_it_writes_within_the_bound(
            client_id in ".{0,60}",
            names in prop::collection::vec(("[!-~]{1,8}", any::<u64>()), 0..20),
            listen_port: u16,
            id: [u8; 32],
        ) {
            let capabilities: Vec<_> = names.iter().map(|(name, version)| capability(name, *version)).collect();
            let mut key = [1; 64];
            key[..32].copy_from_slice(&id);
            let payload = encoded(&client_id, &capabilities, listen_port, NodeId::new(key));
            let hello = Hello::decode(&payload).unwrap();
            prop_assert_eq!(hello.version, VERSION);
            prop_assert_eq!(hello.client_id, client_id.as_bytes());
            prop_assert_eq!(hello.capabilities().collect::<Vec<_>>(), capabilities);
            prop_assert_eq!(hello.listen_port, u64::from(listen_port));
            prop_assert_eq!(hello.id, NodeId::new(key));
        }
    }

    /// A Hello as another client might write it, with additional fields after the fifth
    fn foreign(version: u64, names: &[(&[u8], u64)], tail: &[u8]) -> Vec<u8> {
        let mut buffer = std::vec![0; 4096];
        let mut writer = Writer::new(&mut buffer);
        writer.list(|list| {
            list.uint(version);
            list.bytes(b"foreign/1");
            list.list(|list| {
                for (name, version) in names {
                    list.list(|list| {
                        list.bytes(name);
                        list.uint(*version);
                    });
                }
            });
            list.uint(70_000);
            list.bytes(&[2; 64]);
            list.raw(tail);
        });
        writer.finish().unwrap().to_vec()
    }

    #[test]
    fn tails_are_ignored_and_names_that_cannot_be_shared_are_skipped() {
        let names = [(&b"eth"[..], 68), (b"waytoolongname", 1), (b"\xc3\xa9", 1), (b"", 1), (b"snap", 1)];
        let mut payload = foreign(5, &names, &[0xc1, 0x05, 0x07]);
        payload.push(0x99);
        let hello = Hello::decode(&payload).unwrap();
        let names: Vec<_> = hello.capabilities().map(|capability| std::format!("{capability}")).collect();
        assert_eq!(names, ["eth/68", "snap/1"]);
    }

    #[test]
    fn malformed_capabilities_are_named() {
        let whole = foreign(5, &[(b"eth", 68)], &[]);
        for cut in 0..whole.len() {
            assert_eq!(Hello::decode(&whole[..cut]).err(), Some(RlpError::Truncated), "{cut}");
        }
        let swapped: Vec<u8> = whole.iter().map(|byte| if *byte == 0xc5 { 0x85 } else { *byte }).collect();
        assert!(Hello::decode(&swapped).is_err());
    }

    #[test]
    fn what_hello_says_is_held_against_what_was_proven() {
        let proven = NodeId::new([2; 64]);
        let local = NodeId::new([3; 64]);
        let check = |version, proven: &NodeId, local: &NodeId| {
            Hello::decode(&foreign(version, &[], &[])).unwrap().check(proven, local)
        };
        for version in [4, 5, 6, u64::MAX] {
            assert_eq!(check(version, &proven, &local), Ok(()));
        }
        assert_eq!(check(3, &proven, &local), Err(Violation::IncompatibleVersion(3)));
        assert_eq!(check(5, &local, &local), Err(Violation::UnexpectedIdentity));
        assert_eq!(check(5, &proven, &proven), Err(Violation::ConnectedToSelf));
        let payload = foreign(5, &[], &[]);
        let null = Hello { id: NodeId::new([0; 64]), ..Hello::decode(&payload).unwrap() };
        assert_eq!(null.check(&proven, &local), Err(Violation::NullIdentity));
    }

    #[test]
    fn a_node_id_that_is_missing_or_short_is_a_null_identity() {
        for id in [&[][..], &[0x80], &[0x83, 1, 2, 3]] {
            let mut buffer = std::vec![0; 100];
            let mut writer = Writer::new(&mut buffer);
            writer.list(|list| {
                list.uint(5);
                list.bytes(b"foreign/1");
                list.list(|_| {});
                list.uint(0);
                list.raw(id);
            });
            let hello = Hello::decode(writer.finish().unwrap()).unwrap();
            let outcome = hello.check(&NodeId::new([2; 64]), &NodeId::new([3; 64]));
            assert_eq!(outcome, Err(Violation::NullIdentity), "{id:?}");
        }
    }

    #[test]
    fn the_longest_hello_of_ours_is_within_what_everybody_takes() {
        let capabilities: Vec<_> =
            (0..crate::MAX_PROTOCOLS as u64).map(|i| capability("12345678", u64::MAX - i)).collect();
        let client_id = String::from_iter(std::iter::repeat_n('x', crate::MAX_CLIENT_ID));
        let payload = encoded(&client_id, &capabilities, u16::MAX, NodeId::new([0xff; 64]));
        assert!(payload.len() <= max_len(client_id.len(), capabilities.len()));
        assert!(payload.len() <= crate::p2p::message::MAX_BASE_PAYLOAD);
    }
}

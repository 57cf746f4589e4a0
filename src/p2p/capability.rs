//! Which protocols two nodes share, and which message ids each gets (rlpx.md §Message ID-based Multiplexing)

use core::num::NonZeroU64;

use super::message::BASE_LENGTH;
use crate::protocol::Capability;

/// The first message id after those of the base protocol
const FIRST: NonZeroU64 = NonZeroU64::MIN.saturating_add(BASE_LENGTH - 1);

/// A protocol of ours, and the message ids that it has on this link
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Local {
    pub(crate) capability: Capability,
    /// How many message ids the protocol takes
    pub(crate) length: u64,
    pub(crate) ids: Ids,
}

/// Where the message ids of a protocol begin
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ids {
    /// The protocol is not shared with the peer
    Unshared,
    /// Its code 0 has this message id
    From(NonZeroU64),
}

/// Decides for every protocol of ours whether it is shared, and hands out the ranges of message ids
///
/// A protocol is shared if both nodes list it with the same name and version. The highest of
/// several shared versions of a name is taken. The ranges follow each other from 0x10, in the byte-wise
/// order of the names. `remote` may have any length and any repetitions; `local` has no repetitions.
pub(crate) fn assign(local: &mut [Local], remote: impl Iterator<Item = Capability>) {
    for capability in remote {
        if let Some(protocol) = local.iter_mut().find(|protocol| protocol.capability == capability) {
            protocol.ids = Ids::From(FIRST);
        }
    }
    let mut offset = FIRST;
    let mut last = None;
    while let Some(winner) = next_winner(local, last) {
        last = Some(winner.capability);
        winner.ids = Ids::From(offset);
        offset = offset.saturating_add(winner.length);
    }
}

/// The highest shared version of the first name after `last`; drops the lower versions of that name
fn next_winner(local: &mut [Local], last: Option<Capability>) -> Option<&mut Local> {
    let shared = |protocol: &&Local| protocol.ids != Ids::Unshared;
    let after = |protocol: &&Local| last.is_none_or(|last| protocol.capability.name > last.name);
    let name = local.iter().filter(shared).filter(after).map(|protocol| protocol.capability.name).min()?;
    let versions = local.iter().filter(shared).filter(|protocol| protocol.capability.name == name);
    let highest = versions.map(|protocol| protocol.capability).max()?;
    for protocol in local.iter_mut().filter(|protocol| protocol.capability.name == name) {
        if protocol.capability != highest {
            protocol.ids = Ids::Unshared;
        }
    }
    local.iter_mut().find(|protocol| protocol.capability == highest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Name;
    use proptest::prelude::*;
    use std::collections::BTreeMap;
    use std::vec::Vec;

    fn capability(name: &str, version: u64) -> Capability {
        Capability { name: Name::new(name.as_bytes()).unwrap(), version }
    }

    fn offsets(local: &[(&str, u64, u64)], remote: &[(&str, u64)]) -> Vec<Option<u64>> {
        let mut local: Vec<_> = local
            .iter()
            .map(|(name, version, length)| Local {
                capability: capability(name, *version),
                length: *length,
                ids: Ids::Unshared,
            })
            .collect();
        assign(&mut local, remote.iter().map(|(name, version)| capability(name, *version)));
        let offset = |protocol: &Local| match protocol.ids {
            Ids::Unshared => None,
            Ids::From(offset) => Some(offset.get()),
        };
        local.iter().map(offset).collect()
    }

    #[test]
    fn the_highest_shared_version_wins_and_brings_its_length() {
        let local = [("eth", 66, 17), ("eth", 68, 13), ("eth", 69, 18), ("snap", 1, 8)];
        assert_eq!(offsets(&local, &[("snap", 1), ("eth", 68), ("eth", 66)]), [None, Some(16), None, Some(29)]);
    }

    #[test]
    fn names_order_byte_by_byte() {
        let local = [("b", 1, 1), ("a", 1, 2), ("Z", 1, 4), ("aa", 1, 8)];
        let remote = [("a", 1), ("aa", 1), ("b", 1), ("Z", 1)];
        assert_eq!(offsets(&local, &remote), [Some(30), Some(20), Some(16), Some(22)]);
    }

    #[test]
    fn a_protocol_without_messages_takes_no_ids() {
        let local = [("a", 1, 0), ("b", 1, 3), ("c", 1, 0)];
        assert_eq!(offsets(&local, &[("a", 1), ("b", 1), ("c", 1)]), [Some(16), Some(16), Some(19)]);
    }

    #[test]
    fn hundreds_of_capabilities_and_repetitions_do_no_harm() {
        let local = [("eth", 68, 17)];
        let remote: Vec<_> = (0..500).map(|version| ("eth", version % 100)).collect();
        assert_eq!(offsets(&local, &remote), [Some(16)]);
        assert_eq!(offsets(&local, &[]), [None]);
    }

    proptest! {
        /// Against the definition, computed the obvious way
        #[test]
        fn agrees_with_the_definition(
            local in prop::collection::btree_map(("[abA]{1,2}", 0u64..4), 0u64..20, 0..12),
            remote in prop::collection::vec(("[abA]{1,2}", 0u64..4), 0..12),
        ) {
            let listed: Vec<_> = local.iter().map(|((name, version), length)| (name.as_str(), *version, *length)).collect();
            let offered: Vec<_> = remote.iter().map(|(name, version)| (name.as_str(), *version)).collect();
            let mut winners = BTreeMap::new();
            for (name, version, length) in &listed {
                if offered.contains(&(*name, *version)) {
                    let best = winners.entry(name.as_bytes()).or_insert((*version, *length));
                    *best = (*best).max((*version, *length));
                }
            }
            let mut next = 16;
            let mut expected = BTreeMap::new();
            for (name, (version, length)) in winners {
                expected.insert((name, version), next);
                next += length;
            }
            let found = offsets(&listed, &offered);
            for ((name, version, _), offset) in listed.iter().zip(found) {
                prop_assert_eq!(offset, expected.get(&(name.as_bytes(), *version)).copied());
            }
        }
    }
}

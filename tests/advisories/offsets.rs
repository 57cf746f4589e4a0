//! Which message ids a protocol gets

use std::collections::BTreeMap;

use devp2p_proto::{Cause, Protocol, ProtocolId, Violation};
use devp2p_testing::config;
use devp2p_testing::remote::{Hello, LINK, REMOTE, Scene, recipient};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

/// Name, version and length of a protocol
type Listed = BTreeMap<(String, u64), u64>;

/// geth's rule: go through the sorted capabilities of the peer; a later version of a name takes the place of the
/// earlier one, whose ids are given back
fn offsets(local: &Listed, remote: &[(String, u64)]) -> BTreeMap<String, (u64, u64, u64)> {
    let mut sorted = remote.to_vec();
    sorted.sort();
    let mut offset = 16;
    let mut matched = BTreeMap::<String, (u64, u64, u64)>::new();
    for (name, version) in sorted {
        if let Some(length) = local.get(&(name.clone(), version)) {
            if let Some((_, _, earlier)) = matched.get(&name) {
                offset -= earlier;
            }
            matched.insert(name, (version, offset, *length));
            offset += length;
        }
    }
    matched
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(96) })]

    /// A mistake in the offsets of a multiplexer was found in the field.
    ///
    /// The ids are those of geth's rule, for versions of different lengths. The first and the last id of each
    /// protocol arrive there with the right code, and the id behind the last protocol is a violation.
    #[test]
    fn myotis_287(
        local in btree_map(("[abAB]{1,2}", 0_u64..4), 0_u64..20, 1..12),
        remote in vec(("[abAB]{1,2}", 0_u64..4), 1..12),
        all in any::<bool>(),
    ) {
        let mut remote = remote;
        if all {
            remote.extend(local.keys().cloned());
        }
        let protocols: Vec<_> =
            local.iter().map(|((name, version), length)| Protocol::new(name, *version, *length)).collect();
        let expected = offsets(&local, &remote);
        let mut scene = Scene::remote_dials(recipient(&config(LINK, &protocols)));
        scene.settle();
        let capabilities = remote.iter().map(|(name, version)| (name.clone().into_bytes(), *version)).collect();
        scene.send_hello(Hello { capabilities, ..Hello::fitting(REMOTE) });
        if expected.is_empty() {
            prop_assert_eq!(scene.node.link.cause(), Some(Cause::NothingShared));
            return Ok(());
        }
        let shared: BTreeMap<_, _> = scene.node.link.shared().map(|shared| {
            let capability = shared.capability;
            (capability.name.to_string(), (capability.version, shared.offset, shared.length))
        }).collect();
        prop_assert_eq!(&shared, &expected);
        let mut end = 16;
        for (name, (version, offset, length)) in expected {
            let index = local.keys().position(|listed| *listed == (name.clone(), version)).unwrap();
            end = end.max(offset + length);
            for code in [0, length.saturating_sub(1)].into_iter().filter(|code| *code < length) {
                scene.node.seen.clear();
                scene.send(offset + code, b"x");
                prop_assert_eq!(scene.node.delivered(), [(ProtocolId(index), code, b"x".to_vec())]);
            }
        }
        scene.send(end, b"beyond");
        prop_assert_eq!(scene.node.link.cause(), Some(Cause::Violation(Violation::UnknownMessageId(end))));
    }
}

//! Configurations that are refused

use std::time::Duration;

use devp2p_proto::{
    Buffers, Config, ConfigError, Entropy, Instant, MAX_CLIENT_ID, MAX_CODE_LIMITS, MAX_MESSAGE, MAX_PROTOCOLS,
    MIN_MESSAGE, PeerState, Protocol, ProtocolId, StartError, Timeouts,
};
use devp2p_testing::{PROTOCOLS, config, entropy, key, noise};

#[test]
fn every_config_error() {
    let new = |client_id: &str, protocols: &[Protocol<'_>]| Config::new(key(1), client_id, protocols).err();
    let protocol = |name, version| Protocol::new(name, version, 1);
    let second = ProtocolId(1);
    assert_eq!(new("", &[]), None);
    assert_eq!(new(&"x".repeat(MAX_CLIENT_ID), &[]), None);
    assert_eq!(new(&"x".repeat(MAX_CLIENT_ID + 1), &[]), Some(ConfigError::ClientIdTooLong));
    for name in ["", "nineteen", "with space", "caf\u{e9}", "tab\t", "nul\0"] {
        let expected = (name != "nineteen").then_some(ConfigError::InvalidName(second));
        assert_eq!(new("c", &[protocol("eth", 1), protocol(name, 1)]), expected, "{name}");
    }
    assert_eq!(
        new("c", &[protocol("a", 1), protocol("a", 1)]),
        Some(ConfigError::DuplicateProtocol("a/1".parse().unwrap()))
    );
    assert_eq!(new("c", &[protocol("a", 1), protocol("a", 2)]), None);
    let ranges = [Protocol::new("a", 1, u64::MAX - 16), Protocol::new("b", 1, 1)];
    assert_eq!((new("c", &ranges[..1]), new("c", &ranges)), (None, Some(ConfigError::RangesTooLarge)));
    for (limits, code) in [(&[(1, 9)][..], 1), (&[(0, 9), (0, 9)], 0), (&[(0, 9), (1 << 32, 9)], 1 << 32)] {
        let limited = protocol("eth", 1).with_code_limits(limits);
        let expected = ConfigError::InvalidCodeLimit { protocol: second, code };
        assert_eq!(new("c", &[protocol("a", 1), limited]), Some(expected), "{limits:?}");
    }
    let codes: Vec<_> = (0..=MAX_CODE_LIMITS as u64).map(|code| (code, 9)).collect();
    let with_limits = |limits| new("c", &[Protocol::new("a", 1, 99).with_code_limits(limits)]);
    assert_eq!(with_limits(&codes[1..]), None);
    let expected = ConfigError::TooManyCodeLimits { protocol: ProtocolId(0), max: MAX_CODE_LIMITS };
    assert_eq!(with_limits(&codes), Some(expected));
    let many: Vec<_> = (0..=MAX_PROTOCOLS as u64).map(|version| protocol("many", version)).collect();
    assert_eq!(new("c", &many[1..]), None);
    assert_eq!(new("c", &many), Some(ConfigError::TooManyProtocols { max: MAX_PROTOCOLS }));

    let limit = ConfigError::InvalidMessageLimit { min: MIN_MESSAGE, max: MAX_MESSAGE };
    for (len, expected) in [
        (0, Some(limit)),
        (MIN_MESSAGE - 1, Some(limit)),
        (MIN_MESSAGE, None),
        (MAX_MESSAGE, None),
        (MAX_MESSAGE + 1, Some(limit)),
    ] {
        assert_eq!(config(1, PROTOCOLS).with_max_message(len).err(), expected, "{len}");
    }
    let zero = |edit: fn(&mut Timeouts)| {
        let mut timeouts = Timeouts::default();
        edit(&mut timeouts);
        config(1, PROTOCOLS).with_timeouts(timeouts).err()
    };
    for edit in [
        (|timeouts| timeouts.handshake = Duration::ZERO) as fn(&mut Timeouts),
        |timeouts| timeouts.ping = Duration::ZERO,
        |timeouts| timeouts.pong = Duration::ZERO,
        |timeouts| timeouts.read = Duration::ZERO,
        |timeouts| timeouts.write = Duration::ZERO,
    ] {
        assert_eq!(zero(edit), Some(ConfigError::ZeroTimeout));
    }
    assert_eq!(zero(|timeouts| timeouts.linger = Duration::ZERO), None);
    assert_eq!(zero(|timeouts| timeouts.read = timeouts.ping), Some(ConfigError::ReadBeforePing));
    assert_eq!(zero(|timeouts| timeouts.ping = Duration::from_secs(31)), Some(ConfigError::ReadBeforePing));
    assert_eq!(zero(|timeouts| timeouts.ping = Duration::MAX), None, "the peer's Pings may be enough");
    assert_eq!(zero(|timeouts| timeouts.slowest_rate = 0), None);

    let dial = |id: [u8; 64], drawn| {
        PeerState::initiator(Instant::ZERO, &config(1, PROTOCOLS), id.into(), drawn, Buffers::growable())
            .err()
            .map(StartError::from)
    };
    let good = *key(2).node_id().as_bytes();
    let mut off_curve = good;
    off_curve[63] ^= 1;
    assert_eq!(dial(good, entropy(1)), None);
    for id in [[0; 64], [0xff; 64], off_curve] {
        assert_eq!(dial(id, entropy(1)), Some(StartError::InvalidRemote));
    }
    let weak = || devp2p_proto::Entropy::from_bytes([0x41; devp2p_proto::Entropy::SIZE]);
    assert_eq!(dial(good, weak()), Some(StartError::WeakEntropy));
    let answer = PeerState::recipient(Instant::ZERO, &config(1, PROTOCOLS), weak(), Buffers::growable());
    assert_eq!(answer.unwrap_err().error, StartError::WeakEntropy);
    let zero = devp2p_proto::SecretKey::from_bytes([0; 32]).map_err(ConfigError::from);
    assert_eq!(zero.err(), Some(ConfigError::InvalidSecretKey));
}

/// Two of the key, the envelope's key and the nonce are the same, or one of them is a repeated byte
#[test]
fn every_form_of_weak_entropy_is_refused() {
    let good: [u8; Entropy::SIZE] = noise(1, Entropy::SIZE).try_into().unwrap();
    let start = |bytes| {
        let link =
            PeerState::recipient(Instant::ZERO, &config(1, PROTOCOLS), Entropy::from_bytes(bytes), Buffers::growable());
        link.err().map(|refusal| refusal.error)
    };
    assert_eq!(start(good), None);
    for first in [0, 32, 64] {
        for other in [0, 32, 64] {
            let mut weak = good;
            if first == other {
                weak[first..first + 32].fill(0x41);
            } else {
                weak.copy_within(first..first + 32, other);
            }
            assert_eq!(start(weak), Some(StartError::WeakEntropy), "{first} and {other}");
        }
    }
}

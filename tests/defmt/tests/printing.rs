//! What the types of the surface print through defmt

use defmt::Format;
use devp2p_defmt_tests::print;
use devp2p_proto::rlp::{Reader, RlpError};
use devp2p_proto::{
    Action, Capability, Cause, Config, ConfigError, Counters, Direction, DisconnectReason as Reason, Enode, Event,
    Handled, Instant, InvalidSecretKey, Liveness, Name, Network, NodeId, NotShared, ParseCapabilityError,
    ParseEnodeError, ParseNodeIdError, PingError, Protocol, ProtocolError, ProtocolId, ProtocolInfo, Refused, Role,
    SecretKey, SentTooMuch, SnappyError, Stage, StartError, Timeout, Timeouts, Timer, Traffic, Violation, WriteError,
    internal,
};
use devp2p_testing::remote::{Hello, LINK, REMOTE, Scene, body, compressed, recipient};
use devp2p_testing::{ALPHA, BETA, PROTOCOLS, config, entropy, key};

fn prints(value: &(impl Format + ?Sized), text: &str) {
    assert_eq!(print(value).text, text);
}

fn alpha() -> Capability {
    "alpha/1".parse().unwrap()
}

/// Prints the same as `Display` does
fn prints_as_displayed(value: &(impl Format + std::fmt::Display)) {
    prints(value, &value.to_string());
}

#[test]
fn names_print_as_they_are_displayed() {
    for seed in [1, 2, 3] {
        let id = key(seed).node_id();
        prints_as_displayed(&id);
        prints_as_displayed(&id.hash());
    }
    prints_as_displayed(&NodeId::new([0; 64]));
    for text in ["eth/68", "12345678/18446744073709551615"] {
        let capability: Capability = text.parse().unwrap();
        prints_as_displayed(&capability);
        prints_as_displayed(&capability.name);
    }
    prints_as_displayed(&"a".parse::<Name>().unwrap());
}

#[test]
fn reasons_print_as_they_are_displayed() {
    for code in (0..=0x11).chain([0x1ff, u64::from(u32::MAX), u64::MAX]) {
        prints_as_displayed(&Reason::from_code(code));
    }
}

/// The name of a link in a log line
#[test]
fn a_link_is_named_by_eight_digits() {
    let zero_first = NodeId::new(core::array::from_fn(|index| index as u8));
    prints(&internal::log_name(Some(zero_first)), "00010203");
    for remote in [None, Some(zero_first), Some(key(1).node_id())] {
        prints_as_displayed(&internal::log_name(remote));
    }
}

/// Neither the text nor any byte tells something of a secret
#[test]
fn secrets_do_not_print() {
    let secret = [0x5e; 32];
    let key = SecretKey::from_bytes(secret).unwrap();
    prints(&key, "SecretKey(..)");
    prints(&entropy(1), "Entropy(..)");
    let other = SecretKey::from_bytes([0x17; 32]).unwrap();
    assert_eq!(print(&key).bytes, print(&other).bytes);
    assert_eq!(print(&entropy(1)).bytes, print(&entropy(2)).bytes);
    let config = print(&Config::new(key, "client", PROTOCOLS).unwrap());
    assert!(config.text.contains("SecretKey(..)") && config.text.contains("client"), "{}", config.text);
    for part in secret.chunks(4) {
        assert!(!config.bytes.windows(4).any(|window| window == part), "{:02x?}", config.bytes);
    }
}

/// An event prints what it is and how long, and not what it carries
#[test]
fn events() {
    let failed = Err(ProtocolError::BadMessage);
    for (event, text) in [
        (Event::Receive(&[7; 3]), "Receive(3 bytes)"),
        (Event::ReceiveClosed, "ReceiveClosed"),
        (Event::HoldInput(true), "HoldInput(true)"),
        (Event::Timeout, "Timeout"),
        (Event::Write { protocol: BETA, code: 2, payload: &[7; 5] }, "Write(ProtocolId(1), code 2, 5 bytes)"),
        (Event::Ping, "Ping"),
        (Event::Sent(9), "Sent(9)"),
        (Event::SendFailed, "SendFailed"),
        (Event::ProtocolReturned(ALPHA, failed), "ProtocolReturned(ProtocolId(0), Err(BadMessage))"),
        (Event::Disconnect(Reason::REQUESTED), "Disconnect(disconnect requested)"),
    ] {
        prints(&event, text);
    }
    let [some, others] = [[7; 5], [8; 5]].map(|payload| print(&Event::Receive(&payload)).bytes);
    assert_eq!(some, others);
}

#[test]
fn actions_and_a_link() {
    let mut scene = Scene::remote_dials(recipient(&config(LINK, PROTOCOLS)));
    scene.settle();
    let frame = scene.session().seal(&body(0, &Hello::fitting(REMOTE).encode()));
    assert_eq!(scene.node.link.receive(scene.now, &frame), frame.len());
    let action = scene.node.link.poll().unwrap();
    let text = print(&action).text;
    assert!(text.starts_with("Ready(Ready RemoteHello {") && text.contains("scripted/1"), "{text}");
    let Action::Ready(ready) = action else { panic!("Ready") };
    let shared: Vec<String> = ready.shared().map(|shared| print(&shared).text).collect();
    assert!(shared[1].contains("\"beta\"/2"), "{shared:?}");

    for payload in [b"content", b"another"] {
        let frame = scene.session().seal(&body(0x11, &compressed(payload)));
        assert_eq!(scene.node.link.receive(scene.now, &frame), frame.len());
        let action = scene.node.link.poll().unwrap();
        prints(&action, "Deliver { protocol: ProtocolId(0), code: 1, payload: Payload(7 bytes) }");
        let event = action.message_event().unwrap();
        let text = "MessageEvent { direction: Received, protocol: ProtocolId(0), code: 1, size: 7, wire_size: 64 }";
        prints(&event, text);
        prints(&Handled::Written(event), &format!("Written({text})"));
    }
    let skipped = Action::Skipped { protocol: ALPHA, code: 1, size: 70_000, wire_len: 5_000 };
    prints(&skipped, "Skipped { protocol: ProtocolId(0), code: 1, size: 70000, wire_len: 5000 }");
    prints(&Action::Writable(BETA), "Writable(ProtocolId(1))");
    prints(&Action::Disconnect(Cause::SendFailed), "Disconnect(SendFailed)");
    let link = &mut scene.node.link;
    link.write(scene.now, ALPHA, 0, b"content").unwrap();
    prints(link, "PeerState(Recipient, Running, 64 bytes unsent)");
    let traffic = print(&link.traffic(ALPHA).unwrap()).text;
    assert!(traffic.starts_with("Traffic {"), "{traffic}");
}

/// In a field with a name, defmt puts a text in quotation marks
#[test]
fn causes() {
    let (protocol, capability) = (ALPHA, alpha());
    for (cause, text) in [
        (Cause::Remote(Reason::TOO_MANY_PEERS), "Remote(too many peers)"),
        (Cause::Local(Reason::from_code(0x33)), "Local(unknown reason 0x33)"),
        (
            Cause::ProtocolReturned { protocol, capability },
            "ProtocolReturned { protocol: ProtocolId(0), capability: \"alpha\"/1 }",
        ),
        (
            Cause::ProtocolFailed { protocol, capability, error: ProtocolError::Reason(Reason::REQUESTED) },
            "ProtocolFailed { protocol: ProtocolId(0), capability: \"alpha\"/1, error: Reason(\"disconnect requested\") }",
        ),
        (Cause::Violation(Violation::ExpectedHello { id: 2 }), "Violation(ExpectedHello { id: 2 })"),
        (Cause::Violation(Violation::MalformedHello(RlpError::Truncated)), "Violation(MalformedHello(Truncated))"),
        (
            Cause::Violation(Violation::MalformedCompression(SnappyError::BadOffset)),
            "Violation(MalformedCompression(BadOffset))",
        ),
        (Cause::NothingShared, "NothingShared"),
        (Cause::Timeout(Timeout::Pong), "Timeout(Pong)"),
        (Cause::ReceiveClosed, "ReceiveClosed"),
        (Cause::SendFailed, "SendFailed"),
    ] {
        prints(&cause, text);
    }
}

#[test]
fn errors() {
    prints(&ParseEnodeError::Query, "Query");
    prints(&ParseNodeIdError, "ParseNodeIdError");
    prints(&ParseCapabilityError, "ParseCapabilityError");
    prints(&InvalidSecretKey, "InvalidSecretKey");
    prints(&ConfigError::DuplicateProtocol(alpha()), "DuplicateProtocol(alpha/1)");
    prints(&StartError::ReceiveBufferTooSmall { needed: 5 }, "ReceiveBufferTooSmall { needed: 5 }");
    prints(&WriteError::Full, "Full");
    prints(&PingError::Closed, "Closed");
    prints(&SentTooMuch, "SentTooMuch");
    prints(&NotShared, "NotShared");
    prints(&Refused::from(NotShared), "ProtocolReturned(NotShared)");
}

#[test]
fn settings_and_counters() {
    prints(&Protocol::new("alpha", 1, 4), &format!("{:?}", Protocol::new("alpha", 1, 4)));
    let timeouts = print(&Timeouts::default()).text;
    assert!(timeouts.contains("slowest_rate: 65536"), "{timeouts}");
    prints(&Traffic::default(), &format!("{:?}", Traffic::default()));
    prints(&Counters::default(), &format!("{:?}", Counters::default()));
    let liveness = Liveness::default();
    prints(&liveness, &format!("{liveness:?}"));
    let network = Network { remote_address: "10.0.0.2:1", trusted: true, ..Network::default() };
    let text = print(&network).text;
    assert!(text.contains("10.0.0.2:1") && text.contains("trusted: true"), "{text}");
    prints(&ProtocolInfo::Info(3_u8), "Info(3)");
    prints(&ProtocolId(3), "ProtocolId(3)");
    prints(&Direction::Sent, "Sent");
    prints(&Role::Initiator, "Initiator");
    prints(&Stage::Hello, "Hello");
    prints(&Timer::Linger, "Linger");
    prints(&Instant::from_nanos(7), "Instant(7)");
    let enode = print(&Enode { node_id: key(1).node_id(), address: 7_u8 }).text;
    assert!(enode.contains(&key(1).node_id().to_string()), "{enode}");
    let mut reader = Reader::new(&[1]);
    assert!(print(&reader).text.starts_with("Reader {"));
    assert!(print(&reader.item().unwrap()).text.starts_with("String("));
}

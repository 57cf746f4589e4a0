//! What the types of the surface print, and the sources of their errors: every variant
//!
//! The texts end up in logs and in front of people, so that a change of one is a change to be seen.

use std::error::Error;
use std::fmt::{Debug, Display};

use devp2p_proto::rlp::RlpError;
use devp2p_proto::{
    Action, Buffers, Capability, Cause, Config, ConfigError, Direction, DisconnectReason as Reason, Entropy, Event,
    Handled, Instant, InvalidSecretKey, Network, NotShared, NotStarted, ParseCapabilityError, ParseEnodeError,
    PeerState, PingError, Protocol, ProtocolError, ProtocolId, ProtocolInfo, Refused, SecretKey, SentTooMuch,
    SnappyError, StartError, Timeout, Violation, WriteError,
};
use devp2p_testing::remote::{LINK, Scene, body, compressed, recipient};
use devp2p_testing::{ALPHA, BETA, PROTOCOLS, Pair, config, key};

/// Checks the text of an error and the text of its source, and that `Debug` names the variant
fn prints(error: &dyn Error, text: &str, source: Option<&str>) {
    assert_eq!(error.to_string(), text);
    assert_eq!(error.source().map(ToString::to_string).as_deref(), source, "the source of {error:?}");
    assert!(!format!("{error:?}").is_empty());
}

fn shows(value: &dyn Debug, text: &str) {
    assert_eq!(format!("{value:?}"), text);
}

fn reads(value: &dyn Display, text: &str) {
    assert_eq!(value.to_string(), text);
}

fn alpha() -> Capability {
    "alpha/1".parse().unwrap()
}

#[test]
fn causes() {
    let (protocol, capability) = (ALPHA, alpha());
    let failed = |error| Cause::ProtocolFailed { protocol, capability, error };
    let reason = ProtocolError::Reason(Reason::from_code(0x33));
    type Row = (Cause, Reason, Option<Reason>, &'static str, Option<&'static str>);
    let rows: &[Row] = &[
        (
            Cause::Remote(Reason::TOO_MANY_PEERS),
            Reason::TOO_MANY_PEERS,
            None,
            "remote disconnected: too many peers",
            None,
        ),
        (
            Cause::Local(Reason::REQUESTED),
            Reason::REQUESTED,
            Some(Reason::REQUESTED),
            "disconnected: disconnect requested",
            None,
        ),
        (
            Cause::ProtocolReturned { protocol, capability },
            Reason::CLIENT_QUITTING,
            Some(Reason::CLIENT_QUITTING),
            "alpha/1 finished",
            None,
        ),
        (
            failed(reason),
            Reason::from_code(0x33),
            Some(Reason::from_code(0x33)),
            "alpha/1 failed: unknown reason 0x33",
            Some("unknown reason 0x33"),
        ),
        (
            failed(ProtocolError::BadMessage),
            Reason::BREACH_OF_PROTOCOL,
            Some(Reason::BREACH_OF_PROTOCOL),
            "alpha/1 failed: bad message",
            Some("bad message"),
        ),
        (
            failed(ProtocolError::Other),
            Reason::SUBPROTOCOL,
            Some(Reason::SUBPROTOCOL),
            "alpha/1 failed: failure",
            Some("failure"),
        ),
        (
            Cause::Violation(Violation::EmptyFrame),
            Reason::BREACH_OF_PROTOCOL,
            Some(Reason::BREACH_OF_PROTOCOL),
            "violation by the peer: frame without a message id",
            Some("frame without a message id"),
        ),
        (
            Cause::Violation(Violation::HeaderMacMismatch),
            Reason::BREACH_OF_PROTOCOL,
            None,
            "violation by the peer: wrong MAC of a frame header",
            Some("wrong MAC of a frame header"),
        ),
        (Cause::NothingShared, Reason::USELESS_PEER, Some(Reason::USELESS_PEER), "no protocol in common", None),
        (
            Cause::Timeout(Timeout::Handshake),
            Reason::PING_TIMEOUT,
            Some(Reason::PING_TIMEOUT),
            "handshake timeout",
            None,
        ),
        (Cause::Timeout(Timeout::Read), Reason::PING_TIMEOUT, Some(Reason::PING_TIMEOUT), "read timeout", None),
        (Cause::Timeout(Timeout::Frame), Reason::PING_TIMEOUT, Some(Reason::PING_TIMEOUT), "frame timeout", None),
        (Cause::Timeout(Timeout::Pong), Reason::PING_TIMEOUT, Some(Reason::PING_TIMEOUT), "pong timeout", None),
        (Cause::Timeout(Timeout::Write), Reason::TCP_ERROR, None, "write timeout", None),
        (Cause::ReceiveClosed, Reason::TCP_ERROR, None, "connection closed by the peer", None),
        (Cause::SendFailed, Reason::TCP_ERROR, None, "sending failed", None),
    ];
    for (cause, reason, sent, text, source) in rows {
        prints(cause, text, *source);
        assert_eq!((cause.reason(), cause.sent_reason()), (*reason, *sent), "{cause:?}");
        assert_eq!(cause.is_remote(), matches!(cause, Cause::Remote(_)));
    }
    prints(&ProtocolError::Other, "failure", None);
    shows(&Cause::Timeout(Timeout::Pong), "Timeout(Pong)");
    shows(
        &failed(reason),
        "ProtocolFailed { protocol: ProtocolId(0), capability: Capability { name: \"alpha\", version: 1 }, \
         error: Reason(DisconnectReason(0x33)) }",
    );
}

#[test]
fn violations() {
    let truncated = RlpError::Truncated;
    let rows: &[(Violation, &str, Option<&str>)] = &[
        (Violation::HandshakeTooLarge, "handshake packet is larger than 2048 bytes", None),
        (Violation::HandshakeTooShort, "handshake packet is too short", None),
        (Violation::PreEip8Handshake, "handshake packet has the form from before EIP-8", None),
        (Violation::InvalidPublicKey, "public key is not on the curve", None),
        (Violation::HandshakeTagMismatch, "handshake packet cannot be authenticated", None),
        (
            Violation::MalformedHandshake(truncated),
            "malformed handshake packet: item is truncated",
            Some("item is truncated"),
        ),
        (Violation::InvalidSignature, "invalid signature in auth", None),
        (Violation::HeaderMacMismatch, "wrong MAC of a frame header", None),
        (Violation::BodyMacMismatch, "wrong MAC of a frame body", None),
        (Violation::EmptyFrame, "frame without a message id", None),
        (Violation::FrameTooLarge { size: 7 }, "frame of 7 bytes is too large", None),
        (
            Violation::MalformedMessageId(truncated),
            "malformed message id: item is truncated",
            Some("item is truncated"),
        ),
        (Violation::UnknownMessageId(0x99), "message id 0x99 is outside every shared range", None),
        (
            Violation::MalformedCompression(SnappyError::BadOffset),
            "malformed compression: copy from outside of the data",
            Some("copy from outside of the data"),
        ),
        (Violation::PayloadTooLarge { size: 7 }, "payload of 7 bytes is too large", None),
        (Violation::ExpectedHello { id: 2 }, "message id 0x2 came before Hello", None),
        (Violation::MalformedHello(truncated), "malformed Hello: item is truncated", Some("item is truncated")),
        (Violation::IncompatibleVersion(3), "base protocol version 3 is not supported", None),
        (Violation::NullIdentity, "Hello with a null node id", None),
        (Violation::UnexpectedIdentity, "Hello with another node id than the handshake", None),
        (Violation::ConnectedToSelf, "connected to self", None),
        (
            Violation::MalformedDisconnect(truncated),
            "malformed Disconnect: item is truncated",
            Some("item is truncated"),
        ),
    ];
    for (violation, text, source) in rows {
        prints(violation, text, *source);
    }
    let answered: Vec<_> = rows.iter().map(|(violation, ..)| violation.is_answered()).collect();
    assert_eq!(answered, [[false; 9].as_slice(), &[true; 13]].concat());
    for (error, text) in [
        (RlpError::Truncated, "item is truncated"),
        (RlpError::TrailingBytes, "unexpected bytes after the item"),
        (RlpError::ExpectedList, "expected a list"),
        (RlpError::ExpectedString, "expected a string"),
        (RlpError::NonCanonicalLength, "length is not canonical"),
        (RlpError::LeadingZero, "integer has a leading zero"),
        (RlpError::IntegerTooLarge, "integer is too large"),
        (RlpError::WrongLength, "string has the wrong length"),
        (RlpError::TooDeep, "lists are nested too deeply"),
        (RlpError::BufferFull, "buffer is full"),
    ] {
        prints(&error, text, None);
    }
    for (error, text) in [
        (SnappyError::BadLength, "invalid length in front of the block"),
        (SnappyError::Truncated, "block ends inside an element"),
        (SnappyError::BadOffset, "copy from outside of the data"),
        (SnappyError::TooLong, "block makes more than it declares"),
        (SnappyError::TooShort, "block makes less than it declares"),
        (SnappyError::OutputTooSmall, "the output buffer is too small"),
    ] {
        prints(&error, text, None);
    }
}

#[test]
fn refusals() {
    let refused: &[(Refused, &str)] = &[
        (WriteError::Full.into(), "earlier messages of the protocol are unsent"),
        (WriteError::TooLarge.into(), "the message is too large for this link"),
        (WriteError::InvalidCode.into(), "the message code is not below the protocol's length"),
        (WriteError::Unfinished.into(), "the message has a list that is not complete"),
        (WriteError::NotShared.into(), "the protocol is not shared with the peer"),
        (WriteError::NotReady.into(), "the link is not ready"),
        (WriteError::Closed.into(), "the link has ended"),
        (PingError::NotReady.into(), "the link is not ready"),
        (PingError::Closed.into(), "the link has ended"),
        (SentTooMuch.into(), "more bytes were reported as sent than were unsent"),
        (NotShared.into(), "the protocol is not shared with the peer"),
    ];
    for (error, text) in refused {
        prints(error, text, Some(text));
        let source = error.source().unwrap();
        let own: &dyn Error = match error {
            Refused::Write(error) => error,
            Refused::Ping(error) => error,
            Refused::Sent(error) => error,
            Refused::ProtocolReturned(error) => error,
            other => panic!("{other}"),
        };
        prints(own, text, None);
        assert_eq!(format!("{source:?}"), format!("{own:?}"));
    }
    shows(&Refused::from(NotShared), "ProtocolReturned(NotShared)");
}

#[test]
fn errors_of_configuration_and_start() {
    for (error, text) in [
        (InvalidSecretKey.into(), "a secret key is neither zero nor beyond the order of secp256k1"),
        (ConfigError::TooManyProtocols { max: 16 }, "there are more than 16 protocols"),
        (ConfigError::InvalidName(ProtocolId(3)), "protocol 3: a name is 1 to 8 printable ASCII characters"),
        (ConfigError::DuplicateProtocol(alpha()), "alpha/1 is listed twice"),
        (ConfigError::RangesTooLarge, "the ranges of message ids do not fit into 64 bits"),
        (ConfigError::ClientIdTooLong, "the client id is too long"),
        (ConfigError::ZeroTimeout, "a timeout is zero"),
        (ConfigError::ReadBeforePing, "the read timeout is not longer than the ping interval"),
        (
            ConfigError::TooManyCodeLimits { protocol: ALPHA, max: 8 },
            "protocol 0: more than 8 message codes have limits of their own",
        ),
        (
            ConfigError::InvalidCodeLimit { protocol: ALPHA, code: 9 },
            "protocol 0: message code 9 cannot have a limit, or has two",
        ),
        (ConfigError::InvalidMessageLimit { min: 64, max: 99 }, "a message limit must be 64 to 99 bytes"),
    ] {
        prints(&error, text, None);
    }
    assert_eq!(SecretKey::from_bytes([0; 32]).map_err(ConfigError::from).err(), Some(ConfigError::InvalidSecretKey));
    for (error, text) in [
        (StartError::ReceiveBufferTooSmall { needed: 5 }, "the receive buffer needs 5 bytes"),
        (StartError::TransmitBufferTooSmall { needed: 6 }, "the transmit buffer needs 6 bytes"),
        (StartError::TooFewSlots { needed: 3 }, "3 slots for protocols are needed"),
        (StartError::InvalidRemote, "the remote's id is not a public key"),
        (StartError::WeakEntropy, "the entropy was not made by a random generator"),
    ] {
        prints(&error, text, None);
        let not_started = NotStarted { error, buffers: Buffers::growable() };
        prints(&not_started, text, Some(text));
        assert!(format!("{not_started:?}").contains("Buffers(0 bytes to receive, 0 to transmit)"));
    }
    prints(&InvalidSecretKey, "a secret key is neither zero nor beyond the order of secp256k1", None);
    prints(
        &ParseCapabilityError,
        "a capability is a name of 1 to 8 printable ASCII characters, a slash, and a version number",
        None,
    );
    let id = key(1).node_id();
    for (url, text) in [
        ("http://a", "an enode URL begins with enode://"),
        ("enode://a@b", "an enode URL has 128 hexadecimal digits before the @"),
        (&format!("enode://{id}@b"), "an enode URL has an IP address and a port after the @"),
        (&format!("enode://{id}@127.0.0.1:1?v4=1"), "the query of an enode URL is discport and a port"),
    ] {
        let error: ParseEnodeError = url.parse::<devp2p_proto::Enode>().unwrap_err();
        prints(&error, text, None);
    }
}

#[test]
fn actions() {
    let mut scene = Scene::remote_dials(recipient(&config(LINK, PROTOCOLS)));
    let id = key(1).node_id();
    shows(&Action::IdentityClaimed(id), &format!("IdentityClaimed(NodeId({id}))"));
    shows(&Action::Writable(BETA), "Writable(ProtocolId(1))");
    shows(&Action::Send(&[1, 2]), "Send([1, 2])");
    shows(&Action::Disconnect(Cause::SendFailed), "Disconnect(SendFailed)");
    assert_eq!(Action::Send(&[1, 2]).message_event(), None);
    assert_eq!(Action::Disconnect(Cause::SendFailed).message_event(), None);
    assert_eq!(Action::Writable(BETA).message_event(), None);
    scene.settle();

    let frame = {
        let hello = devp2p_testing::remote::Hello::fitting(1).encode();
        scene.session().seal(&body(0, &hello))
    };
    assert_eq!(scene.node.link.receive(scene.now, &frame), frame.len());
    let action = scene.node.link.poll().unwrap();
    let text = format!("{action:?}");
    assert!(text.starts_with("Ready(Ready {") && text.contains("scripted/1"), "{text}");
    let Action::Ready(ready) = action else { panic!("Ready") };
    assert_eq!((ready.hello().client_id(), ready.shared().count()), ("scripted/1", 2));

    let frame = scene.session().seal(&body(0x11, &compressed(b"content")));
    assert_eq!(scene.node.link.receive(scene.now, &frame), frame.len());
    let action = scene.node.link.poll().unwrap();
    shows(&action, "Deliver { protocol: ProtocolId(0), code: 1, payload: Payload(7 bytes) }");
    let event = action.message_event().unwrap();
    let skipped = Action::Skipped { protocol: ALPHA, code: 1, size: 70_000, wire_len: 5_000 };
    shows(&skipped, "Skipped { protocol: ProtocolId(0), code: 1, size: 70000, wire_len: 5000 }");
    assert_eq!(skipped.message_event(), None);
    assert_eq!((event.direction, event.protocol, event.code), (Direction::Received, ALPHA, 1));
    assert_eq!((event.size, event.wire_size), (7, frame.len()));
    shows(&event, "MessageEvent { direction: Received, protocol: ProtocolId(0), code: 1, size: 7, wire_size: 64 }");
    shows(&Handled::Written(event), &format!("Written({event:?})"));
    shows(&Handled::Received(7), "Received(7)");
    shows(&Handled::Done, "Done");
    let link = &scene.node.link;
    shows(
        link,
        &format!(
            "PeerState {{ role: Recipient, stage: Running, cause: None, remote: Some(NodeId({id})), unsent: 0, .. }}"
        ),
    );
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
        (Event::Write { protocol: BETA, code: 2, payload: &[7; 5] }, "Write(protocol 1, code 2, 5 bytes)"),
        (Event::Ping, "Ping"),
        (Event::Sent(9), "Sent(9)"),
        (Event::SendFailed, "SendFailed"),
        (Event::ProtocolReturned(ALPHA, failed), "ProtocolReturned(protocol 0, Err(BadMessage))"),
        (Event::ProtocolReturned(ALPHA, Ok(())), "ProtocolReturned(protocol 0, Ok(()))"),
        (Event::Disconnect(Reason::REQUESTED), "Disconnect(DisconnectReason(0x00, disconnect requested))"),
    ] {
        shows(&event, text);
    }
}

#[test]
fn what_a_node_and_a_link_say_of_themselves() {
    let versions = [Protocol::new("alpha", 1, 4), Protocol::new("beta", 2, 3), Protocol::new("alpha", 2, 4)];
    let node = Config::new(key(1), "printed/1", &versions).unwrap().with_listen_port(30303);
    let info = node.node_info("10.0.0.1", "10.0.0.1:30303", |protocol, capability| {
        (protocol == ALPHA).then(|| capability.to_string())
    });
    let id = key(1).node_id();
    assert_eq!((info.node_id, info.id, info.name), (id, id.hash(), "printed/1"));
    assert_eq!((info.ip, info.listener, info.listen_address), ("10.0.0.1", 30303, "10.0.0.1:30303"));
    reads(&info.enode(), &format!("enode://{id}@10.0.0.1:30303"));
    let parts: Vec<_> = info.protocols().iter().map(|(name, part)| (name.to_string(), part.clone())).collect();
    let first = ProtocolInfo::Info("alpha/1".to_owned());
    assert_eq!(parts, [("alpha".to_owned(), first), ("beta".to_owned(), ProtocolInfo::Handshake)]);
    assert!(format!("{info:?}").contains("printed/1"));
    shows(&info.protocols()[1], "(\"beta\", Handshake)");

    let pair = Pair::running();
    let network = Network { remote_address: "10.0.0.2:1", trusted: true, ..Network::default() };
    for (link, inbound, remote) in [(&pair.initiator.link, false, 2), (&pair.recipient.link, true, 1)] {
        let link: &PeerState<'_> = link;
        let info = link.peer_info(network, |shared| (shared.protocol == BETA).then_some(shared.length)).unwrap();
        let id = key(remote).node_id();
        assert_eq!((info.node_id, info.id, info.inbound, info.network), (id, id.hash(), inbound, network));
        assert_eq!((info.name, info.capabilities.len()), (&*format!("test/{remote}"), 2));
        reads(&info.enode(), &format!("enode://{id}@10.0.0.2:1"));
        shows(&info.protocols(), "[(\"alpha\", Handshake), (\"beta\", Info(3))]");
        assert!(format!("{info:?}").contains("inbound: "));
    }
    shows(&Entropy::from_bytes([1; Entropy::SIZE]), "Entropy(..)");
    shows(&Instant::ZERO.as_millis(), "0");
}

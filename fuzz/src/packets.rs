//! Bytes from the wire, for a link at each stage in which it waits for bytes
//!
//! The outcome must not depend on how the bytes are cut into pieces.

use std::sync::OnceLock;

use devp2p_proto::internal::{self, Answered, Dialled, Frames};
use devp2p_proto::{Buffers, Cause, Instant, PeerState, Role};

use crate::dialogue::act;
use crate::input::Input;
use crate::remote::Hello;
use crate::settings::{Settings, Side, entropy, key};
use crate::subject::Seen;

/// Which link gets the bytes, and what they are
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Target {
    /// A handshake packet
    Packet(Role),
    /// A valid handshake packet, xored with the bytes; bytes beyond its end are appended
    DamagedPacket(Role),
    /// Frames, the first of which should be Hello
    FramesToHello,
    FramesToRunning,
    /// Bodies, each of which is sealed as a frame
    BodiesToHello,
    BodiesToRunning,
}

const TARGETS: [Target; 8] = [
    Target::BodiesToHello,
    Target::BodiesToRunning,
    Target::FramesToHello,
    Target::FramesToRunning,
    Target::Packet(Role::Recipient),
    Target::DamagedPacket(Role::Recipient),
    Target::Packet(Role::Initiator),
    Target::DamagedPacket(Role::Initiator),
];

/// Feeds `data` to a link that its first bytes choose, and panics if a promise is broken
pub fn packets(data: &[u8]) {
    let mut input = Input::new(data);
    let target = input.pick(&TARGETS);
    let chunk = usize::from(input.byte()).max(1);
    let settings = Settings::read(&mut input);
    let stream = stream(target, &mut input);
    let whole = outcome(target, &settings, &stream, usize::MAX);
    if settings.twin || !matches!(target, Target::DamagedPacket(_)) {
        let in_pieces = outcome(target, &settings, &stream, chunk);
        assert!(whole == in_pieces, "the outcome depends on how the bytes are cut");
    }
    if let (false, Target::DamagedPacket(role)) = (cfg!(fuzzing), target) {
        let intact = stream.starts_with(packet(role));
        let accepted = whole.seen.iter().any(|seen| matches!(seen, Seen::IdentityClaimed(_)));
        assert_eq!(accepted, intact, "damage to a handshake packet");
    }
}

/// What a link has done
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Outcome {
    pub(crate) seen: Vec<Seen>,
    pub(crate) sent: Vec<u8>,
    pub(crate) cause: Option<Cause>,
}

/// Feeds the whole stream to a link, in pieces of `chunk` bytes
fn outcome(target: Target, settings: &Settings, stream: &[u8], chunk: usize) -> Outcome {
    let mut memory = settings.memory();
    let mut link = new_link(target, settings, memory.buffers());
    let mut outcome = Outcome::default();
    drain(&mut link, &mut outcome);
    let mut rest = stream;
    while !rest.is_empty() {
        let taken = link.receive(Instant::ZERO, &rest[..rest.len().min(chunk)]);
        assert!(taken > 0, "a link with nothing to do takes no bytes");
        rest = &rest[taken..];
        let before = outcome.seen.len();
        drain(&mut link, &mut outcome);
        let last_word = usize::from(matches!(outcome.seen.last(), Some(Seen::Disconnect(_))));
        assert!(outcome.seen.len() - before <= 1 + last_word, "one call completes at most one message");
        let (receive, transmit) = internal::memory(&link);
        assert!(receive <= settings.max_memory().0 && transmit <= settings.max_memory().1);
    }
    link.receive_closed(Instant::ZERO);
    drain(&mut link, &mut outcome);
    assert!(matches!(outcome.seen.last(), Some(Seen::Disconnect(_))));
    outcome.cause = link.cause();
    outcome
}

/// Does every action of the link, with a transport that takes everything
pub(crate) fn drain(link: &mut PeerState<'_>, outcome: &mut Outcome) {
    outcome.seen.extend(act(link, &mut outcome.sent));
}

fn new_link<'buf>(target: Target, settings: &Settings, buffers: Buffers<'buf>) -> PeerState<'buf> {
    let (now, config, remote) = (Instant::ZERO, &settings.config, key(Side::Remote).node_id());
    let link = match target {
        Target::Packet(Role::Recipient) | Target::DamagedPacket(Role::Recipient) => {
            PeerState::recipient(now, config, entropy(Side::Link), buffers)
        }
        Target::Packet(Role::Initiator) | Target::DamagedPacket(Role::Initiator) => {
            PeerState::initiator(now, config, remote, entropy(Side::Link), buffers)
        }
        _ => internal::past_handshake(now, config, settings.role, remote, buffers),
    };
    link.unwrap()
}

/// What the link is fed
fn stream(target: Target, input: &mut Input<'_>) -> Vec<u8> {
    let mut remote = Frames::past_handshake();
    match target {
        Target::Packet(_) | Target::FramesToHello => input.rest().to_vec(),
        Target::DamagedPacket(role) => damaged(packet(role), input.rest()),
        Target::FramesToRunning => {
            let mut stream = good_hello(&mut remote, input);
            stream.extend_from_slice(input.rest());
            stream
        }
        Target::BodiesToHello => bodies(&mut remote, input),
        Target::BodiesToRunning => {
            let mut stream = good_hello(&mut remote, input);
            stream.extend(bodies(&mut remote, input));
            stream
        }
    }
}

fn damaged(packet: &[u8], mask: &[u8]) -> Vec<u8> {
    let mut stream = packet.to_vec();
    stream.resize(packet.len().max(mask.len()), 0);
    stream.iter_mut().zip(mask).for_each(|(byte, mask)| *byte ^= mask);
    stream
}

/// Frames with bodies from the input; some are changed after they were sealed
fn bodies(remote: &mut Frames, input: &mut Input<'_>) -> Vec<u8> {
    let mut stream = Vec::new();
    while let Some(form) = input.next() {
        let body = if form & 1 == 0 { input.bytes() } else { input.rest() };
        let mut frame = remote.seal(body);
        if form & 6 == 6 {
            frame.iter_mut().zip(input.bytes()).for_each(|(byte, mask)| *byte ^= mask);
        }
        stream.extend(frame);
        if form & 1 == 1 {
            break;
        }
    }
    stream
}

/// A Hello that shares a protocol with most settings, with or without compression
fn good_hello(remote: &mut Frames, input: &mut Input<'_>) -> Vec<u8> {
    let uncompressed = input.flag();
    let offered = ["alpha/1", "beta/2", "zero/1", "eth/68", "snap/1", "a/1", "b/1", "c/1", "h/1"];
    let capabilities = offered.into_iter().map(|text| {
        let (name, version) = text.split_once('/').unwrap();
        (name.as_bytes().to_vec(), version.parse().unwrap())
    });
    let version = if uncompressed { 4 } else { 5 };
    let hello = Hello::good(version, capabilities);
    // 0x80 is the message id 0.
    remote.seal(&[&[0x80][..], &hello.encode()].concat())
}

/// The handshake packet that a link of this role waits for, as the remote makes it
fn packet(role: Role) -> &'static [u8] {
    static PACKETS: OnceLock<[Vec<u8>; 2]> = OnceLock::new();
    let [auth, ack] = PACKETS.get_or_init(|| [auth(Side::Remote, Side::Link), ack()]);
    if role == Role::Recipient { auth } else { ack }
}

fn auth(from: Side, to: Side) -> Vec<u8> {
    Dialled::new(&key(from), key(to).node_id(), entropy(from)).unwrap().auth().to_vec()
}

/// The ack for the auth that every dialling link of this target sends
fn ack() -> Vec<u8> {
    let auth = auth(Side::Link, Side::Remote);
    Answered::new(&key(Side::Remote), entropy(Side::Remote), &auth).ok().unwrap().ack
}

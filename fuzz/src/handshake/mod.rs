//! Handshake packets whose plaintext comes from the input, for a link of either role that waits for one
//!
//! The plaintext is sealed, so that every mutation reaches the code behind the envelope. `model.rs` computes the
//! expected outcome from the specification.

mod body;
mod curve;
mod envelope;
mod model;

use std::sync::OnceLock;

use devp2p_proto::{Buffers, Cause, Config, Instant, MAX_PROTOCOLS, PeerState, Protocol, ProtocolSlot, Role, internal};
use devp2p_testing::remote::Handshake;

use crate::input::Input;
use crate::packets::{Outcome, drain};
use crate::settings::{Memory, Side, entropy, key};
use crate::subject::Seen;
use envelope::Packet;
use model::{Expected, Fault};

/// Gives a packet to a link that waits for it, and panics if a promise is broken
pub fn handshake(data: &[u8]) {
    let mut input = Input::new(data);
    let role = if input.flag() { Role::Initiator } else { Role::Recipient };
    let piece = usize::from(input.byte()).max(1);
    let packet = Packet::read(role, &mut input);
    let whole = outcome(role, &packet.bytes, usize::MAX, &mut Memory::Growable);
    let in_pieces = outcome(role, &packet.bytes, piece, &mut caller_memory());
    assert!(whole == in_pieces, "the outcome depends on how the bytes are cut");
    judge(role, &packet, &whole);
}

fn judge(role: Role, packet: &Packet, outcome: &Outcome) {
    let [auth, answer] = split(role, &outcome.sent);
    assert_eq!(auth.is_empty(), role == Role::Recipient);
    match (packet.expected(role), &outcome.seen[..]) {
        (Expected::Accepted, [Seen::IdentityClaimed(id), Seen::Disconnect(Cause::ReceiveClosed)]) => {
            assert_eq!(packet.claimed(role), *id, "another identity");
            assert!(!answer.is_empty());
            if packet.is_from_remote(role) {
                open_hello(role, packet, auth, answer);
            }
        }
        (Expected::Refused(faults), [Seen::Disconnect(cause)]) => {
            let fault = Fault::of(*cause);
            assert!(fault.is_some_and(|fault| faults.contains(&fault)), "{cause:?} is not one of {faults:?}");
            assert!(answer.is_empty(), "a packet that is refused is not answered");
        }
        (Expected::Unknown, _) => {}
        (expected, seen) => panic!("{expected:?}, but {seen:?}"),
    }
}

/// Our auth, and the bytes that were sent because of the packet
fn split(role: Role, sent: &[u8]) -> [&[u8]; 2] {
    let auth = if role == Role::Initiator { packet_len(sent) } else { 0 };
    let (auth, answer) = sent.split_at(auth);
    [auth, answer]
}

fn packet_len(bytes: &[u8]) -> usize {
    2 + usize::from(u16::from_be_bytes([bytes[0], bytes[1]]))
}

/// The remote, which has an implementation of its own, must find our Hello in the right place
fn open_hello(role: Role, packet: &Packet, auth: &[u8], answer: &[u8]) {
    let (mut session, mut frames) = match role {
        Role::Recipient => {
            let (ack, frames) = answer.split_at(packet_len(answer));
            (remote().initiator_session(&packet.bytes, ack), frames.to_vec())
        }
        Role::Initiator => {
            let (session, id) = remote().recipient_session(auth, &packet.bytes);
            assert_eq!(id, key(Side::Link).node_id());
            (session, answer.to_vec())
        }
    };
    let hello = session.open(&mut frames).expect("Hello is complete");
    assert_eq!(hello[0], 0x80, "the message id of Hello");
    assert!(frames.is_empty());
}

/// The outcome of these bytes, in pieces of this size
fn outcome(role: Role, bytes: &[u8], piece: usize, memory: &mut Memory) -> Outcome {
    let mut outcome = Outcome::default();
    let mut link = link(role, memory.buffers());
    drain(&mut link, &mut outcome);
    let mut came = 0;
    for piece in bytes.chunks(piece) {
        came += piece.len();
        let mut rest = piece;
        while !rest.is_empty() {
            let taken = link.receive(Instant::ZERO, rest);
            assert!(taken > 0, "a link with nothing to do takes no bytes");
            rest = &rest[taken..];
            let (receiving, sending) = internal::memory(&link);
            assert!(receiving <= (2 * came).min(MAX_PACKET) && sending <= MAX_SENDING, "{receiving}, {sending}");
            drain(&mut link, &mut outcome);
        }
    }
    link.receive_closed(Instant::ZERO);
    drain(&mut link, &mut outcome);
    outcome.cause = link.cause();
    outcome
}

/// The largest packet that all clients accept, with its size prefix
const MAX_PACKET: usize = 2 + 2048;
/// The bound for sending: our packet has at most 228 bytes of padding, and Hello is short; buffers grow by doubling
const MAX_SENDING: usize = 2 * crate::settings::GREETING;

fn config() -> &'static Config {
    static CONFIG: OnceLock<Config> = OnceLock::new();
    CONFIG.get_or_init(|| {
        let config = Config::new(key(Side::Link), "fuzz/1", &[Protocol::new("alpha", 1, 4)]).unwrap();
        config.with_max_message(64).unwrap()
    })
}

fn caller_memory() -> Memory {
    let (receive, transmit) = (vec![0xee; config().receive_len()], vec![0xee; config().transmit_len()]);
    Memory::Fixed { receive, transmit, table: Vec::new(), slots: vec![ProtocolSlot::EMPTY; MAX_PROTOCOLS] }
}

fn link(role: Role, buffers: Buffers<'_>) -> PeerState<'_> {
    let (now, remote) = (Instant::ZERO, key(Side::Remote).node_id());
    let link = match role {
        Role::Initiator => PeerState::initiator(now, config(), remote, entropy(Side::Link), buffers),
        Role::Recipient => PeerState::recipient(now, config(), entropy(Side::Link), buffers),
    };
    link.unwrap()
}

/// The remote, whose key is that of [`Side::Remote`]
fn remote() -> &'static Handshake {
    static REMOTE: OnceLock<Handshake> = OnceLock::new();
    REMOTE.get_or_init(|| Handshake::new(2))
}

//! The other side: says anything, and knows what has to come of it
//!
//! It seals frames by the same code as the link but knows nothing of how a link decides. As long as
//! it is `certain`, everything that it has said is of a kind whose effect it can tell.

use std::collections::VecDeque;
use std::vec::Vec;

use super::input::Input;
use super::settings::{Local, Settings, Side, entropy, key};
use crate::p2p::message::{DISCONNECT, HELLO, PING, PONG};
use crate::rlpx::frame::{HEADER, Session, frame_len};
use crate::rlpx::handshake::{Initiator, MAX_SENT, Recipient};
use crate::wire::{rlp::Writer, snappy};
use crate::{DisconnectReason, NodeId, ProtocolId, Role, SharedProtocol};

/// How far the remote is with its keys
#[expect(clippy::large_enum_variant, reason = "there is one of these")]
pub(super) enum Keys {
    /// The link has dialled
    AwaitAuth(Recipient),
    /// The remote has dialled, by this auth
    AwaitAck(Initiator, Vec<u8>),
    Agreed(Session),
    /// What comes cannot be read any more
    Lost,
}

/// A protocol that both have, where its messages begin, and the largest that the link takes
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Agreed {
    pub(super) protocol: ProtocolId,
    pub(super) offset: u64,
    pub(super) length: u64,
    pub(super) limit: usize,
}

impl Agreed {
    pub(super) const fn is(&self, shared: &SharedProtocol) -> bool {
        let Self { protocol, offset, length, .. } = self;
        protocol.0 == shared.protocol.0 && *offset == shared.offset && *length == shared.length
    }
}

/// A message that is to be delivered once the stream has come to `end`
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Expected {
    pub(super) protocol: ProtocolId,
    pub(super) code: u64,
    pub(super) payload: Vec<u8>,
    end: usize,
}

pub(super) struct Remote {
    pub(super) keys: Keys,
    /// Everything that was ever said, and how much of it the link has taken
    wire: Vec<u8>,
    taken: usize,
    /// Where the handshake ends in it, once that is known
    handshake_end: usize,
    pub(super) role: Role,
    locals: &'static [Local],
    max_message: usize,
    max_body: usize,
    /// The version in our Hello, once that is said
    version: Option<u64>,
    agreed: Vec<Agreed>,
    pub(super) expected: VecDeque<Expected>,
    /// Where Pings end that have to be answered
    pings: Vec<usize>,
    /// The reasons in our Disconnects
    pub(super) reasons: Vec<DisconnectReason>,
    /// Everything said so far has an effect that is known
    pub(super) certain: bool,
    /// Where that ends after which the link is not to live
    fatal: Option<usize>,
    pub(super) heard: super::monitor::Heard,
}

impl Remote {
    pub(super) fn new(settings: &Settings) -> Self {
        let mut remote = Self {
            keys: Keys::Agreed(session()),
            wire: Vec::new(),
            taken: 0,
            handshake_end: 0,
            role: settings.role,
            locals: settings.protocols,
            max_message: settings.max_message,
            max_body: settings.max_body(),
            version: None,
            agreed: Vec::new(),
            expected: VecDeque::new(),
            pings: Vec::new(),
            reasons: Vec::new(),
            certain: true,
            fatal: None,
            heard: super::monitor::Heard::default(),
        };
        if settings.handshake {
            remote.start_handshake();
        }
        remote
    }

    fn start_handshake(&mut self) {
        let identity = key(Side::Remote);
        self.keys = match self.role {
            Role::Initiator => Keys::AwaitAuth(Recipient::new(&identity, entropy(Side::Remote)).unwrap()),
            Role::Recipient => {
                let mut auth = std::vec![0; MAX_SENT];
                let link = key(Side::Link).node_id();
                let (handshake, len) = Initiator::start(&identity, link, entropy(Side::Remote), &mut auth).unwrap();
                auth.truncate(len);
                self.say_packet(&auth);
                Keys::AwaitAck(handshake, auth)
            }
        };
    }

    pub(super) fn say_packet(&mut self, packet: &[u8]) {
        self.wire.extend_from_slice(packet);
        self.handshake_end = self.wire.len();
    }

    /// What the link has not taken
    pub(super) fn waiting(&self) -> &[u8] {
        &self.wire[self.taken..]
    }

    pub(super) const fn take(&mut self, len: usize) {
        self.taken += len;
    }

    /// How many Pings the link has had to answer by now
    pub(super) fn pings_taken(&self) -> usize {
        self.pings.iter().filter(|end| **end <= self.taken).count()
    }

    /// Whether something has arrived that no link survives
    pub(super) fn has_ended_the_link(&self) -> bool {
        self.certain && self.fatal.is_some_and(|end| end <= self.taken)
    }

    /// Whether anything is or has been on its way that breaks the rules
    pub(super) const fn has_misbehaved(&self) -> bool {
        self.fatal.is_some() || !self.certain
    }

    /// Says Hello; the second one is ignored
    pub(super) fn hello(&mut self, input: &mut Input<'_>) {
        let hello = Hello::read(self.locals, input);
        self.say_hello(&hello);
    }

    /// Says a Hello that is as it should be
    pub(super) fn good_hello(&mut self) {
        let capabilities = self.locals.iter().map(|(name, version, ..)| (name.as_bytes().to_vec(), *version));
        self.say_hello(&Hello { version: 5, capabilities: capabilities.collect(), ..Hello::default() });
    }

    fn say_hello(&mut self, hello: &Hello) {
        let first = self.version.is_none();
        let payload = hello.encode();
        let refused = first && (hello.is_refused() || agree(self.locals, &hello.capabilities).is_empty());
        self.say(HELLO, &payload, refused);
        if first && matches!(self.keys, Keys::Agreed(_)) {
            self.version = Some(hello.version);
            self.agreed = agree(self.locals, &hello.capabilities);
            for agreed in &mut self.agreed {
                agreed.limit = agreed.limit.min(self.max_message);
            }
        }
    }

    /// Says a message of a shared protocol, compressed if that is agreed
    pub(super) fn message(&mut self, input: &mut Input<'_>) {
        if self.agreed.is_empty() {
            return;
        }
        let Agreed { protocol, offset, length, limit } = input.pick(&self.agreed);
        if length == 0 {
            return;
        }
        let code = input.pick(&[0, length - 1, length / 2]);
        let payload = input.payload(limit);
        let alive = self.fatal.is_none();
        self.say_payload(offset + code, &payload, payload.len() > limit);
        if alive && self.fatal.is_none() && self.certain {
            self.expected.push_back(Expected { protocol, code, payload, end: self.wire.len() });
        }
    }

    /// Says a message with any id, whose payload is or is not what the id asks for
    pub(super) fn any_message(&mut self, input: &mut Input<'_>) {
        let id = match input.byte() {
            0xff => u64::MAX,
            0xfe => u64::MAX / 2,
            id => u64::from(id),
        };
        let payload = input.bytes();
        let shared =
            self.agreed.iter().any(|agreed| id.checked_sub(agreed.offset).is_some_and(|code| code < agreed.length));
        if id >= 16 && !shared {
            self.say(id, payload, true);
        } else if (4..16).contains(&id) && self.version.is_some() {
            self.say(id, payload, false);
        } else {
            self.certain = false;
            self.say(id, payload, false);
        }
    }

    pub(super) fn ping(&mut self) {
        let alive = self.fatal.is_none();
        self.say_payload(PING, &[0xc0], false);
        if alive && self.fatal.is_none() && matches!(self.keys, Keys::Agreed(_)) {
            self.pings.push(self.wire.len());
        }
    }

    pub(super) fn pong(&mut self) {
        self.say_payload(PONG, &[0xc0], false);
    }

    /// Says Disconnect in one of its forms
    pub(super) fn disconnect(&mut self, input: &mut Input<'_>) {
        let reason = DisconnectReason::from_code(input.byte().into());
        let mut buffer = [0; 10];
        let mut payload = crate::p2p::disconnect::encode(reason, &mut buffer).to_vec();
        let form = input.byte();
        match form % 4 {
            1 if reason.code() > 0 => drop(payload.remove(0)),
            2 => payload.clear(),
            3 => payload = std::vec![0xc0],
            _ => {}
        }
        let said = if matches!(form % 4, 2 | 3) { DisconnectReason::Requested } else { reason };
        // Whatever came before it: a link that can send no more waits for nothing but this.
        self.reasons.push(said);
        if form & 4 == 0 { self.say(DISCONNECT, &payload, true) } else { self.say_payload(DISCONNECT, &payload, true) }
    }

    /// Says a Snappy block that claims more than it makes, or makes more than it claims, or makes a lot
    pub(super) fn bomb(&mut self, input: &mut Input<'_>) {
        let claim = match input.byte() {
            choice @ 0..=3 => self.max_message + usize::from(choice),
            4 => 0xffff_ffff,
            5 => self.max_message * 20,
            _ => usize::from(input.u16()),
        };
        let mut block = Vec::new();
        let mut rest = claim;
        while rest >= 0x80 {
            block.push((rest & 0x7f) as u8 | 0x80);
            rest >>= 7;
        }
        block.push(rest as u8);
        block.extend([0, 0x55]);
        // Copies of 64 bytes, each from one byte back, as many as the claim asks for, and some more or less.
        let copies = (claim.min(60_000) / 64).saturating_add(usize::from(input.byte() & 7)).saturating_sub(3);
        for _ in 0..copies {
            block.extend([0xfe, 1, 0]);
        }
        self.certain = false;
        let id = if input.flag() { 16 } else { u64::from(input.byte()) };
        self.say(id, &block, false);
    }

    /// Says a frame whose body is anything
    pub(super) fn any_body(&mut self, input: &mut Input<'_>) {
        self.certain = false;
        let body = input.bytes();
        self.say_body(body);
    }

    /// Says bytes that are no frame
    pub(super) fn garbage(&mut self, input: &mut Input<'_>) {
        let bytes = input.bytes();
        if !bytes.is_empty() {
            self.tamper(self.wire.len());
            self.wire.extend_from_slice(bytes);
        }
    }

    /// Changes a byte that has not arrived
    pub(super) fn flip(&mut self, input: &mut Input<'_>) {
        let waiting = self.wire.len() - self.taken;
        let (position, mask) = (usize::from(input.u16()), input.byte());
        if waiting > 0 && mask != 0 {
            let position = self.taken + position % waiting;
            self.wire[position] ^= mask;
            self.tamper(position);
        }
    }

    /// Nothing from here on can be authentic
    ///
    /// Where a fuzzer is spared the MACs, damage passes and may mean anything.
    fn tamper(&mut self, position: usize) {
        if cfg!(fuzzing) {
            self.certain = false;
        } else {
            self.expected.retain(|expected| expected.end <= position);
            self.pings.retain(|end| *end <= position);
            // How much has to come until damage is found depends on the damage.
            self.fatal = Some(self.fatal.unwrap_or(usize::MAX));
        }
        if position < self.handshake_end || !matches!(self.keys, Keys::Agreed(_)) {
            self.keys = Keys::Lost;
        }
    }

    /// Whether payloads are compressed, once our Hello is said
    pub(super) fn is_compressing(&self) -> Option<bool> {
        self.version.map(|version| version >= 5)
    }

    fn say_payload(&mut self, id: u64, payload: &[u8], fatal: bool) {
        if self.is_compressing() == Some(true) {
            let mut block = std::vec![0; snappy::max_compressed_len(payload.len())];
            let len = snappy::compress(payload, &mut block, &mut [0; 1024]).unwrap();
            self.say(id, &block[..len], fatal);
        } else {
            self.say(id, payload, fatal);
        }
    }

    fn say(&mut self, id: u64, payload: &[u8], fatal: bool) {
        let mut id_buffer = [0; 9];
        let mut writer = Writer::new(&mut id_buffer);
        writer.uint(id);
        let mut body = writer.finish().unwrap().to_vec();
        body.extend_from_slice(payload);
        let unexpected = self.version.is_none() && !matches!(id, HELLO | DISCONNECT);
        self.say_body(&body);
        if fatal || unexpected {
            self.end_link();
        }
    }

    fn say_body(&mut self, body: &[u8]) {
        let limit = if self.version.is_some() { self.max_body } else { 2049 };
        let Keys::Agreed(session) = &mut self.keys else {
            return;
        };
        let mut frame = std::vec![0; frame_len(body.len())];
        frame[HEADER..HEADER + body.len()].copy_from_slice(body);
        session.seal(&mut frame, body.len());
        self.wire.extend_from_slice(&frame);
        if body.is_empty() || body.len() > limit {
            self.end_link();
        }
    }

    fn end_link(&mut self) {
        if matches!(self.keys, Keys::Agreed(_)) {
            self.fatal = Some(self.fatal.unwrap_or(self.wire.len()));
        }
    }

    pub(super) fn agreed(&self) -> &[Agreed] {
        &self.agreed
    }
}

/// The session that both sides have where the handshake is left out
pub(super) fn session() -> Session {
    Session::with_keys(&[0x61; 32], &[0x6d; 32])
}

/// A Hello of any kind
#[derive(Debug, Default)]
struct Hello {
    version: u64,
    capabilities: Vec<(Vec<u8>, u64)>,
    /// Whose id it carries, zeros for `None`; the remote's own unless told otherwise
    wrong_id: Option<Option<Side>>,
    tail: Vec<u8>,
    truncated: bool,
}

impl Hello {
    fn read(locals: &[Local], input: &mut Input<'_>) -> Self {
        let version = input.pick(&[5, 4, 5, 4, 3, 6, u64::MAX]);
        let mask = input.byte();
        let chosen = locals.iter().enumerate().filter(|(index, _)| mask >> (index % 8) & 1 == 0);
        let mut capabilities: Vec<_> = chosen.map(|(_, local)| (local.0.as_bytes().to_vec(), local.1)).collect();
        match input.byte() % 8 {
            1 => capabilities.extend([(b"waytoolong".to_vec(), 1), (Vec::new(), 2), (b"\xff".to_vec(), 3)]),
            2 => capabilities.extend_from_within(..),
            3 => capabilities.extend((0..input.byte()).map(|version| (b"alpha".to_vec(), version.into()))),
            4 => capabilities.push((input.bytes().to_vec(), input.byte().into())),
            5 => capabilities.insert(0, (b"alpha".to_vec(), u64::MAX)),
            _ => {}
        }
        let wrong_id = match input.byte() {
            1 => Some(None),
            2 => Some(Some(Side::Link)),
            3 => Some(Some(Side::Stranger)),
            _ => None,
        };
        let (tail, truncated) = match input.byte() {
            1 => (input.bytes().to_vec(), false),
            2 => (Vec::new(), true),
            _ => (Vec::new(), false),
        };
        Self { version, capabilities, wrong_id, tail, truncated }
    }

    const fn is_refused(&self) -> bool {
        self.version < 4 || self.wrong_id.is_some() || self.truncated
    }

    fn encode(&self) -> Vec<u8> {
        let id = match self.wrong_id {
            None => key(Side::Remote).node_id(),
            Some(None) => NodeId::new([0; 64]),
            Some(Some(side)) => key(side).node_id(),
        };
        let mut buffer = std::vec![0; 8192];
        let mut writer = Writer::new(&mut buffer);
        writer.list(|list| {
            list.uint(self.version);
            list.bytes(b"fuzz/remote\x1b[31m");
            list.list(|list| {
                for (name, version) in &self.capabilities {
                    list.list(|list| {
                        list.bytes(name);
                        list.uint(*version);
                    });
                }
            });
            list.uint(30303);
            list.bytes(id.as_bytes());
            list.raw(&self.tail);
        });
        let mut payload = writer.finish().unwrap().to_vec();
        if self.truncated {
            payload.pop();
        }
        payload
    }
}

/// What both have: the highest common version of every name, in the order of names (rlpx.md)
fn agree(locals: &[Local], remote: &[(Vec<u8>, u64)]) -> Vec<Agreed> {
    let has = |local: &Local| remote.contains(&(local.0.as_bytes().to_vec(), local.1));
    let common: Vec<_> = locals.iter().enumerate().filter(|(_, local)| has(local)).collect();
    let beaten = |local: &Local| common.iter().any(|(_, other)| other.0 == local.0 && other.1 > local.1);
    let mut winners: Vec<_> = common.iter().filter(|(_, local)| !beaten(local)).collect();
    winners.sort_by_key(|(_, local)| local.0);
    let mut offset = 16;
    let mut agreed = Vec::new();
    for (index, (_, _, length, limit)) in winners {
        agreed.push(Agreed { protocol: ProtocolId(*index), offset, length: *length, limit: *limit });
        offset += length;
    }
    agreed
}

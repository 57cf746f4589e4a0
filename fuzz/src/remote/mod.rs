//! The remote: it sends anything, and knows the effect that this must have
//!
//! It seals frames by the same code as the link. It compresses by the `snap` crate, and does not know how a link
//! decides. As long as it is `certain`, it knows the effect of everything that it has sent.

mod hearing;
mod hello;

use std::collections::VecDeque;

use devp2p_proto::internal::{Dialled, Frames};
use devp2p_proto::rlp::Writer;
use devp2p_proto::{DisconnectReason, MAX_MESSAGE, ProtocolId, Role};

use crate::input::Input;
use crate::settings::{Limits, Local, Settings, Side, entropy, key};
use crate::sizes;
use hearing::Heard;
pub(crate) use hello::{Agreed, Hello, agree};

const HELLO: u64 = 0;
const DISCONNECT: u64 = 1;
const PING: u64 = 2;
const PONG: u64 = 3;

/// How far the remote is in the encryption handshake
#[expect(clippy::large_enum_variant, reason = "there is one of these")]
pub(crate) enum Keys {
    /// The link dials
    AwaitAuth,
    /// The remote has dialled
    AwaitAck(Dialled),
    Agreed(Frames),
    /// Something was damaged: the frames of the link cannot be read any more
    Lost,
}

/// A message of which the driver is to be told once the link has taken the stream up to `end`
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Expected {
    pub(crate) protocol: ProtocolId,
    pub(crate) code: u64,
    pub(crate) payload: Vec<u8>,
    pub(crate) wire_len: usize,
    pub(crate) effect: Effect,
    end: usize,
}

/// What becomes of a message
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    Deliver,
    Skip,
}

pub(crate) struct Remote {
    pub(crate) keys: Keys,
    /// Everything that was ever sent, and how much of it the link has taken
    wire: Vec<u8>,
    taken: usize,
    /// Where its frames end, as far as they are whole
    ends: Vec<usize>,
    /// Bytes that are no frame were sent, or frames were damaged
    damaged: bool,
    /// Where the handshake ends in the stream, once that is known
    handshake_end: usize,
    pub(crate) role: Role,
    locals: &'static [Local],
    limits: Limits,
    /// The version in our Hello, once that is said
    version: Option<u64>,
    agreed: Vec<Agreed>,
    pub(crate) expected: VecDeque<Expected>,
    /// The end positions of Pings that have to be answered
    pings: Vec<usize>,
    /// The reasons in our Disconnects
    pub(crate) reasons: Vec<DisconnectReason>,
    /// The effect of everything sent so far is known
    pub(crate) certain: bool,
    /// The end position of the message that must end the link
    fatal: Option<usize>,
    pub(crate) heard: Heard,
}

impl Remote {
    pub(crate) fn new(settings: &Settings) -> Self {
        let mut remote = Self {
            keys: Keys::Agreed(Frames::past_handshake()),
            wire: Vec::new(),
            taken: 0,
            ends: Vec::new(),
            damaged: false,
            handshake_end: 0,
            role: settings.role,
            locals: settings.protocols,
            limits: settings.limits,
            version: None,
            agreed: Vec::new(),
            expected: VecDeque::new(),
            pings: Vec::new(),
            reasons: Vec::new(),
            certain: true,
            fatal: None,
            heard: Heard::default(),
        };
        if settings.handshake {
            remote.start_handshake();
        }
        remote
    }

    fn start_handshake(&mut self) {
        self.keys = match self.role {
            Role::Initiator => Keys::AwaitAuth,
            Role::Recipient => {
                let link = key(Side::Link).node_id();
                let dialled = Dialled::new(&key(Side::Remote), link, entropy(Side::Remote)).unwrap();
                self.say_packet(dialled.auth());
                Keys::AwaitAck(dialled)
            }
        };
    }

    pub(crate) fn say_packet(&mut self, packet: &[u8]) {
        self.wire.extend_from_slice(packet);
        self.handshake_end = self.wire.len();
    }

    /// What the link has not taken
    pub(crate) fn waiting(&self) -> &[u8] {
        &self.wire[self.taken..]
    }

    pub(crate) const fn take(&mut self, len: usize) {
        self.taken += len;
    }

    /// How much the link has taken of an incomplete frame, `None` if that is not known
    pub(crate) fn partial_frame(&self) -> Option<usize> {
        let start = self.ends.iter().rev().find(|end| **end <= self.taken).copied().unwrap_or(self.handshake_end);
        (!self.damaged).then(|| self.taken.saturating_sub(start))
    }

    /// Where a frame starts of which the link has taken a part, and the length that it knows of
    pub(crate) fn frame_under_way(&self) -> Option<(usize, usize)> {
        let partial = self.partial_frame().filter(|partial| *partial > 0 && self.taken > self.handshake_end)?;
        let start = self.taken - partial;
        let end = self.ends.iter().find(|end| **end > self.taken)?;
        Some((start, if partial < 32 { 32 } else { end - start }))
    }

    /// How many Pings the link has had to answer by now
    pub(crate) fn pings_taken(&self) -> usize {
        self.pings.iter().filter(|end| **end <= self.taken).count()
    }

    /// Whether the link has taken something that must end it
    pub(crate) fn has_ended_the_link(&self) -> bool {
        self.certain && self.fatal.is_some_and(|end| end <= self.taken)
    }

    /// Whether anything was sent that breaks the rules, or may break them
    pub(crate) const fn has_misbehaved(&self) -> bool {
        self.fatal.is_some() || !self.certain
    }

    /// Sends Hello; a second Hello is ignored
    pub(crate) fn hello(&mut self, input: &mut Input<'_>) {
        let hello = Hello::read(self.locals, input);
        self.say_hello(&hello);
    }

    /// Sends a valid Hello
    pub(crate) fn good_hello(&mut self) {
        let capabilities = self.locals.iter().map(|(name, version, ..)| (name.as_bytes().to_vec(), *version));
        self.say_hello(&Hello::good(5, capabilities));
    }

    fn say_hello(&mut self, hello: &Hello) {
        let first = self.version.is_none();
        let payload = hello.encode();
        let refused = first && (hello.is_refused() || agree(self.locals, &hello.capabilities).is_empty());
        self.say(HELLO, &payload, refused);
        if first && matches!(self.keys, Keys::Agreed(_)) {
            self.version = Some(hello.version);
            self.agreed = agree(self.locals, &hello.capabilities);
        }
    }

    /// Sends a message of a shared protocol, compressed if that is agreed
    pub(crate) fn message(&mut self, input: &mut Input<'_>) {
        if self.agreed.is_empty() {
            return;
        }
        let Agreed { protocol, offset, length } = input.pick(&self.agreed);
        if length == 0 {
            return;
        }
        let code = input.pick(&[0, length - 1, length / 2]);
        let (limit, skips) = (self.limits.of(protocol, code), self.limits.skips(protocol));
        let payload = input.payload(if skips { (3 * limit + 40).min(MAX_MESSAGE) } else { limit });
        let effect = if payload.len() <= limit { Effect::Deliver } else { Effect::Skip };
        let fatal = effect == Effect::Skip && (!skips || payload.len() > MAX_MESSAGE);
        let alive = self.fatal.is_none();
        let said = self.wire.len();
        self.say_payload(offset + code, &payload, fatal);
        let end = self.wire.len();
        if alive && end > said && self.fatal.is_none() && self.certain {
            self.expected.push_back(Expected { protocol, code, payload, wire_len: end - said, effect, end });
        }
    }

    /// Sends a message with any id and any payload
    pub(crate) fn any_message(&mut self, input: &mut Input<'_>) {
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

    pub(crate) fn ping(&mut self) {
        let alive = self.fatal.is_none();
        self.say_payload(PING, &[0xc0], false);
        if alive && self.fatal.is_none() && matches!(self.keys, Keys::Agreed(_)) {
            self.pings.push(self.wire.len());
        }
    }

    pub(crate) fn pong(&mut self) {
        self.say_payload(PONG, &[0xc0], false);
    }

    /// Sends Disconnect in one of its forms
    pub(crate) fn disconnect(&mut self, input: &mut Input<'_>) {
        let reason = DisconnectReason::from_code(input.byte().into());
        let mut buffer = [0; 10];
        let mut writer = Writer::new(&mut buffer);
        writer.list(|list| list.uint(reason.code()));
        let mut payload = writer.finish().unwrap().to_vec();
        let form = input.byte();
        match form % 4 {
            1 if reason.code() > 0 => drop(payload.remove(0)),
            2 => payload.clear(),
            3 => payload = vec![0xc0],
            _ => {}
        }
        let said = if matches!(form % 4, 2 | 3) { DisconnectReason::REQUESTED } else { reason };
        // Noted in every case, since a link whose writing has failed still reads a Disconnect.
        self.reasons.push(said);
        if form & 4 == 0 { self.say(DISCONNECT, &payload, true) } else { self.say_payload(DISCONNECT, &payload, true) }
    }

    /// Sends a Snappy block whose declared length is wrong, or very large
    pub(crate) fn bomb(&mut self, input: &mut Input<'_>) {
        let claim = match input.byte() {
            choice @ 0..=3 => self.limits.max_message + usize::from(choice),
            4 => 0xffff_ffff,
            5 => self.limits.max_message * 20,
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
        // Each copy makes 64 bytes. There are about as many as the claimed length needs.
        let copies = (claim.min(60_000) / 64).saturating_add(usize::from(input.byte() & 7)).saturating_sub(3);
        for _ in 0..copies {
            block.extend([0xfe, 1, 0]);
        }
        self.certain = false;
        let id = if input.flag() { 16 } else { u64::from(input.byte()) };
        self.say(id, &block, false);
    }

    /// Sends a frame with any body
    pub(crate) fn any_body(&mut self, input: &mut Input<'_>) {
        self.certain = false;
        let body = input.bytes();
        self.say_body(body);
    }

    /// Sends bytes that are no frame
    pub(crate) fn garbage(&mut self, input: &mut Input<'_>) {
        let bytes = input.bytes();
        if !bytes.is_empty() {
            self.tamper(self.wire.len());
            self.wire.extend_from_slice(bytes);
        }
    }

    /// Changes a byte that has not arrived
    pub(crate) fn flip(&mut self, input: &mut Input<'_>) {
        let waiting = self.wire.len() - self.taken;
        let (position, mask) = (usize::from(input.u16()), input.byte());
        if waiting > 0 && mask != 0 {
            let position = self.taken + position % waiting;
            self.wire[position] ^= mask;
            self.tamper(position);
        }
    }

    /// Notes that no frame from here on is authentic
    ///
    /// Where MACs all pass, damage may have any effect.
    fn tamper(&mut self, position: usize) {
        self.damaged = true;
        if cfg!(fuzzing) {
            self.certain = false;
        } else {
            self.expected.retain(|expected| expected.end <= position);
            self.pings.retain(|end| *end <= position);
            // The damage decides how many more bytes the link takes before it notices.
            self.fatal = Some(self.fatal.unwrap_or(usize::MAX));
        }
        if position < self.handshake_end || !matches!(self.keys, Keys::Agreed(_)) {
            self.keys = Keys::Lost;
        }
    }

    /// Whether payloads are compressed, once our Hello is sent
    pub(crate) fn is_compressing(&self) -> Option<bool> {
        self.version.map(|version| version >= 5)
    }

    fn say_payload(&mut self, id: u64, payload: &[u8], fatal: bool) {
        if self.is_compressing() == Some(true) {
            let block = snap::raw::Encoder::new().compress_vec(payload).unwrap();
            self.say(id, &block, fatal);
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
        let too_large = id < 16 && body.len() > sizes::MAX_BASE_BODY;
        self.say_body(&body);
        if (fatal || unexpected || too_large) && body.len() <= sizes::MAX_BODY {
            self.end_link();
        }
    }

    fn say_body(&mut self, body: &[u8]) {
        if body.len() > sizes::MAX_BODY {
            // No frame can hold this.
            return;
        }
        // The largest body that any shared protocol takes or skips. If its own protocol does not, its id decides later.
        let read = |agreed: &Agreed| match self.limits.skips(agreed.protocol) {
            true => sizes::MAX_BODY,
            false => sizes::max_body(self.limits.largest(agreed.protocol)),
        };
        let speaking = self.agreed.iter().filter(|agreed| agreed.length > 0);
        let limit = speaking.map(read).fold(sizes::MAX_BASE_BODY, usize::max);
        let Keys::Agreed(frames) = &mut self.keys else {
            return;
        };
        self.wire.extend(frames.seal(body));
        self.ends.push(self.wire.len());
        if body.is_empty() || body.len() > limit {
            self.end_link();
        }
    }

    fn end_link(&mut self) {
        if matches!(self.keys, Keys::Agreed(_)) {
            self.fatal = Some(self.fatal.unwrap_or(self.wire.len()));
        }
    }

    pub(crate) fn agreed(&self) -> &[Agreed] {
        &self.agreed
    }
}

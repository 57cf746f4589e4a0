//! The session: what is said to geth, and what is expected to come back
//!
//! A hundred messages go out by the protocol echo/2, which geth returns; geth sends as many by
//! bulk/1, which are returned to it. Every byte that comes is compared with what it must be. Then
//! nothing is said until both sides have lived on Pings alone for longer than either would wait in
//! silence.

use core::time::Duration;

use devp2p_proto::{DisconnectReason, Instant, PeerState, Protocol, ProtocolError, ProtocolId, Ready};

use crate::drive::Application;

/// The largest message, and what the buffers are made for
pub const MAX_MESSAGE: usize = 1024;

/// What this node offers; a protocol's id is its position here
pub const PROTOCOLS: [Protocol<'static>; 2] = [Protocol::new("echo", 2, 17), Protocol::new("bulk", 1, 4)];
/// Geth returns what it is sent
pub const ECHO: ProtocolId = ProtocolId(0);
/// Geth sends, and counts what is returned
pub const BULK: ProtocolId = ProtocolId(1);

/// Messages each way
const MESSAGES: u32 = 100;
/// The sizes of ours, in turn
const SIZES: [usize; 8] = [0, 1, 32, 255, 256, 500, 1000, MAX_MESSAGE];
/// Geth gives up a peer that is silent for 30 s, and so do we
const LIFETIME: Duration = Duration::from_secs(36);

/// How far the session is
pub struct Script<'buf> {
    begun: Option<Instant>,
    sent: u32,
    echoed: u32,
    returned: u32,
    held: Option<Held>,
    /// The message that is held, or the next to be sent
    message: &'buf mut [u8; MAX_MESSAGE],
    wrong: Option<ProtocolId>,
}

/// A message from geth that is to be returned
struct Held {
    code: u64,
    len: usize,
}

impl<'buf> Script<'buf> {
    pub fn new(message: &'buf mut [u8; MAX_MESSAGE]) -> Self {
        Self { begun: None, sent: 0, echoed: 0, returned: 0, held: None, message, wrong: None }
    }

    /// Whether everything came and went as it should
    pub const fn is_complete(&self) -> bool {
        self.echoed == MESSAGES && self.returned == MESSAGES && self.wrong.is_none()
    }

    fn check_echo(&mut self, code: u64, payload: &[u8]) -> bool {
        let index = self.echoed;
        self.echoed += 1;
        if self.echoed == MESSAGES {
            defmt::info!("all {=u32} echoes came back as they were sent", MESSAGES);
        }
        code == code_of(index)
            && payload.len() == size_of(index)
            && payload.iter().copied().eq(pattern(index, payload.len()))
    }

    fn hold(&mut self, code: u64, payload: &[u8]) -> bool {
        let Some(target) = self.message.get_mut(..payload.len()) else {
            return false;
        };
        target.copy_from_slice(payload);
        self.held = Some(Held { code, len: payload.len() });
        payload.iter().copied().eq(random(self.returned, payload.len()))
    }

    fn give_back(&mut self, link: &mut PeerState<'_>, now: Instant) -> bool {
        let Some(Held { code, len }) = self.held else {
            return false;
        };
        let written = link.write(now, BULK, code, &self.message[..len]).is_ok();
        if written {
            self.held = None;
            self.returned += 1;
        }
        written
    }

    fn say(&mut self, link: &mut PeerState<'_>, now: Instant) -> bool {
        let len = size_of(self.sent);
        if self.is_full() || self.sent == MESSAGES || link.write_capacity(ECHO) < Some(len) {
            return false;
        }
        for (target, byte) in self.message.iter_mut().zip(pattern(self.sent, len)) {
            *target = byte;
        }
        let written = link.write(now, ECHO, code_of(self.sent), &self.message[..len]).is_ok();
        self.sent += u32::from(written);
        written
    }
}

impl Application for Script<'_> {
    fn begin(&mut self, now: Instant, _: Ready<'_>) {
        self.begun = Some(now);
    }

    fn deliver(&mut self, protocol: ProtocolId, code: u64, payload: &[u8]) {
        let right = match protocol {
            ECHO => self.check_echo(code, payload),
            _ => self.hold(code, payload),
        };
        if !right {
            self.wrong = Some(protocol);
        }
    }

    fn is_full(&self) -> bool {
        self.held.is_some()
    }

    fn advance(&mut self, link: &mut PeerState<'_>, now: Instant) -> bool {
        let Some(begun) = self.begun else {
            return false;
        };
        if let Some(protocol) = self.wrong {
            defmt::error!("{}: not the message that was expected", protocol);
            self.begun = None;
            return link.protocol_returned(now, protocol, Err(ProtocolError::BadMessage)).is_ok();
        }
        if self.is_complete() && now.saturating_since(begun) >= LIFETIME {
            defmt::info!("{=u32} messages each way and {=u64} s: enough", MESSAGES, LIFETIME.as_secs());
            self.begun = None;
            link.disconnect(now, DisconnectReason::CLIENT_QUITTING);
            return true;
        }
        self.give_back(link, now) || self.say(link, now)
    }
}

const fn size_of(index: u32) -> usize {
    SIZES[index as usize % SIZES.len()]
}

fn code_of(index: u32) -> u64 {
    u64::from(index % 17)
}

/// The content of our message `index`: by turns what Snappy can compress and what it cannot
fn pattern(index: u32, len: usize) -> impl Iterator<Item = u8> {
    let compressible = (index / 8).is_multiple_of(2);
    random(index, len).enumerate().map(move |(at, byte)| if compressible { (at / 16) as u8 } else { byte })
}

/// The content of geth's message `index`: 32-bit xorshift, as every peer program of the tests has it
fn random(index: u32, len: usize) -> impl Iterator<Item = u8> {
    let mut state = 0x9e37_79b9_u32.wrapping_add(index);
    let words = core::iter::repeat_with(move || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_le_bytes()
    });
    words.flatten().take(len)
}

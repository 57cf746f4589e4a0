//! One link and a scripted remote

use std::sync::OnceLock;

use devp2p_proto::internal::past_handshake;
use devp2p_proto::{
    Action, Buffers, Config, DisconnectReason, Instant, PeerState, ProtocolId, Role, Stage, WriteError,
};
use devp2p_testing::remote::{LINK, REMOTE};
use devp2p_testing::{ALPHA, PROTOCOLS, config, noise};

use crate::explore::Machine;
use crate::remote::{Remote, Says, id_of, message};
use crate::view::View;

/// Where a link starts
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    Initiator,
    Recipient,
    Admission,
    Hello,
    Running,
    /// Running, both protocols were refused, and nothing has left
    Full,
    /// Our Disconnect is sealed, and nothing of it has left
    Closing,
}

/// What happens to a link
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// The remote sends something, and half of what is on the way next comes
    PartOf(Says),
    /// The remote sends something, and everything that is on the way is offered
    All(Says),
    /// Half of what is left of the next packet or frame comes
    ReceivePart,
    /// Everything that is on the way is offered
    ReceiveRest,
    /// The same with a flipped bit, or bytes that nobody has sent
    ReceiveDamaged,
    /// One action
    Poll,
    /// Half of the unsent bytes leave
    SentPart,
    SentAll,
    /// The link is woken when it has asked for it
    Timeout,
    Write(ProtocolId, usize),
    Ping,
    Hold(bool),
    Disconnect,
    Returned,
    ReceiveClosed,
    SendFailed,
}

/// A message of which many fit a share
pub const SMALL: usize = 10;
/// A message that fits a share alone
pub const LARGE: usize = 60;
/// The largest message, which fits a share only when nothing of its protocol is unsent
pub const MAX_SEND: usize = 150;

/// The configuration of the link, with shares of 128 bytes
pub fn limited(seed: u8) -> &'static Config {
    static CONFIGS: OnceLock<[Config; 2]> = OnceLock::new();
    let make = |seed| config(seed, PROTOCOLS).with_max_message(MAX_SEND).unwrap().with_send_window(256);
    &CONFIGS.get_or_init(|| [make(1), make(2)])[usize::from(seed) - 1]
}

/// A payload that cannot be compressed
pub fn payload(len: usize) -> &'static [u8] {
    static NOISE: OnceLock<Vec<u8>> = OnceLock::new();
    &NOISE.get_or_init(|| noise(1, 2 * MAX_SEND))[..len]
}

/// Whether a protocol waits to be told that it can write
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refusal {
    None,
    /// It was refused with `Full`, and has not written since
    Outstanding,
    /// It was taken again, and not told yet
    Lifted,
}

/// One link, its remote, and what was promised so far
pub struct Solo {
    pub start: Start,
    pub link: PeerState<'static>,
    pub now: Instant,
    pub remote: Remote,
    pub held: bool,
    pub told: bool,
    /// Which protocols wait to be told that they can write
    pub refused: [Refusal; 2],
    /// Protocols that were told so and have not written since
    pub promised: [bool; 2],
    /// How many messages of the remote were taken while the link ran, and delivered
    pub taken: u8,
    pub delivered: u8,
    /// How many bytes have left
    pub position: usize,
    /// The position at which the last frame of each protocol ends
    pub ends: [usize; 2],
}

impl Solo {
    pub fn with(start: Start, link: PeerState<'static>, remote: Remote) -> Self {
        let now = Instant::ZERO;
        let (refused, promised, ends) = ([Refusal::None; 2], [false; 2], [0; 2]);
        let (held, told, taken, delivered, position) = (false, false, 0, 0, 0);
        Self { start, link, now, remote, held, told, refused, promised, taken, delivered, position, ends }
    }

    pub fn prepared(start: Start, events: &[Event]) -> Self {
        let buffers = Buffers::growable();
        let link = past_handshake(Instant::ZERO, limited(LINK), Role::Recipient, id_of(REMOTE), buffers).unwrap();
        let mut solo = Self::with(start, link, Remote::agreed());
        for event in events {
            assert!(solo.apply(*event));
        }
        solo
    }

    pub fn feed(&mut self, bytes: &[u8]) -> usize {
        let wanted = self.link.wants_input();
        let ending = self.link.cause().is_some();
        let first = self.remote.wire.front().map_or(bytes.len(), |unit| unit.bytes.len());
        let taken = self.link.receive(self.now, bytes);
        assert_eq!(taken > 0, wanted, "wants_input says whether something is taken");
        assert!(taken <= first || ending, "at most one message at a time");
        self.take_from_wire(taken, ending);
        taken
    }

    fn take_from_wire(&mut self, mut taken: usize, ending: bool) {
        while let Some(unit) = self.remote.wire.front_mut().filter(|_| taken > 0) {
            let len = unit.bytes.len().min(taken);
            unit.bytes.drain(..len);
            taken -= len;
            if unit.bytes.is_empty() {
                let counts = unit.what == Says::Message && !unit.damaged && !ending;
                self.taken += u8::from(counts && self.link.stage() == Stage::Running);
                self.remote.wire.pop_front();
            }
        }
    }

    fn receive_part(&mut self) -> bool {
        let Some(unit) = self.remote.wire.front() else { return false };
        let part = unit.bytes[..unit.bytes.len().div_ceil(2)].to_vec();
        self.feed(&part);
        true
    }

    /// What a part belongs to cannot be seen, so few kinds are enough
    fn part_of(&mut self, what: Says) -> bool {
        let greeted = self.link.remote_hello().is_some();
        greeted != (what == Says::Greeting) && self.remote.say(what) && self.receive_part()
    }

    fn receive_rest(&mut self) -> bool {
        let bytes: Vec<u8> = self.remote.wire.iter().flat_map(|unit| unit.bytes.clone()).collect();
        !bytes.is_empty() && (self.feed(&bytes) > 0 || !self.link.wants_input())
    }

    fn receive_damaged(&mut self) -> bool {
        if !self.link.wants_input() {
            assert_eq!(self.link.receive(self.now, &[0xff; 48]), 0);
            return true;
        }
        match self.remote.wire.front_mut() {
            Some(unit) => {
                unit.damaged = true;
                *unit.bytes.last_mut().unwrap() ^= 1;
                self.receive_rest()
            }
            None => self.feed(&[0xff; 48]) > 0,
        }
    }

    /// The action that comes next, if any
    pub fn poll(&mut self) -> bool {
        let running = self.link.cause().is_none();
        let (held, told, unsent) = (self.held && running, self.told, self.link.unsent().len());
        let Some(action) = self.link.poll() else {
            assert_eq!(unsent, 0, "bytes are offered as long as they are unsent");
            return false;
        };
        assert!(!told, "nothing comes after Disconnect: {action:?}");
        match action {
            Action::Deliver { payload, code, .. } => {
                assert!(!held, "nothing is delivered while input is held");
                self.delivered += 1;
                assert_eq!((code, payload.to_vec()), (0, message(self.delivered)));
            }
            Action::Writable(protocol) => {
                let index = protocol.0;
                let refusal = std::mem::replace(&mut self.refused[index], Refusal::None);
                assert!(refusal != Refusal::None, "only after a refusal");
                // A message that was taken before this was polled may be unsent: see `finds.rs`.
                self.promised[index] = self.position >= self.ends[index];
                let capacity = self.link.write_capacity(protocol);
                assert!(!self.promised[index] || capacity == Some(MAX_SEND), "{capacity:?}");
            }
            Action::Disconnect(cause) => {
                self.told = true;
                assert_eq!((Some(cause), unsent), (self.link.cause(), 0));
            }
            Action::Send(bytes) => assert!(!bytes.is_empty()),
            Action::IdentityClaimed(id) => assert_eq!(id, id_of(REMOTE)),
            _ => assert!(running, "a link that has ended is not ready"),
        }
        true
    }

    /// The transport takes this many bytes
    pub fn sent(&mut self, len: usize) -> bool {
        let bytes = self.link.unsent()[..len].to_vec();
        if bytes.is_empty() {
            return false;
        }
        let whole = len == self.link.unsent().len();
        self.link.sent(self.now, len).unwrap();
        self.position += len;
        self.remote.take(&bytes, whole);
        true
    }

    fn timeout(&mut self) -> bool {
        let Some(at) = self.link.next_timeout() else { return false };
        self.now = at;
        self.link.handle_timeout(at);
        assert!(self.link.next_timeout().is_none_or(|next| next > at), "the deadline moves");
        true
    }

    fn write(&mut self, protocol: ProtocolId, len: usize) -> bool {
        let before = View::of(&self.link);
        let index = protocol.0;
        let capacity = before.capacity[index];
        let code = [3, 2][index];
        match self.link.write(self.now, protocol, code, payload(len)) {
            Ok(event) => {
                assert!(capacity.is_some_and(|capacity| len <= capacity), "{capacity:?}");
                if self.refused[index] == Refusal::Outstanding {
                    assert!(self.position >= self.ends[index], "it was refused, and has bytes unsent");
                    self.refused[index] = Refusal::Lifted;
                }
                assert_eq!(self.link.unsent().len(), before.unsent.len() + event.wire_size);
                self.ends[index] = self.position + self.link.unsent().len();
                self.promised[index] = false;
            }
            Err(error) => self.check_refusal(before, index, len, error),
        }
        true
    }

    fn check_refusal(&mut self, mut before: View, index: usize, len: usize, error: WriteError) {
        let full = error == WriteError::Full;
        assert!(before.capacity[index].is_none_or(|capacity| len > capacity), "it fits: {error}");
        assert!(!(full && self.promised[index]), "the first message after Writable is taken");
        assert_eq!(error == WriteError::Closed, self.link.cause().is_some());
        if full {
            assert!(self.position < self.ends[index], "nothing of it is unsent");
            self.refused[index] = Refusal::Outstanding;
            before.capacity[index] = None;
        }
        assert_eq!(View::of(&self.link), before, "a refused call changes nothing");
    }

    /// Calls that are refused in every state
    pub fn misuse(&mut self) {
        let before = View::of(&self.link);
        let now = self.now;
        let too_much = self.link.sent(now, before.unsent.len() + 1);
        assert!(too_much.is_err() || self.link.cause().is_some());
        assert!(self.link.write(now, ProtocolId(2), 0, b"").is_err());
        assert!(self.link.write(now, ALPHA, 4, b"").is_err());
        assert!(self.link.write(now, ALPHA, 0, &[0; MAX_SEND + 1]).is_err());
        assert!(self.link.protocol_returned(now, ProtocolId(2), Ok(())).is_err());
        assert_eq!(self.link.receive(now, &[]), 0);
        self.link.hold_input(now, self.held);
        self.link.handle_timeout(now);
        self.link.handle_timeout(Instant::ZERO);
        assert_eq!(View::of(&self.link), before, "a refused or empty call changes nothing");
    }

    fn ping(&mut self) -> bool {
        let before = View::of(&self.link);
        let ready = self.link.stage() == Stage::Running;
        assert_eq!(self.link.ping(self.now).is_ok(), ready);
        assert!(ready || View::of(&self.link) == before, "a refused call changes nothing");
        true
    }

    fn returned(&mut self) -> bool {
        let before = View::of(&self.link);
        let shared = self.link.shared().count() > 0;
        assert_eq!(self.link.protocol_returned(self.now, ALPHA, Ok(())).is_ok(), shared);
        assert!(shared || View::of(&self.link) == before, "a refused call changes nothing");
        true
    }

    pub fn perform(&mut self, event: Event) -> bool {
        match event {
            Event::PartOf(what) => self.part_of(what),
            Event::All(what) => self.remote.say(what) && self.receive_rest(),
            Event::ReceivePart => self.receive_part(),
            Event::ReceiveRest => self.receive_rest(),
            Event::ReceiveDamaged => self.receive_damaged(),
            Event::Poll => self.poll(),
            Event::SentPart => self.sent(self.link.unsent().len() / 2),
            Event::SentAll => self.sent(self.link.unsent().len()),
            Event::Timeout => self.timeout(),
            Event::Write(protocol, len) => self.write(protocol, len),
            Event::Ping => self.ping(),
            Event::Hold(held) => {
                self.link.hold_input(self.now, held);
                std::mem::replace(&mut self.held, held) != held
            }
            Event::Disconnect => {
                self.link.disconnect(self.now, DisconnectReason::REQUESTED);
                true
            }
            Event::Returned => self.returned(),
            Event::ReceiveClosed => {
                self.link.receive_closed(self.now);
                true
            }
            Event::SendFailed => {
                self.link.send_failed(self.now);
                true
            }
        }
    }
}

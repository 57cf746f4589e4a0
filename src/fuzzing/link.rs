//! Arbitrary events over one link and a remote that says anything

use std::collections::BTreeMap;
use std::vec::Vec;

use super::input::Input;
use super::remote::{Expected, Keys, Remote, session};
use super::settings::{Settings, Side, entropy, key};
use super::subject::{Seen, Subject, Told};
use crate::{
    Buffers, Cause, DisconnectReason, Instant, MessageEvent, PeerState, ProtocolError, ProtocolId, Refused, Role,
    SharedProtocol, Stage, Timeout, WriteError,
};

/// Longer inputs only repeat themselves
const MAX_OPERATIONS: usize = 1000;

/// Runs the operations that `data` spells, and panics if a promise is broken
pub fn link(data: &[u8]) {
    let mut input = Input::new(data);
    let settings = Settings::read(&mut input);
    let (mut memory, mut twin_memory) = (settings.memory(), settings.memory());
    let link = new_link(&settings, memory.buffers());
    let twin = settings.twin.then(|| new_link(&settings, twin_memory.buffers()));
    let mut run = Run::new(&settings, Subject::new(&settings, link, twin));
    if settings.running {
        run.greet();
    }
    for _ in 0..MAX_OPERATIONS {
        let Some(operation) = input.next() else {
            break;
        };
        run.operation(operation, &mut input);
        run.subject.check();
    }
    run.finish();
}

fn new_link<'buf>(settings: &Settings, buffers: Buffers<'buf>) -> PeerState<'buf> {
    let (now, remote, config) = (Instant::ZERO, key(Side::Remote).node_id(), &settings.config);
    let link = match settings.role {
        role if !settings.handshake => PeerState::past_handshake(now, config, role, remote, session(), buffers),
        Role::Initiator => PeerState::initiator(now, config, remote, entropy(Side::Link), buffers),
        Role::Recipient => PeerState::recipient(now, config, entropy(Side::Link), buffers),
    };
    link.unwrap()
}

/// What the driver has done that may end a link
#[derive(Debug, Default)]
struct Done {
    disconnected: Vec<DisconnectReason>,
    returned: Vec<(ProtocolId, Result<(), ProtocolError>)>,
    closed: bool,
    failed: bool,
    woken: bool,
}

/// A message that was refused as `Full`
#[derive(Debug)]
struct Waiting {
    code: u64,
    payload: Vec<u8>,
    /// Its protocol was told that there is room
    told: bool,
    /// It was told so before, and then refused again
    passed_over: bool,
}

struct Run<'buf, 'a> {
    settings: &'a Settings,
    subject: Subject<'buf>,
    remote: Remote,
    /// The driver's clock, and by how much it is slow at the moment
    time: u64,
    slow: u64,
    done: Done,
    waiting: BTreeMap<ProtocolId, Waiting>,
    written: BTreeMap<ProtocolId, crate::Counters>,
    delivered: BTreeMap<ProtocolId, u64>,
    /// How many bytes were last offered for sending
    offered: usize,
    /// The driver was told Ready
    ready: bool,
}

impl<'buf, 'a> Run<'buf, 'a> {
    fn new(settings: &'a Settings, subject: Subject<'buf>) -> Self {
        Self {
            settings,
            subject,
            remote: Remote::new(settings),
            time: 0,
            slow: 0,
            done: Done::default(),
            waiting: BTreeMap::new(),
            written: BTreeMap::new(),
            delivered: BTreeMap::new(),
            offered: 0,
            ready: false,
        }
    }

    /// Goes to the point at which messages are exchanged
    fn greet(&mut self) {
        self.pump();
        self.remote.good_hello();
        self.pump();
    }

    fn operation(&mut self, operation: u8, input: &mut Input<'_>) {
        match operation % 32 {
            0 => self.receive(input.pick(&[1, 2, 15, 16, 17, 31, 32, 33, 47, 64, 100, 1000])),
            1 => self.receive(usize::MAX),
            2 => drop(self.poll()),
            3 => self.poll_all(),
            4 => self.send(input.pick(&[1, 2, 16, 31, 32, 33, 63, 64, 65, 100, 1000, 0])),
            5 => self.flush(),
            6 | 7 => self.write(input),
            8 => self.write_rlp(input),
            9 => self.time = self.time.saturating_add(input.pick(&[1, 2, 3, 10, 1000, 14_999, 30_000, u64::MAX / 2])),
            10 => self.wake(self.now()),
            11 => self.sleep(),
            12 => self.subject.hold_input(self.now(), input.flag()),
            13 => self.slow = input.pick(&[0, 1, 2, 10, 20_000, u64::MAX]),
            14 => self.remote.hello(input),
            15..=17 => self.remote.message(input),
            18 => self.remote.any_message(input),
            19 => (0..=input.byte() % 32).for_each(|_| self.remote.ping()),
            20 => self.remote.pong(),
            21 => self.remote.disconnect(input),
            22 => self.remote.any_body(input),
            23 => self.remote.bomb(input),
            24 => self.remote.flip(input),
            25 => self.remote.garbage(input),
            26 => self.end(input),
            27 => self.subject.inspect(),
            28 => self.greet(),
            29 => self.pump(),
            30 => self.subject.keep_payloads = input.flag(),
            _ if input.flag() => self.subject.ping(self.now()),
            _ => self.send_too_much(input),
        }
    }

    fn now(&self) -> Instant {
        Instant::from_millis(self.time.saturating_sub(self.slow))
    }

    fn receive(&mut self, len: usize) {
        let waiting = self.remote.waiting();
        let taken = self.subject.receive(self.now(), &waiting[..waiting.len().min(len)]);
        let refused = taken == 0 && !waiting.is_empty();
        self.remote.take(taken);
        if refused {
            assert!(self.poll().is_some(), "input is refused and nothing is to be done");
        }
    }

    /// Does the next action as far as that needs no transport, and returns how many bytes are to be sent if it is that
    fn poll(&mut self) -> Option<usize> {
        match self.subject.poll()? {
            Seen::Send(bytes) => {
                self.remote.hear(&bytes, &self.subject.link);
                self.offered = bytes.len();
                return Some(bytes.len());
            }
            Seen::Authenticated(id) => assert_eq!(id, key(Side::Remote).node_id()),
            Seen::Ready(shared) => {
                self.ready = true;
                let known = |ours: &SharedProtocol| self.remote.agreed().iter().any(|agreed| agreed.is(ours));
                let same = shared.len() == self.remote.agreed().len() && shared.iter().all(known);
                assert!(!self.remote.certain || same, "{shared:?} is not what both have");
            }
            Seen::Deliver { protocol, code, payload, .. } => self.deliver(protocol, code, &payload),
            Seen::Writable(protocol) => self.writable(protocol),
            Seen::Disconnect(cause) => self.check_cause(cause),
        }
        Some(0)
    }

    fn deliver(&mut self, protocol: ProtocolId, code: u64, payload: &[u8]) {
        *self.delivered.entry(protocol).or_default() += 1;
        let limit = self.settings.protocols[protocol.0].3;
        assert!(payload.len() <= limit, "{} bytes for a protocol that takes {limit}", payload.len());
        if self.remote.certain {
            let Expected { protocol: wanted, code: its_code, payload: its_payload, .. } =
                self.remote.expected.pop_front().expect("a delivery of what nobody sent");
            assert_eq!((protocol, code), (wanted, its_code));
            assert!(*payload == *its_payload, "another payload than was sent");
        }
    }

    fn writable(&mut self, protocol: ProtocolId) {
        let waiting = self.waiting.get_mut(&protocol).expect("nothing of this protocol was refused");
        assert!(!waiting.told, "told twice");
        waiting.told = true;
        if self.settings.retry {
            let (code, payload) = (waiting.code, waiting.payload.clone());
            let outcome = self.subject.write(self.now(), protocol, code, &payload);
            assert!(outcome.is_ok(), "{outcome:?} though there was room");
            self.note_write(protocol, code, &payload, outcome);
        }
    }

    /// Polls until there is nothing to do without a transport
    fn poll_all(&mut self) {
        while self.poll().is_some_and(|unsent| unsent == 0) {}
    }

    /// The transport takes so many bytes of what is offered
    fn send(&mut self, len: usize) {
        self.offered = 0;
        self.poll_all();
        let len = len.min(self.offered);
        self.subject.sent(self.now(), len).unwrap();
        self.remote.note_sent(len);
    }

    fn flush(&mut self) {
        loop {
            self.send(usize::MAX);
            if self.offered == 0 {
                return;
            }
        }
    }

    fn send_too_much(&mut self, input: &mut Input<'_>) {
        let excess = input.pick(&[1, 64, usize::MAX / 2]);
        let outcome = self.subject.sent(self.now(), self.subject.link.unsent() + excess);
        let over = self.subject.link.stage() as u8 >= Stage::Closing as u8;
        assert!(outcome == Err(Refused::SentTooMuch) || over);
    }

    /// Everything that can be done without time passing
    fn pump(&mut self) {
        loop {
            self.flush();
            let before = self.remote.waiting().len();
            if before == 0 {
                return;
            }
            self.receive(usize::MAX);
            let stuck = self.remote.waiting().len() == before;
            if stuck && self.subject.link.stage() == Stage::Closing {
                return;
            }
        }
    }

    fn write(&mut self, input: &mut Input<'_>) {
        let (protocol, code) = self.address(input);
        let limit = self.settings.protocols.get(protocol.0).map_or(0, |local| local.3).min(self.settings.max_message);
        let payload = input.payload(limit.max(1));
        let capacity = self.subject.link.write_capacity();
        let all_left = self.remote.messages_have_left();
        let stands = |waiting: &Waiting| !waiting.told || waiting.passed_over || !all_left;
        let others_wait = self.waiting.iter().any(|(other, waiting)| *other != protocol && stands(waiting));
        let outcome = self.subject.write(self.now(), protocol, code, &payload);
        if outcome.is_ok() && !matches!(self.remote.keys, Keys::Lost) {
            // Ping, Pong and Disconnect have room of their own, and one message always has.
            let unsent = self.subject.link.unsent();
            let bounded = self.settings.send_window().is_none_or(|window| unsent <= window + 3 * 64);
            assert!(bounded || all_left, "{unsent} bytes wait");
        }
        if payload.len() <= capacity && capacity > 0 && !others_wait {
            assert_ne!(outcome, Err(WriteError::Full), "there was room for {capacity} bytes");
        }
        if payload.len() > limit {
            assert!(outcome.is_err());
        }
        self.note_write(protocol, code, &payload, outcome);
    }

    fn write_rlp(&mut self, input: &mut Input<'_>) {
        let (protocol, code) = self.address(input);
        let content = input.payload(self.settings.max_message);
        let (payload, outcome) = self.subject.write_rlp(self.now(), protocol, code, &content);
        self.note_write(protocol, code, &payload, outcome);
    }

    /// A protocol and a code, mostly such as there are
    fn address(&self, input: &mut Input<'_>) -> (ProtocolId, u64) {
        let byte = input.byte();
        let protocol = ProtocolId(usize::from(byte & 7));
        let length = self.settings.protocols.get(protocol.0).map_or(0, |local| local.2);
        let code = match byte >> 4 {
            0..=7 => 0,
            8..=12 => length.saturating_sub(1),
            13 => length,
            14 => u64::MAX,
            _ => input.byte().into(),
        };
        (protocol, code)
    }

    fn note_write(
        &mut self,
        protocol: ProtocolId,
        code: u64,
        payload: &[u8],
        outcome: Result<MessageEvent, WriteError>,
    ) {
        match outcome {
            Ok(event) => {
                self.note_turn(protocol, code, payload);
                self.written.entry(protocol).or_default();
                let count = self.written.get_mut(&protocol).unwrap();
                count.messages += 1;
                count.payload_bytes += event.size as u64;
                count.wire_bytes += event.wire_size as u64;
                let shared = self.subject.link.shared().find(|shared| shared.protocol == protocol).unwrap();
                self.remote.heard.written.push_back((shared.offset + code, payload.to_vec(), event.wire_size));
            }
            Err(WriteError::Full) => {
                let passed_over =
                    self.waiting.get(&protocol).is_some_and(|waiting| waiting.told || waiting.passed_over);
                let waiting = Waiting { code, payload: payload.to_vec(), told: false, passed_over };
                self.waiting.insert(protocol, waiting);
            }
            Err(_) => {}
        }
    }

    /// A message that is smaller than the refused one leaves that in its place, until it is told
    fn note_turn(&mut self, protocol: ProtocolId, code: u64, payload: &[u8]) {
        let room = |code, len| self.subject.link.frame_room(protocol, code, len);
        let ahead =
            |waiting: &Waiting| !waiting.told && room(code, payload.len()) < room(waiting.code, waiting.payload.len());
        if !self.waiting.get(&protocol).is_some_and(ahead) {
            self.waiting.remove(&protocol);
        }
    }

    fn wake(&mut self, now: Instant) {
        self.done.woken = true;
        self.subject.handle_timeout(now);
    }

    /// Sleeps until there is something to do
    fn sleep(&mut self) {
        if let Some(deadline) = self.subject.link.next_timeout() {
            self.slow = 0;
            self.time = self.time.max(deadline.as_millis());
            self.wake(self.now());
        }
    }

    fn end(&mut self, input: &mut Input<'_>) {
        let now = self.now();
        let reason = DisconnectReason::from_code(input.pick(&[0, 1, 4, 8, 16, 0x7f, 0x80, 0xffff, u64::MAX]));
        match input.byte() % 6 {
            0 => {
                self.subject.receive_closed(now);
                self.done.closed = true;
            }
            1 => {
                self.subject.send_failed(now);
                self.done.failed = true;
                // Nothing of what was offered is ever sent.
                self.remote.heard.written.clear();
            }
            2 | 3 => {
                let outcome = input.pick(&[
                    Ok(()),
                    Err(ProtocolError::Other),
                    Err(ProtocolError::Reason(reason)),
                    Err(ProtocolError::BadMessage),
                ]);
                let protocol = ProtocolId(usize::from(input.byte() & 7));
                if self.subject.protocol_returned(now, protocol, outcome).is_ok() {
                    self.done.returned.push((protocol, outcome));
                }
            }
            _ => {
                self.subject.disconnect(now, reason);
                self.done.disconnected.push(reason);
            }
        }
    }

    /// A link ends for a reason that somebody has given
    fn check_cause(&self, cause: Cause) {
        let Self { remote, done, .. } = self;
        let given = match cause {
            Cause::Remote(reason) => remote.reasons.contains(&reason) || !remote.certain,
            Cause::Local(reason) => done.disconnected.contains(&reason),
            Cause::ProtocolReturned(protocol) => done.returned.contains(&(protocol, Ok(()))),
            Cause::ProtocolFailed(protocol, error) => done.returned.contains(&(protocol, Err(error))),
            Cause::Violation(_) | Cause::NothingShared => remote.has_misbehaved(),
            Cause::Timeout(Timeout::Handshake) => done.woken && !self.ready,
            Cause::Timeout(_) => done.woken,
            Cause::ReceiveClosed => done.closed,
            Cause::SendFailed => done.failed,
        };
        assert!(given, "nobody has given the reason for {cause:?}");
    }

    /// Lets the link come to rest and then to its end
    fn finish(&mut self) {
        self.slow = 0;
        self.subject.hold_input(self.now(), false);
        self.pump();
        self.check_rest();
        for _ in 0..200 {
            if self.subject.link.next_timeout().is_none() {
                break;
            }
            self.sleep();
            self.pump();
            self.subject.check();
        }
        self.check_counters();
        // A deadline beyond the end of time is never over.
        let timed = self.settings.timeouts.read != core::time::Duration::MAX && self.time < u64::MAX / 4 * 3;
        if timed {
            assert_eq!(self.subject.told, Told::Disconnected, "a silent peer is never given up");
        }
        self.remote_is_silent();
        assert_eq!(self.subject.told, Told::Disconnected);
        self.check_end();
    }

    /// Everything that was to come of what has happened has come
    fn check_rest(&mut self) {
        let running = self.subject.link.stage() == Stage::Running;
        assert!(!self.remote.has_ended_the_link() || !running, "the link has survived what no link does");
        if self.subject.link.stage() == Stage::Closing && matches!(self.remote.keys, Keys::Agreed(_)) {
            let told = self.subject.link.cause().and_then(Cause::sent_reason);
            assert_eq!(self.remote.heard.goodbye, told, "the peer is not told why");
        }
        if running && !matches!(self.remote.keys, Keys::Lost) {
            assert!(self.remote.heard.written.is_empty(), "a message was never sent");
            // Who was passed over has the first turn, and time for it.
            let offered = |waiting: &Waiting| waiting.told && waiting.passed_over;
            let told = self.waiting.values().all(|waiting| waiting.told) || self.waiting.values().any(offered);
            assert!(told, "a protocol waits although nothing is sent");
            assert!(!self.remote.certain || self.remote.expected.is_empty(), "a message was never delivered");
            let (heard, known) = (&self.remote.heard, self.subject.link.liveness());
            assert_eq!((heard.pings as u64, heard.pongs as u64), (known.pings_sent, known.pongs_sent));
            assert_eq!(known.pings_received, known.pongs_sent);
            assert!(!self.remote.certain || heard.pongs == self.remote.pings_taken());
        }
    }

    fn check_counters(&self) {
        for index in 0..self.settings.protocols.len() {
            let protocol = ProtocolId(index);
            let traffic = self.subject.link.traffic(protocol).unwrap();
            assert_eq!(traffic.egress, self.written.get(&protocol).copied().unwrap_or_default());
            assert_eq!(traffic.ingress.messages, self.delivered.get(&protocol).copied().unwrap_or_default());
        }
    }

    fn remote_is_silent(&mut self) {
        self.subject.receive_closed(self.now());
        self.done.closed = true;
        self.poll_all();
    }

    /// After the end nothing happens any more
    fn check_end(&mut self) {
        let now = self.now();
        assert_eq!(self.subject.receive(now, &[1, 2, 3]), 3);
        assert_eq!(self.subject.write(now, ProtocolId(0), 0, &[]), Err(WriteError::Closed));
        assert_eq!(self.subject.sent(now, 5), Ok(()));
        self.subject.send_failed(now);
        self.subject.disconnect(now, DisconnectReason::Requested);
        self.wake(now);
        assert_eq!(self.subject.poll(), None);
        self.subject.check();
        self.subject.inspect();
    }
}

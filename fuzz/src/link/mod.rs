//! Arbitrary events over one link and a remote that says anything

mod ending;
mod turns;
mod writing;

use std::collections::BTreeMap;

use devp2p_proto::{Buffers, Counters, Instant, PeerState, ProtocolId, Refused, Role, SharedProtocol, Stage, internal};

use crate::input::Input;
use crate::remote::{Expected, Remote};
use crate::settings::{Settings, Side, entropy, key};
use crate::subject::{Seen, Subject};
use ending::Done;
use turns::Turns;

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
        role if !settings.handshake => internal::past_handshake(now, config, role, remote, buffers),
        Role::Initiator => PeerState::initiator(now, config, remote, entropy(Side::Link), buffers),
        Role::Recipient => PeerState::recipient(now, config, entropy(Side::Link), buffers),
    };
    link.unwrap()
}

struct Run<'buf, 'a> {
    settings: &'a Settings,
    subject: Subject<'buf>,
    remote: Remote,
    /// The driver's clock, and by how much it is slow at the moment
    time: u64,
    slow: u64,
    done: Done,
    turns: Turns,
    written: BTreeMap<ProtocolId, Counters>,
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
            turns: Turns::new(settings),
            written: BTreeMap::new(),
            delivered: BTreeMap::new(),
            offered: 0,
            ready: false,
        }
    }

    /// Goes on until both sides have said Hello
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

    /// Does the next action, and returns how many bytes it asks to send; sending them is left to the caller
    fn poll(&mut self) -> Option<usize> {
        match self.subject.poll()? {
            Seen::Send(bytes) => {
                self.remote.hear(&bytes, &self.subject.link);
                self.offered = bytes.len();
                return Some(bytes.len());
            }
            Seen::IdentityClaimed(id) => assert_eq!(id, key(Side::Remote).node_id()),
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

    /// Polls until nothing is left to do but to send
    fn poll_all(&mut self) {
        while self.poll().is_some_and(|unsent| unsent == 0) {}
    }

    /// The transport takes up to `len` bytes of what is offered
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
        let outcome = self.subject.sent(self.now(), self.subject.link.unsent().len() + excess);
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
}

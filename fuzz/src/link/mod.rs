//! Arbitrary events on one link, with a remote that sends anything

mod buffers;
mod ending;
mod fair_writing;
mod idling;
mod slowness;
mod writing;

use std::collections::BTreeMap;

use devp2p_proto::{Counters, Instant, ProtocolId, SentTooMuch, SharedProtocol, Stage};

use crate::input::Input;
use crate::remote::{Effect, Expected, Remote};
use crate::settings::{Settings, Side, key};
use crate::subject::{Kept, Seen, Subject};
use buffers::{check_too_short, new_link};
use ending::Done;
use fair_writing::FairWriting;
use idling::Idling;
use slowness::Slowness;

/// Longer inputs only repeat themselves
const MAX_OPERATIONS: usize = 1000;

/// A handshake takes long, and a third link in the same buffers finds no more than the second
const MAX_LIVES: usize = 3;

/// Runs the operations in `data`, and panics if a promise is broken
pub fn link(data: &[u8]) {
    let mut input = Input::new(data);
    let settings = Settings::read(&mut input);
    if settings.smallest {
        check_too_short(&settings);
    }
    let (mut memory, mut twin_memory) = (settings.memory(), settings.memory());
    let mut buffers = memory.buffers();
    let mut twin_buffers = settings.twin.then(|| twin_memory.buffers());
    let mut kept = Kept::default();
    let mut operations = MAX_OPERATIONS;
    for life in 1..=MAX_LIVES {
        let (link, twin) = (new_link(&settings, buffers), twin_buffers.map(|buffers| new_link(&settings, buffers)));
        let mut run = Run::new(&settings, Subject::new(&settings, link, twin, kept));
        let again = run.live(&mut input, &mut operations);
        run.finish();
        (buffers, twin_buffers, kept) = run.subject.into_buffers();
        if !again || life == MAX_LIVES {
            break;
        }
    }
    drop(buffers);
    kept.check();
}

/// `millis` in nanoseconds; numbers from `u64::MAX / 2` on are nanoseconds already
const fn nanos(millis: u64) -> u64 {
    if millis < u64::MAX / 2 { millis * 1_000_000 } else { millis }
}

/// The number of the first operations; the bytes below `FIRST_LATER` stand for them
const FIRST: u8 = 32;
/// The bytes from here on stand for later operations, so that older inputs do not change
const FIRST_LATER: u8 = 224;
const RENEW: u8 = 255;

struct Run<'buf, 'a> {
    settings: &'a Settings,
    subject: Subject<'buf>,
    remote: Remote,
    /// The driver's clock in nanoseconds, and how far it is slow at the moment
    time: u64,
    slow: u64,
    done: Done,
    fair_writing: FairWriting,
    idling: Idling,
    slowness: Slowness,
    written: BTreeMap<ProtocolId, Counters>,
    delivered: BTreeMap<ProtocolId, Counters>,
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
            fair_writing: FairWriting::default(),
            idling: Idling::new(settings.timeouts),
            slowness: Slowness::new(settings.timeouts),
            written: BTreeMap::new(),
            delivered: BTreeMap::new(),
            offered: 0,
            ready: false,
        }
    }

    /// Does what the input says; returns whether it asks for another link in the same buffers
    fn live(&mut self, input: &mut Input<'_>, operations: &mut usize) -> bool {
        if self.settings.running {
            self.greet();
        }
        while let (Some(operation), 1..) = (input.next(), *operations) {
            *operations -= 1;
            if operation == RENEW {
                return true;
            }
            self.operation(operation, input);
            self.check();
        }
        false
    }

    fn check(&mut self) {
        self.note_clock();
        self.subject.check();
        self.fair_writing.check_capacity(&self.subject.link, self.settings.protocols.len());
        self.idling.check(&self.subject.link, self.subject.next_timeout());
        if self.subject.knows(self.now()) {
            self.slowness.check(&self.subject.link, self.subject.time());
        } else {
            // The driver may report late what has left, and does not look at the timers first.
            self.slowness.note_jump();
        }
    }

    /// Continues until both sides have sent Hello
    fn greet(&mut self) {
        self.pump();
        self.remote.good_hello();
        self.pump();
    }

    fn operation(&mut self, operation: u8, input: &mut Input<'_>) {
        match if operation < FIRST_LATER { operation % FIRST } else { operation } {
            0 => self.receive(input.pick(&[1, 2, 15, 16, 17, 31, 32, 33, 47, 64, 100, 1000])),
            1 => self.receive(usize::MAX),
            2 => drop(self.poll()),
            3 => self.poll_all(),
            4 => self.send(input.pick(&[1, 2, 16, 31, 32, 33, 63, 64, 65, 100, 1000, 0])),
            5 => self.flush(),
            6 | 7 => self.write(input),
            8 => self.write_rlp(input),
            9 => self.jump(input.pick(&[1, 2, 3, 10, 1000, 14_999, 30_000, u64::MAX / 2])),
            10 => self.wake(self.now()),
            11 => self.sleep(),
            12 => self.subject.hold_input(self.now(), input.flag()),
            13 => {
                self.slowness.note_jump();
                self.slow = nanos(input.pick(&[0, 1, 2, 10, 20_000, u64::MAX]));
            }
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
            30 => self.subject.kept.wanted = input.flag(),
            31 if input.flag() => self.subject.ping(self.now()),
            31 => self.send_too_much(input),
            _ => match (operation - FIRST_LATER) % 8 {
                0 | 1 => self.write_with(input),
                2 => self.idle(input),
                3 => self.fill(input),
                4 => self.contend(input),
                5 => self.trickle(input),
                6 => self.pump(),
                _ => self.subject.kept.drop_all(),
            },
        }
    }

    /// Time passes, and nobody looks at the timers
    fn jump(&mut self, millis: u64) {
        self.slowness.note_jump();
        self.time = self.time.saturating_add(nanos(millis));
    }

    /// What the driver's clock shows, which ends so early that every deadline is before the end of time
    fn now(&self) -> Instant {
        Instant::from_nanos(self.time.saturating_sub(self.slow).min(u64::MAX - nanos(86_400_000)))
    }

    fn receive(&mut self, len: usize) {
        let waiting = self.remote.waiting();
        let taken = self.subject.receive(self.now(), &waiting[..waiting.len().min(len)]);
        let refused = taken == 0 && !waiting.is_empty();
        self.remote.take(taken);
        self.note_clock();
        self.idling.note_input(&self.subject.link, taken, self.subject.time());
        self.slowness.note_input(&self.subject.link, self.remote.frame_under_way(), self.subject.time());
        // The driver's own hold is the only reason for which it may have nothing to do and nothing to read.
        if refused && !(self.subject.is_held() && self.subject.message_waits()) {
            assert!(self.poll().is_some(), "input is refused and nothing is to be done");
        }
    }

    /// Does the next action, and returns how many bytes it asks to send; sending them is left to the caller
    fn poll(&mut self) -> Option<usize> {
        let before = self.subject.link.stage();
        let seen = self.subject.poll();
        if (before, self.subject.link.stage()) == (Stage::Admission, Stage::Hello) {
            self.fair_writing.note_hello(&self.subject.link);
        }
        if matches!(seen, None | Some(Seen::Send(_) | Seen::Disconnect(_))) {
            self.fair_writing.check_told(&self.subject.link);
        }
        match seen? {
            Seen::Send(bytes) => {
                self.remote.hear(&bytes, &self.subject.link);
                self.offered = bytes.len();
                return Some(bytes.len());
            }
            Seen::IdentityClaimed(id) => assert_eq!(id, key(Side::Remote).node_id()),
            Seen::Ready(shared) => {
                self.ready = true;
                self.fair_writing.start(self.settings, &shared, &self.subject.link);
                let ids: Vec<_> = shared.iter().map(|shared| shared.protocol).collect();
                self.subject.permit_transmit(self.settings.max_transmit(&ids));
                self.subject.permit_receive(self.settings.max_receive(&ids));
                let known = |ours: &SharedProtocol| self.remote.agreed().iter().any(|agreed| agreed.is(ours));
                let same = shared.len() == self.remote.agreed().len() && shared.iter().all(known);
                assert!(!self.remote.certain || same, "{shared:?} is not what both have");
            }
            Seen::Deliver { protocol, code, payload, wire_len } => self.deliver(protocol, code, &payload, wire_len),
            Seen::Skipped { protocol, code, size, wire_len } => self.skip(protocol, code, size, wire_len),
            Seen::Writable(protocol) => self.writable(protocol),
            Seen::Disconnect(cause) => self.check_cause(cause),
        }
        Some(0)
    }

    fn deliver(&mut self, protocol: ProtocolId, code: u64, payload: &[u8], wire_len: usize) {
        self.idling.note_delivery();
        let count = self.delivered.entry(protocol).or_default();
        count.messages += 1;
        count.payload_bytes += payload.len() as u64;
        count.wire_bytes += wire_len as u64;
        if let Some(sent) = self.expected() {
            assert_eq!((protocol, code, wire_len), (sent.protocol, sent.code, sent.wire_len));
            assert!(sent.effect == Effect::Deliver && *payload == *sent.payload, "not what was sent");
        }
    }

    fn skip(&mut self, protocol: ProtocolId, code: u64, size: usize, wire_len: usize) {
        if let Some(sent) = self.expected() {
            assert_eq!((protocol, code, wire_len), (sent.protocol, sent.code, sent.wire_len));
            assert_eq!((Effect::Skip, size), (sent.effect, sent.payload.len()));
        }
    }

    /// The message that the driver must be told of now, if that is known
    fn expected(&mut self) -> Option<Expected> {
        let certain = self.remote.certain;
        certain.then(|| self.remote.expected.pop_front().expect("the driver is told of what nobody sent"))
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
        self.fair_writing.note_sent(len);
        self.slowness.note_sent(self.offered, len);
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
        assert!(outcome == Err(SentTooMuch) || over);
    }

    /// Does everything that needs no time to pass
    fn pump(&mut self) {
        loop {
            self.flush();
            let before = self.remote.waiting().len();
            if before == 0 {
                return;
            }
            self.receive(usize::MAX);
            let stuck = self.remote.waiting().len() == before;
            let held = self.subject.is_held() && self.subject.message_waits();
            if stuck && (held || self.subject.link.stage() == Stage::Closing) {
                return;
            }
        }
    }

    /// Tells those who watch the time that the driver has a new clock
    fn note_clock(&mut self) {
        if std::mem::take(&mut self.subject.clock_was_new) {
            self.idling.note_new_clock(&self.subject.link, self.subject.time());
            self.slowness.note_new_clock(self.subject.time());
        }
    }

    fn wake(&mut self, now: Instant) {
        self.done.woken = true;
        self.subject.handle_timeout(now);
        let held = self.remote.partial_frame().map(|partial| partial + self.waiting_bytes());
        self.note_clock();
        self.idling.note_time(&self.subject.link, self.subject.time(), held);
        self.slowness.note_time(&self.subject.link, self.subject.time());
    }

    /// The memory of a message that has come and was not handed out
    fn waiting_bytes(&self) -> usize {
        let link = &self.subject.link;
        let sum = |counters: Counters| counters.payload_bytes + counters.wire_bytes;
        let come = (0..self.settings.protocols.len()).filter_map(|index| link.traffic(ProtocolId(index)));
        let come: u64 = come.map(|traffic| sum(traffic.ingress)).sum();
        (come - self.delivered.values().copied().map(sum).sum::<u64>()) as usize
    }

    /// Lets time pass with only the messages that keep the link alive
    fn idle(&mut self, input: &mut Input<'_>) {
        for _ in 0..=input.byte() % 16 {
            self.remote.pong();
            self.pump();
            self.sleep();
            self.check();
        }
    }

    /// The transport takes a little, again and again, just in time, and the peer is there
    fn trickle(&mut self, input: &mut Input<'_>) {
        let (len, steps) = (input.pick(&[1, 16, 64, 333, 5000]), input.byte() % 32);
        for _ in 0..=steps {
            self.remote.pong();
            self.receive(usize::MAX);
            self.send(len);
            self.sleep();
            self.check();
        }
    }

    /// Sleeps until there is something to do
    fn sleep(&mut self) {
        if let Some(deadline) = self.subject.link.next_timeout() {
            if std::mem::take(&mut self.slow) > 0 {
                self.slowness.note_jump();
            }
            self.time = self.time.max(deadline.as_nanos());
            self.wake(self.now());
        }
    }
}

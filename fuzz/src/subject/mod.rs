//! The link under test, and the promises that hold whatever happens to it
//!
//! Some runs have a twin: a second link that gets the same events as values, with a clock that never goes back, and
//! without the writes that must always be refused. Its output must be the same, byte for byte.

mod clock;
mod holding;
mod kept;
mod seen;
mod writes;

pub(crate) use seen::{Seen, Told};
pub(crate) use writes::Outcome;

use devp2p_proto::{
    Action, Buffers, Cause, DisconnectReason, Event, Handled, Instant, MAX_MESSAGE, Network, NotShared, PeerState,
    PingError, ProtocolError, ProtocolId, Refused, SentTooMuch, Stage, Timer, internal,
};

use crate::settings::{Limits, Settings};
use crate::sizes;
use clock::Clock;
pub(crate) use clock::deadline;
use holding::Holding;
pub(crate) use kept::Kept;

/// What an observer sees between two calls
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct View {
    stage: Stage,
    cause: Option<Cause>,
    unsent: usize,
    deadline: Option<Instant>,
    wants_input: bool,
    owes_pong: bool,
    received: u64,
}

pub(crate) struct Subject<'buf> {
    pub(crate) link: PeerState<'buf>,
    twin: Option<PeerState<'buf>>,
    pub(crate) told: Told,
    /// The number of `IdentityClaimed`, `Ready`, `Deliver` and `Skipped` since bytes were taken
    announced: usize,
    /// How many messages were handed out
    handed_out: u64,
    clock: Clock,
    /// The driver has had a new clock since this was last looked at
    pub(crate) clock_was_new: bool,
    limits: Limits,
    /// A message was skipped, and the driver has not been told yet
    skip_waits: bool,
    /// The most that the buffers may occupy; buffers of an earlier link may be larger
    max_memory: (usize, usize),
    protocols: usize,
    holding: Holding,
    pub(crate) kept: Kept,
}

impl<'buf> Subject<'buf> {
    pub(crate) fn new(settings: &Settings, link: PeerState<'buf>, twin: Option<PeerState<'buf>>, kept: Kept) -> Self {
        let (receive, transmit) = internal::memory(&link);
        let max_memory = settings.max_memory();
        let max_memory = (max_memory.0.max(receive), max_memory.1.max(transmit));
        Self {
            link,
            twin,
            told: Told::Nothing,
            announced: 0,
            handed_out: 0,
            clock: Clock::new(),
            clock_was_new: false,
            limits: settings.limits,
            skip_waits: false,
            max_memory,
            protocols: settings.protocols.len(),
            holding: Holding::new(settings.timeouts),
            kept,
        }
    }

    /// Takes the links apart for the next ones
    pub(crate) fn into_buffers(self) -> (Buffers<'buf>, Option<Buffers<'buf>>, Kept) {
        (self.link.into_buffers(), self.twin.map(PeerState::into_buffers), self.kept)
    }

    /// Notes how much more the link may occupy for sending from now on
    pub(crate) fn permit_transmit(&mut self, most: usize) {
        self.max_memory.1 = self.max_memory.1.max(most);
    }

    /// Notes how much the link may occupy for receiving from now on
    pub(crate) fn permit_receive(&mut self, most: usize) {
        self.max_memory.0 = most.max(internal::memory(&self.link).0);
    }

    /// Whether the driver holds input
    pub(crate) const fn is_held(&self) -> bool {
        self.holding.held
    }

    pub(crate) fn receive(&mut self, now: Instant, bytes: &[u8]) -> usize {
        let before = self.view();
        let now = self.at(now);
        let taken = self.link.receive(now, bytes);
        let after = self.view();
        assert!(taken <= bytes.len());
        if before.stage == Stage::Closed {
            assert_eq!(taken, bytes.len(), "input is swallowed after the end");
            self.assert_unchanged(&before, "and changes nothing");
        } else if !bytes.is_empty() && before.stage != Stage::Closing {
            assert_eq!(taken > 0, before.wants_input, "input is taken exactly while it is wanted");
        }
        assert!(after.received - before.received <= 1, "one call completes at most one message");
        if taken > 0 {
            self.announced = 0;
        }
        self.note_skip(taken);
        self.note_input(taken);
        let latest = self.clock.latest;
        self.reflect(|twin| assert_eq!(twin.handle(latest, Event::Receive(bytes)), Ok(Handled::Received(taken))));
        taken
    }

    pub(crate) fn receive_closed(&mut self, now: Instant) {
        let now = self.at(now);
        self.link.receive_closed(now);
        assert_eq!(self.link.stage(), Stage::Closed);
        self.reflect_event(Event::ReceiveClosed);
    }

    pub(crate) fn send_failed(&mut self, now: Instant) {
        let now = self.at(now);
        self.link.send_failed(now);
        assert!(self.link.stage() as u8 >= Stage::Closing as u8);
        assert_eq!(self.link.unsent().len(), 0, "bytes are left to send after sending has failed");
        self.reflect_event(Event::SendFailed);
    }

    pub(crate) fn hold_input(&mut self, now: Instant, held: bool) {
        let before = self.view();
        let now = self.at(now);
        self.link.hold_input(now, held);
        self.holding.held = held;
        self.note_hold();
        assert_eq!(View { deadline: before.deadline, ..self.view() }, before);
        self.reflect_event(Event::HoldInput(held));
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        let (before, pings) = (self.view(), self.link.liveness().pings_sent);
        let now = self.at(now);
        self.link.handle_timeout(now);
        let after = self.view();
        assert!(after.deadline.is_none_or(|deadline| deadline > self.time()), "{:?} is over", after.deadline);
        let early = before.deadline.is_none_or(|deadline| deadline > self.time());
        if early && before.stage != Stage::Admission {
            self.assert_unchanged(&before, "a spurious wake-up does nothing");
        }
        self.check_time(&before);
        self.note_ping(pings);
        self.reflect_event(Event::Timeout);
    }

    pub(crate) fn sent(&mut self, now: Instant, len: usize) -> Result<(), SentTooMuch> {
        let before = self.view();
        let now = self.at(now);
        let outcome = self.link.sent(now, len);
        let after = self.view();
        match outcome {
            Ok(()) if before.stage != Stage::Closed && before.stage != Stage::Admission => {
                // Capacity that becomes free is used at once by a Pong that was owed, and by nothing else.
                let severed = before.cause == Some(Cause::SendFailed);
                let rest = if severed { 0 } else { before.unsent - len };
                let pong = 64 * usize::from(!before.wants_input && after.wants_input);
                assert_eq!(after.unsent, rest + pong, "the unsent bytes shrink by those that were sent");
                self.note_sent(len);
            }
            Ok(()) => {}
            Err(SentTooMuch) => {
                assert!(len > before.unsent);
                self.assert_unchanged(&before, "a refusal changes nothing");
            }
        }
        self.reflect_outcome(Event::Sent(len), outcome.map_err(Refused::Sent));
        outcome
    }

    pub(crate) fn protocol_returned(
        &mut self,
        now: Instant,
        protocol: ProtocolId,
        outcome: Result<(), ProtocolError>,
    ) -> Result<(), NotShared> {
        let before = self.view();
        let now = self.at(now);
        let refused = self.link.protocol_returned(now, protocol, outcome);
        if refused.is_err() {
            self.assert_unchanged(&before, "a refusal changes nothing");
        }
        self.reflect_outcome(Event::ProtocolReturned(protocol, outcome), refused.map_err(Refused::ProtocolReturned));
        refused
    }

    pub(crate) fn ping(&mut self, now: Instant) {
        let (before, pings) = (self.view(), self.link.liveness().pings_sent);
        let now = self.at(now);
        let outcome = self.link.ping(now);
        self.note_ping(pings);
        match before.stage {
            Stage::Running => assert_eq!(outcome, Ok(()), "there is always capacity for a Ping"),
            Stage::Closing | Stage::Closed => assert_eq!(outcome, Err(PingError::Closed)),
            _ => assert_eq!(outcome, Err(PingError::NotReady)),
        }
        if outcome.is_err() {
            self.assert_unchanged(&before, "a refusal changes nothing");
        }
        self.reflect_outcome(Event::Ping, outcome.map_err(Refused::Ping));
    }

    pub(crate) fn disconnect(&mut self, now: Instant, reason: DisconnectReason) {
        let now = self.at(now);
        self.link.disconnect(now, reason);
        assert!(self.link.stage() as u8 >= Stage::Closing as u8);
        self.reflect_event(Event::Disconnect(reason));
    }

    /// The next action, after a check that it may come now
    pub(crate) fn poll(&mut self) -> Option<Seen> {
        let before = self.view();
        let seen = match self.link.poll() {
            Some(Action::Deliver { protocol, code, payload }) if self.kept.wanted => {
                let wire_len = payload.wire_len();
                let payload = self.kept.take(payload);
                Some(Seen::Deliver { protocol, code, payload, wire_len })
            }
            action => action.map(Seen::new),
        };
        self.check_order(&before, seen.as_ref());
        match &seen {
            Some(seen) => self.check_action(seen),
            None => assert_eq!(self.link.unsent().len(), 0, "bytes to send, and no Send"),
        }
        self.reflect(|twin| assert_eq!(twin.poll().map(Seen::new), seen, "the twin does something else"));
        seen
    }

    fn check_action(&mut self, seen: &Seen) {
        assert_ne!(self.told, Told::Disconnected, "{seen:?} after Disconnect");
        match seen {
            Seen::IdentityClaimed(_) => {
                assert!(!self.link.is_remote_proven(), "a claim is no proof");
                self.announce(Told::Nothing, Told::IdentityClaimed);
            }
            Seen::Ready(shared) => {
                assert!(!shared.is_empty(), "Ready without a protocol");
                assert!(self.link.is_remote_proven());
                self.announce(Told::IdentityClaimed, Told::Ready);
            }
            Seen::Deliver { protocol, code, payload, .. } => {
                let shared = self.link.shared().find(|shared| shared.protocol == *protocol);
                assert!(*code < shared.expect("delivery to a protocol that is not shared").length);
                let limit = self.limits.of(*protocol, *code);
                assert!(payload.len() <= limit, "{} bytes for a message that may have {limit}", payload.len());
                self.announce(Told::Ready, Told::Ready);
            }
            Seen::Skipped { protocol, code, size, wire_len } => {
                let shared = self.link.shared().find(|shared| shared.protocol == *protocol);
                assert!(*code < shared.expect("a message of a protocol that is not shared").length);
                assert!(self.limits.skips(*protocol), "the protocol does not skip");
                assert!(*size > self.limits.of(*protocol, *code) && *size <= MAX_MESSAGE, "{size} bytes are skipped");
                assert!(*wire_len <= sizes::frame(sizes::max_body(*size)), "{wire_len} bytes for a payload of {size}");
                self.announce(Told::Ready, Told::Ready);
            }
            Seen::Writable(_) => {
                assert_eq!(self.link.stage(), Stage::Running);
                assert_eq!(self.told, Told::Ready);
            }
            Seen::Send(bytes) => {
                assert!(!bytes.is_empty());
                assert_eq!(bytes.len(), self.link.unsent().len());
            }
            Seen::Disconnect(cause) => {
                assert_eq!(self.link.stage(), Stage::Closed);
                assert_eq!(self.link.cause(), Some(*cause));
                self.told = Told::Disconnected;
            }
        }
    }

    fn announce(&mut self, before: Told, after: Told) {
        assert_eq!(self.told, before);
        self.told = after;
        self.announced += 1;
        assert!(self.announced <= 1, "two announcements for one call of receive");
    }

    /// What holds between any two calls
    pub(crate) fn check(&self) {
        let stage = self.link.stage();
        assert_eq!(self.link.next_timeout().is_some(), self.link.next_timer().is_some());
        assert_eq!(self.link.cause().is_some(), stage as u8 >= Stage::Closing as u8);
        if stage == Stage::Closed {
            assert_eq!(
                (self.link.next_timeout(), self.link.unsent().len()),
                (None, 0),
                "a closed link waits for nothing"
            );
        }
        self.check_wants_input();
        self.check_deadlines();
        let (receive, transmit) = internal::memory(&self.link);
        assert!(receive <= self.max_memory.0, "{receive} bytes to receive");
        assert!(transmit <= self.max_memory.1, "{transmit} bytes to send");
    }

    /// Calls every method that only reads
    pub(crate) fn inspect(&self) {
        let link = &self.link;
        let text = format!("{link:?} {:?} {}", link.next_timer(), link.age(self.clock.latest).as_millis());
        let cause = link.cause().map(|cause| format!("{cause} {cause:?} {:?}", cause.sent_reason()));
        let info = link.peer_info(Network::default(), |shared| Some(shared.offset));
        let info = format!("{info:?} {:?} {:?}", link.remote_hello(), link.remote_id());
        assert!(!text.is_empty() && !info.is_empty() && cause.is_none_or(|cause| !cause.is_empty()));
    }

    fn at(&mut self, now: Instant) -> Instant {
        self.clock.advance(now);
        self.clock_was_new |= self.clock.is_new;
        self.note_clock();
        now
    }

    /// Time that never goes back
    pub(crate) const fn time(&self) -> Instant {
        self.clock.time()
    }

    /// Whether the driver's clock showed `now` or a later time when it was last given to the link
    pub(crate) fn knows(&self, now: Instant) -> bool {
        now <= self.clock.latest
    }

    /// When the link is to be woken, in time that never goes back
    pub(crate) fn next_timeout(&self) -> Option<Instant> {
        self.link.next_timeout().map(|shown| self.clock.since_start(shown))
    }

    /// A new clock may start timers anew, a refused message may need memory to be given back, and nothing else
    fn assert_unchanged(&self, before: &View, what: &str) {
        let after = self.view();
        let sooner = before.deadline.is_none_or(|before| after.deadline < Some(before));
        let sooner = sooner && self.link.next_timer() == Some(Timer::Memory);
        let deadline = if self.clock.is_new || sooner { after.deadline } else { before.deadline };
        assert_eq!(after, View { deadline, ..*before }, "{what}");
    }

    fn view(&self) -> View {
        let liveness = self.link.liveness();
        View {
            stage: self.link.stage(),
            cause: self.link.cause(),
            unsent: self.link.unsent().len(),
            deadline: self.next_timeout(),
            wants_input: self.link.wants_input(),
            owes_pong: liveness.pings_received > liveness.pongs_sent,
            received: self.traffic().map(|traffic| traffic.ingress.messages).sum(),
        }
    }

    fn reflect_event(&mut self, event: Event<'_>) {
        self.reflect_outcome(event, Ok(()));
    }

    fn reflect_outcome(&mut self, event: Event<'_>, outcome: Result<(), Refused>) {
        let latest = self.clock.latest;
        self.reflect(|twin| assert_eq!(twin.handle(latest, event).map(|_| ()), outcome));
    }

    /// Does to the twin what was done to the link
    fn reflect(&mut self, act: impl FnOnce(&mut PeerState<'buf>)) {
        let Some(twin) = &mut self.twin else {
            return;
        };
        act(twin);
        let same = |link: &PeerState<'_>| (link.stage(), link.cause(), link.unsent().len());
        assert_eq!(same(twin), same(&self.link), "the twin is elsewhere");
        // Memory may differ: the twin encodes nothing, and its payloads are not taken out.
        if ![twin.next_timer(), self.link.next_timer()].contains(&Some(Timer::Memory)) {
            assert_eq!(twin.next_timeout(), self.link.next_timeout(), "the twin waits for something else");
        }
    }
}

//! The link under test, and the promises that hold whatever happens to it
//!
//! Some runs have a twin: a second link that gets the same events as values, with a clock that never goes back, and
//! without the writes that can never be taken. Its output must be the same, byte for byte.

mod seen;

pub(crate) use seen::{Seen, Told};

use devp2p_proto::{
    Action, Cause, DisconnectReason, Event, Instant, MessageEvent, Network, PeerState, ProtocolError, ProtocolId,
    Refused, Stage, WriteError, internal,
};

use crate::settings::Settings;

/// What an observer sees between two calls
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct View {
    stage: Stage,
    cause: Option<Cause>,
    unsent: usize,
    deadline: Option<Instant>,
    wants_input: bool,
    received: u64,
}

pub(crate) struct Subject<'buf> {
    pub(crate) link: PeerState<'buf>,
    twin: Option<PeerState<'buf>>,
    pub(crate) told: Told,
    /// Authenticated, Ready and Deliver since bytes were taken
    announced: usize,
    /// The latest time that was given
    latest: Instant,
    max_message: usize,
    max_memory: (usize, usize),
    protocols: usize,
    /// The driver holds input back
    held: bool,
    /// Payloads that are kept, so that the link cannot use their memory again
    kept: Vec<bytes::Bytes>,
    pub(crate) keep_payloads: bool,
}

impl<'buf> Subject<'buf> {
    pub(crate) fn new(settings: &Settings, link: PeerState<'buf>, twin: Option<PeerState<'buf>>) -> Self {
        Self {
            link,
            twin,
            told: Told::Nothing,
            announced: 0,
            latest: Instant::ZERO,
            max_message: settings.max_message,
            max_memory: settings.max_memory(),
            protocols: settings.protocols.len(),
            held: false,
            kept: Vec::new(),
            keep_payloads: false,
        }
    }

    pub(crate) fn receive(&mut self, now: Instant, bytes: &[u8]) -> usize {
        let before = self.view();
        let now = self.at(now);
        let taken = self.link.receive(now, bytes);
        let after = self.view();
        assert!(taken <= bytes.len());
        if before.stage == Stage::Closed {
            assert_eq!(taken, bytes.len(), "input is swallowed after the end");
            assert_eq!(after, before, "and changes nothing");
        } else if !bytes.is_empty() && before.stage != Stage::Closing {
            assert_eq!(taken > 0, before.wants_input, "input is refused exactly while an action waits");
        }
        assert!(after.received - before.received <= 1, "one call completes at most one message");
        if taken > 0 {
            self.announced = 0;
        }
        let latest = self.latest;
        self.reflect(|twin| assert_eq!(twin.handle(latest, Event::Receive(bytes)), Ok(taken)));
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
        assert_eq!(self.link.unsent().len(), 0, "nothing is left to send where nothing can be sent");
        self.reflect_event(Event::SendFailed);
    }

    pub(crate) fn hold_input(&mut self, now: Instant, held: bool) {
        let before = self.view();
        let now = self.at(now);
        self.link.hold_input(now, held);
        self.held = held;
        assert_eq!(View { deadline: before.deadline, ..self.view() }, before);
        self.reflect_event(Event::HoldInput(held));
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        let before = self.view();
        let now = self.at(now);
        self.link.handle_timeout(now);
        let after = self.view();
        let now = self.latest;
        assert!(after.deadline.is_none_or(|deadline| deadline > now), "the deadline {:?} is over", after.deadline);
        let early = before.deadline.is_none_or(|deadline| deadline > now);
        if early && before.stage != Stage::Admission {
            assert_eq!(after, before, "a spurious wake-up does nothing");
        }
        self.reflect_event(Event::Timeout);
    }

    pub(crate) fn sent(&mut self, now: Instant, len: usize) -> Result<(), Refused> {
        let before = self.view();
        let now = self.at(now);
        let outcome = self.link.sent(now, len);
        let after = self.view();
        match outcome {
            Ok(()) if before.stage != Stage::Closed && before.stage != Stage::Admission => {
                // Room that becomes free is used at once by a Pong that had to wait for it, and by nothing else.
                let severed = before.cause == Some(Cause::SendFailed);
                let rest = if severed { 0 } else { before.unsent - len };
                let pong = 64 * usize::from(!before.wants_input && after.wants_input);
                assert_eq!(after.unsent, rest + pong, "the unsent bytes shrink by those that were sent");
            }
            Ok(()) => {}
            Err(error) => {
                assert_eq!(error, Refused::SentTooMuch);
                assert!(len > before.unsent);
                assert_eq!(after, before, "a refusal changes nothing");
            }
        }
        self.reflect_outcome(Event::Sent(len), outcome);
        outcome
    }

    pub(crate) fn write(
        &mut self,
        now: Instant,
        protocol: ProtocolId,
        code: u64,
        payload: &[u8],
    ) -> Result<MessageEvent, WriteError> {
        let before = self.view();
        let now = self.at(now);
        let outcome = self.link.write(now, protocol, code, payload);
        self.check_write(before, protocol, code, payload, outcome);
        outcome
    }

    /// Writes a payload that the `rlp` crate wraps as a string
    pub(crate) fn write_rlp(
        &mut self,
        now: Instant,
        protocol: ProtocolId,
        code: u64,
        content: &[u8],
    ) -> (Vec<u8>, Result<MessageEvent, WriteError>) {
        let payload = rlp::encode(&content).to_vec();
        let before = self.view();
        let now = self.at(now);
        let outcome = self.link.write_rlp(now, protocol, code, &content);
        self.check_write(before, protocol, code, &payload, outcome);
        (payload, outcome)
    }

    fn check_write(
        &mut self,
        before: View,
        protocol: ProtocolId,
        code: u64,
        payload: &[u8],
        outcome: Result<MessageEvent, WriteError>,
    ) {
        let after = self.view();
        match outcome {
            Ok(event) => {
                assert_eq!(self.told, Told::Ready, "a write before Ready was taken");
                assert_eq!((event.protocol, event.code, event.size), (protocol, code, payload.len()));
                assert_eq!(after.unsent, before.unsent + event.wire_size);
                assert!(payload.len() <= self.max_message);
            }
            Err(_) => assert_eq!(after, before, "a refused write changes nothing"),
        }
        match before.stage {
            Stage::Closing | Stage::Closed => assert_eq!(outcome, Err(WriteError::Closed)),
            Stage::Running if self.told == Told::Ready => assert_ne!(outcome, Err(WriteError::NotReady)),
            _ => assert_eq!(outcome, Err(WriteError::NotReady)),
        }
        if matches!(outcome, Ok(_) | Err(WriteError::Full)) {
            let outcome = outcome.map(|_| ()).map_err(Refused::Write);
            self.reflect_outcome(Event::Write { protocol, code, payload }, outcome);
        } else {
            // The twin gets the time, by an event that changes nothing else.
            self.reflect_event(Event::HoldInput(self.held));
        }
    }

    pub(crate) fn protocol_returned(
        &mut self,
        now: Instant,
        protocol: ProtocolId,
        outcome: Result<(), ProtocolError>,
    ) -> Result<(), Refused> {
        let before = self.view();
        let now = self.at(now);
        let refused = self.link.protocol_returned(now, protocol, outcome);
        if refused.is_err() {
            assert_eq!(self.view(), before, "a refusal changes nothing");
        }
        self.reflect_outcome(Event::ProtocolReturned(protocol, outcome), refused);
        refused
    }

    pub(crate) fn ping(&mut self, now: Instant) {
        let before = self.view();
        let now = self.at(now);
        let outcome = self.link.ping(now);
        match before.stage {
            Stage::Running => assert_eq!(outcome, Ok(()), "there is always room for a Ping"),
            Stage::Closing | Stage::Closed => assert_eq!(outcome, Err(WriteError::Closed)),
            _ => assert_eq!(outcome, Err(WriteError::NotReady)),
        }
        if outcome.is_err() {
            assert_eq!(self.view(), before, "a refusal changes nothing");
        }
        self.reflect_outcome(Event::Ping, outcome.map_err(Refused::Write));
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
        let action = self.link.poll();
        let seen = match action {
            Some(Action::Deliver { protocol, code, payload }) if self.keep_payloads => {
                let wire_len = payload.wire_len();
                let bytes = payload.into_bytes();
                let payload = bytes.to_vec();
                self.kept.truncate(3);
                self.kept.insert(0, bytes);
                Some(Seen::Deliver { protocol, code, payload, wire_len })
            }
            action => action.map(Seen::new),
        };
        if let Some(seen) = &seen {
            self.check_action(seen);
        } else {
            assert!(
                before.wants_input || before.stage as u8 >= Stage::Closing as u8,
                "nothing to do, but no input either"
            );
            assert_eq!(self.link.unsent().len(), 0);
        }
        self.reflect(|twin| assert_eq!(twin.poll().map(Seen::new), seen, "the twin does something else"));
        seen
    }

    fn check_action(&mut self, seen: &Seen) {
        assert_ne!(self.told, Told::Disconnected, "{seen:?} after Disconnect");
        match seen {
            Seen::IdentityClaimed(_) => self.announce(Told::Nothing, Told::Authenticated),
            Seen::Ready(shared) => {
                assert!(!shared.is_empty(), "nothing to start");
                self.announce(Told::Authenticated, Told::Ready);
            }
            Seen::Deliver { protocol, code, payload, .. } => {
                let shared = self.link.shared().find(|shared| shared.protocol == *protocol);
                assert!(*code < shared.expect("delivery to a protocol that is not shared").length);
                assert!(payload.len() <= self.max_message, "a payload of {} bytes is too large", payload.len());
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
    pub(crate) fn check(&mut self) {
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
        let (receive, transmit) = internal::memory(&mut self.link);
        assert!(receive <= self.max_memory.0, "{receive} bytes to receive");
        assert!(transmit <= self.max_memory.1, "{transmit} bytes to send");
    }

    /// Calls every method that only reads
    pub(crate) fn inspect(&self) {
        let link = &self.link;
        let text = format!("{link:?} {:?} {}", link.next_timer(), link.age(self.latest).as_millis());
        let cause = link.cause().map(|cause| format!("{cause} {cause:?} {:?}", cause.sent_reason()));
        let info = link.peer_info(Network::default(), |shared| Some(shared.offset));
        let info = format!("{info:?} {:?} {:?}", link.remote_hello(), link.remote_id());
        assert!(!text.is_empty() && !info.is_empty() && cause.is_none_or(|cause| !cause.is_empty()));
    }

    fn at(&mut self, now: Instant) -> Instant {
        self.latest = self.latest.max(now);
        now
    }

    fn view(&self) -> View {
        let traffic = (0..self.protocols).filter_map(|index| self.link.traffic(ProtocolId(index)));
        View {
            stage: self.link.stage(),
            cause: self.link.cause(),
            unsent: self.link.unsent().len(),
            deadline: self.link.next_timeout(),
            wants_input: self.link.wants_input(),
            received: traffic.map(|traffic| traffic.ingress.messages).sum(),
        }
    }

    fn reflect_event(&mut self, event: Event<'_>) {
        self.reflect_outcome(event, Ok(()));
    }

    fn reflect_outcome(&mut self, event: Event<'_>, outcome: Result<(), Refused>) {
        let latest = self.latest;
        self.reflect(|twin| assert_eq!(twin.handle(latest, event).map(|_| ()), outcome));
    }

    /// Does to the twin what was done to the link
    fn reflect(&mut self, act: impl FnOnce(&mut PeerState<'buf>)) {
        let Some(twin) = &mut self.twin else {
            return;
        };
        act(twin);
        let same = |link: &PeerState<'_>| (link.stage(), link.cause(), link.unsent().len(), link.next_timeout());
        assert_eq!(same(twin), same(&self.link), "the twin is elsewhere");
    }
}

//! The promises while the driver holds input, and when input is wanted
//!
//! While the driver holds input, input is taken until one message waits, and `poll` gives everything but `Deliver`.
//! Once a message waits, no input is wanted, and the deadlines that wait for input stop. They start anew when the
//! message is handed out. Any ending lifts the hold: `Deliver` comes, and then `Disconnect`.
//!
//! The read deadline also rests from when it is over until our Ping has left, if other bytes have to leave first.

use devp2p_proto::{Cause, Instant, ProtocolId, Role, Stage, Timeout, Timeouts, Timer};

use super::{Seen, Subject, Told, View, deadline};

#[derive(Debug)]
pub(super) struct Holding {
    pub(super) held: bool,
    /// A message has waited while input was held, and has not been handed out
    resting: bool,
    /// The read deadline, `None` for never
    read: Option<Instant>,
    /// The earliest Pong deadline
    earliest_pong: Option<Instant>,
    /// Our Ping has left once this many more bytes were sent
    ping_behind: usize,
    timeouts: Timeouts,
    /// An initiator that was never polled has not dialled
    polled: bool,
}

/// The next action, as far as it follows from the input
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Due {
    IdentityClaimed,
    Ready,
    Deliver,
    Skipped,
    Other,
}

impl Holding {
    pub(super) fn new(timeouts: Timeouts) -> Self {
        let earliest_pong = Some(Instant::ZERO);
        Self { held: false, resting: false, read: None, earliest_pong, ping_behind: 0, timeouts, polled: false }
    }
}

impl Subject<'_> {
    /// Whether a message has come that was not handed out
    pub(crate) fn message_waits(&self) -> bool {
        let received: u64 = self.traffic().map(|traffic| traffic.ingress.messages).sum();
        let waiting = received - self.handed_out;
        assert!(waiting <= 1, "{waiting} messages wait");
        waiting == 1
    }

    /// Whether the link has to take input now
    fn should_want_input(&self) -> bool {
        let liveness = self.link.liveness();
        match self.link.stage() {
            Stage::Handshake => self.link.role() == Role::Recipient || self.holding.polled,
            Stage::Admission => false,
            Stage::Hello | Stage::Closed => true,
            Stage::Running => {
                let owes_pong = liveness.pings_received > liveness.pongs_sent;
                self.told == Told::Ready && !self.message_waits() && !self.skip_waits && !owes_pong
            }
            _ if self.link.cause() == Some(Cause::SendFailed) => !self.message_waits() && !self.skip_waits,
            _ => true,
        }
    }

    pub(super) fn check_wants_input(&self) {
        let (wants, should) = (self.link.wants_input(), self.should_want_input());
        let (stage, told, liveness) = (self.link.stage(), self.told, self.link.liveness());
        assert_eq!(wants, should, "in {stage:?}, told {told:?}, message {}, {liveness:?}", self.message_waits());
    }

    fn due(&self, before: &View) -> Due {
        let lifted = before.stage as u8 >= Stage::Closing as u8;
        match (self.told, before.stage) {
            (Told::Nothing, Stage::Admission) => Due::IdentityClaimed,
            (Told::IdentityClaimed, Stage::Running) => Due::Ready,
            _ if self.skip_waits => Due::Skipped,
            _ if self.message_waits() && (lifted || !self.holding.held) => Due::Deliver,
            _ => Due::Other,
        }
    }

    /// Called with what was polled, and what was seen before
    pub(super) fn check_order(&mut self, before: &View, seen: Option<&Seen>) {
        self.holding.polled = true;
        let is = match seen {
            Some(Seen::IdentityClaimed(_)) => Due::IdentityClaimed,
            Some(Seen::Ready(_)) => Due::Ready,
            Some(Seen::Deliver { .. }) => Due::Deliver,
            Some(Seen::Skipped { .. }) => Due::Skipped,
            _ => Due::Other,
        };
        assert_eq!(is, self.due(before), "{seen:?} with input held: {}", self.holding.held);
        self.skip_waits = false;
        if is == Due::Deliver {
            self.handed_out += 1;
            self.end_rest();
        }
        if is == Due::Other && before.stage == Stage::Closed && self.told != Told::Disconnected {
            assert!(matches!(seen, Some(Seen::Disconnect(_))), "{seen:?} instead of Disconnect");
        }
    }

    fn end_rest(&mut self) {
        if std::mem::take(&mut self.holding.resting) {
            self.holding.read = deadline(self.time(), self.holding.timeouts.read);
            self.holding.earliest_pong = deadline(self.time(), self.holding.timeouts.pong);
        }
    }

    /// Called when bytes may have come
    ///
    /// Before the action is polled, only one thing shows a skipped message: input is refused for no other reason.
    pub(super) fn note_skip(&mut self, taken: usize) {
        let wants = self.link.stage() != Stage::Running || self.link.wants_input();
        if taken > 0 && !wants && self.told == Told::Ready {
            let liveness = self.link.liveness();
            self.skip_waits = !self.message_waits() && liveness.pings_received == liveness.pongs_sent;
        }
    }

    /// Called when bytes may have come
    pub(super) fn note_input(&mut self, taken: usize) {
        if taken > 0 && self.link.stage() == Stage::Running {
            self.holding.read = deadline(self.time(), self.holding.timeouts.read);
        }
        self.note_hold();
    }

    /// Called when a Ping may have been sealed; `pings` were sealed before
    pub(super) fn note_ping(&mut self, pings: u64) {
        if self.link.liveness().pings_sent > pings {
            self.holding.ping_behind = self.link.unsent().len();
        }
    }

    /// Called when bytes have left
    pub(super) fn note_sent(&mut self, len: usize) {
        let before = self.holding.ping_behind;
        self.holding.ping_behind = before.saturating_sub(len);
        let has_left = before > 0 && self.holding.ping_behind == 0;
        if has_left && self.holding.read.is_none() && self.link.stage() == Stage::Running {
            self.holding.read = deadline(self.time(), self.holding.timeouts.read);
        }
    }

    /// Called when input is held, or a message may have come
    pub(super) fn note_hold(&mut self) {
        if self.holding.held && self.link.stage() == Stage::Running && self.message_waits() {
            self.holding.resting = true;
        }
    }

    /// Called with every time
    pub(super) fn note_clock(&mut self) {
        let due = self.holding.read.is_some_and(|deadline| deadline <= self.time());
        if self.clock.is_new && due {
            self.holding.read = deadline(self.time(), self.holding.timeouts.read);
        }
    }

    /// Called after time has passed
    pub(super) fn check_time(&mut self, before: &View) {
        let due = self.holding.read.is_some_and(|deadline| deadline <= self.time());
        let Holding { resting, earliest_pong, .. } = self.holding;
        match self.link.cause().filter(|_| before.cause.is_none()) {
            Some(Cause::Timeout(Timeout::Read)) => assert!(due && !resting, "a silent peer is given up early"),
            Some(Cause::Timeout(Timeout::Pong)) => {
                assert!(earliest_pong.is_some_and(|earliest| earliest <= self.time()) && !resting, "a Pong may come");
            }
            _ => {}
        }
        if self.link.stage() == Stage::Running && due && !self.holding.resting {
            assert!(before.owes_pong || self.holding.ping_behind > 0, "a silent peer is not given up");
            let again = before.owes_pong.then(|| deadline(self.time(), self.holding.timeouts.read));
            self.holding.read = again.flatten();
        }
    }

    pub(super) fn check_deadlines(&self) {
        if self.link.stage() != Stage::Running {
            return;
        }
        let Holding { resting, read, earliest_pong, .. } = self.holding;
        let next = self.next_timeout();
        match self.link.next_timer() {
            Some(timer @ (Timer::Read | Timer::Pong)) if resting => panic!("{timer:?} does not stop"),
            Some(Timer::Read) => assert_eq!(next, read, "the read deadline"),
            Some(Timer::Pong) => assert!(next >= earliest_pong, "the Pong deadline did not start anew"),
            _ => {}
        }
        if let (Some(read), false) = (read, resting) {
            assert!(next.is_some_and(|next| next <= read), "the read deadline {read:?} is forgotten: {next:?}");
        }
    }

    pub(super) fn traffic(&self) -> impl Iterator<Item = devp2p_proto::Traffic> {
        (0..self.protocols).filter_map(|index| self.link.traffic(ProtocolId(index)))
    }
}

//! Memory after idling: what has not been needed between two Pings is given back

use devp2p_proto::{Instant, PeerState, Stage, Timeouts, internal};

/// Traffic of a peer that does no more than to keep the link alive
const QUIET: usize = 256;
/// What Pings and Pongs may take: a payload of 2 KiB at the most, and twice what is needed
const BASE_MESSAGES: usize = 2 * (2048 + 2 * QUIET);

#[derive(Debug)]
pub(super) struct Idling {
    timeouts: Timeouts,
    /// When the next Ping is due, `None` for never
    ping: Option<Instant>,
    running: bool,
    interval: Interval,
    /// The interval before that, if it was quiet
    quiet: Option<Interval>,
}

/// What happened since the last Ping
#[derive(Debug, Clone, Copy, Default)]
struct Interval {
    taken: usize,
    messages: bool,
    max_unsent: usize,
}

impl Idling {
    pub(super) fn new(timeouts: Timeouts) -> Self {
        Self { timeouts, ping: None, running: false, interval: Interval::default(), quiet: None }
    }

    pub(super) const fn note_write(&mut self) {
        self.interval.messages = true;
    }

    pub(super) const fn note_delivery(&mut self) {
        self.interval.messages = true;
    }

    pub(super) fn note_input(&mut self, link: &PeerState<'_>, taken: usize, latest: Instant) {
        self.interval.taken += taken;
        if !self.running && link.stage() == Stage::Running {
            self.running = true;
            self.ping = latest.checked_add(self.timeouts.ping);
        }
    }

    /// What holds between any two calls
    pub(super) fn check(&mut self, link: &PeerState<'_>) {
        self.interval.max_unsent = self.interval.max_unsent.max(link.unsent().len());
        if let (Stage::Running, Some(ping)) = (link.stage(), self.ping) {
            assert!(link.next_timeout().is_some_and(|next| next <= ping), "no Ping is to be sent");
        }
    }

    /// Time has passed; `held` bytes are a part of a frame, or a message that was not handed out
    pub(super) fn note_time(&mut self, link: &PeerState<'_>, latest: Instant, held: Option<usize>) {
        if link.stage() != Stage::Running || self.ping.is_none_or(|ping| ping > latest) {
            return;
        }
        self.ping = latest.checked_add(self.timeouts.ping);
        let unsent = link.unsent().len();
        let interval = std::mem::replace(&mut self.interval, Interval { max_unsent: unsent, ..Interval::default() });
        let quiet = interval.taken <= QUIET && !interval.messages;
        let before = std::mem::replace(&mut self.quiet, quiet.then_some(interval));
        if let (true, Some(before)) = (quiet, before) {
            let (receive, transmit) = internal::memory(link);
            if let Some(held) = held {
                assert!(receive <= 2 * held + BASE_MESSAGES, "{receive} idle bytes to receive, {held} are used");
            }
            let used = interval.max_unsent.max(before.max_unsent).max(unsent);
            assert!(transmit <= 2 * used + 2 * QUIET, "{transmit} idle bytes to send, {used} are used");
        }
    }
}

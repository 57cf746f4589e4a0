//! Memory after idling: what is not needed for a while is given back

use std::time::Duration;

use devp2p_proto::{Instant, PeerState, Stage, Timeouts, internal};

use crate::sizes;
use crate::subject::deadline;

/// Traffic of a peer that does no more than to keep the link alive
const QUIET: usize = 256;
/// What Pings and Pongs may take, and what is kept in any case
const BASE_MESSAGES: usize = 4 * QUIET + KEPT;

/// How long memory may be kept that is not needed
const INTERVAL: Duration = Duration::from_secs(15);
/// Less than this is kept
const KEPT: usize = 4096;
/// The largest table of the compressor, which is kept while there is anything to send
const TABLE: usize = 2 * 16_384;

#[derive(Debug)]
pub(super) struct Idling {
    timeouts: Timeouts,
    /// When the next Ping is due, `None` for never
    ping: Option<Instant>,
    running: bool,
    interval: Interval,
    /// The interval before the current one, if it was quiet
    quiet: Option<Interval>,
}

/// What happened for as long as memory may be kept, or longer
#[derive(Debug, Clone, Copy)]
struct Interval {
    since: Instant,
    taken: usize,
    messages: bool,
    max_unsent: usize,
}

impl Interval {
    const fn new(since: Instant, unsent: usize) -> Self {
        Self { since, taken: 0, messages: false, max_unsent: unsent }
    }
}

impl Idling {
    pub(super) const fn new(timeouts: Timeouts) -> Self {
        Self { timeouts, ping: None, running: false, interval: Interval::new(Instant::ZERO, 0), quiet: None }
    }

    pub(super) const fn note_write(&mut self) {
        self.interval.messages = true;
    }

    pub(super) const fn note_delivery(&mut self) {
        self.interval.messages = true;
    }

    pub(super) fn note_input(&mut self, link: &PeerState<'_>, taken: usize, now: Instant) {
        self.interval.taken += taken;
        if !self.running && link.stage() == Stage::Running {
            self.running = true;
            self.ping = deadline(now, self.timeouts.ping);
        }
    }

    /// What holds between any two calls; `next` is when the link is to be woken
    pub(super) fn check(&mut self, link: &PeerState<'_>, next: Option<Instant>) {
        self.interval.max_unsent = self.interval.max_unsent.max(link.unsent().len());
        if let (Stage::Running, Some(ping)) = (link.stage(), self.ping) {
            assert!(next.is_some_and(|next| next <= ping), "no Ping is to be sent");
        }
    }

    /// What was due by now starts anew with a new clock
    pub(super) fn note_new_clock(&mut self, link: &PeerState<'_>, now: Instant) {
        self.interval = Interval { messages: true, ..Interval::new(now, link.unsent().len()) };
        if self.ping.is_some_and(|ping| ping <= now) {
            self.ping = deadline(now, self.timeouts.ping);
        }
    }

    /// Time has passed; `held` bytes are a part of a frame, or a message that was not handed out
    pub(super) fn note_time(&mut self, link: &PeerState<'_>, now: Instant, held: Option<usize>) {
        if link.stage() != Stage::Running {
            return;
        }
        if self.ping.is_some_and(|ping| ping <= now) {
            self.ping = deadline(now, self.timeouts.ping);
        }
        let unsent = link.unsent().len();
        if now.saturating_since(self.interval.since) < INTERVAL {
            return;
        }
        let interval = std::mem::replace(&mut self.interval, Interval::new(now, unsent));
        let quiet = interval.taken <= QUIET && !interval.messages;
        let before = std::mem::replace(&mut self.quiet, quiet.then_some(interval));
        if let (true, Some(before)) = (quiet, before) {
            let (receive, transmit) = internal::memory(link);
            if let Some(held) = held {
                assert!(receive <= 2 * held + BASE_MESSAGES, "{receive} idle bytes to receive, {held} are used");
            }
            let used = interval.max_unsent.max(before.max_unsent).max(unsent);
            let table = if used > sizes::RESERVE { TABLE } else { 0 };
            assert!(transmit <= 2 * used + KEPT + table, "{transmit} idle bytes to send, {used} are used");
        }
    }
}

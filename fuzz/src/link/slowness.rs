//! Slow peers: frames that do not become whole, and bytes that do not leave
//!
//! From its first byte a frame has the read timeout to be whole. Bytes that are unsent at one moment have the write
//! timeout to leave. Both have more time where that many bytes take more at the slowest rate. A byte now and then is
//! not enough.

use std::time::Duration;

use devp2p_proto::{Cause, Instant, PeerState, Stage, Timeout, Timeouts};

use crate::subject::deadline;

#[derive(Debug)]
pub(super) struct Slowness {
    timeouts: Timeouts,
    frame: Option<Frame>,
    leaving: Option<Leaving>,
    /// The most that was unsent since nothing was unsent
    most: usize,
}

/// A frame of which a part has come
#[derive(Debug, Clone, Copy)]
struct Frame {
    start: usize,
    len: usize,
    began: Instant,
    /// It had run out of time when a new clock gave it more
    again: bool,
}

/// Bytes that were unsent at one moment
#[derive(Debug, Clone, Copy)]
struct Leaving {
    since: Instant,
    /// How many bytes still have to leave
    left: usize,
}

impl Slowness {
    pub(super) const fn new(timeouts: Timeouts) -> Self {
        Self { timeouts, frame: None, leaving: None, most: 0 }
    }

    fn time_for(&self, len: usize, least: Duration) -> Duration {
        let at_one_byte_per_second = Duration::from_secs(len as u64);
        let Some(time) = at_one_byte_per_second.checked_div(self.timeouts.slowest_rate) else {
            return least;
        };
        let rest = at_one_byte_per_second - time * self.timeouts.slowest_rate;
        least.max(if rest.is_zero() { time } else { time + Duration::from_nanos(1) })
    }

    /// Bytes have come; `part` is where the frame starts of which a part is there, and how long it will be
    pub(super) fn note_input(&mut self, link: &PeerState<'_>, part: Option<(usize, usize)>, now: Instant) {
        if link.stage() != Stage::Running {
            // The link has no interest in it. What is known of the frame before may be why it has ended.
            return;
        }
        self.frame = part.map(|(start, len)| {
            let known = self.frame.filter(|frame| frame.start == start);
            known.map_or(Frame { start, len, began: now, again: false }, |frame| Frame { len, ..frame })
        });
    }

    /// The transport has taken `len` of the `unsent` bytes
    pub(super) fn note_sent(&mut self, unsent: usize, len: usize) {
        self.most = self.most.max(unsent);
        let left = |leaving: Leaving| Leaving { left: leaving.left.saturating_sub(len), ..leaving };
        self.leaving = self.leaving.map(left).filter(|leaving| leaving.left > 0);
    }

    /// The driver's clock has jumped, so that timers were not looked at in time
    pub(super) const fn note_jump(&mut self) {
        self.leaving = None;
    }

    /// What holds between any two calls
    pub(super) fn check(&mut self, link: &PeerState<'_>, now: Instant) {
        let unsent = link.unsent().len();
        if link.stage() != Stage::Running || unsent == 0 {
            (self.leaving, self.most) = (None, 0);
            return;
        }
        self.leaving.get_or_insert(Leaving { since: now, left: unsent });
        self.most = self.most.max(unsent);
    }

    /// What was over by now starts anew with a new clock
    pub(super) fn note_new_clock(&mut self, now: Instant) {
        self.leaving = None;
        if let (Some(_), Some(frame)) = (self.frame_over(now), &mut self.frame) {
            *frame = Frame { began: now, again: true, ..*frame };
        }
    }

    /// When the time of the frame was over, if it is
    fn frame_over(&self, now: Instant) -> Option<Instant> {
        let frame = self.frame?;
        deadline(frame.began, self.time_for(frame.len, self.timeouts.read)).filter(|over| *over <= now)
    }

    /// Time has passed
    pub(super) fn note_time(&self, link: &PeerState<'_>, now: Instant) {
        let over = self.frame_over(now);
        if link.stage() == Stage::Running {
            assert!(over.is_none(), "a peer that does not go on with a frame is not given up");
            if let Some(Leaving { since, .. }) = self.leaving {
                // They may have to wait for those that were unsent before, and have their own time after that.
                let patience = self.time_for(self.most, self.timeouts.write).saturating_mul(2);
                let over = deadline(since, patience).is_some_and(|over| over < now);
                assert!(!over, "{self:?}: a transport that takes so little is not given up at {now:?}");
            }
        }
        if link.cause() == Some(Cause::Timeout(Timeout::Frame)) {
            assert!(over.is_some() || self.frame.is_none_or(|frame| frame.again), "a frame was given up early");
        }
    }
}

//! When to tell a peer that our range of blocks has changed (EIP-7642)

use std::time::Duration;

use devp2p_drivers::eth::message::BlockRange;
use devp2p_proto::Instant;

/// A change by so many blocks, an epoch, is told without a pause
const MANY: u64 = 32;
/// A change by fewer blocks is told when so much time has passed since the peer was last told
const PAUSE: Duration = Duration::from_secs(60);
/// How often to look whether there is something to tell
const LOOK: Duration = Duration::from_secs(1);

/// What a peer was told of our range of blocks
#[derive(Debug, Clone, Copy)]
pub struct Announcer {
    told: BlockRange,
    at: Instant,
    look_at: Option<Instant>,
}

impl Announcer {
    /// For a peer that was told this range in our Status
    pub fn new(told: BlockRange, now: Instant) -> Self {
        Self { told, at: now, look_at: now.checked_add(LOOK) }
    }

    /// When to look again
    pub const fn deadline(&self) -> Option<Instant> {
        self.look_at
    }

    /// Whether it is time to look; if so, also sets the next time to look
    pub fn is_time(&mut self, now: Instant) -> bool {
        let is_time = self.look_at.is_some_and(|at| at <= now);
        if is_time {
            self.look_at = now.checked_add(LOOK);
        }
        is_time
    }

    /// Takes the range as it is now, and returns it if the peer is to be told
    pub fn look(&mut self, now: Instant, range: BlockRange) -> Option<BlockRange> {
        let moved = range.latest.abs_diff(self.told.latest).max(range.earliest.abs_diff(self.told.earliest));
        let is_long_ago = self.at.checked_add(PAUSE).is_some_and(|at| at <= now);
        if range == self.told || (moved < MANY && !is_long_ago) {
            return None;
        }
        (self.told, self.at) = (range, now);
        Some(range)
    }
}

//! How much a protocol may have unsent: the one rule for writing
//!
//! The unsent bytes of one protocol never keep another protocol from writing. Each shared protocol has
//! a share of its own:
//!
//! > A message is taken if nothing of its protocol is unsent. Otherwise it is taken only if no refusal
//! > of the protocol is outstanding, and if it fits the share together with what the protocol has
//! > written since it last had nothing unsent. A refusal lasts until nothing of the protocol is unsent.
//! > Then the protocol is told once that it can write.
//!
//! A message that is taken before the protocol was told puts that off until the message has left.
//!
//! So the first message after `Writable` is always taken, however late it comes, and no protocol
//! has priority.

use super::limits::up_to_4_gib;

/// The share of one protocol
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Share {
    /// The size of the share, in bytes of frames
    limit: u32,
    /// How many bytes of frames the protocol has written since it last had nothing unsent, or [`USED_UP`]
    used: u32,
    /// The position in the stream at which its last frame ends
    end: u64,
}

/// A refusal uses the share up, until the protocol is told that it can write
const USED_UP: u32 = u32::MAX;

impl Share {
    pub(super) fn set_limit(&mut self, limit: usize) {
        self.limit = up_to_4_gib(limit);
    }

    /// The length of the largest frame that is taken; `usize::MAX` if nothing of the protocol is unsent
    pub(super) const fn capacity(&self, sent: u64) -> usize {
        if sent >= self.end { usize::MAX } else { self.limit.saturating_sub(self.used) as usize }
    }

    /// Notes a refusal; returns whether the protocol was not waiting for `Writable` already
    pub(super) const fn refuse(&mut self) -> bool {
        core::mem::replace(&mut self.used, USED_UP) != USED_UP
    }

    /// Notes a frame of `len` bytes, which ends at this position
    pub(super) fn wrote(&mut self, len: usize, sent: u64, end: u64) {
        if self.used != USED_UP {
            let before = if sent >= self.end { 0 } else { self.used };
            self.used = before.saturating_add(up_to_4_gib(len)).min(USED_UP - 1);
        }
        self.end = end;
    }

    /// Whether the protocol is to be told that it can write; it is told once
    pub(super) const fn take_writable(&mut self, sent: u64) -> bool {
        let writable = self.used == USED_UP && sent >= self.end;
        if writable {
            self.used = 0;
        }
        writable
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share() -> Share {
        Share { limit: 100, ..Share::default() }
    }

    #[test]
    fn any_size_is_taken_when_nothing_is_unsent() {
        let mut share = share();
        assert_eq!(share.capacity(0), usize::MAX);
        share.wrote(1_000, 0, 1_000);
        assert_eq!(share.capacity(999), 0);
        assert_eq!(share.capacity(1_000), usize::MAX);
    }

    #[test]
    fn what_was_written_since_it_was_last_empty_counts() {
        let mut share = share();
        share.wrote(60, 0, 60);
        assert_eq!(share.capacity(59), 40, "one byte is unsent, and all sixty count");
        share.wrote(40, 59, 100);
        assert_eq!(share.capacity(60), 0);
        assert_eq!(share.capacity(100), usize::MAX);
    }

    #[test]
    fn a_refusal_lasts_until_nothing_is_unsent_and_is_lifted_once() {
        let mut share = share();
        share.wrote(60, 0, 60);
        assert!(share.refuse());
        assert!(!share.refuse(), "it was refused already");
        assert_eq!(share.capacity(59), 0, "even for what would fit");
        assert!(!share.take_writable(59));
        assert!(share.take_writable(60));
        assert!(!share.take_writable(60));
        share.wrote(60, 60, 120);
        assert_eq!(share.capacity(60), 40, "the refusal is gone");
    }

    #[test]
    fn the_first_message_after_writable_is_taken_however_late() {
        let mut share = share();
        share.wrote(60, 0, 60);
        share.refuse();
        assert!(share.take_writable(60));
        assert_eq!(share.capacity(60_000_000), usize::MAX);
    }

    /// Or `Writable` would come while that message is unsent
    #[test]
    fn a_message_that_is_taken_before_writable_was_polled_puts_it_off() {
        let mut share = share();
        share.wrote(60, 0, 60);
        share.refuse();
        share.wrote(60, 60, 120);
        assert_eq!(share.capacity(60), 0, "the refusal lasts");
        assert!(!share.take_writable(60));
        assert!(share.take_writable(120));
        assert_eq!(share.capacity(120), usize::MAX);
    }
}

//! Any number of links in one thread, on readiness events from `mio`
//!
//! - [`Peer`]: the run loop of one link, a turn at a time
//! - [`Links`]: all links of a thread, their events and their timers
//!
//! Where links come from, and what becomes of them, is up to the program: `epoll` and `ping --nodes` have loops of
//! their own around [`Links`]. Tokens 0 and 1 are for what such a program registers itself: a listener, a waker.

mod links;
mod peer;
mod timers;

use devp2p_proto::{Cause, Instant};

use crate::link::Link;
pub use links::{End, Ended, Links};
pub use peer::{Peer, Turn};

/// What is done on a link, apart from carrying its bytes
pub trait Talk {
    /// Does all that the link asks for, except sending; returns the cause when the link has ended
    fn act(&mut self, now: Instant, link: &mut Link) -> Option<Cause>;

    /// When it wants a turn without anything else happening
    fn next_timeout(&self, now: Instant) -> Option<Instant>;

    /// Called when the connection is open; before that, a turn only lets time pass
    fn connected(&mut self) {}
}

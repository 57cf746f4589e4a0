//! Any number of links in one thread, on readiness events from `mio`
//!
//! - [`Peer`]: one link and its socket, a turn at a time
//! - [`Links`]: all links of a thread, their events and their [`Timers`]
//!
//! Where links come from, and what becomes of them, is up to the program: `epoll` and `ping --nodes` have loops of
//! their own around [`Links`]. Tokens 0 and 1 are for what such a program registers itself: a listener, a waker.

mod links;
mod peer;
mod socket;
mod timers;

use devp2p_proto::{Instant, Notice};

use crate::link::Out;
pub use links::{End, Ended, Links};
pub use peer::{Next, Peer};
pub use timers::Timers;

/// What is done on a link, apart from carrying its bytes
pub trait Talk {
    /// Takes what the link tells
    fn hear(&mut self, notice: Notice, out: &mut Out<'_>);

    /// Does what it is time for; returns whether the link was asked for anything
    fn proceed(&mut self, out: &mut Out<'_>) -> bool;

    /// When it wants a turn without anything else happening
    fn next_timeout(&self, now: Instant) -> Option<Instant>;

    /// Called when the connection is open; before that, a turn only lets time pass
    fn connected(&mut self) {}

    /// Whether a link whose cause is known is to be closed at once
    fn is_over(&self, _now: Instant) -> bool {
        false
    }
}

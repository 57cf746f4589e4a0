//! When each link wants to be woken

use std::collections::BTreeSet;

use devp2p_proto::Instant;
use mio::Token;

/// Wake-ups in their order, at most one for each link
#[derive(Default)]
pub struct Timers(BTreeSet<(Instant, Token)>);

impl Timers {
    /// Moves a link's wake-up from `old` to `new`
    pub fn change(&mut self, token: Token, old: Option<Instant>, new: Option<Instant>) {
        if old != new {
            old.map(|at| self.0.remove(&(at, token)));
            new.map(|at| self.0.insert((at, token)));
        }
    }

    pub fn next(&self) -> Option<Instant> {
        self.0.first().map(|(at, _)| *at)
    }

    /// The links whose time has come
    pub fn due(&self, now: Instant) -> impl Iterator<Item = Token> {
        self.0.range(..=(now, Token(usize::MAX))).map(|(_, token)| *token)
    }
}

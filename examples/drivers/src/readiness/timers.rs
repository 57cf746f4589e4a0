//! When each link wants to be woken

use std::collections::BTreeSet;

use devp2p_proto::Instant;

/// Wake-ups in their order, at most one for each key
pub struct Timers<K>(BTreeSet<(Instant, K)>);

impl<K> Default for Timers<K> {
    fn default() -> Self {
        Self(BTreeSet::new())
    }
}

impl<K: Ord + Copy> Timers<K> {
    /// Moves a wake-up from `old` to `new`
    pub fn change(&mut self, key: K, old: Option<Instant>, new: Option<Instant>) {
        if old != new {
            old.map(|at| self.0.remove(&(at, key)));
            new.map(|at| self.0.insert((at, key)));
        }
    }

    pub fn next(&self) -> Option<Instant> {
        self.0.first().map(|(at, _)| *at)
    }

    /// The keys whose time has come
    pub fn due(&self, now: Instant) -> impl Iterator<Item = K> {
        self.0.iter().take_while(move |(at, _)| *at <= now).map(|(_, key)| *key)
    }
}

//! Turns of many connections, whose input is opened side by side

use core::{fmt, mem};
use std::io::{Read, Write};
use std::iter;
use std::vec::Vec;

use super::turn::Steps;
use super::{Connection, Link, Notice, Out, Turn};
use crate::cause::Cause;
use crate::peer::PeerState;
use crate::peer::batch::{self, Occupancy};
use crate::time::Instant;

/// In how many shares [`Connection::turns`] uses its buffer; a read takes at most one share
const SHARES: usize = 16;
/// How many connections are looked at again and again while one of them has input
const GROUP: usize = 64;

/// One of the connections that have their [turns](Connection::turns) together
pub struct Party<'a, K, L, S, H> {
    /// By which the caller recognizes the connection
    pub key: K,
    /// The connection
    pub connection: &'a mut Connection<L>,
    /// Its socket, as for [`Connection::turn`]
    pub socket: &'a mut S,
    /// What is called for each notice, as for [`Connection::turn`]
    pub handler: H,
}

impl<K: fmt::Debug, L: Link, S, H> fmt::Debug for Party<'_, K, L, S, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Party").field("key", &self.key).field("connection", &self.connection).finish_non_exhaustive()
    }
}

impl<L: Link> Connection<L> {
    /// A turn for each of many connections, as by [`turn`](Self::turn), with input opened side by side
    ///
    /// The result is the same. It takes less time, since the links check the MACs of their messages
    /// [together](batch::receive).
    ///
    /// `done` is called once for each connection, with its key. The value returned says how many links were worked
    /// on side by side.
    ///
    /// All of `buffer` is used: a read takes at most a sixteenth of it, so 1 MiB is the best length.
    pub fn turns<'a, K, S, H>(
        now: Instant,
        parties: impl IntoIterator<Item = Party<'a, K, L, S, H>>,
        buffer: &mut [u8],
        mut done: impl FnMut(K, Turn),
    ) -> Occupancy
    where
        L: 'a,
        S: Read + Write + 'a,
        H: FnMut(Notice, &mut Out<'_, L>),
    {
        let mut parties = parties.into_iter();
        let share = buffer.len().div_ceil(SHARES);
        let mut occupancy = Occupancy::default();
        while let Some(first) = parties.next() {
            let mut free = &mut *buffer;
            let mut group = Vec::with_capacity(GROUP);
            for party in iter::once(first).chain(&mut parties) {
                group.push(Member::begin(now, party, &mut free, share));
                if group.len() == GROUP || free.len() < share {
                    break;
                }
            }
            occupancy.add(open_together(now, &mut group));
            group.into_iter().for_each(|member| member.end(&mut done));
        }
        occupancy
    }
}

/// A connection whose turn is under way
struct Member<'a, 'b, K, L, S, H> {
    key: K,
    steps: Steps<'a, 'b, L, S, H>,
    outcome: Result<(), Cause>,
    /// How many bytes the link has taken in the last batch
    taken: usize,
}

/// Gives the links their input, one message of each at a time, until they take no more
fn open_together<'a, L: Link + 'a, K: 'a, S: Read + Write + 'a, H: FnMut(Notice, &mut Out<'_, L>) + 'a>(
    now: Instant,
    group: &mut [Member<'a, '_, K, L, S, H>],
) -> Occupancy {
    let mut occupancy = Occupancy::default();
    let mut progress = true;
    while progress {
        let offers = group.iter_mut().filter_map(Member::offer);
        occupancy.add(batch::receive(now, offers, |taken, len| *taken = len));
        // All of them note what their links have taken, before a handler can panic.
        progress = group.iter_mut().map(Member::note).fold(false, |progress, any| progress | any);
        group.iter_mut().for_each(Member::act);
    }
    occupancy
}

impl<'a, 'b, K, L: Link, S: Read + Write, H: FnMut(Notice, &mut Out<'_, L>)> Member<'a, 'b, K, L, S, H> {
    fn begin(now: Instant, party: Party<'a, K, L, S, H>, free: &mut &'b mut [u8], share: usize) -> Self {
        let Party { key, connection, socket, handler } = party;
        let mut steps = Steps::new(now, connection, socket, handler);
        let outcome = steps.begin(free, share);
        Self { key, steps, outcome, taken: 0 }
    }

    /// Input for the link, and where to note how much of it was taken
    fn offer(&mut self) -> Option<(&mut usize, &mut PeerState<'static>, &[u8])> {
        let input = self.steps.input.bytes();
        if self.outcome.is_err() || input.is_empty() {
            return None;
        }
        let link = self.steps.connection.link.batched()?;
        Some((&mut self.taken, link, input))
    }

    /// Notes what the link has taken in the last batch, and returns whether that was anything
    fn note(&mut self) -> bool {
        self.steps.input.advance(self.taken);
        self.taken > 0
    }

    /// Does what follows from the last batch
    fn act(&mut self) {
        if mem::take(&mut self.taken) > 0 {
            self.outcome = self.steps.act();
        }
    }

    fn end(mut self, done: &mut impl FnMut(K, Turn)) {
        // A link that takes no part in batches still has its input.
        let turn = self.outcome.and_then(|()| self.steps.feed()).and_then(|()| self.steps.end());
        done(self.key, turn.unwrap_or_else(Turn::Ended));
    }
}

//! The protocols of one link: message ids, shares, counters

use heapless::Vec;

use super::config::Offer;
use super::counters::Traffic;
use super::limits::{Limits, MAX_PROTOCOLS, largest_frame};
use super::share::{Share, up_to_4_gib};
use crate::invariant::must;
use crate::p2p::capability::{self, Ids, Local};
use crate::protocol::{Capability, ProtocolId};
use crate::violation::Violation;

/// A protocol that both nodes run, and its message ids on this link
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct SharedProtocol {
    /// Its position in the configuration
    pub protocol: ProtocolId,
    /// Its name and version
    pub capability: Capability,
    /// The message id of its code 0
    pub offset: u64,
    /// How many message codes it has
    pub length: u64,
}

/// What a link keeps of a protocol besides its message ids
#[derive(Debug)]
struct Entry {
    max_message: u32,
    max_send: u32,
    share: Share,
    traffic: Traffic,
}

/// All protocols of ours, shared or not, in the order of the configuration
#[derive(Debug)]
pub(super) struct Protocols {
    locals: Vec<Local, MAX_PROTOCOLS>,
    /// As many as `locals`
    entries: Vec<Entry, MAX_PROTOCOLS>,
    /// How many protocols wait to be told that they can write
    refused: usize,
}

/// The capacity for writing that is divided among the protocols
#[derive(Debug, Clone, Copy)]
pub(super) enum Capacity {
    /// A growable buffer: bytes of frames that may be unsent in all
    Window(usize),
    /// The caller's buffer, which holds the largest frame of each protocol and more
    Fixed(usize),
}

impl Protocols {
    /// The limits of the node apply as well as those of each protocol
    pub(super) fn new(offers: &[Offer], limits: &Limits) -> Self {
        let local = |offer: &Offer| Local { capability: offer.capability, length: offer.length, ids: Ids::Unshared };
        let entry = |offer: &Offer| Entry {
            max_message: up_to_4_gib(offer.max_message.min(limits.max_message)),
            max_send: up_to_4_gib(offer.max_send.min(limits.max_send)),
            share: Share::default(),
            traffic: Traffic::default(),
        };
        Self { locals: kept(offers.iter().map(local)), entries: kept(offers.iter().map(entry)), refused: 0 }
    }

    pub(super) fn capabilities(&self) -> impl Iterator<Item = Capability> + '_ {
        self.locals.iter().map(|local| local.capability)
    }

    /// Matches ours with those of the remote, and returns whether any is shared
    pub(super) fn assign(&mut self, remote: impl Iterator<Item = Capability>, capacity: Capacity) -> bool {
        capability::assign(&mut self.locals, remote);
        let shared = |local: &Local| local.ids != Ids::Unshared;
        let count = self.locals.iter().filter(|local| shared(local)).count();
        let frames = self.locals.iter().zip(&self.entries).filter(|(local, _)| shared(local));
        let frames = frames.fold(0_usize, |sum, (_, entry)| sum.saturating_add(largest_frame(entry.max_send as usize)));
        for entry in &mut self.entries {
            entry.share.set_limit(match capacity {
                Capacity::Window(window) => window.checked_div(count).unwrap_or_default(),
                Capacity::Fixed(len) => {
                    let surplus = len.saturating_sub(frames).checked_div(count).unwrap_or_default();
                    largest_frame(entry.max_send as usize).saturating_add(surplus)
                }
            });
        }
        count > 0
    }

    pub(super) fn shared(&self) -> impl Iterator<Item = SharedProtocol> + '_ {
        (0..self.locals.len()).filter_map(|index| self.find(ProtocolId(index)))
    }

    /// The protocol, if it is shared
    pub(super) fn find(&self, protocol: ProtocolId) -> Option<SharedProtocol> {
        let Local { capability, length, ids } = *self.locals.get(protocol.0)?;
        match ids {
            Ids::Unshared => None,
            Ids::From(offset) => Some(SharedProtocol { protocol, capability, offset: offset.get(), length }),
        }
    }

    /// The protocol and the relative code for which a message id stands
    pub(super) fn route(&self, id: u64) -> Result<(ProtocolId, u64), Violation> {
        let relative = |shared: SharedProtocol| {
            let code = id.checked_sub(shared.offset)?;
            (code < shared.length).then_some((shared.protocol, code))
        };
        self.shared().find_map(relative).ok_or(Violation::UnknownMessageId(id))
    }

    fn entry_mut(&mut self, protocol: ProtocolId) -> Option<&mut Entry> {
        self.entries.get_mut(protocol.0)
    }

    /// The largest payload of the protocol that is taken from the peer
    pub(super) fn max_message(&self, protocol: ProtocolId) -> usize {
        must(self.entries.get(protocol.0).map(|entry| entry.max_message as usize), "a shared protocol has an entry")
    }

    /// The largest payload of any shared protocol that is taken from the peer
    pub(super) fn largest_message(&self) -> usize {
        self.shared().map(|shared| self.max_message(shared.protocol)).max().unwrap_or_default()
    }

    /// The largest payload of the protocol that is sent
    pub(super) fn max_send(&self, protocol: ProtocolId) -> usize {
        must(self.entries.get(protocol.0).map(|entry| entry.max_send as usize), "a shared protocol has an entry")
    }

    pub(super) fn traffic(&self, protocol: ProtocolId) -> Option<Traffic> {
        self.entries.get(protocol.0).map(|entry| entry.traffic)
    }

    /// Counts a message from the peer
    pub(super) fn count_ingress(&mut self, protocol: ProtocolId, payload: usize, wire: usize) {
        if let Some(entry) = self.entry_mut(protocol) {
            entry.traffic.ingress.count(payload, wire);
        }
    }

    /// The length of the largest frame of the protocol that is taken now
    pub(super) fn write_capacity(&self, protocol: ProtocolId, sent: u64) -> usize {
        self.entries.get(protocol.0).map_or(0, |entry| entry.share.capacity(sent))
    }

    /// Notes that a message of the protocol was refused
    pub(super) fn refuse(&mut self, protocol: ProtocolId) {
        if self.entry_mut(protocol).is_some_and(|entry| entry.share.refuse()) {
            self.refused = self.refused.saturating_add(1);
        }
    }

    /// Notes a message of the protocol whose frame of `wire` bytes ends at this position
    pub(super) fn wrote(&mut self, protocol: ProtocolId, payload: usize, wire: usize, sent: u64, end: u64) {
        if let Some(entry) = self.entry_mut(protocol) {
            entry.share.wrote(wire, sent, end);
            entry.traffic.egress.count(payload, wire);
        }
    }

    /// The next protocol that is to be told that it can write; each is told once
    pub(super) fn take_writable(&mut self, sent: u64) -> Option<ProtocolId> {
        if self.refused == 0 {
            return None;
        }
        let index = self.entries.iter_mut().position(|entry| entry.share.take_writable(sent))?;
        self.refused = self.refused.saturating_sub(1);
        Some(ProtocolId(index))
    }
}

/// As many of the items as fit; `collect` would panic if there were more
pub(super) fn kept<T, const N: usize>(items: impl Iterator<Item = T>) -> Vec<T, N> {
    let mut kept = Vec::new();
    for item in items {
        if kept.push(item).is_err() {
            break;
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_left_out() {
        assert_eq!(kept::<_, 3>(0..2), [0, 1]);
        assert_eq!(kept::<_, 3>(0..5), [0, 1, 2]);
    }
}

//! The protocols of one link: message ids, shares, counters

use heapless::Vec;

use super::buffers::Slots;
use super::config::{CodeLimits, Larger, Offer};
use super::counters::Traffic;
use super::limits::{Limits, MAX_MESSAGE, MAX_PROTOCOLS, largest_frame, up_to_4_gib};
use super::share::Share;
use crate::invariant::{invariant, must};
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

/// Memory for what a link keeps of one protocol
///
/// For [`Buffers::fixed`](crate::Buffers::fixed), which takes a slot for each protocol that the node offers.
/// A slot takes 176 bytes, and 144 without an allocator on a 32-bit processor.
#[derive(Debug, Clone)]
pub struct ProtocolSlot(Option<Entry>);

impl ProtocolSlot {
    /// A slot that holds nothing
    pub const EMPTY: Self = Self(None);
}

/// What a link keeps of a protocol
#[derive(Debug, Clone)]
struct Entry {
    local: Local,
    max_message: u32,
    max_send: u32,
    code_limits: CodeLimits,
    larger: Larger,
    share: Share,
    traffic: Traffic,
}

impl Entry {
    /// The limits of the node apply as well as those of each protocol
    fn new(offer: &Offer, limits: &Limits) -> Self {
        let largest = up_to_4_gib(limits.max_message);
        let mut code_limits = offer.code_limits.clone();
        for limit in &mut code_limits {
            limit.max_message = limit.max_message.min(largest);
        }
        Self {
            local: Local { capability: offer.capability, length: offer.length, ids: Ids::Unshared },
            max_message: up_to_4_gib(offer.max_message).min(largest),
            max_send: up_to_4_gib(offer.max_send.min(limits.max_send)),
            code_limits,
            larger: offer.larger,
            share: Share::default(),
            traffic: Traffic::default(),
        }
    }

    fn largest_frame(&self) -> usize {
        largest_frame(self.max_send as usize)
    }

    /// The largest payload with this code that is taken from the peer
    fn limit_of(&self, code: u64) -> usize {
        let own = self.code_limits.iter().find(|limit| u64::from(limit.code) == code);
        own.map_or(self.max_message, |limit| limit.max_message) as usize
    }

    /// The largest payload of any code that is taken from the peer
    fn largest_message(&self) -> usize {
        let codes = self.code_limits.iter().map(|limit| limit.max_message);
        codes.fold(self.max_message, u32::max) as usize
    }

    const fn is_shared(&self) -> bool {
        matches!(self.local.ids, Ids::From(_))
    }

    fn shared(&self, protocol: ProtocolId) -> Option<SharedProtocol> {
        let Local { capability, length, ids } = self.local;
        match ids {
            Ids::Unshared => None,
            Ids::From(offset) => Some(SharedProtocol { protocol, capability, offset: offset.get(), length }),
        }
    }
}

/// All protocols of ours, shared or not, in the order of the configuration
#[derive(Debug)]
pub(super) struct Protocols<'buf> {
    slots: Slots<'buf>,
    /// How many protocols wait to be told that they can write
    refused: usize,
}

/// Where a message of the peer goes
pub(super) struct Route {
    pub(super) protocol: ProtocolId,
    /// Relative to the protocol
    pub(super) code: u64,
    /// The largest payload with this code that is taken from the peer
    pub(super) limit: usize,
    /// What becomes of a larger one
    pub(super) larger: Larger,
}

/// The capacity for writing that is divided among the protocols
#[derive(Debug, Clone, Copy)]
pub(super) enum Capacity {
    /// A growable buffer: bytes of frames that may be unsent in all
    Window(usize),
    /// The caller's buffer, which holds the largest frame of each protocol and more
    Fixed(usize),
}

impl<'buf> Protocols<'buf> {
    /// `slots` has a slot for each of `offers`
    pub(super) fn new(offers: &[Offer], limits: &Limits, mut slots: Slots<'buf>) -> Self {
        for (slot, offer) in slots.renew(offers.len()).iter_mut().zip(offers) {
            *slot = ProtocolSlot(Some(Entry::new(offer, limits)));
        }
        invariant!(slots.get().len() >= offers.len(), "there is a slot for each protocol");
        Self { slots, refused: 0 }
    }

    pub(super) fn into_slots(self) -> Slots<'buf> {
        self.slots
    }
}

impl Protocols<'_> {
    fn entries(&self) -> impl Iterator<Item = &Entry> + '_ {
        self.slots.get().iter().map_while(|slot| slot.0.as_ref())
    }

    fn shared_entries(&self) -> impl Iterator<Item = &Entry> + '_ {
        self.entries().filter(|entry| entry.is_shared())
    }

    /// The shared protocols that have messages
    fn speaking(&self) -> impl Iterator<Item = &Entry> + '_ {
        self.shared_entries().filter(|entry| entry.local.length > 0)
    }

    fn entries_mut(&mut self) -> impl Iterator<Item = &mut Entry> + '_ {
        self.slots.get_mut().iter_mut().map_while(|slot| slot.0.as_mut())
    }

    fn entry(&self, protocol: ProtocolId) -> Option<&Entry> {
        self.slots.get().get(protocol.0)?.0.as_ref()
    }

    fn entry_mut(&mut self, protocol: ProtocolId) -> Option<&mut Entry> {
        self.slots.get_mut().get_mut(protocol.0)?.0.as_mut()
    }

    pub(super) fn capabilities(&self) -> impl Iterator<Item = Capability> + '_ {
        self.entries().map(|entry| entry.local.capability)
    }

    /// Matches ours with those of the remote, and returns whether any is shared
    pub(super) fn assign(&mut self, remote: impl Iterator<Item = Capability>, capacity: Capacity) -> bool {
        let mut locals: Vec<Local, MAX_PROTOCOLS> = kept(self.entries().map(|entry| entry.local));
        capability::assign(&mut locals, remote);
        for (entry, local) in self.entries_mut().zip(&locals) {
            entry.local = *local;
        }
        let count = self.shared_entries().count();
        let frames = self.shared_entries().map(Entry::largest_frame).fold(0, usize::saturating_add);
        for entry in self.entries_mut() {
            entry.share.set_limit(match capacity {
                Capacity::Window(window) => window.checked_div(count).unwrap_or_default(),
                Capacity::Fixed(len) => {
                    let surplus = len.saturating_sub(frames).checked_div(count).unwrap_or_default();
                    entry.largest_frame().saturating_add(surplus)
                }
            });
        }
        count > 0
    }

    pub(super) fn shared(&self) -> impl Iterator<Item = SharedProtocol> + '_ {
        self.entries().enumerate().filter_map(|(index, entry)| entry.shared(ProtocolId(index)))
    }

    /// The protocol, if it is shared
    pub(super) fn find(&self, protocol: ProtocolId) -> Option<SharedProtocol> {
        self.entry(protocol)?.shared(protocol)
    }

    /// Where a message with this id goes
    pub(super) fn route(&self, id: u64) -> Result<Route, Violation> {
        let route = |(index, entry): (usize, &Entry)| {
            let Ids::From(offset) = entry.local.ids else { return None };
            let code = id.checked_sub(offset.get()).filter(|code| *code < entry.local.length)?;
            Some(Route { protocol: ProtocolId(index), code, limit: entry.limit_of(code), larger: entry.larger })
        };
        self.entries().enumerate().find_map(route).ok_or(Violation::UnknownMessageId(id))
    }

    /// The largest payload of any shared protocol that is taken from the peer
    pub(super) fn largest_message(&self) -> usize {
        self.speaking().map(Entry::largest_message).max().unwrap_or_default()
    }

    /// The largest payload that is read from the peer, even if it is not taken
    pub(super) fn largest_read(&self) -> usize {
        let skips = self.speaking().any(|entry| entry.larger == Larger::Skipped);
        if skips { MAX_MESSAGE } else { self.largest_message() }
    }

    /// The largest payload of the protocol that is sent
    pub(super) fn max_send(&self, protocol: ProtocolId) -> usize {
        must(self.entry(protocol).map(|entry| entry.max_send as usize), "a shared protocol has an entry")
    }

    pub(super) fn traffic(&self, protocol: ProtocolId) -> Option<Traffic> {
        self.entry(protocol).map(|entry| entry.traffic)
    }

    /// Counts a message from the peer
    pub(super) fn count_ingress(&mut self, protocol: ProtocolId, payload: usize, wire: usize) {
        if let Some(entry) = self.entry_mut(protocol) {
            entry.traffic.ingress.count(payload, wire);
        }
    }

    /// The length of the largest frame of the protocol that is taken now
    pub(super) fn write_capacity(&self, protocol: ProtocolId, sent: u64) -> usize {
        self.entry(protocol).map_or(0, |entry| entry.share.capacity(sent))
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
        let index = self.entries_mut().position(|entry| entry.share.take_writable(sent))?;
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

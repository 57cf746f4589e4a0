//! The protocols of one link: message ids, shares, counters

use core::num::NonZeroU64;

use heapless::Vec;

use super::config::Offer;
use super::counters::{Counters, Traffic};
use super::limits::{Limits, MAX_PROTOCOLS, largest_frame};
use super::rows::{Row, Rows, Word};
use super::share::{Share, up_to_4_gib};
use crate::invariant::{invariant, must};
use crate::p2p::capability::{self, Ids, Local};
use crate::protocol::{Capability, Name, ProtocolId};
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

/// What a link keeps of a protocol
#[derive(Debug)]
struct Entry {
    local: Local,
    max_message: u32,
    max_send: u32,
    share: Share,
    traffic: Traffic,
}

impl Entry {
    /// The limits of the node apply as well as those of each protocol
    fn new(offer: &Offer, limits: &Limits) -> Self {
        Self {
            local: Local { capability: offer.capability, length: offer.length, ids: Ids::Unshared },
            max_message: up_to_4_gib(offer.max_message.min(limits.max_message)),
            max_send: up_to_4_gib(offer.max_send.min(limits.max_send)),
            share: Share::default(),
            traffic: Traffic::default(),
        }
    }

    #[inline(always)] // so that only what is used is read
    fn read(row: &Row) -> Self {
        let [name, version, length, offset, limits, share, end, traffic @ ..] = *row;
        let capability = Capability { name: Name::from_padded(name), version: u64::from_le_bytes(version) };
        let ids = NonZeroU64::new(u64::from_le_bytes(offset)).map_or(Ids::Unshared, Ids::From);
        let (max_message, max_send) = halves(limits);
        let [messages_in, payload_in, wire_in, messages_out, payload_out, wire_out] = traffic.map(u64::from_le_bytes);
        Self {
            local: Local { capability, length: u64::from_le_bytes(length), ids },
            max_message,
            max_send,
            share: Share::from_parts(halves(share), u64::from_le_bytes(end)),
            traffic: Traffic {
                ingress: Counters { messages: messages_in, payload_bytes: payload_in, wire_bytes: wire_in },
                egress: Counters { messages: messages_out, payload_bytes: payload_out, wire_bytes: wire_out },
            },
        }
    }

    #[inline(always)] // so that only what has changed is written
    fn write(&self) -> Row {
        let Self { local: Local { capability, length, ids }, max_message, max_send, share, traffic } = self;
        let offset = match ids {
            Ids::Unshared => 0,
            Ids::From(offset) => offset.get(),
        };
        let (of_share, end) = share.into_parts();
        let Traffic { ingress, egress } = traffic;
        [
            capability.name.to_padded(),
            capability.version.to_le_bytes(),
            length.to_le_bytes(),
            offset.to_le_bytes(),
            joined((*max_message, *max_send)),
            joined(of_share),
            end.to_le_bytes(),
            ingress.messages.to_le_bytes(),
            ingress.payload_bytes.to_le_bytes(),
            ingress.wire_bytes.to_le_bytes(),
            egress.messages.to_le_bytes(),
            egress.payload_bytes.to_le_bytes(),
            egress.wire_bytes.to_le_bytes(),
        ]
    }

    fn shared(&self, protocol: ProtocolId) -> Option<SharedProtocol> {
        let Local { capability, length, ids } = self.local;
        match ids {
            Ids::Unshared => None,
            Ids::From(offset) => Some(SharedProtocol { protocol, capability, offset: offset.get(), length }),
        }
    }
}

/// Two numbers of four bytes in one word of a row
const fn halves([a, b, c, d, e, f, g, h]: Word) -> (u32, u32) {
    (u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h]))
}

const fn joined((low, high): (u32, u32)) -> Word {
    let ([a, b, c, d], [e, f, g, h]) = (low.to_le_bytes(), high.to_le_bytes());
    [a, b, c, d, e, f, g, h]
}

/// All protocols of ours, shared or not, in the order of the configuration
#[derive(Debug)]
pub(super) struct Protocols<'buf> {
    rows: Rows<'buf>,
    /// How many of the rows are used
    count: usize,
    /// How many protocols wait to be told that they can write
    refused: usize,
}

/// Where a message of the peer goes
pub(super) struct Route {
    pub(super) protocol: ProtocolId,
    /// Relative to the protocol
    pub(super) code: u64,
    /// The largest payload of the protocol that is taken from the peer
    pub(super) max_message: usize,
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
    /// `rows` has a row for each of `offers`, with any content
    pub(super) fn new(offers: &[Offer], limits: &Limits, mut rows: Rows<'buf>) -> Self {
        for (row, offer) in rows.get_mut().iter_mut().zip(offers) {
            *row = Entry::new(offer, limits).write();
        }
        invariant!(rows.get().len() >= offers.len(), "there is a row for each protocol");
        Self { rows, count: offers.len(), refused: 0 }
    }

    pub(super) fn into_rows(self) -> Rows<'buf> {
        self.rows
    }
}

impl Protocols<'_> {
    fn entries(&self) -> impl Iterator<Item = Entry> + '_ {
        self.rows.get().iter().take(self.count).map(Entry::read)
    }

    fn entry(&self, protocol: ProtocolId) -> Option<Entry> {
        if protocol.0 < self.count { self.rows.get().get(protocol.0).map(Entry::read) } else { None }
    }

    /// Changes what is kept of a protocol; `None` if there is no such protocol
    #[inline]
    fn update<T>(&mut self, protocol: ProtocolId, change: impl FnOnce(&mut Entry) -> T) -> Option<T> {
        if protocol.0 >= self.count {
            return None;
        }
        let row = self.rows.get_mut().get_mut(protocol.0)?;
        let mut entry = Entry::read(row);
        let result = change(&mut entry);
        *row = entry.write();
        Some(result)
    }

    pub(super) fn capabilities(&self) -> impl Iterator<Item = Capability> + '_ {
        self.entries().map(|entry| entry.local.capability)
    }

    /// Matches ours with those of the remote, and returns whether any is shared
    pub(super) fn assign(&mut self, remote: impl Iterator<Item = Capability>, capacity: Capacity) -> bool {
        let mut locals: Vec<Local, MAX_PROTOCOLS> = kept(self.entries().map(|entry| entry.local));
        capability::assign(&mut locals, remote);
        let shared = |local: &Local| local.ids != Ids::Unshared;
        let count = locals.iter().filter(|local| shared(local)).count();
        let frames = locals.iter().zip(self.entries()).filter(|(local, _)| shared(local));
        let frames = frames.fold(0_usize, |sum, (_, entry)| sum.saturating_add(largest_frame(entry.max_send as usize)));
        for (index, local) in locals.into_iter().enumerate() {
            self.update(ProtocolId(index), |entry| {
                entry.local = local;
                entry.share.set_limit(match capacity {
                    Capacity::Window(window) => window.checked_div(count).unwrap_or_default(),
                    Capacity::Fixed(len) => {
                        let surplus = len.saturating_sub(frames).checked_div(count).unwrap_or_default();
                        largest_frame(entry.max_send as usize).saturating_add(surplus)
                    }
                });
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

    /// The protocol and the relative code for which a message id stands
    #[inline]
    pub(super) fn route(&self, id: u64) -> Result<Route, Violation> {
        let route = |(index, entry): (usize, Entry)| {
            let Ids::From(offset) = entry.local.ids else { return None };
            let code = id.checked_sub(offset.get()).filter(|code| *code < entry.local.length)?;
            Some(Route { protocol: ProtocolId(index), code, max_message: entry.max_message as usize })
        };
        self.entries().enumerate().find_map(route).ok_or(Violation::UnknownMessageId(id))
    }

    /// The largest payload of any shared protocol that is taken from the peer
    pub(super) fn largest_message(&self) -> usize {
        let shared = self.entries().filter(|entry| entry.local.ids != Ids::Unshared);
        shared.map(|entry| entry.max_message as usize).max().unwrap_or_default()
    }

    /// The largest payload of the protocol that is sent
    pub(super) fn max_send(&self, protocol: ProtocolId) -> usize {
        must(self.entry(protocol).map(|entry| entry.max_send as usize), "a shared protocol has an entry")
    }

    pub(super) fn traffic(&self, protocol: ProtocolId) -> Option<Traffic> {
        self.entry(protocol).map(|entry| entry.traffic)
    }

    /// Counts a message from the peer
    #[inline]
    pub(super) fn count_ingress(&mut self, protocol: ProtocolId, payload: usize, wire: usize) {
        self.update(protocol, |entry| entry.traffic.ingress.count(payload, wire));
    }

    /// The length of the largest frame of the protocol that is taken now
    pub(super) fn write_capacity(&self, protocol: ProtocolId, sent: u64) -> usize {
        self.entry(protocol).map_or(0, |entry| entry.share.capacity(sent))
    }

    /// Notes that a message of the protocol was refused
    pub(super) fn refuse(&mut self, protocol: ProtocolId) {
        if self.update(protocol, |entry| entry.share.refuse()) == Some(true) {
            self.refused = self.refused.saturating_add(1);
        }
    }

    /// Notes a message of the protocol whose frame of `wire` bytes ends at this position
    pub(super) fn wrote(&mut self, protocol: ProtocolId, payload: usize, wire: usize, sent: u64, end: u64) {
        self.update(protocol, |entry| {
            entry.share.wrote(wire, sent, end);
            entry.traffic.egress.count(payload, wire);
        });
    }

    /// The next protocol that is to be told that it can write; each is told once
    pub(super) fn take_writable(&mut self, sent: u64) -> Option<ProtocolId> {
        if self.refused == 0 {
            return None;
        }
        let mut protocols = (0..self.count).map(ProtocolId);
        let writable = protocols.find(|id| self.update(*id, |entry| entry.share.take_writable(sent)) == Some(true))?;
        self.refused = self.refused.saturating_sub(1);
        Some(writable)
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
    fn a_row_keeps_everything() {
        let offer = Offer { capability: "eth/69".parse().unwrap(), length: 18, max_message: 1_000, max_send: 2_000 };
        let new = Entry::new(&offer, &Limits { max_message: 3_000, max_send: 1_500, ..Limits::default() });
        assert_eq!((new.max_message, new.max_send), (1_000, 1_500), "the smaller limit applies");
        let ids = Ids::From(NonZeroU64::new(0x1d).unwrap());
        let mut share = Share::default();
        share.set_limit(4_000);
        share.wrote(300, 10, 310);
        let counters =
            |first: u64| Counters { messages: first, payload_bytes: first + 1, wire_bytes: u64::MAX - first };
        let used = Entry {
            local: Local { ids, ..new.local },
            share,
            traffic: Traffic { ingress: counters(7), egress: counters(20) },
            ..new
        };
        for entry in [new, used] {
            assert_eq!(std::format!("{:?}", Entry::read(&entry.write())), std::format!("{entry:?}"));
        }
    }

    #[test]
    fn what_does_not_fit_is_left_out() {
        assert_eq!(kept::<_, 3>(0..2), [0, 1]);
        assert_eq!(kept::<_, 3>(0..5), [0, 1, 2]);
    }
}

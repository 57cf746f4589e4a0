//! The protocols of one link: message id ranges, turns at writing, counters

use heapless::Vec;

use super::config::{MAX_PROTOCOLS, Slot};
use crate::error::Violation;
use crate::p2p::capability::{self, Share};
use crate::protocol::{Capability, ProtocolId};

/// A protocol that both sides run, and where its messages are on this link
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct SharedProtocol {
    /// Which of our protocols it is
    pub protocol: ProtocolId,
    /// Its name and version
    pub capability: Capability,
    /// The message id on the wire of its code 0
    pub offset: u64,
    /// How many codes it has
    pub length: u64,
}

/// What has gone one way
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Counters {
    /// Messages
    pub messages: u64,
    /// Bytes of their payloads, not compressed
    pub payload_bytes: u64,
    /// Bytes of their frames, as on the wire
    pub wire_bytes: u64,
}

impl Counters {
    pub(super) fn count(&mut self, payload: usize, wire: usize) {
        self.messages = self.messages.saturating_add(1);
        self.payload_bytes = self.payload_bytes.saturating_add(payload as u64);
        self.wire_bytes = self.wire_bytes.saturating_add(wire as u64);
    }
}

/// What has gone both ways
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Traffic {
    /// From the peer
    pub ingress: Counters,
    /// To the peer
    pub egress: Counters,
}

/// What a protocol was refused
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Claim {
    /// How early that was
    ticket: u64,
    /// How many bytes it takes
    need: usize,
}

/// A protocol's place in the order of writing
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    /// Has not been refused
    Free,
    /// Was refused
    Waiting(Claim),
    /// Has been told that the room is there, and may have it before those with later tickets
    Offered(Claim),
    /// Has come for that room, and another had had it
    PassedOver(Claim),
    /// Has been told once more, and this time the room is kept
    OfferedAgain(Claim),
}

impl Turn {
    const fn claim(self) -> Option<Claim> {
        match self {
            Self::Free => None,
            Self::Waiting(claim) | Self::Offered(claim) | Self::PassedOver(claim) | Self::OfferedAgain(claim) => {
                Some(claim)
            }
        }
    }

    /// Whether others must leave the room free; `all_left` says that no protocol's messages wait
    ///
    /// An offer that is not taken up when everything has left may never be: whoever lost interest
    /// holds nobody up. Who has come and found the room gone has shown interest.
    const fn stands(self, all_left: bool) -> bool {
        match self {
            Self::Free => false,
            Self::Offered(_) => !all_left,
            Self::Waiting(_) | Self::PassedOver(_) | Self::OfferedAgain(_) => true,
        }
    }

    /// What becomes of it when the room is there; nothing if there is nobody to tell
    const fn offered(self) -> Option<Self> {
        match self {
            Self::Waiting(claim) => Some(Self::Offered(claim)),
            Self::PassedOver(claim) => Some(Self::OfferedAgain(claim)),
            Self::Free | Self::Offered(_) | Self::OfferedAgain(_) => None,
        }
    }
}

#[derive(Debug)]
struct Entry {
    slot: Slot,
    turn: Turn,
    traffic: Traffic,
}

/// All protocols of ours, shared or not
#[derive(Debug)]
pub(super) struct Protocols {
    entries: Vec<Entry, MAX_PROTOCOLS>,
    next_ticket: u64,
    /// How many are not `Turn::Free`, so that nobody is looked for when nobody waits
    waiting: usize,
}

impl Protocols {
    pub(super) fn new(slots: &[Slot]) -> Self {
        let entries = slots.iter().map(|slot| Entry { slot: *slot, turn: Turn::Free, traffic: Traffic::default() });
        Self { entries: kept(entries), next_ticket: 0, waiting: 0 }
    }

    pub(super) fn capabilities(&self) -> impl Iterator<Item = Capability> + '_ {
        self.entries.iter().map(|entry| entry.slot.capability)
    }

    /// Matches ours with the remote's, and returns whether anything is shared
    pub(super) fn assign(&mut self, remote: impl Iterator<Item = Capability>) -> bool {
        let mut slots: Vec<Slot, MAX_PROTOCOLS> = kept(self.entries.iter().map(|entry| entry.slot));
        capability::assign(&mut slots, remote);
        for (entry, slot) in self.entries.iter_mut().zip(slots) {
            entry.slot = slot;
        }
        self.shared().next().is_some()
    }

    pub(super) fn shared(&self) -> impl Iterator<Item = SharedProtocol> + '_ {
        (0..self.entries.len()).filter_map(|index| self.find(ProtocolId(index)))
    }

    /// The protocol, if it is shared
    pub(super) fn find(&self, protocol: ProtocolId) -> Option<SharedProtocol> {
        let Slot { capability, length, share, .. } = self.entries.get(protocol.0)?.slot;
        match share {
            Share::Unshared => None,
            Share::Shared { offset } => Some(SharedProtocol { protocol, capability, offset, length }),
        }
    }

    /// The protocol and the relative code that a message id stands for
    pub(super) fn route(&self, id: u64) -> Result<(ProtocolId, u64), Violation> {
        let relative = |shared: SharedProtocol| {
            let code = id.checked_sub(shared.offset)?;
            (code < shared.length).then_some((shared.protocol, code))
        };
        self.shared().find_map(relative).ok_or(Violation::UnknownMessageId(id))
    }

    /// The largest payload that the protocol takes or sends
    pub(super) fn max_message(&self, protocol: ProtocolId) -> usize {
        self.entries.get(protocol.0).map_or(0, |entry| entry.slot.max_message)
    }

    pub(super) fn traffic(&self, protocol: ProtocolId) -> Option<Traffic> {
        self.entries.get(protocol.0).map(|entry| entry.traffic)
    }

    pub(super) fn traffic_mut(&mut self, protocol: ProtocolId) -> Option<&mut Traffic> {
        self.entries.get_mut(protocol.0).map(|entry| &mut entry.traffic)
    }

    /// How much of the room is spoken for by protocols that were refused before this one
    pub(super) fn claimed_before(&self, protocol: ProtocolId, all_left: bool) -> usize {
        if self.waiting == 0 {
            return 0;
        }
        let own = self.entries.get(protocol.0).and_then(|entry| entry.turn.claim());
        self.claimed_before_ticket(own.map_or(u64::MAX, |claim| claim.ticket), all_left)
    }

    fn claimed_before_ticket(&self, limit: u64, all_left: bool) -> usize {
        let turns = self.entries.iter().map(|entry| entry.turn).filter(|turn| turn.stands(all_left));
        let earlier = turns.filter_map(Turn::claim).filter(|claim| claim.ticket < limit);
        earlier.fold(0, |sum, claim| sum.saturating_add(claim.need))
    }

    /// Notes that a protocol was refused `need` bytes; it keeps the place it has
    pub(super) fn refuse(&mut self, protocol: ProtocolId, need: usize) {
        let Some(entry) = self.entries.get_mut(protocol.0) else {
            return;
        };
        entry.turn = match entry.turn {
            Turn::Waiting(claim) => Turn::Waiting(Claim { need, ..claim }),
            Turn::Offered(claim) | Turn::PassedOver(claim) | Turn::OfferedAgain(claim) => {
                Turn::PassedOver(Claim { need, ..claim })
            }
            Turn::Free => {
                let ticket = self.next_ticket;
                self.next_ticket = ticket.saturating_add(1);
                self.waiting = self.waiting.saturating_add(1);
                Turn::Waiting(Claim { ticket, need })
            }
        };
    }

    /// Notes that a protocol has written, and so had its turn
    ///
    /// A smaller message that went ahead of the refused one leaves that in its place: whoever wrote
    /// it still waits to be told.
    pub(super) fn wrote(&mut self, protocol: ProtocolId, len: usize) {
        let Some(entry) = self.entries.get_mut(protocol.0) else {
            return;
        };
        match entry.turn {
            Turn::Free => {}
            Turn::Waiting(claim) | Turn::PassedOver(claim) if len < claim.need => {}
            _ => {
                entry.turn = Turn::Free;
                self.waiting = self.waiting.saturating_sub(1);
            }
        }
    }

    /// Ends the turns that were offered and not used, now that all messages have left
    pub(super) fn lapse(&mut self) {
        self.end_turns(|turn| matches!(turn, Turn::Offered(_)));
    }

    /// Ends all turns that were offered and not used, of whoever has had much time for it
    pub(super) fn lapse_all(&mut self) {
        self.end_turns(|turn| matches!(turn, Turn::Offered(_) | Turn::OfferedAgain(_)));
    }

    fn end_turns(&mut self, over: impl Fn(Turn) -> bool) {
        if self.waiting == 0 {
            return;
        }
        for entry in self.entries.iter_mut().filter(|entry| over(entry.turn)) {
            entry.turn = Turn::Free;
            self.waiting = self.waiting.saturating_sub(1);
        }
    }

    /// The first protocol whose refused message fits now; it is told once
    ///
    /// `room` says how much there is beside what others have a claim to.
    pub(super) fn take_writable(&mut self, room: impl Fn(usize) -> usize, all_left: bool) -> Option<ProtocolId> {
        if self.waiting == 0 {
            return None;
        }
        let turns = self.entries.iter().enumerate().map(|(index, entry)| (index, entry.turn));
        let waiting = turns.filter_map(|(index, turn)| Some((index, turn.claim()?, turn.offered()?)));
        let (index, claim, offered) = waiting.min_by_key(|(_, claim, _)| claim.ticket)?;
        if claim.need > room(self.claimed_before_ticket(claim.ticket, all_left)) {
            return None;
        }
        self.entries.get_mut(index)?.turn = offered;
        Some(ProtocolId(index))
    }
}

/// As many of the items as there is room for, where `collect` would panic beyond that
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
    use crate::protocol::Name;

    fn protocols(count: usize) -> Protocols {
        let slot = |index: usize| Slot {
            capability: Capability { name: Name::new(&[b'a' + index as u8]).unwrap(), version: 1 },
            length: 1,
            max_message: 1000,
            share: Share::Shared { offset: 16 + index as u64 },
        };
        Protocols::new(&(0..count).map(slot).collect::<std::vec::Vec<_>>())
    }

    fn beside(room: usize) -> impl Fn(usize) -> usize {
        move |claimed| room.saturating_sub(claimed)
    }

    const A: ProtocolId = ProtocolId(0);
    const B: ProtocolId = ProtocolId(1);
    const C: ProtocolId = ProtocolId(2);

    #[test]
    fn turns_come_in_the_order_of_refusals() {
        let mut protocols = protocols(3);
        protocols.refuse(B, 50);
        protocols.refuse(A, 10);
        assert_eq!(protocols.take_writable(beside(40), false), None, "room for a, but b was refused before");
        assert_eq!(protocols.take_writable(beside(60), false), Some(B));
        assert_eq!(protocols.take_writable(beside(60), false), Some(A));
        assert_eq!(protocols.take_writable(beside(60), false), None, "each is told once");
    }

    #[test]
    fn room_that_was_offered_is_kept_until_it_is_used() {
        let mut protocols = protocols(3);
        protocols.refuse(B, 50);
        assert_eq!(protocols.claimed_before(C, false), 50);
        assert_eq!(protocols.claimed_before(C, true), 50, "not even offered yet");
        assert_eq!(protocols.take_writable(beside(50), false), Some(B));
        assert_eq!(protocols.claimed_before(C, false), 50);
        assert_eq!(protocols.claimed_before(C, true), 0);
        assert_eq!(protocols.claimed_before(B, false), 0);
        protocols.wrote(B, 50);
        assert_eq!(protocols.claimed_before(C, false), 0);
    }

    #[test]
    fn a_second_refusal_keeps_the_place() {
        let mut protocols = protocols(3);
        protocols.refuse(A, 50);
        protocols.refuse(B, 50);
        protocols.refuse(A, 20);
        assert_eq!(protocols.take_writable(beside(20), false), Some(A));
    }

    #[test]
    fn a_smaller_message_leaves_the_refused_one_in_its_place() {
        let mut protocols = protocols(2);
        protocols.refuse(A, 100);
        protocols.wrote(A, 10);
        assert_eq!(protocols.take_writable(beside(100), false), Some(A));
        protocols.wrote(A, 10);
        assert_eq!(protocols.claimed_before(B, false), 0, "it was told, and used its turn for something else");
    }

    #[test]
    fn an_offer_lapses_when_everything_has_been_sent() {
        let mut protocols = protocols(2);
        protocols.refuse(A, 100);
        assert_eq!(protocols.take_writable(beside(100), true), Some(A));
        protocols.lapse();
        assert_eq!(protocols.claimed_before(B, false), 0);
    }

    #[test]
    fn who_was_passed_over_keeps_the_turn_until_all_turns_end() {
        let mut protocols = protocols(2);
        protocols.refuse(A, 100);
        assert_eq!(protocols.take_writable(beside(100), true), Some(A));
        assert_eq!(protocols.claimed_before(B, true), 0);
        protocols.wrote(B, 100);
        protocols.refuse(A, 100);
        assert_eq!(protocols.take_writable(beside(100), true), Some(A));
        protocols.lapse();
        assert_eq!(protocols.claimed_before(B, true), 100);
        protocols.lapse_all();
        assert_eq!(protocols.claimed_before(B, true), 0);
        assert_eq!(protocols.waiting, 0);
    }

    #[test]
    fn an_unused_turn_holds_nobody_up() {
        let mut protocols = protocols(3);
        protocols.refuse(A, 100);
        protocols.refuse(B, 100);
        assert_eq!(protocols.take_writable(beside(100), true), Some(A));
        assert_eq!(protocols.take_writable(beside(100), false), None);
        assert_eq!(protocols.take_writable(beside(100), true), Some(B));
    }
}

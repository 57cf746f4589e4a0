//! The MACs of several links side by side, one permutation at a time
//!
//! A lane is a place for the MACs of one link. The links are independent of each other: each is at its own part of a
//! frame, and at its own offset of its sponge. A lane that is done takes the next link.

use heapless::Vec;

use super::mac::{MacWork, Tag};
use super::occupancy::Occupancy;
use crate::keccak::{Absorption, Due, permute_all};

/// As many as the widest permutation has places
const LANES: usize = Occupancy::LANES;

/// Lanes, some of which are at work
///
/// Dropping the lanes completes what was pushed, even after a panic: a frame without its MACs must not be left over.
pub(crate) struct Lanes<'a, 'b> {
    places: [Option<Lane<'a>>; LANES],
    occupancy: &'b mut Occupancy,
}

impl<'a, 'b> Lanes<'a, 'b> {
    /// Lanes that note in `occupancy` how many of them are at work
    pub(crate) const fn new(occupancy: &'b mut Occupancy) -> Self {
        Self { places: [const { None }; LANES], occupancy }
    }

    /// Gives work to a free lane; runs the lanes until one is free, if none is
    pub(crate) fn push(&mut self, work: MacWork<'a>) {
        let Some(part) = Part::first(&work) else { return };
        while self.places.iter().all(Option::is_some) {
            self.step();
        }
        if let Some(free) = self.places.iter_mut().find(|place| place.is_none()) {
            // The lane is made in its place, since to move it would copy the memory for a whole state.
            free.insert(Lane { work, part, absorption: Absorption::new() }).absorb();
        }
    }

    /// Runs one permutation of each lane, and what follows from it
    fn step(&mut self) {
        let mut due = Vec::<_, LANES>::new();
        for lane in self.places.iter_mut().flatten() {
            _ = due.push(lane.due());
        }
        let (lanes, blocks) = (due.len(), permute_all(&mut due));
        drop(due);
        self.occupancy.note(lanes, blocks.saturating_add(1));
        for place in &mut self.places {
            if place.as_mut().is_some_and(|lane| lane.permuted(blocks).is_none()) {
                *place = None;
            }
        }
    }
}

impl Drop for Lanes<'_, '_> {
    fn drop(&mut self) {
        while self.places.iter().any(Option::is_some) {
            self.step();
        }
    }
}

/// MACs under way
struct Lane<'a> {
    work: MacWork<'a>,
    part: Part,
    absorption: Absorption,
}

/// What is absorbed
enum Part {
    /// The seed whose digest is the MAC of the header
    HeaderSeed(Tag),
    /// The body, whose digest makes the seed of its MAC
    Body,
    /// The seed whose digest is the MAC of the body
    BodySeed(Tag),
}

impl Part {
    fn first(MacWork { mac, cipher, header, body }: &MacWork<'_>) -> Option<Self> {
        match (header, body) {
            (Some((ciphertext, _)), _) => Some(Self::HeaderSeed(mac.seed(cipher, ciphertext))),
            (None, body) => body.as_ref().map(|_| Self::Body),
        }
    }

    fn bytes<'b>(&'b self, body: &'b Option<(&[u8], &mut Tag)>) -> &'b [u8] {
        match (self, body) {
            (Self::HeaderSeed(seed) | Self::BodySeed(seed), _) => seed,
            (Self::Body, Some((ciphertext, _))) => ciphertext,
            (Self::Body, None) => &[],
        }
    }

    /// What follows once everything of this part was absorbed
    fn next(&self, MacWork { mac, cipher, header, body }: &mut MacWork<'_>, digest: Tag) -> Option<Self> {
        mac.digest = digest;
        let (tag, next) = match self {
            Self::HeaderSeed(_) => (header.as_mut().map(|(_, tag)| tag), body.as_ref().map(|_| Self::Body)),
            Self::Body => (None, Some(Self::BodySeed(mac.seed(cipher, &digest)))),
            Self::BodySeed(_) => (body.as_mut().map(|(_, tag)| tag), None),
        };
        if let Some(tag) = tag {
            **tag = digest;
        }
        next
    }
}

impl Lane<'_> {
    /// Mixes bytes in up to the next permutation
    fn absorb(&mut self) {
        self.absorption.step(&mut self.work.mac.sponge, self.part.bytes(&self.work.body));
    }

    /// The permutation that is due
    fn due(&mut self) -> Due<'_> {
        let Self { work: MacWork { mac, body, .. }, part, absorption } = self;
        absorption.due(&mut mac.sponge, part.bytes(body))
    }

    /// Goes on to the next permutation, after one has run and `blocks` blocks were absorbed; `None` at the end
    fn permuted(&mut self, blocks: usize) -> Option<()> {
        if let Some(digest) = self.absorption.permuted(blocks) {
            self.part = self.part.next(&mut self.work, digest)?;
            self.absorption = Absorption::new();
        }
        self.absorb();
        Some(())
    }
}

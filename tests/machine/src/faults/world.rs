//! Two sides, the network between them, and true time

use std::hash::Hasher;

use devp2p_proto::internal::past_handshake;
use devp2p_proto::{Buffers, Instant, PeerState, Role};
use devp2p_testing::{entropy, key};

use super::judge;
use super::plan::{HEALED, Plan};
use super::side::{IDLE, Side};
use super::wire::{Time, Wire};

/// How far a run is
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Faulty,
    /// Faults are over, and both sides idle
    Healed,
    /// The network is dead
    Dead,
    Over,
}

/// Two sides, the network between them, and true time
pub struct World {
    pub plan: Plan,
    pub now: Time,
    /// The initiator and the recipient
    pub sides: [Side; 2],
    /// The directions from them
    pub wires: [Wire; 2],
    pub was_reset: bool,
    phase: Phase,
    turns_now: u32,
}

impl World {
    /// The world at the start of this plan
    pub fn new(plan: Plan) -> Self {
        let [ours, theirs] = plan.sides.clone();
        let wires = [Wire::new(ours.faults.clone()), Wire::new(theirs.faults.clone())];
        let sides = [
            Side::new(ours, plan.beta_takes, |now| link(&plan, now, Role::Initiator)),
            Side::new(theirs, plan.beta_takes, |now| link(&plan, now, Role::Recipient)),
        ];
        Self { plan, now: 0, sides, wires, was_reset: false, phase: Phase::Faulty, turns_now: 0 }
    }

    /// Goes on to what happens next; false once everything is over
    pub fn step(&mut self) -> bool {
        if self.phase == Phase::Over {
            return false;
        }
        let next = (0..2).filter_map(|side| self.sides[side].next(self.now, &self.wires[1 - side])).min();
        let reset = self.plan.reset.filter(|_| !self.was_reset);
        let next = [next, reset, self.end_of_phase()].into_iter().flatten().min().expect("a phase has an end");
        self.turns_now = if next == self.now { self.turns_now + 1 } else { 0 };
        assert!(
            self.turns_now < 100_000,
            "the nodes do not come to rest: {:?} {:?}",
            self.sides[0].link,
            self.sides[1].link
        );
        self.now = next;
        if reset.is_some_and(|at| at <= self.now) {
            self.reset();
        }
        self.turns();
        if self.end_of_phase().is_some_and(|end| end <= self.now) || self.is_over() {
            self.next_phase();
        }
        true
    }

    /// Both drivers have their turns, since what one reads makes room for the other
    fn turns(&mut self) {
        let [ours, theirs] = &mut self.sides;
        let [to_them, to_us] = &mut self.wires;
        let mut turns = 0;
        while ours.turn(self.now, to_us, to_them) | theirs.turn(self.now, to_them, to_us) {
            turns += 1;
            // When the network is full, each turn may move a single byte.
            assert!(turns < 2_000_000, "they never come to rest: {:?} {:?}", ours.link, theirs.link);
        }
    }

    fn reset(&mut self) {
        self.was_reset = true;
        if self.is_over() {
            return;
        }
        self.wires.iter_mut().for_each(|wire| wire.reset(self.now));
        self.sides.iter_mut().for_each(|side| side.reset(self.now));
    }

    fn is_over(&self) -> bool {
        self.sides.iter().all(|side| side.end.is_some())
    }

    fn end_of_phase(&self) -> Option<Time> {
        match self.phase {
            Phase::Faulty => Some(HEALED),
            Phase::Healed => Some(HEALED + IDLE),
            Phase::Dead => Some(HEALED + IDLE + self.plan.longest()),
            Phase::Over => None,
        }
    }

    fn next_phase(&mut self) {
        self.phase = match self.phase {
            _ if self.is_over() => Phase::Over,
            Phase::Faulty => {
                self.sides.iter_mut().for_each(|side| side.heal(self.now));
                for wire in &mut self.wires {
                    (wire.faults.per_byte, wire.faults.latency) = (0, wire.faults.latency.min(100_000_000));
                    wire.faults.capacity = 1 << 16;
                }
                Phase::Healed
            }
            Phase::Healed => {
                judge::after_idling(self);
                self.wires.iter_mut().for_each(|wire| wire.die(self.now));
                Phase::Dead
            }
            Phase::Dead | Phase::Over => {
                panic!("without a network they live on: {:?} {:?}", self.sides[0].link, self.sides[1].link)
            }
        };
        if self.phase == Phase::Over {
            judge::at_the_end(self);
        }
    }

    /// A number for everything that both sides have seen, and when
    pub fn history(&self) -> [u64; 2] {
        [0, 1].map(|side: usize| self.sides[side].history.finish())
    }
}

fn link(plan: &Plan, now: Instant, role: Role) -> PeerState<'static> {
    let (ours, theirs) = if role == Role::Initiator { (1, 2) } else { (2, 1) };
    let (config, remote, buffers) = (plan.config(ours), key(theirs).node_id(), Buffers::growable());
    let link = match (plan.handshake, role) {
        (None, _) => past_handshake(now, &config, role, remote, buffers),
        (Some(seed), Role::Initiator) => PeerState::initiator(now, &config, remote, entropy(seed | 1), buffers),
        (Some(seed), Role::Recipient) => PeerState::recipient(now, &config, entropy(!seed), buffers),
    };
    link.unwrap()
}

//! Batches of links beside links one by one
//!
//! Every pair of links is there twice, with the same keys and buffers. The same operations happen to both: to one with the
//! methods of each link, to the other with the functions of `batch`. After each operation the two must not differ: in the
//! results of the calls, the unsent bytes, the actions, the counters, and the deadlines.

mod operation;
mod pairs;

use devp2p_proto::{Cause, Instant, MessageEvent, WriteError, batch};
use devp2p_testing::{Node, Pipe};

use crate::faults::Random;
use operation::{Operation, Side, draw};
use pairs::{Memory, Pairs, Plan, compare};

/// Operations of one run
const OPERATIONS: usize = 80;
/// The most pairs of one run: more than a batch works on at the same time
const MAX_PAIRS: u64 = 40;

/// What has happened to the links, so that a test can see that it was not nothing
#[derive(Debug, Default)]
pub struct Summary {
    /// Messages that were delivered
    pub delivered: usize,
    /// Links that have ended by a violation
    pub violations: usize,
    /// Links that live
    pub alive: usize,
}

/// Runs pairs through operations, and panics if links in batches are not as links one by one
///
/// Handshakes take a hundred times as long as all the rest, so there may be none.
pub fn run(handshakes: bool, mut random: Random<'_>) -> Summary {
    let most = if random.one_in(4) { MAX_PAIRS } else { 12 };
    let pairs = random.within(1..most);
    let plans: Vec<_> = (0..pairs).map(|number| Plan::draw(number as u8, handshakes, &mut random)).collect();
    let mut memory: Vec<_> = plans.iter().map(|plan| [Memory::of(plan), Memory::of(plan)]).collect();
    let (ours, theirs) = memory.iter_mut().map(|[alone, together]| (alone, together)).unzip::<_, _, Vec<_>, Vec<_>>();
    let (alone, together) = (Pairs::new(&plans, ours), Pairs::new(&plans, theirs));
    let mut twins = Twins { now: Instant::ZERO, alone, together, delivered: 0 };
    if !random.one_in(3) {
        twins.settle(); // handshakes and Hellos
    }
    for _ in 0..OPERATIONS {
        let operation = draw(plans.len(), &mut random);
        twins.perform(&operation);
        twins.compare(&operation);
    }
    twins.settle();
    twins.summary()
}

/// The same pairs, twice
struct Twins<'buf> {
    now: Instant,
    alone: Pairs<'buf>,
    together: Pairs<'buf>,
    /// Messages of the links in batches so far
    delivered: usize,
}

impl Twins<'_> {
    fn perform(&mut self, operation: &Operation) {
        match operation {
            Operation::Write(side, links, write) => {
                let alone = self.alone.chosen(*side, links).map(|(number, node, _)| {
                    node.link.write(self.now, write.protocol(number), write.code, &write.payload)
                });
                let alone: Vec<Result<MessageEvent, WriteError>> = alone.collect();
                let mut together = vec![None; alone.len()];
                let chosen = self.together.chosen(*side, links).zip(&mut together);
                let chosen = chosen.map(|((number, node, _), slot)| (slot, &mut node.link, write.protocol(number)));
                batch::write(self.now, chosen, write.code, &write.payload, |slot, outcome| *slot = Some(outcome));
                assert_eq!(alone.into_iter().map(Some).collect::<Vec<_>>(), together, "{operation:?}");
            }
            Operation::Receive(side, links, most) => _ = self.receive(*side, links, *most),
            Operation::Advance(time) => {
                self.now = self.now.checked_add(*time).unwrap();
                self.on_each(|now, node, _| node.link.handle_timeout(now));
            }
            Operation::Act(side) => {
                for pairs in [&mut self.alone, &mut self.together] {
                    pairs.of(*side).for_each(|(node, output, _)| act(self.now, node, output));
                }
            }
            Operation::One(side, link, happening) => {
                for pairs in [&mut self.alone, &mut self.together] {
                    let (node, output, input) = pairs.of(*side).nth(*link).expect("there are as many pairs");
                    happening.happen(self.now, node, output, input);
                }
            }
        }
    }

    /// Gives up to `most` of the waiting bytes to each of the links
    fn receive(&mut self, side: Side, links: &[bool], most: usize) -> bool {
        let mut alone = Vec::new();
        for (_, node, input) in self.alone.chosen(side, links) {
            let bytes = input.unread();
            alone.push(node.link.receive(self.now, &bytes[..bytes.len().min(most)]));
        }
        let mut together = vec![usize::MAX; alone.len()];
        let chosen = self.together.chosen(side, links).zip(&mut together).map(|((_, node, input), slot)| {
            let bytes: &[u8] = input.unread();
            (slot, &mut node.link, &bytes[..bytes.len().min(most)])
        });
        batch::receive(self.now, chosen, |slot, taken| *slot = taken);
        assert_eq!(alone, together, "bytes taken by {side:?}");
        for pairs in [&mut self.alone, &mut self.together] {
            pairs.chosen(side, links).zip(&alone).for_each(|((_, _, input), taken)| input.consume(*taken));
        }
        alone.iter().any(|taken| *taken > 0)
    }

    fn on_each(&mut self, mut happen: impl FnMut(Instant, &mut Node<'_>, &mut Pipe)) {
        for pairs in [&mut self.alone, &mut self.together] {
            for side in [Side::Initiator, Side::Recipient] {
                pairs.of(side).for_each(|(node, output, _)| happen(self.now, node, output));
            }
        }
    }

    /// Removes every stall, and lets all bytes arrive
    fn settle(&mut self) {
        self.on_each(|now, node, output| {
            output.capacity = usize::MAX;
            node.link.hold_input(now, false);
        });
        let all = vec![true; self.alone.len()];
        let mut busy = true;
        while busy {
            self.on_each(act);
            busy = [Side::Initiator, Side::Recipient].map(|side| self.receive(side, &all, usize::MAX)).contains(&true);
            self.compare(&"settling");
        }
    }

    fn compare(&mut self, after: &dyn std::fmt::Debug) {
        for side in [Side::Initiator, Side::Recipient] {
            for ((alone, ..), (together, ..)) in self.alone.of(side).zip(self.together.of(side)) {
                compare(alone, together, after);
                self.delivered += together.delivered().len();
                // What was compared is not compared again.
                alone.seen.clear();
                together.seen.clear();
            }
        }
    }

    fn summary(&mut self) -> Summary {
        let mut summary = Summary { delivered: self.delivered, ..Summary::default() };
        for side in [Side::Initiator, Side::Recipient] {
            for (node, ..) in self.together.of(side) {
                summary.violations += usize::from(matches!(node.link.cause(), Some(Cause::Violation(_))));
                summary.alive += usize::from(node.link.cause().is_none());
            }
        }
        summary
    }
}

/// Does what the link asks for, and does not read
fn act(now: Instant, node: &mut Node<'_>, output: &mut Pipe) {
    node.turn(now, &mut Pipe::new(), output);
}

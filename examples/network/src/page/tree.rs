//! The network as the tree over which the first block came
//!
//! The maker is in the middle. The distance of a node from the middle is the time at which it had the block, and a line
//! leads to the node that it came from. The outermost circle has the nodes that got the block after
//! the time for which the radius stands, or never.

use std::f64::consts::TAU;
use std::time::Duration;

use crate::outcome::{Outcome, Spread};

/// How many colours there are within the radius, from the earliest to the latest; other nodes have colours of their own
pub const COLOURS: usize = 8;

/// The shortest time that a picture shows, since a picture of no time cannot be drawn
pub const SHORTEST: Duration = Duration::from_millis(1);

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dot {
    /// From -1 to 1
    pub x: f64,
    pub y: f64,
    pub when: When,
    /// The dot from which the block came
    pub from: Option<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// In this part, by number, of the time for which the radius stands
    Within(usize),
    /// Later than that
    Later,
    Never,
}

pub struct Tree {
    /// In the order of the nodes
    pub dots: Vec<Dot>,
}

impl Tree {
    pub fn of(outcome: &Outcome) -> Self {
        let span = Self::span(outcome);
        let made = outcome.spreads.first().and_then(|spread| spread.made).map(|(at, _)| at).unwrap_or_default();
        let angles = angles(outcome);
        let dots = outcome.first_block.iter().zip(angles).map(|(arrival, angle)| {
            let share = arrival.map(|it| it.at.saturating_since(made).as_secs_f64() / span.as_secs_f64());
            let (radius, when) = match share {
                None => (1.0, When::Never),
                Some(share) if share >= 1.0 => (1.0, When::Later),
                Some(share) => (share * 0.95, When::Within((share * COLOURS as f64) as usize)),
            };
            let (y, x) = (angle * TAU).sin_cos();
            Dot { x: radius * x, y: radius * y, when, from: arrival.and_then(|it| it.from) }
        });
        Self { dots: dots.collect() }
    }

    /// The time for which the radius stands
    pub fn span(outcome: &Outcome) -> Duration {
        outcome.spreads.first().map(Spread::span).unwrap_or_default().max(SHORTEST)
    }
}

/// The direction of each node, as a part of the circle: leaves in turn, the others between their first and last leaf
fn angles(outcome: &Outcome) -> Vec<f64> {
    let count = outcome.first_block.len();
    let mut children = vec![Vec::new(); count];
    let mut roots = Vec::new();
    for (node, arrival) in outcome.first_block.iter().enumerate() {
        match arrival.and_then(|it| it.from) {
            Some(from) => children[from].push(node),
            None => roots.push(node),
        }
    }
    // The leaves below each node, as a range; a node is visited again after its children.
    let (mut ranges, mut leaves) = (vec![(0, 0); count], 0);
    let mut stack: Vec<_> = roots.into_iter().rev().map(|node| (node, false)).collect();
    while let Some((node, is_done)) = stack.pop() {
        if is_done {
            ranges[node].1 = leaves;
            continue;
        }
        ranges[node].0 = leaves;
        stack.push((node, true));
        if children[node].is_empty() {
            leaves += 1;
        }
        stack.extend(children[node].iter().rev().map(|child| (*child, false)));
    }
    ranges.into_iter().map(|(first, last)| f64::from(first + last) / 2.0 / f64::from(leaves.max(1))).collect()
}

//! How many of the lanes were used

/// How many links were worked on side by side
///
/// The links of a batch are worked on in steps. In each step, every lane that has a link runs one permutation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Occupancy {
    /// How many steps there were
    pub steps: u64,
    /// How many permutations ran in them, at most [`LANES`](Self::LANES) in each
    pub permutations: u64,
}

impl Occupancy {
    /// How many lanes there are
    pub const LANES: usize = 8;

    /// The part of the lanes that was used in a step on average, from 0.0 to 1.0
    pub fn mean(&self) -> f64 {
        let most = self.steps.saturating_mul(Self::LANES as u64).max(1);
        self.permutations as f64 / most as f64
    }

    /// Adds the steps of another batch
    pub const fn add(&mut self, other: Self) {
        self.steps = self.steps.saturating_add(other.steps);
        self.permutations = self.permutations.saturating_add(other.permutations);
    }

    /// Notes that so many lanes had so many steps together
    pub(crate) const fn note(&mut self, lanes: usize, steps: usize) {
        self.steps = self.steps.saturating_add(steps as u64);
        self.permutations = self.permutations.saturating_add((lanes as u64).saturating_mul(steps as u64));
    }
}

//! Limits the nodes that are dialled and whose Hello has not come yet

use std::cell::Cell;
use std::rc::Rc;

pub struct Slots {
    taken: Rc<Cell<usize>>,
    limit: usize,
}

/// Taken by a visit; free again when it is dropped
pub struct Slot(Rc<Cell<usize>>);

impl Slots {
    pub fn new(limit: usize) -> Self {
        Self { taken: Rc::default(), limit }
    }

    pub fn take(&self) -> Option<Slot> {
        let taken = self.taken.get();
        (taken < self.limit).then(|| {
            self.taken.set(taken + 1);
            Slot(Rc::clone(&self.taken))
        })
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dropped_slot_can_be_taken_again() {
        let slots = Slots::new(2);
        let (first, second) = (slots.take(), slots.take());
        assert!(first.is_some() && second.is_some() && slots.take().is_none());
        drop(first);
        assert!(slots.take().is_some());
    }
}

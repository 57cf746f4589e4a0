//! The waker of a link's protocols and queues

use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Wake, Waker};

/// Wakes the link's task, unless the task is in its driver: then it only notes that there is something to do
///
/// Most wakes come from the protocols and queues while the driver polls them. Those cost no switch of tasks.
pub struct Bell(Mutex<State>);

struct State {
    task: Waker,
    driver: Driving,
}

enum Driving {
    /// It is not being polled, and has to be
    Away,
    /// It is being polled, and looks here before it waits
    Here,
    /// It is being polled, and has something to do
    Called,
}

impl Bell {
    pub fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new(State { task: Waker::noop().clone(), driver: Driving::Away })))
    }

    /// The driver begins to work, in the task of this waker
    pub fn enter(&self, task: &Waker) {
        let mut state = self.lock();
        state.driver = Driving::Here;
        if !state.task.will_wake(task) {
            let before = mem::replace(&mut state.task, task.clone());
            drop(state);
            drop(before);
        }
    }

    /// Whether there is something to do since the driver has entered or has looked here
    pub fn look(&self) -> bool {
        matches!(mem::replace(&mut self.lock().driver, Driving::Here), Driving::Called)
    }

    /// The driver stops working; what came since its last look wakes the task
    pub fn leave(&self) {
        let before = mem::replace(&mut self.lock().driver, Driving::Away);
        if matches!(before, Driving::Called) {
            self.ring();
        }
    }

    fn ring(&self) {
        let mut state = self.lock();
        if matches!(state.driver, Driving::Away) {
            let task = state.task.clone();
            drop(state);
            task.wake();
        } else {
            state.driver = Driving::Called;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.ring();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.ring();
    }
}

//! The tasks of a node, which end with it

use std::mem;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::runtime::Handle;
use tokio::task::JoinSet;

#[derive(Debug)]
pub struct Tasks {
    runtime: Handle,
    /// Locked by the shutdown that waits for the tasks
    pub ending: tokio::sync::Mutex<()>,
    sets: Mutex<Sets>,
}

#[derive(Debug, Default)]
struct Sets {
    is_over: bool,
    /// The listener, and the tasks that connect; these can be dropped at any time
    preparing: JoinSet<()>,
    /// One task for each link
    links: JoinSet<()>,
}

impl Tasks {
    pub fn new(runtime: Handle) -> Self {
        Self { runtime, ending: tokio::sync::Mutex::default(), sets: Mutex::default() }
    }

    pub fn prepare(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut sets = self.lock();
        if !sets.is_over {
            spawn(&mut sets.preparing, task, &self.runtime);
        }
    }

    pub fn run(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut sets = self.lock();
        if !sets.is_over {
            spawn(&mut sets.links, task, &self.runtime);
        }
    }

    /// Starts no more tasks
    pub fn stop(&self) {
        self.lock().is_over = true;
    }

    /// The tasks that do not run a link, and those that do
    pub fn take(&self) -> [JoinSet<()>; 2] {
        let mut sets = self.lock();
        [mem::take(&mut sets.preparing), mem::take(&mut sets.links)]
    }

    fn lock(&self) -> MutexGuard<'_, Sets> {
        self.sets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn spawn(set: &mut JoinSet<()>, task: impl Future<Output = ()> + Send + 'static, runtime: &Handle) {
    // Removes the tasks that have ended.
    while set.try_join_next().is_some() {}
    set.spawn_on(task, runtime);
}

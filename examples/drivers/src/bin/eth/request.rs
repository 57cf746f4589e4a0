//! Requests that wait for their answers

use std::time::Duration;

use devp2p_proto::Instant;

use crate::failure::Failure;

/// The timeouts for the peer's messages
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    pub status: Duration,
    /// The timeout for each answer
    pub answer: Duration,
}

impl Default for Patience {
    /// For Status, the timeout of the reference client
    fn default() -> Self {
        Self { status: Duration::from_secs(5), answer: Duration::from_secs(10) }
    }
}

impl Patience {
    /// The same timeout for Status and for each answer
    pub const fn only(time: Duration) -> Self {
        Self { status: time, answer: time }
    }
}

/// Numbers requests, and knows those that are open
///
/// One of a kind at a time: the next one can then depend on what the last one brought.
#[derive(Debug)]
pub struct Request<T> {
    name: &'static str,
    /// The timeout for the answer
    patience: Duration,
    open: Option<Open<T>>,
}

#[derive(Debug)]
struct Open<T> {
    id: u64,
    since: Instant,
    subject: T,
}

impl<T> Request<T> {
    pub const fn new(name: &'static str, patience: Duration) -> Self {
        Self { name, patience, open: None }
    }

    /// Notes that the request `id` was made about `subject`
    pub fn open(&mut self, id: u64, now: Instant, subject: T) {
        self.open = Some(Open { id, since: now, subject });
    }

    pub const fn is_open(&self) -> bool {
        self.open.is_some()
    }

    pub fn is(&self, id: u64) -> bool {
        self.open.as_ref().is_some_and(|open| open.id == id)
    }

    /// What the request was about that is answered now
    pub fn close(&mut self, id: u64) -> Result<T, Failure> {
        match self.open.take_if(|open| open.id == id) {
            Some(open) => Ok(open.subject),
            None => Err(Failure::Breach(format!(
                "an answer to request {id} for {}, but no such request is open",
                self.name
            ))),
        }
    }

    pub fn deadline(&self) -> Option<Instant> {
        self.open.as_ref().and_then(|open| open.since.checked_add(self.patience))
    }

    pub fn check(&self, now: Instant) -> Result<(), Failure> {
        match self.deadline() {
            Some(deadline) if deadline <= now => {
                Err(Failure::Useless(format!("no {} for {} s", self.name, self.patience.as_secs_f64())))
            }
            _ => Ok(()),
        }
    }
}

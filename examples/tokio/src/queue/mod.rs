//! A queue of messages between a link and a protocol on it, bounded in bytes
//!
//! Each protocol has two queues, one for each direction. Tasks share it and wait for it, so its tests also run under
//! `loom` with `--cfg devp2p_loom`.

#[cfg(test)]
mod tests;

use std::mem;
use std::sync::PoisonError;
use std::task::{Poll, Waker};
use std::vec;

#[cfg(all(test, devp2p_loom))]
use loom::sync::{Arc, Mutex, MutexGuard};
#[cfg(not(all(test, devp2p_loom)))]
use std::sync::{Arc, Mutex, MutexGuard};

use devp2p_proto::Outbox;

use crate::message::RawMessage;

/// The other end of the queue is gone
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Gone;

/// A queue that takes a message while it holds less than `limit` bytes, or nothing; the last one may exceed the limit
pub(crate) fn queue(limit: usize) -> (Writer, Reader) {
    let queue = Arc::new(Mutex::new(Queue { limit: limit.max(1), ..Queue::default() }));
    (Writer(Arc::clone(&queue)), Reader { queue, batch: Vec::new().into_iter(), read: 0, share: limit / 8 })
}

/// The end that messages are put in
pub(crate) struct Writer(Arc<Mutex<Queue>>);

/// The end that messages are taken from
pub(crate) struct Reader {
    queue: Arc<Mutex<Queue>>,
    /// The messages that were taken from the queue at once
    batch: vec::IntoIter<RawMessage>,
    /// The bytes of the messages that were read and not yet released
    read: usize,
    /// How many bytes may be read before they are released
    share: usize,
}

#[derive(Default)]
struct Queue {
    messages: Vec<RawMessage>,
    /// Bytes of the messages here and in the batch of the reader
    bytes: usize,
    limit: usize,
    /// Whether one of the ends is gone
    closed: bool,
    /// Waits for a message
    reader: Option<Waker>,
    /// Waits for room
    writer: Option<Waker>,
}

impl Writer {
    /// Ready when there is room
    pub fn poll_ready(&self, waker: &Waker) -> Poll<Result<(), Gone>> {
        lock(&self.0).poll_room(waker)
    }

    /// Puts the message in as soon as there is room, and leaves `None` in `message`
    pub fn poll_push(&self, message: &mut Option<RawMessage>, waker: &Waker) -> Poll<Result<(), Gone>> {
        let mut queue = lock(&self.0);
        let room = queue.poll_room(waker);
        if room == Poll::Ready(Ok(()))
            && let Some(message) = message.take()
        {
            queue.push(message);
        }
        room
    }

    /// Puts the message in, room or not; ready if there is room for another one
    pub fn put(&self, message: RawMessage, waker: &Waker) -> Poll<Result<(), Gone>> {
        let mut queue = lock(&self.0);
        if !queue.closed {
            queue.push(message);
        }
        queue.poll_room(waker)
    }

    /// Puts the message in, room or not
    pub fn push(&self, message: RawMessage) -> Result<(), Gone> {
        let mut queue = lock(&self.0);
        if queue.closed {
            return Err(Gone);
        }
        queue.push(message);
        Ok(())
    }

    /// Ends the queue; the messages in it can still be read
    pub fn close(&self) {
        lock(&self.0).close();
    }

    /// Ready when the queue takes no more messages, since one of its ends is gone
    pub fn poll_closed(&self, waker: &Waker) -> Poll<()> {
        let mut queue = lock(&self.0);
        if queue.closed {
            return Poll::Ready(());
        }
        queue.writer.register(waker);
        Poll::Pending
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.close();
    }
}

impl Reader {
    /// The next message; `None` when all are read and there will be no other
    ///
    /// A message counts until the next one is asked for, at least: it is in memory while its reader works on it.
    pub fn poll_next(&mut self, waker: &Waker) -> Poll<Option<RawMessage>> {
        let is_empty = self.batch.as_slice().is_empty();
        if is_empty || self.read >= self.share {
            let mut queue = lock(&self.queue);
            queue.release(mem::take(&mut self.read));
            if is_empty {
                self.batch = mem::take(&mut queue.messages).into_iter();
            }
            if self.batch.as_slice().is_empty() && !queue.closed {
                queue.reader.register(waker);
                return Poll::Pending;
            }
        }
        let next = self.batch.next();
        self.read = self.read.saturating_add(next.as_ref().map_or(0, size));
        Poll::Ready(next)
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let messages = {
            let mut queue = lock(&self.queue);
            queue.close();
            mem::take(&mut queue.messages)
        };
        drop(messages);
    }
}

impl Queue {
    fn poll_room(&mut self, waker: &Waker) -> Poll<Result<(), Gone>> {
        if self.closed {
            return Poll::Ready(Err(Gone));
        }
        if self.bytes < self.limit {
            return Poll::Ready(Ok(()));
        }
        self.writer.register(waker);
        Poll::Pending
    }

    fn push(&mut self, message: RawMessage) {
        self.bytes = self.bytes.saturating_add(size(&message));
        self.messages.push(message);
        self.reader.wake();
    }

    fn release(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_sub(bytes);
        if self.bytes < self.limit {
            self.writer.wake();
        }
    }

    fn close(&mut self) {
        self.closed = true;
        self.reader.wake();
        self.writer.wake();
    }
}

/// What a message takes of the limit
fn size(message: &RawMessage) -> usize {
    message.payload.len().saturating_add(Outbox::OVERHEAD)
}

/// A place for the waker of the task that waits
trait Waiting {
    fn register(&mut self, waker: &Waker);

    fn wake(&mut self);
}

impl Waiting for Option<Waker> {
    fn register(&mut self, waker: &Waker) {
        match self {
            Some(known) => known.clone_from(waker),
            None => *self = Some(waker.clone()),
        }
    }

    fn wake(&mut self) {
        if let Some(waker) = self.take() {
            waker.wake();
        }
    }
}

fn lock(queue: &Mutex<Queue>) -> MutexGuard<'_, Queue> {
    queue.lock().unwrap_or_else(PoisonError::into_inner)
}

//! Queues of messages that are bounded in bytes, so that a few large messages cost no more than many small ones

use std::sync::Arc;
use std::task::{Context, Poll};

use devp2p_drivers::app::Message;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What a message takes besides its payload, so that empty ones are bounded too
const OVERHEAD: usize = 64;

/// Bytes for messages that wait, which several queues may share
#[derive(Clone)]
pub struct Room {
    free: Arc<Semaphore>,
    size: usize,
}

impl Room {
    pub fn new(size: usize) -> Self {
        Self { free: Arc::new(Semaphore::new(size)), size }
    }

    /// Whether any is left; a message that is larger may be put in all the same
    pub fn is_left(&self) -> bool {
        self.free.available_permits() > 0
    }

    /// Waits until some is left
    pub async fn left(&self) {
        // Never closed
        let _ = self.free.acquire().await;
    }

    /// What the message takes, at most as much as there is at all
    fn need(&self, message: &Message) -> usize {
        self.size.min(OVERHEAD + message.payload.len())
    }

    /// What the message takes, at most as much as is left
    fn take(&self, message: &Message) -> Option<OwnedSemaphorePermit> {
        let len = self.need(message).min(self.free.available_permits());
        Arc::clone(&self.free).try_acquire_many_owned(len as u32).ok()
    }
}

/// A message, and the room that is free again when it is dropped
type Waiting = (Message, Option<OwnedSemaphorePermit>);

pub struct Sender {
    room: Room,
    messages: UnboundedSender<Waiting>,
}

pub struct Receiver(UnboundedReceiver<Waiting>);

pub fn queue(room: Room) -> (Sender, Receiver) {
    let (messages, receiver) = mpsc::unbounded_channel();
    (Sender { room, messages }, Receiver(receiver))
}

/// The other end of the queue is gone
pub struct Closed;

impl Sender {
    /// Puts a message in at once; it is for the caller to see that room [is left](Room::is_left)
    pub fn put(&self, message: Message) -> Result<(), Closed> {
        let room = self.room.take(&message);
        self.messages.send((message, room)).map_err(|_| Closed)
    }

    /// Puts a message in as soon as there is room for all of it
    pub async fn send(&self, message: Message) -> Result<(), Closed> {
        let need = self.room.need(&message) as u32;
        let room = Arc::clone(&self.room.free).acquire_many_owned(need).await.ok();
        self.messages.send((message, room)).map_err(|_| Closed)
    }
}

impl Receiver {
    pub async fn next(&mut self) -> Option<Message> {
        self.0.recv().await.map(|(message, _)| message)
    }

    pub fn try_next(&mut self) -> Option<Message> {
        self.0.try_recv().ok().map(|(message, _)| message)
    }

    pub fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Message>> {
        self.0.poll_recv(context).map(|waiting| waiting.map(|(message, _)| message))
    }
}

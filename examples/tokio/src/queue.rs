//! Queues of messages that are bounded in bytes, so that a few large messages cost no more than many small ones

use std::sync::Arc;
use std::task::{Context, Poll};

use devp2p_drivers::app::Message;
use devp2p_proto::ProtocolError;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bytes for messages that wait, together
const ROOM: usize = 1 << 20;
/// What a message takes besides its payload, so that empty ones are bounded too
const OVERHEAD: usize = 64;

/// Bytes that are free, which several queues may share
pub type Room = Arc<Semaphore>;

pub fn room() -> Room {
    Arc::new(Semaphore::new(ROOM))
}

/// A message, and the room that is free again when it is dropped
type Waiting = (Message, Option<OwnedSemaphorePermit>);

pub struct Writer {
    room: Room,
    messages: UnboundedSender<Waiting>,
}

pub struct Reader(UnboundedReceiver<Waiting>);

pub fn queue(room: Room) -> (Writer, Reader) {
    let (messages, receiver) = mpsc::unbounded_channel();
    (Writer { room, messages }, Reader(receiver))
}

/// The link has ended
pub struct Ended;

/// A protocol may as well fail because of that: nobody asks why any more
impl From<Ended> for ProtocolError {
    fn from(Ended: Ended) -> Self {
        Self::Other
    }
}

impl Writer {
    /// Writes a message, as soon as there is room for it; a larger one than all the room waits for all of it
    pub async fn write(&self, message: Message) -> Result<(), Ended> {
        let room = Arc::clone(&self.room).acquire_many_owned(need(&message) as u32).await.ok();
        self.messages.send((message, room)).map_err(|_| Ended)
    }

    /// Writes a message at once, for those who have looked whether any room is left: it takes at most all of that
    pub(crate) fn put(&self, message: Message) -> Result<(), Ended> {
        let len = need(&message).min(self.room.available_permits());
        let room = Arc::clone(&self.room).try_acquire_many_owned(len as u32).ok();
        self.messages.send((message, room)).map_err(|_| Ended)
    }
}

fn need(message: &Message) -> usize {
    ROOM.min(OVERHEAD + message.payload.len())
}

impl Reader {
    /// The next message, `None` when the link has ended
    pub async fn read(&mut self) -> Option<Message> {
        self.0.recv().await.map(|(message, _)| message)
    }

    pub(crate) fn try_read(&mut self) -> Option<Message> {
        self.0.try_recv().ok().map(|(message, _)| message)
    }

    pub(crate) fn poll_read(&mut self, context: &mut Context<'_>) -> Poll<Option<Message>> {
        self.0.poll_recv(context).map(|waiting| waiting.map(|(message, _)| message))
    }
}

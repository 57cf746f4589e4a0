//! Subprotocols as tasks of their own
//!
//! Each gets a [`Handle`] on two queues, which are bounded in bytes, and runs until it returns:
//!
//! - Its return, or its failure, ends the link with the reason that belongs to it. So does a panic. What it has
//!   written before it finished is sent first.
//! - One that drops its handle but goes on has finished too: nobody else could ever end its part.
//! - One that is slow to read holds input back; its peer's bytes then wait in TCP. Nothing else waits.
//! - One that is faster than the peer waits in [`Handle::write`].
//! - When the link ends, reading gives `None` and writing fails; a protocol that takes no notice is dropped.

use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use devp2p_drivers::app::Message;
use devp2p_drivers::link::RecordedLink;
use devp2p_proto::{Event, Instant, MAX_MESSAGE, Outbox, Payload, ProtocolError, ProtocolId, WriteError};
use tokio::select;
use tokio::sync::oneshot;
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::timeout;

pub use crate::queue::{Ended, Reader, Writer};
use crate::queue::{Room, queue, room};

/// What protocols have to come to their ends when the link is over
const GRACE: Duration = Duration::from_secs(1);

/// A protocol's hold on its link: what geth calls `MsgReadWriter`
pub struct Handle {
    reader: Reader,
    writer: Writer,
    /// Dropped with the handle, which the other end notices
    _held: oneshot::Sender<()>,
}

impl Handle {
    /// The next message, `None` when the link has ended
    pub async fn read(&mut self) -> Option<Message> {
        self.reader.read().await
    }

    /// Writes a message, as soon as there is room for it
    pub async fn write(&self, message: Message) -> Result<(), Ended> {
        self.writer.write(message).await
    }

    /// Both halves, to read and to write at the same time
    pub const fn split(&mut self) -> (&mut Reader, &Writer) {
        (&mut self.reader, &self.writer)
    }
}

/// All protocols of one link, as the link's task sees them
pub struct Protocols {
    running: Vec<Running>,
    tasks: JoinSet<Outcome>,
    /// For what has come and was not read, of all protocols together
    ///
    /// The last message of that may be a large one. The one after it stays in the link, so that slow protocols
    /// cost no more than two large messages.
    room: Room,
    /// Whether the link knows that there is no room for another message
    held: bool,
}

impl Default for Protocols {
    fn default() -> Self {
        Self { running: Vec::new(), tasks: JoinSet::new(), room: room(), held: false }
    }
}

type Outcome = Result<(), ProtocolError>;

struct Running {
    task: Id,
    input: Writer,
    /// What it has written
    output: Reader,
    /// What of that comes next
    next: Option<Message>,
    /// What of that the link has refused as `Full`
    outbox: Outbox,
    outcome: Option<Outcome>,
}

impl Protocols {
    /// Starts a protocol
    pub fn start<F>(&mut self, protocol: ProtocolId, run: impl FnOnce(Handle) -> F)
    where
        F: Future<Output = Outcome> + Send + 'static,
    {
        let (input, reader) = queue(self.room.clone());
        let (writer, output) = queue(room());
        let (held, dropped) = oneshot::channel();
        let run = run(Handle { reader, writer, _held: held });
        let supervised = async {
            select! {
                // The handle is dropped before the outcome is known, so that is looked for first.
                biased;
                outcome = run => outcome,
                _ = dropped => Ok(()),
            }
        };
        let task = self.tasks.spawn(supervised).id();
        let outbox = Outbox::new(protocol, MAX_MESSAGE);
        self.running.push(Running { task, input, output, next: None, outbox, outcome: None });
    }

    fn find(&mut self, protocol: ProtocolId) -> Option<&mut Running> {
        self.running.iter_mut().find(|running| running.outbox.protocol() == protocol)
    }

    /// Passes a message on
    pub fn deliver(&mut self, protocol: ProtocolId, code: u64, payload: Payload<'_>) {
        if let Some(running) = self.find(protocol) {
            // One that reads no more has ended, and its end is on its way here.
            let _ = running.input.put(Message { code, payload: payload.into_bytes() });
        }
    }

    /// Has the link keep the next message while there is no room for it
    pub fn hold_input(&mut self, now: Instant, link: &mut RecordedLink) {
        let held = self.room.available_permits() == 0;
        if held != self.held {
            self.held = held;
            link.tell(now, Event::HoldInput(held));
        }
    }

    /// Notes that the link takes messages of this protocol again
    pub fn writable(&mut self, now: Instant, link: &mut RecordedLink, protocol: ProtocolId) {
        if let Some(running) = self.find(protocol) {
            let outcome = running.outbox.flush(|protocol, code, payload| link.write(now, protocol, code, payload));
            running.note(outcome);
        }
    }

    /// Gives the link what protocols have written, as much as it takes, and their ends
    pub fn write(&mut self, now: Instant, link: &mut RecordedLink) {
        self.running.iter_mut().for_each(|running| running.write(now, link));
    }

    /// Waits for something to give to the link, or for room for what it holds back
    ///
    /// May be dropped at any point without losing anything.
    pub async fn wait(&mut self) {
        let Self { running, tasks, room, held } = self;
        select! {
            Some(ended) = tasks.join_next_with_id() => note_end(running, ended),
            _ = room.acquire(), if *held => {}
            () = next_message(running) => {}
        }
    }

    /// Waits for protocols to notice that the link has ended
    pub async fn finish(self) {
        let Self { running, mut tasks, .. } = self;
        // Has ends of the queues.
        drop(running);
        // Those that have not by then are dropped with the set.
        let _ = timeout(GRACE, async { while tasks.join_next().await.is_some() {} }).await;
    }
}

fn note_end(running: &mut [Running], ended: Result<(Id, Outcome), JoinError>) {
    let (task, outcome) = ended.unwrap_or_else(|panic| (panic.id(), Err(ProtocolError::Other)));
    running.iter_mut().filter(|running| running.task == task).for_each(|running| running.outcome = Some(outcome));
}

async fn next_message(running: &mut [Running]) {
    poll_fn(|context| {
        for running in running.iter_mut().filter(|running| running.is_drained()) {
            if let Poll::Ready(Some(message)) = running.output.poll_read(context) {
                running.next = Some(message);
                return Poll::Ready(());
            }
        }
        Poll::Pending
    })
    .await;
}

impl Running {
    fn is_drained(&self) -> bool {
        self.next.is_none() && self.outbox.is_empty()
    }

    fn write(&mut self, now: Instant, link: &mut RecordedLink) {
        while link.cause().is_none()
            && self.outbox.is_empty()
            && let Some(Message { code, payload }) = self.next.take().or_else(|| self.output.try_read())
        {
            let outbox = &mut self.outbox;
            let outcome =
                outbox.send(code, &payload, |protocol, code, payload| link.write(now, protocol, code, payload));
            self.note(outcome);
        }
        let drained = self.is_drained();
        if let Some(outcome) = self.outcome.take_if(|outcome| outcome.is_err() || drained) {
            link.tell(now, Event::ProtocolReturned(self.outbox.protocol(), outcome));
        }
    }

    /// A message that the link will never take is its protocol's failure
    fn note(&mut self, written: Result<(), WriteError>) {
        if written.is_err_and(|error| error != WriteError::Closed) {
            self.outcome = Some(Err(ProtocolError::Other));
        }
    }
}

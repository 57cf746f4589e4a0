//! Subprotocols as tasks of their own
//!
//! Each gets a [`Handle`] on two bounded channels, and runs until it returns:
//!
//! - Its return, or its failure, ends the link with the reason that belongs to it. So does a panic. What it has
//!   written before it finished is sent first.
//! - One that drops its handle but goes on has finished too: nobody else could ever end its part.
//! - One that is slow to read holds input back; its peer's bytes then wait in TCP. Nothing else waits.
//! - One that is faster than the peer waits in [`Handle::write`].
//! - When the link ends, reading gives `None` and writing fails; a protocol that takes no notice is dropped.

use std::future::{pending, poll_fn};
use std::task::Poll;
use std::time::Duration;

use devp2p_drivers::app::{Message, Outbox};
use devp2p_drivers::link::Link;
use devp2p_proto::{Instant, Payload, ProtocolError, ProtocolId};
use tokio::select;
use tokio::sync::{mpsc, oneshot};
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::timeout;

/// Messages that may wait each way between a link and one of its protocols
const ROOM: usize = 64;
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

pub struct Reader(mpsc::Receiver<Message>);

impl Reader {
    /// As [`Handle::read`]
    pub async fn read(&mut self) -> Option<Message> {
        self.0.recv().await
    }
}

pub struct Writer(mpsc::Sender<Message>);

impl Writer {
    /// As [`Handle::write`]
    pub async fn write(&self, message: Message) -> Result<(), Ended> {
        self.0.send(message).await.map_err(|_| Ended)
    }
}

/// The link has ended
pub struct Ended;

/// A protocol may as well fail because of that: nobody asks why any more
impl From<Ended> for ProtocolError {
    fn from(Ended: Ended) -> Self {
        Self::Other
    }
}

/// All protocols of one link, as the link's task sees them
#[derive(Default)]
pub struct Protocols {
    running: Vec<Running>,
    tasks: JoinSet<Outcome>,
    /// The message that there was no room for, and where it goes
    held: Option<(mpsc::Sender<Message>, Message)>,
}

type Outcome = Result<(), ProtocolError>;

struct Running {
    task: Id,
    input: mpsc::Sender<Message>,
    /// What it has written
    output: mpsc::Receiver<Message>,
    /// What of that the link has not taken
    outbox: Outbox,
    outcome: Option<Outcome>,
}

impl Protocols {
    /// Starts a protocol
    pub fn start<F>(&mut self, protocol: ProtocolId, run: impl FnOnce(Handle) -> F)
    where
        F: Future<Output = Outcome> + Send + 'static,
    {
        let (input, reader) = mpsc::channel(ROOM);
        let (writer, output) = mpsc::channel(ROOM);
        let (held, dropped) = oneshot::channel();
        let run = run(Handle { reader: Reader(reader), writer: Writer(writer), _held: held });
        let supervised = async {
            select! {
                // The handle is dropped before the outcome is known, so that is looked for first.
                biased;
                outcome = run => outcome,
                _ = dropped => Ok(()),
            }
        };
        let task = self.tasks.spawn(supervised).id();
        self.running.push(Running { task, input, output, outbox: Outbox::new(protocol), outcome: None });
    }

    /// Passes a message on, or keeps it until there is room
    pub fn deliver(&mut self, protocol: ProtocolId, code: u64, payload: Payload<'_>) {
        let message = Message { code, payload: payload.into_bytes() };
        if let Some(running) = self.running.iter().find(|running| running.outbox.protocol() == protocol)
            // One that reads no more has ended, and its end is on its way here.
            && let Err(mpsc::error::TrySendError::Full(message)) = running.input.try_send(message)
        {
            self.held = Some((running.input.clone(), message));
        }
    }

    /// Whether another message may come
    pub const fn have_room(&self) -> bool {
        self.held.is_none()
    }

    /// Notes that the link has room again
    pub fn writable(&mut self, protocol: ProtocolId) {
        let outboxes = self.running.iter_mut().map(|running| &mut running.outbox);
        outboxes.filter(|outbox| outbox.protocol() == protocol).for_each(Outbox::note_writable);
    }

    /// Gives the link what protocols have written, as much as it takes, and their ends
    pub fn write(&mut self, now: Instant, link: &mut Link) {
        self.running.iter_mut().for_each(|running| running.write(now, link));
    }

    /// Waits for something to give to the link, or for room for what is held back
    ///
    /// May be dropped at any point without losing anything.
    pub async fn wait(&mut self) {
        let Self { running, tasks, held } = self;
        select! {
            Some(ended) = tasks.join_next_with_id() => note_end(running, ended),
            () = hand_over(held) => {}
            () = next_message(running) => {}
        }
    }

    /// Waits for protocols to notice that the link has ended
    pub async fn finish(self) {
        let Self { running, mut tasks, held } = self;
        // Both have ends of the channels.
        drop((running, held));
        // Those that have not by then are dropped with the set.
        let _ = timeout(GRACE, async { while tasks.join_next().await.is_some() {} }).await;
    }
}

fn note_end(running: &mut [Running], ended: Result<(Id, Outcome), JoinError>) {
    let (task, outcome) = ended.unwrap_or_else(|panic| (panic.id(), Err(ProtocolError::Other)));
    running.iter_mut().filter(|running| running.task == task).for_each(|running| running.outcome = Some(outcome));
}

async fn hand_over(held: &mut Option<(mpsc::Sender<Message>, Message)>) {
    let Some((input, _)) = held else {
        return pending().await;
    };
    let permit = input.clone().reserve_owned().await;
    if let (Ok(permit), Some((_, message))) = (permit, held.take()) {
        permit.send(message);
    }
}

async fn next_message(running: &mut [Running]) {
    poll_fn(|context| {
        for running in running.iter_mut().filter(|running| running.outbox.is_empty()) {
            if let Poll::Ready(Some(message)) = running.output.poll_recv(context) {
                running.outbox.put(message);
                return Poll::Ready(());
            }
        }
        Poll::Pending
    })
    .await;
}

impl Running {
    fn write(&mut self, now: Instant, link: &mut Link) {
        let Self { outbox, output, outcome, .. } = self;
        while let Err(error) = outbox.write(now, link, || output.try_recv().ok()) {
            *outcome = Some(Err(error));
        }
        if let Some(outcome) = outcome.take_if(|outcome| outcome.is_err() || outbox.is_empty()) {
            // It runs, or has until now.
            let _ = link.protocol_returned(now, outbox.protocol(), outcome);
        }
    }
}

//! The protocols of one link, which run in the link's task

use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use devp2p_proto::{Event, Instant, Link, Out, ProtocolError, ProtocolId, Refused, SharedProtocol, WriteError};

use crate::io::Io;
use crate::message::RawMessage;
use crate::queue::{Reader, Writer, queue};

/// A protocol that runs
pub type Run = Pin<Box<dyn Future<Output = Outcome> + Send>>;

type Outcome = Result<(), ProtocolError>;

/// A received payload up to this length is copied, so that a queue of small messages does not hold the memory of large
/// ones: a payload may hold 4 KiB beyond its length
const COPIED: usize = 2048;

/// All protocols of one link
#[derive(Default)]
pub struct Running {
    parts: Vec<Part>,
    /// Whether the link holds its input, since a queue is full
    held: bool,
    /// Whether a protocol may do more than when it was last polled
    progress: bool,
}

/// One protocol's part
struct Part {
    protocol: ProtocolId,
    /// What the peer has sent
    input: Writer,
    /// What goes to the peer
    output: Reader,
    /// The message that goes next, since the link has refused it as `Full`
    refused: Option<RawMessage>,
    /// Whether the link takes messages, as far as is known
    writable: bool,
    stage: Stage,
}

enum Stage {
    Runs(Run),
    /// The link does not know yet, since messages may have to leave before
    Finished(Outcome),
    Told,
}

/// Why no more was written
enum Rest {
    /// The link takes no more now
    Waits,
    /// Nothing is left now
    Empty,
    /// Nothing is left, and nothing will come
    Closed,
}

impl Running {
    /// Starts the protocols that both nodes have, each with queues of `limit` bytes
    pub fn start(&mut self, shared: &[SharedProtocol], limit: usize, mut run: impl FnMut(SharedProtocol, Io) -> Run) {
        let part = |shared: &SharedProtocol| {
            let (input, reader) = queue(limit);
            let (writer, output) = queue(limit);
            let stage = Stage::Runs(run(*shared, Io::new(writer, reader)));
            Part { protocol: shared.protocol, input, output, refused: None, writable: true, stage }
        };
        self.parts = shared.iter().map(part).collect();
        self.progress = true;
    }

    /// Polls each protocol, and gives the link as many of their messages as it takes
    pub fn proceed(&mut self, context: &mut Context<'_>, now: Instant, link: &mut impl Link) {
        self.progress = false;
        for part in &mut self.parts {
            part.run(context);
            self.progress |= part.send(context.waker(), now, link);
        }
        if self.held && !self.is_full(context.waker()) {
            self.held = false;
            // Never refused.
            _ = link.handle(now, Event::HoldInput(false));
        }
    }

    /// Notes that the link takes messages of the protocol again
    pub fn writable(&mut self, protocol: ProtocolId) {
        if let Some(part) = self.parts.iter_mut().find(|part| part.protocol == protocol) {
            part.writable = true;
            self.progress = true;
        }
    }

    /// Passes a message on to its protocol
    pub fn take<L: Link>(
        &mut self,
        protocol: ProtocolId,
        RawMessage { code, payload }: RawMessage,
        waker: &Waker,
        out: &mut Out<'_, L>,
    ) {
        let Some(part) = self.parts.iter().find(|part| part.protocol == protocol) else {
            return;
        };
        let payload = if payload.len() > COPIED { payload } else { Bytes::copy_from_slice(&payload) };
        self.progress = true;
        if part.input.put(RawMessage { code, payload }, waker).is_pending() {
            self.held = true;
            out.hold(true);
        }
    }

    /// Whether to [`proceed`](Self::proceed) once more before the task waits
    pub const fn has_progress(&self) -> bool {
        self.progress
    }

    /// Ends the queues, and returns the protocols that have not finished
    pub fn close(&mut self) -> Vec<Run> {
        let running = |part: Part| match part.stage {
            Stage::Runs(run) => Some(run),
            _ => None,
        };
        mem::take(&mut self.parts).into_iter().filter_map(running).collect()
    }

    /// Whether one of the queues has no room for another message
    fn is_full(&self, waker: &Waker) -> bool {
        self.parts.iter().any(|part| part.input.poll_ready(waker).is_pending())
    }
}

impl Part {
    fn run(&mut self, context: &mut Context<'_>) {
        if let Stage::Runs(run) = &mut self.stage
            && let Poll::Ready(outcome) = poll(run, context)
        {
            self.enter(Stage::Finished(outcome));
        }
    }

    /// Sends what the link takes, and tells it of the protocol's end; returns whether the queue has more room now
    fn send(&mut self, waker: &Waker, now: Instant, link: &mut impl Link) -> bool {
        let (mut sent, taken) = (false, self.output.taken());
        let rest = loop {
            if !self.writable {
                break Rest::Waits;
            }
            let next = self.refused.take().map_or_else(|| self.output.poll_next(waker), |next| Poll::Ready(Some(next)));
            match next {
                Poll::Ready(Some(message)) => self.write(message, now, link),
                Poll::Ready(None) => break Rest::Closed,
                Poll::Pending => break Rest::Empty,
            }
            sent = true;
        };
        self.end(&rest, now, link);
        sent || self.output.taken() < taken
    }

    fn write(&mut self, message: RawMessage, now: Instant, link: &mut impl Link) {
        let RawMessage { code, payload } = &message;
        match link.handle(now, Event::Write { protocol: self.protocol, code: *code, payload }) {
            Err(Refused::Write(WriteError::Full)) => (self.refused, self.writable) = (Some(message), false),
            // The link has ended, so the message is dropped.
            Ok(_) | Err(Refused::Write(WriteError::Closed)) => {}
            // A message that the link will never take is its protocol's failure.
            Err(error) => {
                tracing::debug!(protocol = %self.protocol, %error, "a message cannot be sent");
                self.enter(Stage::Finished(Err(ProtocolError::Other)));
            }
        }
    }

    fn end(&mut self, rest: &Rest, now: Instant, link: &mut impl Link) {
        let outcome = match (&self.stage, rest) {
            (Stage::Finished(outcome @ Err(_)), _) | (Stage::Finished(outcome), Rest::Empty | Rest::Closed) => *outcome,
            // A protocol that has dropped both halves of its `Io` can do nothing more.
            (Stage::Runs(_), Rest::Closed) if self.input.is_closed() => Ok(()),
            _ => return,
        };
        self.enter(Stage::Told);
        // Never refused for a protocol that is shared.
        _ = link.handle(now, Event::ProtocolReturned(self.protocol, outcome));
    }

    fn enter(&mut self, stage: Stage) {
        if let Stage::Runs(run) = mem::replace(&mut self.stage, stage) {
            // A destructor in the future may panic.
            _ = catch_unwind(AssertUnwindSafe(|| drop(run)));
        }
    }
}

/// Polls a protocol; if it panics, it has failed
pub fn poll(run: &mut Run, context: &mut Context<'_>) -> Poll<Outcome> {
    catch_unwind(AssertUnwindSafe(|| run.as_mut().poll(context))).unwrap_or(Poll::Ready(Err(ProtocolError::Other)))
}

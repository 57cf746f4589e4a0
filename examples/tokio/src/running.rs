//! The protocols of one link, which run in the link's task

use std::mem;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use devp2p_proto::{Event, Instant, Link, Out, ProtocolError, ProtocolId, Refused, SharedProtocol, WriteError};

use crate::contained::{Contained, Outcome, Run};
use crate::io::Io;
use crate::message::RawMessage;
use crate::queue::{Reader, Writer, queue};

/// A received payload up to this length is copied, so that a queue of small messages does not hold the memory of large
/// ones: a payload may hold 4 KiB beyond its length
const COPIED: usize = 2048;

/// All protocols of one link
#[derive(Default)]
pub struct Running {
    parts: Vec<Part>,
    /// Whether the link holds its input, since a queue is full
    held: bool,
    /// The protocols that have not finished when the link has a cause to end
    leaving: Vec<Contained>,
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
    Runs(Contained),
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
            let stage = Stage::Runs(Contained::new(run(*shared, Io::new(writer, reader))));
            Part { protocol: shared.protocol, input, output, refused: None, writable: true, stage }
        };
        self.parts = shared.iter().map(part).collect();
    }

    /// Lets another protocol be the first one
    pub fn rotate(&mut self) {
        let by = usize::from(self.parts.len() > 1);
        self.parts.rotate_left(by);
    }

    /// Polls each protocol, and gives the link as many of their messages as it takes
    pub fn proceed(&mut self, context: &mut Context<'_>, now: Instant, link: &mut impl Link) {
        for part in &mut self.parts {
            part.run(context);
            part.send(context.waker(), now, link);
        }
        self.leaving.retain_mut(|run| run.poll(context).is_pending());
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
        if part.input.put(RawMessage { code, payload }, waker).is_pending() {
            self.held = true;
            out.hold(true);
        }
    }

    /// Ends the queues; the protocols go on
    pub fn close(&mut self) {
        let running = |part: Part| match part.stage {
            Stage::Runs(run) => Some(run),
            _ => None,
        };
        self.leaving.extend(mem::take(&mut self.parts).into_iter().filter_map(running));
    }

    /// The protocols that have not finished, after [`close`](Self::close)
    pub fn take_leaving(&mut self) -> Vec<Contained> {
        mem::take(&mut self.leaving)
    }

    /// Whether one of the queues has no room for another message
    fn is_full(&self, waker: &Waker) -> bool {
        self.parts.iter().any(|part| part.input.poll_ready(waker).is_pending())
    }
}

impl Part {
    fn run(&mut self, context: &mut Context<'_>) {
        if let Stage::Runs(run) = &mut self.stage
            && let Poll::Ready(outcome) = run.poll(context)
        {
            self.stage = Stage::Finished(outcome);
        }
    }

    /// Sends what the link takes, and tells it of the protocol's end
    fn send(&mut self, waker: &Waker, now: Instant, link: &mut impl Link) {
        let rest = loop {
            if !self.writable {
                break Rest::Waits;
            }
            let next = self.refused.take().map_or_else(|| self.output.poll_next(waker), |next| Poll::Ready(Some(next)));
            match next {
                Poll::Ready(None) => break Rest::Closed,
                Poll::Pending => break Rest::Empty,
                Poll::Ready(Some(message)) => {
                    if !self.write(message, now, link) {
                        break Rest::Waits;
                    }
                }
            }
        };
        self.end(&rest, waker, now, link);
    }

    /// Writes a message, and returns whether the next one may follow
    fn write(&mut self, message: RawMessage, now: Instant, link: &mut impl Link) -> bool {
        let RawMessage { code, payload } = &message;
        match link.handle(now, Event::Write { protocol: self.protocol, code: *code, payload }) {
            Ok(_) => return true,
            Err(Refused::Write(WriteError::Full)) => (self.refused, self.writable) = (Some(message), false),
            // The link has a cause to end, so the driver is about to close the queues.
            Err(Refused::Write(WriteError::Closed)) => {}
            // A message that the link will never take is its protocol's failure.
            Err(error) => {
                tracing::debug!(protocol = %self.protocol, %error, "a message cannot be sent");
                self.stage = Stage::Finished(Err(ProtocolError::Other));
            }
        }
        false
    }

    fn end(&mut self, rest: &Rest, waker: &Waker, now: Instant, link: &mut impl Link) {
        let outcome = match (&self.stage, rest) {
            (Stage::Finished(outcome @ Err(_)), _) | (Stage::Finished(outcome), Rest::Empty | Rest::Closed) => *outcome,
            // A protocol that has dropped both halves of its `Io` can do nothing more.
            (Stage::Runs(_), Rest::Closed) if self.input.poll_closed(waker).is_ready() => Ok(()),
            _ => return,
        };
        self.stage = Stage::Told;
        // Never refused for a protocol that is shared.
        _ = link.handle(now, Event::ProtocolReturned(self.protocol, outcome));
    }
}

//! All protocols of one link, for drivers that call them from their loop

use std::sync::Arc;

use devp2p_proto::{
    Action, Cause, DisconnectReason, Event, Instant, MAX_MESSAGE, Outbox, ProtocolError, ProtocolId, Ready, WriteError,
};

use crate::app::{Hearing, Message, Node, Report, Speech, Summary};
use crate::link::Link;
use crate::readiness::Talk;

pub struct Conversation {
    report: Report,
    parts: Vec<Part>,
    /// With `--slow`, when the last message will have been dealt with
    busy_until: Option<Instant>,
    /// Whether the link knows that there is no room for another message
    held: bool,
}

/// One protocol's part
struct Part {
    outbox: Outbox,
    speech: Speech,
    hearing: Hearing,
}

impl Conversation {
    pub fn new(node: &Arc<Node>) -> Self {
        Self { report: Report::new(node), parts: Vec::new(), busy_until: None, held: false }
    }

    /// Does all that the link asks for, but leaves it to the driver to send; returns the cause at the end
    pub fn act(&mut self, now: Instant, link: &mut Link) -> Option<Cause> {
        loop {
            self.speak(now, link);
            self.hold_input(now, link);
            let action = link.poll()?;
            self.report.note(&action);
            match action {
                Action::Ready(ready) => self.start(&ready),
                Action::Writable(protocol) => self.flush(now, link, protocol),
                Action::Deliver { protocol, code, payload } => {
                    let message = Message { code, payload: payload.into_bytes() };
                    self.hear(now, link, protocol, message);
                }
                Action::Send(_) => return None,
                Action::Disconnect(cause) => return Some(cause),
                _ => {}
            }
        }
    }

    fn start(&mut self, ready: &Ready<'_>) {
        self.parts.extend(ready.shared().map(|shared| {
            let (speech, hearing) = self.report.talk(&shared);
            // One message waits at most: none is made before that, and none is heard where it is echoed.
            Part { outbox: Outbox::new(shared.protocol, MAX_MESSAGE), speech, hearing }
        }));
    }

    fn part(&mut self, protocol: ProtocolId) -> Option<&mut Part> {
        self.parts.iter_mut().find(|part| part.outbox.protocol() == protocol)
    }

    /// Gives the link what there is to say, as much as it takes, and ends the link when all is said
    fn speak(&mut self, now: Instant, link: &mut Link) {
        for part in &mut self.parts {
            while link.cause().is_none()
                && part.outbox.is_empty()
                && let Some(message) = part.speech.next()
            {
                part.send(now, link, &message);
            }
        }
        if self.report.parts() && link.cause().is_none() && self.summary().complete {
            link.tell(now, Event::Disconnect(DisconnectReason::CLIENT_QUITTING));
        }
    }

    fn flush(&mut self, now: Instant, link: &mut Link, protocol: ProtocolId) {
        if let Some(Part { outbox, .. }) = self.part(protocol) {
            let outcome = outbox.flush(|protocol, code, payload| link.write(now, protocol, code, payload));
            fail_if_refused(now, link, protocol, outcome);
        }
    }

    fn hear(&mut self, now: Instant, link: &mut Link, protocol: ProtocolId, message: Message) {
        self.busy_until = self.report.node().options.slow.and_then(|slow| now.checked_add(slow));
        let Some(part) = self.part(protocol) else {
            return;
        };
        match part.hearing.hear(message) {
            Ok(Some(answer)) => part.send(now, link, &answer),
            Ok(None) => {}
            Err(error) => link.tell(now, Event::ProtocolReturned(protocol, Err(error))),
        }
    }

    fn hold_input(&mut self, now: Instant, link: &mut Link) {
        let full = self.parts.iter().any(|part| part.hearing.echoes() && !part.outbox.is_empty());
        let held = full || self.next_timeout(now).is_some();
        if held != self.held {
            self.held = held;
            link.tell(now, Event::HoldInput(held));
        }
    }

    /// When there will be room without anything else happening
    pub fn next_timeout(&self, now: Instant) -> Option<Instant> {
        self.busy_until.filter(|until| now < *until)
    }

    pub fn ended(&self, link: Link, cause: Cause) {
        self.report.ended(link, cause, self.summary());
    }

    pub const fn report(&self) -> &Report {
        &self.report
    }

    fn summary(&self) -> Summary {
        let mut summary = Summary::default();
        self.parts.iter().for_each(|part| summary.add(&part.speech, &part.hearing));
        // What waits has not been said.
        summary.complete &= self.parts.iter().all(|part| part.outbox.is_empty());
        summary
    }
}

impl Talk for Conversation {
    fn act(&mut self, now: Instant, link: &mut Link) -> Option<Cause> {
        self.act(now, link)
    }

    fn next_timeout(&self, now: Instant) -> Option<Instant> {
        self.next_timeout(now)
    }
}

impl Part {
    fn send(&mut self, now: Instant, link: &mut Link, Message { code, payload }: &Message) {
        let outcome =
            self.outbox.send(*code, payload, |protocol, code, payload| link.write(now, protocol, code, payload));
        fail_if_refused(now, link, self.outbox.protocol(), outcome);
    }
}

/// A message that the link will never take is its protocol's failure, unless the link has ended anyway
fn fail_if_refused(now: Instant, link: &mut Link, protocol: ProtocolId, outcome: Result<(), WriteError>) {
    if outcome.is_err_and(|error| error != WriteError::Closed) {
        link.tell(now, Event::ProtocolReturned(protocol, Err(ProtocolError::Other)));
    }
}

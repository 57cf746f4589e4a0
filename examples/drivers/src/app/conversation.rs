//! All protocols of one link, for drivers that call them from their loop

use std::sync::Arc;

use devp2p_proto::{Action, Cause, DisconnectReason, Instant, ProtocolError, ProtocolId, Ready};

use crate::app::{Hearing, Message, Node, Outbox, Report, Speech, Summary};
use crate::link::Link;

pub struct Conversation {
    report: Report,
    parts: Vec<Part>,
    /// With `--slow`, when the last message will have been dealt with
    busy_until: Option<Instant>,
    broken: Option<(ProtocolId, ProtocolError)>,
}

/// One protocol's part
struct Part {
    outbox: Outbox,
    speech: Speech,
    hearing: Hearing,
}

impl Conversation {
    pub fn new(node: &Arc<Node>) -> Self {
        Self { report: Report::new(node), parts: Vec::new(), busy_until: None, broken: None }
    }

    /// Takes every action but those that are the driver's: `Send` and `Disconnect`
    pub fn take(&mut self, now: Instant, action: Action<'_>) {
        self.report.note(&action);
        match action {
            Action::Ready(ready) => self.start(&ready),
            Action::Writable(protocol) => self.part(protocol).into_iter().for_each(|part| part.outbox.note_writable()),
            Action::Deliver { protocol, code, payload } => {
                self.busy_until = self.report.node().options.slow.and_then(|slow| now.checked_add(slow));
                self.hear(protocol, Message { code, payload: payload.into_bytes() });
            }
            _ => {}
        }
    }

    fn start(&mut self, ready: &Ready<'_>) {
        self.parts.extend(ready.shared().map(|shared| {
            let (speech, hearing) = self.report.talk(&shared);
            Part { outbox: Outbox::new(shared.protocol), speech, hearing }
        }));
    }

    fn part(&mut self, protocol: ProtocolId) -> Option<&mut Part> {
        self.parts.iter_mut().find(|part| part.outbox.protocol() == protocol)
    }

    fn hear(&mut self, protocol: ProtocolId, message: Message) {
        let Some(part) = self.part(protocol) else {
            return;
        };
        match part.hearing.hear(message) {
            Ok(Some(answer)) => part.outbox.put(answer),
            Ok(None) => {}
            Err(error) => self.broken = Some((protocol, error)),
        }
    }

    /// Whether another message may come
    pub fn has_room(&self, now: Instant) -> bool {
        let busy = self.busy_until.is_some_and(|until| now < until);
        !busy && self.parts.iter().all(|part| part.outbox.is_empty() || !part.hearing.echoes())
    }

    /// When there will be room without anything else happening
    pub fn next_timeout(&self, now: Instant) -> Option<Instant> {
        self.busy_until.filter(|until| now < *until)
    }

    /// Gives the link what there is to say, as much as it takes
    pub fn write(&mut self, now: Instant, link: &mut Link) {
        for Part { outbox, speech, .. } in &mut self.parts {
            if let Err(error) = outbox.write(now, link, || speech.next()) {
                self.broken = Some((outbox.protocol(), error));
            }
        }
        if let Some((protocol, error)) = self.broken.take() {
            // It runs: a message of its own has just come or gone.
            let _ = link.protocol_returned(now, protocol, Err(error));
        }
        if self.report.parts() && self.summary().complete {
            link.disconnect(now, DisconnectReason::CLIENT_QUITTING);
        }
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

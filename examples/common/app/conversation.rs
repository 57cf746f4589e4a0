//! All protocols of one link, for drivers that call them from their loop

use std::sync::Arc;

use devp2p_proto::{Action, Cause, DisconnectReason, Instant, ProtocolError, ProtocolId, Ready, WriteError};

use crate::app::{Hearing, Message, Node, Report, Speech, Summary};
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
    protocol: ProtocolId,
    speech: Speech,
    hearing: Hearing,
    /// What is to be written next
    next: Option<Message>,
    /// It was refused, and `Writable` has not come yet
    full: bool,
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
            Action::Writable(protocol) => self.part(protocol).into_iter().for_each(|part| part.full = false),
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
            Part { protocol: shared.protocol, speech, hearing, next: None, full: false }
        }));
    }

    fn part(&mut self, protocol: ProtocolId) -> Option<&mut Part> {
        self.parts.iter_mut().find(|part| part.protocol == protocol)
    }

    fn hear(&mut self, protocol: ProtocolId, message: Message) {
        let Some(part) = self.part(protocol) else {
            return;
        };
        match part.hearing.hear(message) {
            Ok(Some(answer)) => part.next = Some(answer),
            Ok(None) => {}
            Err(error) => self.broken = Some((protocol, error)),
        }
    }

    /// Whether another message may come
    pub fn has_room(&self, now: Instant) -> bool {
        let busy = self.busy_until.is_some_and(|until| now < until);
        !busy && self.parts.iter().all(|part| part.next.is_none() || !part.hearing.echoes())
    }

    /// When there will be room without anything else happening
    pub fn next_timeout(&self, now: Instant) -> Option<Instant> {
        self.busy_until.filter(|until| now < *until)
    }

    /// Gives the link what there is to say, as much as it takes
    pub fn write(&mut self, now: Instant, link: &mut Link) {
        for part in &mut self.parts {
            if let Err(error) = part.write(now, link) {
                self.broken = Some((part.protocol, error));
            }
        }
        if let Some((protocol, error)) = self.broken.take() {
            // It runs: a message of its own has just come or gone.
            let _ = link.protocol_returned(now, protocol, Err(error));
        }
        if self.report.parts() && self.summary().complete {
            link.disconnect(now, DisconnectReason::ClientQuitting);
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
        summary.complete &= self.parts.iter().all(|part| part.next.is_none());
        summary
    }
}

impl Part {
    fn write(&mut self, now: Instant, link: &mut Link) -> Result<(), ProtocolError> {
        while !self.full {
            self.next = self.next.take().or_else(|| self.speech.next());
            let Some(Message { code, payload }) = &self.next else {
                break;
            };
            match link.write(now, self.protocol, *code, payload) {
                Ok(_) => self.next = None,
                Err(WriteError::Full) => self.full = true,
                Err(WriteError::Closed) => break,
                Err(_) => {
                    self.next = None;
                    return Err(ProtocolError::Other);
                }
            }
        }
        Ok(())
    }
}

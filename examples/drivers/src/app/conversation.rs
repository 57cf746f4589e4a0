//! All protocols of one link, for drivers that call them from their loop

use std::sync::Arc;

use devp2p_proto::{Cause, DisconnectReason, Instant, Notice, PeerState, ProtocolError, ProtocolId, WriteError};

use super::{Hearing, Message, Node, Report, Speech, Summary};
use crate::link::{Out, RecordedLink};
use crate::readiness::Talk;

pub struct Conversation {
    report: Report,
    parts: Vec<Part>,
    /// With `--slow`, when the last message will have been dealt with
    busy_until: Option<Instant>,
}

/// One protocol's part
struct Part {
    protocol: ProtocolId,
    speech: Speech,
    hearing: Hearing,
    /// Whether a message of it waits
    unsent: bool,
}

impl Conversation {
    pub fn new(node: &Arc<Node>) -> Self {
        Self { report: Report::new(node), parts: Vec::new(), busy_until: None }
    }

    fn start(&mut self, link: &PeerState<'_>) {
        self.parts.extend(link.shared().map(|shared| {
            let (speech, hearing) = self.report.talk(&shared);
            Part { protocol: shared.protocol, speech, hearing, unsent: false }
        }));
    }

    /// Sends what there is to say, as much as the link takes, and ends the link when all is said; returns whether it did
    /// anything
    fn speak(&mut self, out: &mut Out<'_>) -> bool {
        let mut spoke = false;
        for part in &mut self.parts {
            // One message waits at most: none is made before it is taken, and none is heard where it is echoed.
            while out.link().cause().is_none()
                && out.waiting(part.protocol) == 0
                && let Some(message) = part.speech.next()
            {
                send(out, part.protocol, &message);
                spoke = true;
            }
            part.unsent = out.waiting(part.protocol) > 0;
        }
        if self.report.parts() && out.link().cause().is_none() && self.summary().complete {
            out.disconnect(DisconnectReason::CLIENT_QUITTING);
            spoke = true;
        }
        spoke
    }

    fn take(&mut self, out: &mut Out<'_>, protocol: ProtocolId, message: Message) {
        self.busy_until = self.report.node().options.slow.and_then(|slow| out.now().checked_add(slow));
        let Some(part) = self.parts.iter_mut().find(|part| part.protocol == protocol) else {
            return;
        };
        match part.hearing.hear(message) {
            Ok(Some(answer)) => send(out, protocol, &answer),
            Ok(None) => {}
            Err(error) => fail(out, protocol, error),
        }
    }

    /// Holds input while an answer waits; returns whether that has changed
    fn hold_input(&self, out: &mut Out<'_>) -> bool {
        let full = self.parts.iter().any(|part| part.hearing.echoes() && part.unsent);
        let held = full || self.next_timeout(out.now()).is_some();
        let changes = held != out.link().is_input_held();
        if changes {
            out.hold(held);
        }
        changes
    }

    pub fn ended(&self, link: RecordedLink, cause: Cause) {
        self.report.ended(link, cause, self.summary());
    }

    pub const fn report(&self) -> &Report {
        &self.report
    }

    fn summary(&self) -> Summary {
        let mut summary = Summary::default();
        self.parts.iter().for_each(|part| summary.add(&part.speech, &part.hearing));
        // What waits has not been said.
        summary.complete &= self.parts.iter().all(|part| !part.unsent);
        summary
    }
}

impl Talk for Conversation {
    fn hear(&mut self, notice: Notice, out: &mut Out<'_>) {
        self.report.note(&notice, out.link());
        match notice {
            Notice::Ready => self.start(out.link()),
            Notice::Message { protocol, code, payload } => self.take(out, protocol, Message { code, payload }),
            _ => {}
        }
        self.proceed(out);
    }

    fn proceed(&mut self, out: &mut Out<'_>) -> bool {
        self.speak(out) | self.hold_input(out)
    }

    /// When there will be room without anything else happening
    fn next_timeout(&self, now: Instant) -> Option<Instant> {
        self.busy_until.filter(|until| now < *until)
    }
}

/// A message that the link will never take is its protocol's failure
fn send(out: &mut Out<'_>, protocol: ProtocolId, Message { code, payload }: &Message) {
    match out.send(protocol, *code, payload) {
        // After the end of the link, nobody is to hear it any more.
        Ok(()) | Err(WriteError::Closed) => {}
        Err(_) => fail(out, protocol, ProtocolError::Other),
    }
}

fn fail(out: &mut Out<'_>, protocol: ProtocolId, error: ProtocolError) {
    out.protocol_returned(protocol, Err(error)).expect("only a protocol that is shared can fail");
}

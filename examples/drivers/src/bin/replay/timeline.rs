//! What happened on a link, in order: from its events, its actions, and what can be observed of it in between

use std::borrow::Cow;
use std::collections::HashMap;
use std::time::Duration;

use devp2p_drivers::journal::{Setup, sharing};
use devp2p_proto::{
    Action, Cause, Event, Handled, Instant, MessageEvent, PeerState, ProtocolId, Refused, Role, Stage, keccak256,
};

use crate::figures::Figures;
use crate::frame::{Frame, Seen};
use crate::happening::{Happening, Kind, Layer, Side, Views};
use crate::hello::Hello;
use crate::leaving::Leaving;
use crate::names::Names;

/// How many refused messages wait to be taken; of more, it is not told when they were
const MOST_REFUSED: usize = 1 << 16;

pub struct Timeline {
    views: Views,
    names: Names,
    ours: Hello,
    role: Role,
    start: Instant,
    now: Duration,
    seen: Seen,
    /// How many happenings were shown
    shown: usize,
    leaving: Leaving,
    /// How many bytes of an incomplete packet or frame have come
    incomplete: u64,
    /// When the last bytes came
    arrived: Duration,
    /// The messages that were refused and not taken since, each by protocol, code and the hash of its payload
    refused: HashMap<(ProtocolId, u64, [u8; 32]), usize>,
    figures: Figures,
}

impl Timeline {
    pub fn new(setup: &Setup, link: &PeerState<'_>, views: Views) -> Self {
        Self {
            views,
            names: Names::new(&setup.protocols),
            ours: Hello::ours(setup),
            role: link.role(),
            start: setup.now,
            now: Duration::ZERO,
            seen: Seen::of(link),
            shown: 0,
            leaving: Leaving::default(),
            incomplete: 0,
            arrived: Duration::ZERO,
            refused: HashMap::new(),
            figures: Figures::default(),
        }
    }

    pub fn into_parts(self) -> (Views, Figures) {
        (self.views, self.figures)
    }

    /// Notes an event and what became of it
    pub fn event(&mut self, now: Instant, event: Event<'_>, outcome: &Result<Handled, Refused>, link: &PeerState<'_>) {
        // A clock that goes back does not change the order of what happened.
        self.now = self.now.max(now.saturating_since(self.start));
        self.figures.duration = self.now;
        self.note_timer(now, event);
        let seen = Seen::of(link);
        match (event, outcome) {
            (Event::Write { protocol, code, payload }, Err(refused)) => {
                self.note_refused_message(protocol, code, payload, refused);
            }
            (_, Err(refused)) => self.note_refused(event, refused),
            (Event::Write { payload, .. }, Ok(Handled::Written(message))) => self.note_written(message, payload),
            (Event::Sent(len), _) => self.note_left(len),
            (Event::Receive(bytes), Ok(Handled::Received(taken))) => {
                self.note_received(bytes.len(), *taken, &seen, link);
            }
            _ => self.note_driver(event),
        }
        self.settle(seen);
    }

    /// Notes an action, which borrows the link; [`Timeline::polled`] has to follow
    pub fn action(&mut self, action: Option<&Action<'_>>) {
        match action {
            Some(Action::IdentityClaimed(id)) => self.here(Kind::State, Layer::Link, "peer claims id", id.to_string()),
            Some(Action::Ready(ready)) => self.here(Kind::State, Layer::Link, "ready", sharing(ready)),
            Some(Action::Deliver { protocol, code, payload }) => {
                let wire = payload.wire_len() as u64;
                self.note_ignored(self.incomplete.saturating_sub(wire));
                let number = self.show(Happening {
                    at: self.arrived,
                    wire: Some(wire),
                    size: Some(payload.len() as u64),
                    payload: Some(payload),
                    ..self.message(Side::Received, Kind::Message, *protocol, *code)
                });
                self.complete(number);
                self.incomplete = 0;
            }
            Some(Action::Skipped { protocol, code, size, wire_len }) => {
                self.note_ignored(self.incomplete.saturating_sub(*wire_len as u64));
                self.show(Happening {
                    at: self.arrived,
                    wire: Some(*wire_len as u64),
                    size: Some(*size as u64),
                    detail: "larger than its limit; its size is what the peer claims".to_string(),
                    ..self.message(Side::Received, Kind::Skipped, *protocol, *code)
                });
                self.incomplete = 0;
            }
            Some(Action::Writable(protocol)) => {
                self.here(Kind::Driver, self.names.layer(*protocol), "can write again", String::new());
            }
            Some(Action::Disconnect(cause)) => self.here(Kind::State, Layer::Link, "ended", cause.to_string()),
            _ => {}
        }
    }

    /// Notes what a poll has changed
    pub fn polled(&mut self, link: &PeerState<'_>) {
        self.settle(Seen::of(link));
    }

    fn note_timer(&mut self, now: Instant, event: Event<'_>) {
        if let (Event::Timeout, Some((deadline, timer))) = (event, self.seen.timer)
            && deadline <= now
        {
            self.here(Kind::Timer, Layer::Link, format!("{timer:?} timer"), String::new());
        }
    }

    fn note_refused_message(&mut self, protocol: ProtocolId, code: u64, payload: &[u8], refused: &Refused) {
        self.figures.refusals += 1;
        let draft = (protocol, code, keccak256(payload));
        // A driver tries a message until it is taken: all tries are one row.
        if self.refused.contains_key(&draft) {
            return;
        }
        let number = self.show(Happening {
            size: Some(payload.len() as u64),
            detail: refused.to_string(),
            ..self.message(Side::Here, Kind::Refused, protocol, code)
        });
        if self.refused.len() < MOST_REFUSED {
            self.refused.insert(draft, number);
        }
    }

    fn note_refused(&mut self, event: Event<'_>, refused: &Refused) {
        self.figures.refusals += 1;
        self.here(Kind::Refused, Layer::Link, format!("{event:?}"), refused.to_string());
    }

    fn note_written(&mut self, message: &MessageEvent, payload: &[u8]) {
        let MessageEvent { protocol, code, size, wire_size, .. } = *message;
        if !self.refused.is_empty()
            && let Some(number) = self.refused.remove(&(protocol, code, keccak256(payload)))
        {
            self.complete(number);
        }
        self.show_sealed(Happening {
            wire: Some(wire_size as u64),
            size: Some(size as u64),
            payload: Some(payload),
            ..self.message(Side::Sent, Kind::Message, protocol, code)
        });
        self.seen.unsent += wire_size;
    }

    fn note_left(&mut self, len: usize) {
        // A link that has ended takes any report, and has nothing unsent.
        let len = len.min(self.seen.unsent);
        self.seen.unsent -= len;
        self.figures.sent += len as u64;
        self.leaving.leave(len as u64);
        while let Some(number) = self.leaving.next_left() {
            self.complete(number);
        }
    }

    fn note_received(&mut self, offered: usize, taken: usize, seen: &Seen, link: &PeerState<'_>) {
        self.figures.received += taken as u64;
        self.incomplete += taken as u64;
        if taken > 0 {
            self.arrived = self.now;
        }
        if matches!(self.seen.stage, Stage::Closed) {
            self.incomplete = 0;
        } else if let Some(frame) = Frame::opened(&self.seen, seen, self.role) {
            self.note_opened(frame, seen, link);
        } else if taken < offered && seen.wants_input && taken > 0 {
            self.note_ignored(self.incomplete);
            self.incomplete = 0;
        }
        if let Some(Cause::Violation(violation)) = seen.new_cause(&self.seen) {
            let wire = Some(self.incomplete).filter(|wire| *wire > 0);
            let happening = self.happening(Side::Received, Kind::Violation, Layer::Link, "violation");
            self.show(Happening { wire, detail: violation.to_string(), ..happening });
            self.incomplete = 0;
        }
    }

    fn note_opened(&mut self, frame: Frame, seen: &Seen, link: &PeerState<'_>) {
        let wire = std::mem::take(&mut self.incomplete);
        let hello = link.remote_hello().filter(|_| frame == Frame::Hello).map(Hello::theirs);
        let detail = match frame {
            Frame::Hello => hello.as_ref().map(Hello::text).unwrap_or_default(),
            Frame::Disconnect(reason) => reason.to_string(),
            Frame::Pong => seen.liveness.round_trip.map_or_else(String::new, |round_trip| {
                self.figures.round_trips.add(round_trip);
                format!("round trip {round_trip:?}")
            }),
            Frame::Auth | Frame::Ack | Frame::Ping => String::new(),
        };
        let size = hello.and_then(|hello| hello.size(wire));
        self.show(Happening { wire: Some(wire), size, detail, ..self.own_frame(Side::Received, frame) });
    }

    /// Notes frames that have changed nothing, as a second Hello or a Pong that answers no Ping
    fn note_ignored(&mut self, wire: u64) {
        if wire > 0 {
            let happening = self.happening(Side::Received, Kind::Ignored, Layer::Link, "ignored");
            self.show(Happening { at: self.arrived, wire: Some(wire), ..happening });
        }
    }

    fn note_driver(&mut self, event: Event<'_>) {
        let (layer, name, detail) = match event {
            Event::HoldInput(held) if held == self.seen.is_input_held => return,
            Event::HoldInput(true) => (Layer::Link, "input is held", String::new()),
            Event::HoldInput(false) => (Layer::Link, "input is not held", String::new()),
            Event::ReceiveClosed => (Layer::Link, "end of the stream", String::new()),
            Event::SendFailed => (Layer::Link, "sending failed", String::new()),
            Event::Disconnect(reason) => (Layer::Link, "disconnect", reason.to_string()),
            Event::ProtocolReturned(protocol, Ok(())) => (self.names.layer(protocol), "finished", String::new()),
            Event::ProtocolReturned(protocol, Err(error)) => (self.names.layer(protocol), "failed", error.to_string()),
            _ => return,
        };
        self.here(Kind::Driver, layer, name, detail);
    }

    /// Notes what the link has sealed by itself, and its new stage
    fn settle(&mut self, seen: Seen) {
        if let Some(growth) = seen.unsent.checked_sub(self.seen.unsent).filter(|growth| *growth > 0)
            && let Some(frame) = Frame::sealed(&self.seen, &seen, self.role)
        {
            let wire = growth as u64;
            let (size, detail) = match frame {
                Frame::Auth | Frame::Ack => (None, String::new()),
                Frame::Hello => (self.ours.size(wire), self.ours.text()),
                Frame::Disconnect(reason) => (Some(1 + rlp::encode(&reason.code()).len() as u64), reason.to_string()),
                Frame::Ping | Frame::Pong => (Some(1), String::new()),
            };
            self.show_sealed(Happening { wire: Some(wire), size, detail, ..self.own_frame(Side::Sent, frame) });
        }
        if seen.stage != self.seen.stage {
            let detail = match self.seen.unsent.saturating_sub(seen.unsent) {
                0 => String::new(),
                lost => format!("{lost} bytes were not sent"),
            };
            self.here(Kind::State, Layer::Link, format!("stage {:?}", seen.stage), detail);
        }
        self.seen = seen;
    }

    fn happening(
        &self,
        side: Side,
        kind: Kind,
        layer: Layer,
        name: impl Into<Cow<'static, str>>,
    ) -> Happening<'static> {
        Happening::new(self.now, side, kind, layer, name)
    }

    fn message(&self, side: Side, kind: Kind, protocol: ProtocolId, code: u64) -> Happening<'static> {
        let name = self.names.message(protocol, code);
        Happening { code: Some(code), ..self.happening(side, kind, self.names.layer(protocol), name) }
    }

    fn own_frame(&self, side: Side, frame: Frame) -> Happening<'static> {
        Happening { code: frame.code(), ..self.happening(side, frame.kind(), frame.layer(), frame.name()) }
    }

    fn here(&mut self, kind: Kind, layer: Layer, name: impl Into<Cow<'static, str>>, detail: String) {
        self.show(Happening { detail, ..self.happening(Side::Here, kind, layer, name) });
    }

    fn show_sealed(&mut self, happening: Happening<'_>) {
        let len = happening.wire.unwrap_or_default();
        let number = self.show(happening);
        self.leaving.seal(number, len);
    }

    fn show(&mut self, happening: Happening<'_>) -> usize {
        self.views.iter_mut().for_each(|(_, view)| view.show(self.shown, &happening));
        self.shown += 1;
        self.shown - 1
    }

    /// Notes that what was shown with this number has come to its end now
    fn complete(&mut self, number: usize) {
        self.views.iter_mut().for_each(|(_, view)| view.complete(number, self.now));
    }
}

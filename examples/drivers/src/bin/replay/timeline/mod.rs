//! What happened on a link, in order: from its events, its actions, and what can be observed of it in between
//!
//! `ingress.rs` and `egress.rs` follow the bytes from the peer and to the peer. `frame.rs` knows the packets and frames
//! that the link makes and reads by itself.

mod egress;
mod figures;
mod frame;
mod hello;
mod ingress;
mod leaving;

use std::borrow::Cow;
use std::collections::HashMap;
use std::time::Duration;

use devp2p_drivers::journal::{Setup, sharing};
use devp2p_proto::{Action, Event, Handled, Instant, PeerState, ProtocolId, Refused, Role};

pub use self::figures::Figures;
use self::frame::{Frame, Seen};
use self::hello::Hello;
use self::leaving::Leaving;
use crate::happening::{Happening, Kind, Layer, Side, Views};
use crate::names::Names;

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
            Some(Action::Deliver { protocol, code, payload }) => self.note_delivered(*protocol, *code, payload),
            Some(Action::Skipped { protocol, code, size, wire_len }) => {
                self.note_skipped(*protocol, *code, *size, *wire_len);
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

    fn note_refused(&mut self, event: Event<'_>, refused: &Refused) {
        self.figures.refusals += 1;
        self.here(Kind::Refused, Layer::Link, format!("{event:?}"), refused.to_string());
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
        self.note_sealed(&seen);
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

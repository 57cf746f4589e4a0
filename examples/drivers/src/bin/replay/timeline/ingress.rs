//! What came from the peer

use devp2p_proto::{Cause, Payload, PeerState, ProtocolId, Stage};

use super::Timeline;
use super::frame::{Frame, Seen};
use super::hello::Hello;
use crate::happening::{Happening, Kind, Layer, Side};

impl Timeline {
    pub(super) fn note_received(&mut self, offered: usize, taken: usize, seen: &Seen, link: &PeerState<'_>) {
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

    pub(super) fn note_delivered(&mut self, protocol: ProtocolId, code: u64, payload: &Payload<'_>) {
        let wire = self.take_message(payload.wire_len());
        let number = self.show(Happening {
            at: self.arrived,
            wire: Some(wire),
            size: Some(payload.len() as u64),
            payload: Some(payload),
            ..self.message(Side::Received, Kind::Message, protocol, code)
        });
        self.complete(number);
    }

    pub(super) fn note_skipped(&mut self, protocol: ProtocolId, code: u64, size: usize, wire_len: usize) {
        let wire = self.take_message(wire_len);
        self.show(Happening {
            at: self.arrived,
            wire: Some(wire),
            size: Some(size as u64),
            detail: "larger than its limit; its size is what the peer claims".to_string(),
            ..self.message(Side::Received, Kind::Skipped, protocol, code)
        });
    }

    /// Takes the frame of a message from the bytes that have come, and returns its length
    ///
    /// What is left of these bytes are frames that have changed nothing.
    fn take_message(&mut self, wire_len: usize) -> u64 {
        let wire = wire_len as u64;
        let come = std::mem::take(&mut self.incomplete);
        self.note_ignored(come.saturating_sub(wire));
        wire
    }
}

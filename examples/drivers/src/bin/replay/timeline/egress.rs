//! What was written, refused and sealed, and when it has left

use devp2p_proto::{MessageEvent, ProtocolId, Refused, keccak256};

use super::Timeline;
use super::frame::{Frame, Seen};
use crate::happening::{Happening, Kind, Side};

/// How many refused messages wait to be taken; of more, it is not told when they were
const MOST_REFUSED: usize = 1 << 16;

impl Timeline {
    pub(super) fn note_refused_message(&mut self, protocol: ProtocolId, code: u64, payload: &[u8], refused: &Refused) {
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

    pub(super) fn note_written(&mut self, message: &MessageEvent, payload: &[u8]) {
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

    pub(super) fn note_left(&mut self, len: usize) {
        // A link that has ended takes any report, and has nothing unsent.
        let len = len.min(self.seen.unsent);
        self.seen.unsent -= len;
        self.figures.sent += len as u64;
        self.leaving.leave(len as u64);
        while let Some(number) = self.leaving.next_left() {
            self.complete(number);
        }
    }

    fn show_sealed(&mut self, happening: Happening<'_>) {
        let len = happening.wire.unwrap_or_default();
        let number = self.show(happening);
        self.leaving.seal(number, len);
    }

    /// Notes what the link has sealed by itself
    pub(super) fn note_sealed(&mut self, seen: &Seen) {
        if let Some(growth) = seen.unsent.checked_sub(self.seen.unsent).filter(|growth| *growth > 0)
            && let Some(frame) = Frame::sealed(&self.seen, seen, self.role)
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
    }
}

//! Messages that the protocols of the link write

use devp2p_proto::{ProtocolId, WriteError};

use super::Run;
use super::fair_writing::Message;
use crate::input::Input;
use crate::subject::Outcome;

impl Run<'_, '_> {
    pub(super) fn writable(&mut self, protocol: ProtocolId) {
        let refused = self.fair_writing.tell(protocol);
        if let (true, Some(Message { code, payload })) = (self.settings.retry, refused) {
            _ = self.write_payload(protocol, code, &payload);
        }
    }

    pub(super) fn write(&mut self, input: &mut Input<'_>) {
        let (protocol, code) = self.address(input);
        let payload = input.payload(self.max_send(protocol).max(1));
        _ = self.write_payload(protocol, code, &payload);
    }

    fn write_payload(&mut self, protocol: ProtocolId, code: u64, payload: &[u8]) -> Outcome {
        let verdict = self.fair_writing.verdict(&self.subject.link, protocol, code, payload.len());
        let outcome = self.subject.write(self.now(), protocol, code, payload);
        let message = (protocol, code, payload.len());
        self.fair_writing.check(&self.subject.link, verdict, message, payload, outcome);
        self.note_write(protocol, code, payload, outcome);
        outcome
    }

    pub(super) fn write_rlp(&mut self, input: &mut Input<'_>) {
        let (protocol, code) = self.address(input);
        let content = input.payload(self.settings.limits.max_message);
        let payload = rlp::encode(&content.as_slice()).len();
        let verdict = self.fair_writing.verdict(&self.subject.link, protocol, code, payload);
        let (payload, outcome) = self.subject.write_rlp(self.now(), protocol, code, &content);
        let message = (protocol, code, payload.len());
        self.fair_writing.check(&self.subject.link, verdict, message, &payload, outcome);
        self.note_write(protocol, code, &payload, outcome);
    }

    /// Writes by `write_with`: fewer bytes than announced, as many, or a claim of more
    pub(super) fn write_with(&mut self, input: &mut Input<'_>) {
        let (protocol, code) = self.address(input);
        let payload = input.payload(self.max_send(protocol).max(1));
        let (spare, excess) = input.pick(&[(0, 0), (1, 0), (200, 0), (70_000, 0), (0, 1), (0, usize::MAX / 2)]);
        let max = payload.len() + spare;
        let verdict = self.fair_writing.verdict(&self.subject.link, protocol, code, max);
        let claimed = payload.len() + excess;
        let outcome = self.subject.write_with(self.now(), protocol, code, max, &payload, claimed);
        if verdict.is_ok() && excess > 0 {
            assert_eq!(outcome, Err(WriteError::TooLarge), "{claimed} bytes in {max}");
            return;
        }
        self.fair_writing.check(&self.subject.link, verdict, (protocol, code, max), &payload, outcome);
        self.note_write(protocol, code, &payload, outcome);
    }

    /// A protocol writes the same until it is refused
    pub(super) fn fill(&mut self, input: &mut Input<'_>) {
        let (protocol, code) = self.address(input);
        let payload = input.payload(self.max_send(protocol).max(1));
        self.fill_with(protocol, code, &payload);
    }

    fn fill_with(&mut self, protocol: ProtocolId, code: u64, payload: &[u8]) {
        for _ in 0..20 {
            if self.write_payload(protocol, code, payload).is_err() {
                break;
            }
        }
    }

    /// All protocols fill their shares, and the transport takes a little at a time
    pub(super) fn contend(&mut self, input: &mut Input<'_>) {
        let len = usize::from(input.u16()) % 3000;
        let steps = input.byte() % 16;
        for _ in 0..=steps {
            for protocol in (0..self.settings.protocols.len()).map(ProtocolId) {
                self.fill_with(protocol, 0, &vec![7; len.min(self.max_send(protocol))]);
            }
            self.send(input.pick(&[1000, 1, 64, 400, 5000, 70_000]));
        }
    }

    fn max_send(&self, protocol: ProtocolId) -> usize {
        self.settings.max_sends.get(protocol.0).copied().unwrap_or_default()
    }

    /// A protocol and a code, most of which exist
    fn address(&self, input: &mut Input<'_>) -> (ProtocolId, u64) {
        let byte = input.byte();
        let protocol = ProtocolId(usize::from(byte & 7));
        let length = self.settings.protocols.get(protocol.0).map_or(0, |local| local.2);
        let code = match byte >> 4 {
            0..=7 => 0,
            8..=12 => length.saturating_sub(1),
            13 => length,
            14 => u64::MAX,
            _ => input.byte().into(),
        };
        (protocol, code)
    }

    fn note_write(&mut self, protocol: ProtocolId, code: u64, payload: &[u8], outcome: Outcome) {
        let Ok(event) = outcome else {
            return;
        };
        self.idling.note_write();
        let count = self.written.entry(protocol).or_default();
        count.messages += 1;
        count.payload_bytes += event.size as u64;
        count.wire_bytes += event.wire_size as u64;
        let shared = self.subject.link.shared().find(|shared| shared.protocol == protocol).unwrap();
        self.remote.heard.written.push_back((shared.offset + code, payload.to_vec(), event.wire_size));
    }
}

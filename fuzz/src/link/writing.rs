//! Messages that the protocols of the link write

use devp2p_proto::{MessageEvent, ProtocolId, WriteError};

use super::Run;
use super::turns::Turns;
use crate::input::Input;

impl Run<'_, '_> {
    pub(super) fn writable(&mut self, protocol: ProtocolId) {
        let (code, payload) = self.turns.tell(protocol);
        if self.settings.retry {
            let outcome = self.subject.write(self.now(), protocol, code, &payload);
            Turns::check_told(outcome);
            self.note_write(protocol, code, &payload, outcome);
        }
    }

    pub(super) fn write(&mut self, input: &mut Input<'_>) {
        let (protocol, code) = self.address(input);
        let limit = self.settings.protocols.get(protocol.0).map_or(0, |local| local.3).min(self.settings.max_message);
        let payload = input.payload(limit.max(1));
        let chance = self.turns.chance(protocol, &self.subject.link, &self.remote);
        let outcome = self.subject.write(self.now(), protocol, code, &payload);
        self.turns.check(&chance, payload.len(), outcome, &self.subject.link, &self.remote);
        if payload.len() > limit {
            assert!(outcome.is_err());
        }
        self.note_write(protocol, code, &payload, outcome);
    }

    pub(super) fn write_rlp(&mut self, input: &mut Input<'_>) {
        let (protocol, code) = self.address(input);
        let content = input.payload(self.settings.max_message);
        let (payload, outcome) = self.subject.write_rlp(self.now(), protocol, code, &content);
        self.note_write(protocol, code, &payload, outcome);
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

    fn note_write(
        &mut self,
        protocol: ProtocolId,
        code: u64,
        payload: &[u8],
        outcome: Result<MessageEvent, WriteError>,
    ) {
        match outcome {
            Ok(event) => {
                self.turns.note_written(protocol, code, payload.len(), &self.subject.link);
                let count = self.written.entry(protocol).or_default();
                count.messages += 1;
                count.payload_bytes += event.size as u64;
                count.wire_bytes += event.wire_size as u64;
                let shared = self.subject.link.shared().find(|shared| shared.protocol == protocol).unwrap();
                self.remote.heard.written.push_back((shared.offset + code, payload.to_vec(), event.wire_size));
            }
            Err(WriteError::Full) => self.turns.note_refused(protocol, code, payload),
            Err(_) => {}
        }
    }
}

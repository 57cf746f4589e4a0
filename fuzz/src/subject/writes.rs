//! The promises of every single write; `link::fair_writing` decides whether a write has to be taken

use devp2p_proto::{Event, Instant, MessageEvent, ProtocolId, Refused, Stage, WriteError};

use super::{Subject, Told, View};

pub(crate) type Outcome = Result<MessageEvent, WriteError>;

impl Subject<'_> {
    pub(crate) fn write(&mut self, now: Instant, protocol: ProtocolId, code: u64, payload: &[u8]) -> Outcome {
        let before = self.view();
        let now = self.at(now);
        let outcome = self.link.write(now, protocol, code, payload);
        self.check_write(before, protocol, code, payload, outcome);
        self.reflect_write(protocol, code, payload, outcome);
        outcome
    }

    /// Writes a payload that the `rlp` crate wraps as a string
    pub(crate) fn write_rlp(
        &mut self,
        now: Instant,
        protocol: ProtocolId,
        code: u64,
        content: &[u8],
    ) -> (Vec<u8>, Outcome) {
        let payload = rlp::encode(&content).to_vec();
        let before = self.view();
        let now = self.at(now);
        let outcome = self.link.write_rlp(now, protocol, code, &content);
        self.check_write(before, protocol, code, &payload, outcome);
        self.reflect_write(protocol, code, &payload, outcome);
        (payload, outcome)
    }

    /// Writes a payload where it is sealed, and claims that it has `claimed` bytes
    pub(crate) fn write_with(
        &mut self,
        now: Instant,
        protocol: ProtocolId,
        code: u64,
        max: usize,
        payload: &[u8],
        claimed: usize,
    ) -> Outcome {
        let before = self.view();
        let now = self.at(now);
        let mut called = false;
        let fill = |room: &mut [u8]| {
            assert_eq!(room.len(), max);
            called = true;
            room[..payload.len()].copy_from_slice(payload);
            claimed
        };
        let outcome = self.link.write_with(now, protocol, code, max, fill);
        self.check_write(before, protocol, code, payload, outcome);
        assert!(called || outcome.is_err());
        if called {
            assert!(matches!(outcome, Ok(_) | Err(WriteError::TooLarge)), "{outcome:?} after it was asked for");
        }
        let latest = self.clock.latest;
        let fill = |room: &mut [u8]| {
            room[..payload.len()].copy_from_slice(payload);
            claimed
        };
        self.reflect(|twin| assert_eq!(twin.write_with(latest, protocol, code, max, fill), outcome));
        outcome
    }

    fn check_write(&self, before: View, protocol: ProtocolId, code: u64, payload: &[u8], outcome: Outcome) {
        let after = self.view();
        match outcome {
            Ok(event) => {
                assert_eq!(self.told, Told::Ready, "a write before Ready was taken");
                assert_eq!((event.protocol, event.code, event.size), (protocol, code, payload.len()));
                assert_eq!(after.unsent, before.unsent + event.wire_size);
            }
            Err(_) => self.assert_unchanged(&before, "a refused write changes nothing"),
        }
        match before.stage {
            Stage::Closing | Stage::Closed => assert_eq!(outcome, Err(WriteError::Closed)),
            Stage::Running if self.told == Told::Ready => assert_ne!(outcome, Err(WriteError::NotReady)),
            _ => assert_eq!(outcome, Err(WriteError::NotReady)),
        }
    }

    fn reflect_write(&mut self, protocol: ProtocolId, code: u64, payload: &[u8], outcome: Outcome) {
        if matches!(outcome, Ok(_) | Err(WriteError::Full)) {
            let outcome = outcome.map(|_| ()).map_err(Refused::Write);
            self.reflect_outcome(Event::Write { protocol, code, payload }, outcome);
        } else {
            // The twin gets the time, by an event that changes nothing else.
            self.reflect_event(Event::HoldInput(self.holding.held));
        }
    }
}

//! How a link ends, and what holds at its end

use devp2p_proto::{
    Capability, Cause, DisconnectReason, ProtocolError, ProtocolId, SharedProtocol, Stage, Timeout, WriteError,
};

use super::Run;
use crate::input::Input;
use crate::remote::Keys;
use crate::subject::Told;

/// What the driver has done that may end a link
#[derive(Debug, Default)]
pub(super) struct Done {
    disconnected: Vec<DisconnectReason>,
    returned: Vec<(ProtocolId, Result<(), ProtocolError>)>,
    closed: bool,
    failed: bool,
    pub(super) woken: bool,
}

impl Run<'_, '_> {
    pub(super) fn end(&mut self, input: &mut Input<'_>) {
        let now = self.now();
        let reason = DisconnectReason::from_code(input.pick(&[0, 1, 4, 8, 16, 0x7f, 0x80, 0xffff, u64::MAX]));
        match input.byte() % 6 {
            0 => {
                self.subject.receive_closed(now);
                self.done.closed = true;
            }
            1 => {
                self.subject.send_failed(now);
                self.done.failed = true;
                // What was offered is never sent.
                self.remote.heard.written.clear();
            }
            2 | 3 => {
                let outcome = input.pick(&[
                    Ok(()),
                    Err(ProtocolError::Other),
                    Err(ProtocolError::Reason(reason)),
                    Err(ProtocolError::BadMessage),
                ]);
                let protocol = ProtocolId(usize::from(input.byte() & 7));
                if self.subject.protocol_returned(now, protocol, outcome).is_ok() {
                    self.done.returned.push((protocol, outcome));
                }
            }
            _ => {
                self.subject.disconnect(now, reason);
                self.done.disconnected.push(reason);
            }
        }
    }

    /// Panics unless the driver or the remote has done what the link gives as the cause
    pub(super) fn check_cause(&self, cause: Cause) {
        let Self { remote, done, .. } = self;
        let given = match cause {
            Cause::Remote(reason) => remote.reasons.contains(&reason) || !remote.certain,
            Cause::Local(reason) => done.disconnected.contains(&reason),
            Cause::ProtocolReturned { protocol, capability } => {
                done.returned.contains(&(protocol, Ok(()))) && self.is_shared(protocol, capability)
            }
            Cause::ProtocolFailed { protocol, capability, error } => {
                done.returned.contains(&(protocol, Err(error))) && self.is_shared(protocol, capability)
            }
            Cause::Violation(_) | Cause::NothingShared => remote.has_misbehaved(),
            Cause::Timeout(Timeout::Handshake) => done.woken && !self.ready,
            Cause::Timeout(_) => done.woken,
            Cause::ReceiveClosed => done.closed,
            Cause::SendFailed => done.failed,
            _ => panic!("{cause:?} is unknown here"),
        };
        assert!(given, "nobody has given the reason for {cause:?}");
    }

    fn is_shared(&self, protocol: ProtocolId, capability: Capability) -> bool {
        let is = |shared: SharedProtocol| (shared.protocol, shared.capability) == (protocol, capability);
        self.subject.link.shared().any(is)
    }

    /// Does every remaining action, and then lets time pass until the link has ended
    pub(super) fn finish(&mut self) {
        self.slow = 0;
        self.pump();
        if self.subject.is_held() {
            self.check_held();
            self.subject.hold_input(self.now(), false);
            self.pump();
        }
        self.check_rest();
        for _ in 0..200 {
            if self.subject.link.next_timeout().is_none() {
                break;
            }
            self.sleep();
            self.pump();
            self.check();
        }
        self.check_counters();
        // No clock reaches a deadline that is at the end of time, by the clock of the driver or of the link.
        let timed = self.settings.timeouts.read != std::time::Duration::MAX
            && self.now().max(self.subject.time()).as_nanos() < u64::MAX / 4 * 3;
        if timed {
            assert_eq!(self.subject.told, Told::Disconnected, "a silent peer is never timed out");
        }
        self.remote_is_silent();
        assert_eq!(self.subject.told, Told::Disconnected);
        self.check_end();
    }

    /// Panics unless a driver that holds input still gets everything but `Deliver`
    fn check_held(&self) {
        let stage = self.subject.link.stage();
        assert!(stage as u8 <= Stage::Running as u8 || !self.subject.message_waits(), "the end lifts the hold");
        if stage == Stage::Running {
            let waits = self.subject.message_waits();
            assert!(waits || self.remote.waiting().is_empty(), "input is not taken although no message waits");
            self.check_pongs();
        }
    }

    fn check_pongs(&self) {
        let (heard, known) = (&self.remote.heard, self.subject.link.liveness());
        if matches!(self.remote.keys, Keys::Agreed(_)) {
            assert_eq!((heard.pings as u64, heard.pongs as u64), (known.pings_sent, known.pongs_sent));
            assert!(!self.remote.certain || heard.pongs == self.remote.pings_taken());
        }
        assert_eq!(known.pings_received, known.pongs_sent);
    }

    /// Panics if an effect of the events so far is missing
    fn check_rest(&mut self) {
        let running = self.subject.link.stage() == Stage::Running;
        assert!(!self.remote.has_ended_the_link() || !running, "the link still runs after input that must end it");
        if self.subject.link.stage() == Stage::Closing && matches!(self.remote.keys, Keys::Agreed(_)) {
            let told = self.subject.link.cause().and_then(Cause::sent_reason);
            assert_eq!(self.remote.heard.goodbye, told, "the peer is not told why");
        }
        if running && !matches!(self.remote.keys, Keys::Lost) {
            assert!(self.remote.heard.written.is_empty(), "a message was never sent");
            assert!(!self.remote.certain || self.remote.expected.is_empty(), "a message was never delivered");
            self.check_pongs();
        }
    }

    fn check_counters(&self) {
        for index in 0..self.settings.protocols.len() {
            let protocol = ProtocolId(index);
            let traffic = self.subject.link.traffic(protocol).unwrap();
            assert_eq!(traffic.egress, self.written.get(&protocol).copied().unwrap_or_default());
            assert_eq!(traffic.ingress, self.delivered.get(&protocol).copied().unwrap_or_default());
        }
    }

    fn remote_is_silent(&mut self) {
        self.subject.receive_closed(self.now());
        self.done.closed = true;
        self.poll_all();
    }

    /// Checks that nothing happens after the end
    fn check_end(&mut self) {
        let now = self.now();
        assert_eq!(self.subject.receive(now, &[1, 2, 3]), 3);
        assert_eq!(self.subject.write(now, ProtocolId(0), 0, &[]), Err(WriteError::Closed));
        assert_eq!(self.subject.sent(now, 5), Ok(()));
        self.subject.send_failed(now);
        self.subject.disconnect(now, DisconnectReason::REQUESTED);
        self.wake(now);
        assert_eq!(self.subject.poll(), None);
        self.subject.check();
        self.subject.inspect();
    }
}

//! A pair that is taken through a list of operations

use std::time::Duration;

use devp2p_proto::{
    Config, DisconnectReason, Event, Handled, Instant, MAX_MESSAGE, PeerState, ProtocolId, Refused, WriteError,
};

use super::{Misuse, Operation, Side};
use crate::{Node, PROTOCOLS, Pair, Pipe, Seen, config, noise};

/// A pair, and the results of the calls of its drivers
#[derive(Debug)]
pub struct World<'buf> {
    /// The two nodes
    pub pair: Pair<'buf>,
    /// The true time; the pair's may be behind it
    clock: Instant,
    /// Whether [`Operation::ClockBack`] has an effect
    pub skewed: bool,
    /// The results of the calls that a link can refuse, in order
    pub results: Vec<Result<(), Refused>>,
    /// The messages that were accepted for sending: side, protocol, code and payload
    pub written: Vec<(Side, ProtocolId, u64, Vec<u8>)>,
}

impl Default for World<'static> {
    fn default() -> Self {
        Self::new()
    }
}

impl World<'static> {
    /// Two nodes with [`PROTOCOLS`], and with limits that the operations can reach
    pub fn new() -> Self {
        Self::with(Pair::new(&Self::config(1), &Self::config(2)))
    }

    /// The configuration of the nodes of [`new`](Self::new): 1 is the initiator, and 2 is the recipient
    pub fn config(seed: u8) -> Config {
        config(seed, PROTOCOLS).with_max_message(30_000).unwrap().with_send_window(8_000)
    }
}

impl<'buf> World<'buf> {
    /// A world with this pair; the strategies of this module write for the first two protocols of each node
    pub fn with(pair: Pair<'buf>) -> Self {
        let clock = pair.now;
        Self { pair, clock, skewed: true, results: Vec::new(), written: Vec::new() }
    }

    /// Carries out these operations
    pub fn run(&mut self, operations: &[Operation]) {
        operations.iter().for_each(|operation| self.perform(operation));
    }

    /// The node of this side
    pub fn node(&mut self, side: Side) -> &mut Node<'buf> {
        match side {
            Side::Initiator => &mut self.pair.initiator,
            Side::Recipient => &mut self.pair.recipient,
        }
    }

    /// The pipe from this side to the other
    pub fn pipe(&mut self, side: Side) -> &mut Pipe {
        match side {
            Side::Initiator => &mut self.pair.to_recipient,
            Side::Recipient => &mut self.pair.to_initiator,
        }
    }

    /// Carries out one operation
    pub fn perform(&mut self, operation: &Operation) {
        let now = self.pair.now;
        match operation {
            Operation::Step => {
                self.pair.step();
            }
            Operation::Settle => self.pair.settle(),
            Operation::Write { side, protocol, code, len } => self.write(*side, *protocol, *code, *len),
            Operation::Ping(side) => {
                let result = self.node(*side).link.ping(now);
                self.results.push(result.map_err(Refused::from));
            }
            Operation::Advance(time) => self.advance(*time),
            Operation::ClockBack(time) if self.skewed => {
                // Further back than a minute the link takes the clock for a new one.
                let behind = now.as_millis().saturating_sub(time.as_millis() as u64);
                let least = self.clock.as_millis().saturating_sub(59_999);
                self.pair.now = Instant::from_millis(behind.max(least));
            }
            Operation::ClockBack(_) => {}
            Operation::Hold(side, held) => {
                self.node(*side).link.hold_input(now, *held);
            }
            Operation::Capacity(side, len) => self.pipe(*side).capacity = *len,
            Operation::MaxRead(side, len) => self.node(*side).max_read = *len,
            Operation::Disconnect(side, code) => {
                self.node(*side).link.disconnect(now, DisconnectReason::from_code(*code));
            }
            Operation::ProtocolReturned(side, protocol, outcome) => {
                let result = self.node(*side).link.protocol_returned(now, ProtocolId(*protocol), *outcome);
                self.results.push(result.map_err(Refused::from));
            }
            Operation::Close(side) => self.node(*side).link.receive_closed(now),
            Operation::Reset(side) => {
                self.node(*side).link.send_failed(now);
                self.node(*side).link.receive_closed(now);
            }
            Operation::SendFailed(side) => self.node(*side).link.send_failed(now),
            Operation::Flip(side, index, bit) => {
                let waiting = self.pipe(*side).waiting();
                if waiting > 0 {
                    self.pipe(*side).flip(index % waiting, *bit);
                }
            }
            Operation::Garbage(side, bytes) => {
                self.pipe(*side).write(bytes);
            }
            Operation::Misuse(side, misuse) => {
                let result = abuse(&mut self.node(*side).link, now, *misuse);
                self.results.push(result);
            }
        }
    }

    fn write(&mut self, side: Side, protocol: usize, code: u64, len: usize) {
        let (now, protocol) = (self.pair.now, ProtocolId(protocol));
        let payload = payload(self.written.len(), len);
        let result = self.node(side).link.write(now, protocol, code, &payload);
        if result.is_ok() {
            self.written.push((side, protocol, code, payload));
        }
        self.results.push(result.map(|_| ()).map_err(Refused::Write));
    }

    /// Moves the time forward from the true time
    fn advance(&mut self, time: Duration) {
        self.pair.now = self.clock;
        self.pair.advance(time);
        self.clock = self.pair.now;
        self.pair.initiator.link.handle_timeout(self.clock);
        self.pair.recipient.link.handle_timeout(self.clock);
    }

    /// Removes every stall, lets both sides read, and runs both drivers until neither has anything to do
    pub fn heal(&mut self) {
        for side in [Side::Initiator, Side::Recipient] {
            self.pipe(side).capacity = usize::MAX;
            self.perform(&Operation::Hold(side, false));
        }
        self.pair.settle();
    }

    /// What the initiator and the recipient have seen, and the bytes that they have sent
    pub fn history(&self) -> (&[Seen], &[Seen], &[u8], &[u8]) {
        let Pair { initiator, recipient, to_recipient, to_initiator, .. } = &self.pair;
        (&initiator.seen, &recipient.seen, &to_recipient.log, &to_initiator.log)
    }

    /// The payloads that were accepted from a protocol of this side
    pub fn written_by(&self, side: Side, protocol: ProtocolId) -> Vec<&[u8]> {
        self.written
            .iter()
            .filter(|(by, of, ..)| *by == side && *of == protocol)
            .map(|(.., payload)| &payload[..])
            .collect()
    }
}

/// Noise, text or zeros
fn payload(index: usize, len: usize) -> Vec<u8> {
    match index % 3 {
        0 => noise(index as u64, len),
        1 => b"the same again and ".iter().copied().cycle().take(len).collect(),
        _ => vec![0; len],
    }
}

fn abuse(link: &mut PeerState<'_>, now: Instant, misuse: Misuse) -> Result<(), Refused> {
    let first = ProtocolId(0);
    let refused = |result: Result<_, WriteError>| result.map(|_| ()).map_err(Refused::Write);
    match misuse {
        Misuse::SentTooMuch => Ok(link.sent(now, link.unsent().len() + 1)?),
        Misuse::SentNothing => Ok(link.sent(now, 0)?),
        Misuse::EmptyInput => link.handle(now, Event::Receive(&[])).map(|done| assert_eq!(done, Handled::Received(0))),
        Misuse::EarlyTimeout => {
            link.handle_timeout(now);
            Ok(())
        }
        Misuse::UnknownProtocol => refused(link.write(now, ProtocolId(usize::MAX), 0, b"")),
        Misuse::CodeOutOfRange => refused(link.write(now, first, u64::MAX, b"")),
        Misuse::TooLarge => refused(link.write(now, first, 0, &vec![0; MAX_MESSAGE + 1])),
        Misuse::UnknownReturned => Ok(link.protocol_returned(now, ProtocolId(usize::MAX), Ok(()))?),
        Misuse::InputWithoutPolling => {
            if !link.wants_input() && link.cause().is_none() {
                assert_eq!(link.receive(now, &[0x55; 20]), 0, "{link:?}");
            }
            Ok(())
        }
        Misuse::ReleaseUnheld => {
            link.hold_input(now, false);
            Ok(())
        }
    }
}

//! Random schedules: what two drivers, the network between them and the clock may do, in any order
//!
//! [`operations`] makes a list, [`World`] carries it out. Shrinking leaves the shortest list that
//! still shows the fault.

use std::time::Duration;

use devp2p_proto::{DisconnectReason, Event, Instant, PeerState, ProtocolError, ProtocolId, Refused, WriteError};
use proptest::collection::vec;
use proptest::prelude::*;

use super::{Node, PROTOCOLS, Pair, Pipe, Seen, config, noise};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Initiator,
    Recipient,
}

/// One thing that happens
#[derive(Debug, Clone)]
pub enum Operation {
    /// One turn of each driver's loop
    Step,
    /// Turns until both have nothing more to do
    Settle,
    Write {
        side: Side,
        protocol: usize,
        code: u64,
        len: usize,
    },
    Ping(Side),
    Pass(Duration),
    /// Until time passes, the clock shows that much less than it did
    ClockBack(Duration),
    Hold(Side, bool),
    /// How many bytes the pipe from this side holds; 0 stalls it, and few make partial writes
    Capacity(Side, usize),
    /// How many bytes this side takes at once
    Chunk(Side, usize),
    Disconnect(Side, u64),
    Returned(Side, usize, Result<(), ProtocolError>),
    /// Reading comes to its end for this side
    Close(Side),
    /// The connection breaks: neither reading nor writing works for this side
    Reset(Side),
    SendFailed(Side),
    /// Flips a bit on the way from this side
    Flip(Side, usize, u8),
    /// Puts bytes of nobody's on the way from this side
    Garbage(Side, Vec<u8>),
    Misuse(Side, Misuse),
}

/// Calls that a correct driver does not make
#[derive(Debug, Clone, Copy)]
pub enum Misuse {
    SentTooMuch,
    SentNothing,
    EmptyInput,
    EarlyTimeout,
    UnknownProtocol,
    CodeOutOfRange,
    TooLarge,
    UnknownReturned,
    InputWithoutPolling,
    ReleaseUnheld,
}

impl Misuse {
    const ALL: [Self; 10] = [
        Self::SentTooMuch,
        Self::SentNothing,
        Self::EmptyInput,
        Self::EarlyTimeout,
        Self::UnknownProtocol,
        Self::CodeOutOfRange,
        Self::TooLarge,
        Self::UnknownReturned,
        Self::InputWithoutPolling,
        Self::ReleaseUnheld,
    ];
}

fn side() -> impl Strategy<Value = Side> {
    prop_oneof![Just(Side::Initiator), Just(Side::Recipient)]
}

fn outcome() -> impl Strategy<Value = Result<(), ProtocolError>> {
    prop_oneof![
        Just(Ok(())),
        Just(Err(ProtocolError::BadMessage)),
        Just(Err(ProtocolError::Other)),
        any::<u64>().prop_map(|code| Err(ProtocolError::Reason(DisconnectReason::from_code(code)))),
    ]
}

/// What correct drivers do on a network that may stall
pub fn friendly() -> impl Strategy<Value = Operation> {
    let len = prop_oneof![4 => 0..200_usize, 1 => 0..20_000_usize];
    let millis = prop_oneof![0..1_000_u64, 1_000..14_000_u64];
    prop_oneof![
        4 => Just(Operation::Step),
        2 => Just(Operation::Settle),
        6 => (side(), 0..2_usize, 0..4_u64, len)
            .prop_map(|(side, protocol, code, len)| Operation::Write { side, protocol, code, len }),
        1 => side().prop_map(Operation::Ping),
        2 => millis.prop_map(|millis| Operation::Pass(Duration::from_millis(millis))),
        1 => (side(), any::<bool>()).prop_map(|(side, held)| Operation::Hold(side, held)),
        2 => (side(), prop_oneof![0..100_usize, Just(usize::MAX)]).prop_map(|(side, len)| Operation::Capacity(side, len)),
        1 => (side(), prop_oneof![1..40_usize, Just(usize::MAX)]).prop_map(|(side, len)| Operation::Chunk(side, len)),
    ]
}

/// The ways in which a link ends
pub fn ending() -> impl Strategy<Value = Operation> {
    prop_oneof![
        (side(), any::<u64>()).prop_map(|(side, code)| Operation::Disconnect(side, code % 20)),
        (side(), 0..2_usize, outcome())
            .prop_map(|(side, protocol, outcome)| Operation::Returned(side, protocol, outcome)),
        side().prop_map(Operation::Close),
        side().prop_map(Operation::Reset),
        side().prop_map(Operation::SendFailed),
        (side(), any::<usize>(), 0..8_u8).prop_map(|(side, index, bit)| Operation::Flip(side, index, bit)),
        (side(), vec(any::<u8>(), 1..80)).prop_map(|(side, bytes)| Operation::Garbage(side, bytes)),
        Just(Operation::Pass(Duration::from_secs(40))),
    ]
}

/// What only a broken driver or clock does
pub fn mischief() -> impl Strategy<Value = Operation> {
    prop_oneof![
        (side(), prop::sample::select(&Misuse::ALL[..])).prop_map(|(side, misuse)| Operation::Misuse(side, misuse)),
        (0..100_000_u64).prop_map(|millis| Operation::ClockBack(Duration::from_millis(millis))),
    ]
}

/// Any of these, endings now and then
pub fn operations() -> impl Strategy<Value = Vec<Operation>> {
    vec(prop_oneof![20 => friendly(), 1 => ending(), 3 => mischief()], 0..60)
}

/// What correct drivers do as long as nobody wants to end the link
pub fn friendly_operations() -> impl Strategy<Value = Vec<Operation>> {
    vec(friendly(), 0..60)
}

/// A pair, and what its drivers have heard from their links besides actions
pub struct World<'buf> {
    pub pair: Pair<'buf>,
    /// The true time; the pair's may be behind it
    clock: Instant,
    /// Whether [`Operation::ClockBack`] has an effect
    pub skewed: bool,
    pub results: Vec<Result<(), Refused>>,
    /// What was taken for sending: side, protocol, code, payload
    pub written: Vec<(Side, ProtocolId, u64, Vec<u8>)>,
}

impl World<'static> {
    pub fn new() -> Self {
        let limited = |seed| config(seed, PROTOCOLS).with_max_message(30_000).unwrap().with_send_window(8_000);
        Self::with(Pair::new(&limited(1), &limited(2)))
    }
}

impl<'buf> World<'buf> {
    pub fn with(pair: Pair<'buf>) -> Self {
        let clock = pair.now;
        Self { pair, clock, skewed: true, results: Vec::new(), written: Vec::new() }
    }

    pub fn run(&mut self, operations: &[Operation]) {
        operations.iter().for_each(|operation| self.perform(operation));
    }

    pub fn node(&mut self, side: Side) -> &mut Node<'buf> {
        match side {
            Side::Initiator => &mut self.pair.initiator,
            Side::Recipient => &mut self.pair.recipient,
        }
    }

    /// The pipe from this side to the other
    pub fn pipe(&mut self, side: Side) -> &mut Pipe {
        match side {
            Side::Initiator => &mut self.pair.forth,
            Side::Recipient => &mut self.pair.back,
        }
    }

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
                self.results.push(result.map_err(Refused::Write));
            }
            Operation::Pass(time) => self.pass(*time),
            Operation::ClockBack(time) if self.skewed => {
                let behind = now.as_millis().saturating_sub(time.as_millis() as u64);
                self.pair.now = Instant::from_millis(behind);
            }
            Operation::ClockBack(_) => {}
            Operation::Hold(side, held) => {
                let node = self.node(*side);
                node.held = *held;
                node.link.hold_input(now, *held);
            }
            Operation::Capacity(side, len) => self.pipe(*side).capacity = *len,
            Operation::Chunk(side, len) => self.node(*side).chunk = *len,
            Operation::Disconnect(side, code) => {
                self.node(*side).link.disconnect(now, DisconnectReason::from_code(*code));
            }
            Operation::Returned(side, protocol, outcome) => {
                let result = self.node(*side).link.protocol_returned(now, ProtocolId(*protocol), *outcome);
                self.results.push(result);
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

    /// Lets time pass, from the true time on
    fn pass(&mut self, time: Duration) {
        self.pair.now = self.clock;
        self.pair.pass(time);
        self.clock = self.pair.now;
        self.pair.initiator.link.handle_timeout(self.clock);
        self.pair.recipient.link.handle_timeout(self.clock);
    }

    /// Lets everything flow again
    pub fn heal(&mut self) {
        for side in [Side::Initiator, Side::Recipient] {
            self.pipe(side).capacity = usize::MAX;
            self.perform(&Operation::Hold(side, false));
        }
        self.pair.settle();
    }

    /// What both drivers have seen, and the bytes that went each way
    pub fn history(&self) -> (&[Seen], &[Seen], &[u8], &[u8]) {
        let Pair { initiator, recipient, forth, back, .. } = &self.pair;
        (&initiator.seen, &recipient.seen, &forth.log, &back.log)
    }

    /// The payloads that one side has written for a protocol
    pub fn written_by(&self, side: Side, protocol: ProtocolId) -> Vec<&[u8]> {
        self.written
            .iter()
            .filter(|(by, of, ..)| *by == side && *of == protocol)
            .map(|(.., payload)| &payload[..])
            .collect()
    }
}

/// Noise, text and zeros by turns
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
        Misuse::SentTooMuch => link.sent(now, link.unsent() + 1),
        Misuse::SentNothing => link.sent(now, 0),
        Misuse::EmptyInput => link.handle(now, Event::Receive(&[])).map(|taken| assert_eq!(taken, 0)),
        Misuse::EarlyTimeout => {
            link.handle_timeout(now);
            Ok(())
        }
        Misuse::UnknownProtocol => refused(link.write(now, ProtocolId(usize::MAX), 0, b"")),
        Misuse::CodeOutOfRange => refused(link.write(now, first, u64::MAX, b"")),
        Misuse::TooLarge => refused(link.write(now, first, 0, &[0; 30_001])),
        Misuse::UnknownReturned => link.protocol_returned(now, ProtocolId(2), Ok(())),
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

//! What can happen to the links

use std::time::Duration;

use devp2p_proto::{DisconnectReason, Instant, ProtocolId};
use devp2p_testing::{Node, Pipe, noise};

use crate::faults::Random;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Initiator,
    Recipient,
}

/// One thing that happens; the lists say for each link whether it takes part
#[derive(Debug)]
pub(super) enum Operation {
    Write(Side, Vec<bool>, Write),
    /// The last number is the most that a link is offered
    Receive(Side, Vec<bool>, usize),
    /// The drivers of this side do what the links ask for
    Act(Side),
    Advance(Duration),
    /// To the link with this number
    One(Side, usize, Happening),
}

/// A message to many links
pub(super) struct Write {
    /// Links with an odd number get it by another protocol
    protocols: [ProtocolId; 2],
    pub(super) code: u64,
    pub(super) payload: Vec<u8>,
}

impl Write {
    pub(super) const fn protocol(&self, link: usize) -> ProtocolId {
        self.protocols[link % 2]
    }
}

impl std::fmt::Debug for Write {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}, code {}, {} bytes", self.protocols, self.code, self.payload.len())
    }
}

/// What happens to one link
#[derive(Debug)]
pub(super) enum Happening {
    Hold(bool),
    /// How many bytes the pipe from the link holds
    Capacity(usize),
    /// A bit of a byte that is on its way to the link
    Flip(usize, u8),
    Ping,
    Disconnect,
    SendFailed,
    ReceiveClosed,
}

impl Happening {
    pub(super) fn happen(&self, now: Instant, node: &mut Node<'_>, output: &mut Pipe, input: &mut Pipe) {
        match self {
            Self::Hold(held) => node.link.hold_input(now, *held),
            Self::Capacity(len) => output.capacity = *len,
            Self::Flip(index, bit) if input.waiting() > 0 => input.flip(index % input.waiting(), *bit),
            Self::Flip(..) => {}
            Self::Ping => _ = node.link.ping(now),
            Self::Disconnect => node.link.disconnect(now, DisconnectReason::REQUESTED),
            Self::SendFailed => node.link.send_failed(now),
            Self::ReceiveClosed => node.link.receive_closed(now),
        }
    }

    fn draw(random: &mut Random<'_>) -> Self {
        match random.within(0..20) {
            0..4 => Self::Hold(random.one_in(2)),
            4..8 => Self::Capacity(random.pick(&[usize::MAX, 0, 50, 3_000])),
            8..14 => Self::Flip(random.within(0..20_000) as usize, random.within(0..8) as u8),
            14..17 => Self::Ping,
            17 => Self::Disconnect,
            18 => Self::SendFailed,
            _ => Self::ReceiveClosed,
        }
    }
}

/// The next operation for this many links
pub(super) fn draw(links: usize, random: &mut Random<'_>) -> Operation {
    let side = random.pick(&[Side::Initiator, Side::Recipient]);
    match random.within(0..20) {
        0..6 => Operation::Receive(side, chosen(links, random), most(random)),
        6..11 => Operation::Act(side),
        11..16 => Operation::Write(side, chosen(links, random), write(random)),
        16 => Operation::Advance(Duration::from_millis(random.within(0..20_000))),
        _ => Operation::One(side, random.within(0..links as u64) as usize, Happening::draw(random)),
    }
}

/// All of the links, or about three of four
fn chosen(links: usize, random: &mut Random<'_>) -> Vec<bool> {
    let all = !random.one_in(3);
    (0..links).map(|_| all || !random.one_in(4)).collect()
}

fn most(random: &mut Random<'_>) -> usize {
    match random.one_in(3) {
        false => usize::MAX,
        true => random.within(0..2_000) as usize,
    }
}

fn write(random: &mut Random<'_>) -> Write {
    let protocols = [0, 1].map(|usual| ProtocolId(if random.one_in(6) { 2 } else { usual }));
    let len = match random.within(0..10) {
        0..4 => random.within(0..200),
        4..8 => random.within(0..3_000),
        8 => 1_024,
        _ => random.within(0..31_000),
    } as usize;
    let payload = match random.within(0..4) {
        0..2 => noise(random.within(0..1_000), len),
        2 => b"the same again and ".iter().copied().cycle().take(len).collect(),
        // Where compressing begins to make a difference
        _ => vec![b'a'; random.within(0..40) as usize],
    };
    Write { protocols, code: random.within(0..4), payload }
}

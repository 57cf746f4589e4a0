//! The pairs: how each is made, and what is compared

use std::fmt::Debug;

use devp2p_proto::{Buffers, Config, Instant, PeerState, Protocol, ProtocolId, ProtocolSlot, Role, Timer, internal};
use devp2p_testing::{Node, Pair, Pipe, config, entropy};

use super::operation::Side;
use crate::faults::Random;

/// The protocols of a node, some of which its remote does not have; the name of the third moves the ids of the others
const OFFERS: &[&[Protocol<'static>]] = &[
    &[Protocol::new("alpha", 1, 4), Protocol::new("beta", 2, 3)],
    &[Protocol::new("alpha", 1, 4), Protocol::new("beta", 2, 3), Protocol::new("aaa", 1, 200)],
    &[Protocol::new("beta", 2, 3), Protocol::new("aaa", 1, 200)],
    &[
        Protocol::new("alpha", 1, 4).with_max_message(700),
        Protocol::new("beta", 2, 3).with_max_message(500).skip_larger(),
    ],
];
const MAX_MESSAGE: usize = 30_000;

/// How a pair begins
pub(super) struct Plan {
    number: u8,
    configs: [Config; 2],
    /// The entries of the compressor's table if the buffers are slices, `None` if they grow
    tables: [Option<usize>; 2],
    has_handshake: bool,
}

impl Plan {
    pub(super) fn draw(number: u8, handshakes: bool, random: &mut Random<'_>) -> Self {
        let mut offer = |seed| {
            let config = config(seed, random.pick(OFFERS)).with_max_message(MAX_MESSAGE).unwrap();
            config.with_send_window(random.pick(&[8_000, 100, 40_000]))
        };
        let configs = [offer(1), offer(2)];
        let tables = [(); 2].map(|()| random.pick(&[None, Some(1_024), None, Some(0), Some(300)]));
        Self { number, configs, tables, has_handshake: handshakes && random.one_in(6) }
    }
}

/// The buffers of the two links of a pair
pub(super) struct Memory([Option<Slices>; 2]);

struct Slices {
    receive: Vec<u8>,
    transmit: Vec<u8>,
    table: Vec<u16>,
    slots: Vec<ProtocolSlot>,
}

impl Memory {
    pub(super) fn of(plan: &Plan) -> Self {
        Self([0, 1].map(|side| {
            let (config, table) = (&plan.configs[side], plan.tables[side]?);
            Some(Slices {
                receive: vec![0; config.receive_len()],
                transmit: vec![0; config.transmit_len()],
                table: vec![0; table],
                slots: vec![ProtocolSlot::EMPTY; config.capabilities().count()],
            })
        }))
    }

    fn buffers(&mut self) -> [Buffers<'_>; 2] {
        self.0.each_mut().map(|slices| match slices {
            Some(Slices { receive, transmit, table, slots }) => Buffers::fixed(receive, transmit, table, slots),
            None => Buffers::growable(),
        })
    }
}

/// Pairs of links
pub(super) struct Pairs<'buf>(Vec<Pair<'buf>>);

impl<'buf> Pairs<'buf> {
    pub(super) fn new(plans: &[Plan], memory: Vec<&'buf mut Memory>) -> Self {
        Self(plans.iter().zip(memory).map(|(plan, memory)| pair(plan, memory.buffers())).collect())
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The links of a side, each with its output and its input
    pub(super) fn of(&mut self, side: Side) -> impl Iterator<Item = (&mut Node<'buf>, &mut Pipe, &mut Pipe)> {
        self.0.iter_mut().map(move |Pair { initiator, recipient, to_recipient, to_initiator, .. }| match side {
            Side::Initiator => (initiator, to_recipient, to_initiator),
            Side::Recipient => (recipient, to_initiator, to_recipient),
        })
    }

    /// The links of a side that take part, each with its number and its input
    pub(super) fn chosen(
        &mut self,
        side: Side,
        links: &[bool],
    ) -> impl Iterator<Item = (usize, &mut Node<'buf>, &mut Pipe)> {
        let links = self.of(side).zip(links).enumerate();
        links.filter_map(|(number, ((node, _, input), chosen))| chosen.then_some((number, node, input)))
    }
}

fn pair<'buf>(plan: &Plan, [ours, theirs]: [Buffers<'buf>; 2]) -> Pair<'buf> {
    let (now, [initiator, recipient]) = (Instant::ZERO, &plan.configs);
    let seed = u64::from(plan.number);
    let [dials, is_dialled] = if plan.has_handshake {
        let dials = PeerState::initiator(now, initiator, recipient.node_id(), entropy(2 * seed + 1), ours);
        [dials, PeerState::recipient(now, recipient, entropy(2 * seed + 2), theirs)]
    } else {
        let dials = internal::past_handshake(now, initiator, Role::Initiator, recipient.node_id(), ours);
        [dials, internal::past_handshake(now, recipient, Role::Recipient, initiator.node_id(), theirs)]
    };
    Pair {
        now,
        initiator: Node::new(dials.unwrap()),
        recipient: Node::new(is_dialled.unwrap()),
        to_recipient: Pipe::new(),
        to_initiator: Pipe::new(),
    }
}

/// Panics if the links differ in anything that can be seen
///
/// A link that gets a compressed message has no table of its own, and so less memory to give back.
pub(super) fn compare(alone: &Node<'_>, together: &Node<'_>, after: &dyn Debug) {
    let [one, other] = [alone, together].map(|node| {
        let link = &node.link;
        let protocols = [0, 1, 2].map(|index| {
            let protocol = ProtocolId(index);
            (link.traffic(protocol), link.write_capacity(protocol))
        });
        let state = (link.stage(), link.cause(), link.wants_input(), link.liveness(), link.is_remote_proven());
        (state, protocols, link.unsent(), &node.seen)
    });
    assert_eq!(one, other, "after {after:?}");
    let timer = |node: &Node<'_>| (node.link.next_timer(), node.link.next_timeout());
    let timers = [timer(alone), timer(together)];
    if timers.iter().all(|(timer, _)| *timer != Some(Timer::Memory)) {
        assert_eq!(timers[0], timers[1], "after {after:?}");
    }
}

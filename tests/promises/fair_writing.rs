//! Promises about writing: the unsent bytes of one protocol never keep another protocol from writing

use devp2p_proto::{Action, Buffers, Config, Instant, PeerState, Protocol, ProtocolId, Timeouts, WriteError};
use devp2p_testing::remote::{Hello, LINK, PING, REMOTE, Scene, body, compressed, recipient};
use devp2p_testing::{ALPHA, BETA, PROTOCOLS, Seen, config, entropy, noise, slots};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::cases;

/// The length of the frame of a Ping or a Pong
const BASE_FRAME: u64 = 64;

/// The largest frame of a payload, as documented: the id, the worst case of Snappy, header and MACs
fn largest_frame(payload: usize) -> usize {
    let body = 9 + payload + payload / 64 + 7;
    32 + body.next_multiple_of(16) + 16
}

/// What the test knows of one protocol, from its own writes and from what was sent
#[derive(Default, Clone, Copy)]
struct Known {
    share: u64,
    /// The position in the stream at which its last frame ends
    end: u64,
    /// When it was refused: how many bytes were sent, and how many of its own were unsent
    refused: Option<(u64, u64)>,
    /// Whether it was told that it can write, and has not written since
    told: bool,
}

/// A running link whose transport takes as many bytes as it is told to
struct Stalled<'buf> {
    scene: Scene<'buf>,
    known: [Known; 2],
    max: usize,
    sent: u64,
}

impl<'buf> Stalled<'buf> {
    fn new(config: &Config, buffers: Buffers<'buf>, max: usize, share: u64) -> Self {
        let link = PeerState::recipient(Instant::ZERO, config, entropy(7), buffers).unwrap();
        let mut scene = Scene::running_with(link, Hello::fitting(REMOTE));
        scene.settle();
        Self { scene, known: [Known { share, ..Known::default() }; 2], max, sent: 0 }
    }

    fn write(&mut self, protocol: ProtocolId, len: usize) -> Result<(), WriteError> {
        let link = &mut self.scene.node.link;
        let capacity = link.write_capacity(protocol);
        let result = link.write(self.scene.now, protocol, 0, &noise(len as u64, len)).map(|_| ());
        let end = self.sent + link.unsent().len() as u64;
        assert_eq!(
            result.is_ok(),
            capacity.is_some_and(|most| len <= most),
            "write_capacity is exact: {len} of {capacity:?}"
        );
        let known = &mut self.known[protocol.0];
        let empty = self.sent >= known.end;
        assert!(result.is_ok() || !known.told, "the first write after Writable is taken");
        assert!(result.is_ok() || !empty, "a write is taken if nothing of its protocol is unsent");
        match result {
            Ok(()) => {
                assert!(empty || known.refused.is_none(), "refused until nothing of the protocol is unsent");
                known.end = end;
                known.told = false;
            }
            Err(error) => {
                assert_eq!(error, WriteError::Full);
                known.refused.get_or_insert((self.sent, known.end - self.sent));
            }
        }
        result
    }

    /// Lets bytes leave, and does the other actions of the link
    fn drain(&mut self, len: usize) {
        let link = &mut self.scene.node.link;
        let len = len.min(link.unsent().len());
        link.sent(self.scene.now, len).unwrap();
        self.sent += len as u64;
        self.act();
    }

    fn act(&mut self) {
        let largest = largest_frame(self.max) as u64;
        while let Some(action) = self.scene.node.link.poll() {
            match action {
                Action::Writable(ProtocolId(index)) => {
                    let others = self.known.iter().enumerate().filter(|(other, _)| *other != index);
                    let others: u64 = others.map(|(_, other)| other.share.max(largest)).sum();
                    let known = &mut self.known[index];
                    let (sent, own) = known.refused.take().expect("only after a refusal, and once");
                    assert!(self.sent >= known.end, "nothing of the protocol is unsent");
                    let left = self.sent - sent;
                    assert!(left <= others + own + 2 * BASE_FRAME, "{left} bytes until Writable");
                    known.told = true;
                }
                Action::Send(_) => break,
                other => panic!("{other:?}"),
            }
        }
        for known in &self.known {
            assert!(known.refused.is_none() || self.sent < known.end, "Writable comes as soon as nothing is unsent");
        }
    }
}

#[derive(Debug, Clone)]
enum Step {
    Write(ProtocolId, usize),
    Drain(usize),
    Ping,
    /// The peer sends a Ping
    Pinged,
}

fn steps(max: usize) -> impl Strategy<Value = Vec<Step>> {
    let protocol = prop_oneof![Just(ALPHA), Just(BETA)];
    let len = prop_oneof![0..200_usize, 0..=max];
    vec(
        prop_oneof![
            5 => (protocol, len).prop_map(|(protocol, len)| Step::Write(protocol, len)),
            3 => prop_oneof![0..300_usize, 0..10_000_usize, Just(usize::MAX)].prop_map(Step::Drain),
            1 => Just(Step::Ping),
            1 => Just(Step::Pinged),
        ],
        0..120,
    )
}

proptest! {
    #![proptest_config(cases(256))]

    /// For messages of any size, any drains, any delays of reaction, and both kinds of buffers
    #[test]
    fn fair_writing(max in 64..4_000_usize, steps in steps(4_000), extra in 0..9_000_usize, fixed: bool) {
        let config = config(LINK, PROTOCOLS).with_max_message(max).unwrap().with_send_window(extra);
        let mut memory = (vec![0; config.receive_len()], vec![0; Buffers::transmit_len(&[max, max]) + extra], vec![0; 256]);
        let capacity = memory.1.len() - 3 * BASE_FRAME as usize;
        let (receive, transmit, table) = &mut memory;
        let mut stalled = if fixed {
            let surplus = capacity - 2 * largest_frame(max);
            let share = largest_frame(max) + surplus / 2;
            Stalled::new(&config, Buffers::fixed(receive, transmit, table, slots()), max, share as u64)
        } else {
            Stalled::new(&config, Buffers::growable(), max, extra as u64 / 2)
        };
        let mut fits = [Vec::new(), Vec::new()];
        for step in steps {
            match step {
                Step::Write(protocol, len) => fits[protocol.0].push(stalled.write(protocol, len.min(max)).is_ok()),
                Step::Drain(len) => stalled.drain(len),
                Step::Ping => stalled.scene.node.link.ping(stalled.scene.now).unwrap(),
                Step::Pinged => {
                    if stalled.scene.node.link.wants_input() {
                        let ping = stalled.scene.session().seal(&body(PING, &compressed(&[0xc0])));
                        assert_eq!(stalled.scene.node.link.receive(stalled.scene.now, &ping), ping.len());
                    }
                }
            }
        }
        stalled.drain(usize::MAX);
        for protocol in [ALPHA, BETA] {
            prop_assert_eq!(stalled.write(protocol, max), Ok(()), "everything was sent");
        }
    }

    /// A protocol fills its share while the other has no unsent bytes, a few, or as many as it can
    #[test]
    fn what_others_have_unsent_does_not_matter(lens in vec(0..900_usize, 1..30), busy in 0..8_usize) {
        let config = config(LINK, PROTOCOLS).with_max_message(1_000).unwrap().with_send_window(6_000);
        let outcomes = [0, busy].map(|busy| {
            let mut stalled = Stalled::new(&config, Buffers::growable(), 1_000, 3_000);
            (0..busy).for_each(|_| _ = stalled.write(BETA, 700));
            lens.iter().map(|len| stalled.write(ALPHA, *len)).collect::<Vec<_>>()
        });
        prop_assert_eq!(&outcomes[0], &outcomes[1]);
    }

    /// A payload of `write_capacity` bytes is taken and a longer one is not, whatever the message id
    #[test]
    fn write_capacity_is_exact(
        lens in vec(0..2_000_usize, 0..8),
        drained in 0..6_000_usize,
        surplus in 0..9_000_usize,
        wide: bool,
        version in 4..6_u64,
        fixed: bool,
        longer: bool,
    ) {
        let (length, last) = if wide { (u64::MAX - 40, u64::MAX - 41) } else { (4, 3) };
        let protocols = [Protocol::new("alpha", 1, length), PROTOCOLS[1]];
        let config = config(LINK, &protocols).with_max_message(6_000).unwrap().with_send_window(surplus);
        let mut memory = (vec![0; config.receive_len()], vec![0; config.transmit_len() + surplus], vec![0; 256]);
        let (receive, transmit, table) = &mut memory;
        let buffers = if fixed { Buffers::fixed(receive, transmit, table, slots()) } else { Buffers::growable() };
        let link = PeerState::recipient(Instant::ZERO, &config, entropy(7), buffers).unwrap();
        let mut scene = Scene::running_with(link, Hello { version, ..Hello::fitting(REMOTE) });
        let (now, link) = (scene.now, &mut scene.node.link);
        for (index, len) in lens.iter().enumerate() {
            if link.write_capacity(ALPHA).is_some_and(|most| *len <= most) {
                link.write(now, ALPHA, last, &noise(index as u64, *len)).unwrap();
            }
        }
        link.sent(now, drained.min(link.unsent().len())).unwrap();
        let unsent = link.unsent().to_vec();
        match link.write_capacity(ALPHA) {
            None => prop_assert_eq!(link.write(now, ALPHA, last, &[]), Err(WriteError::Full)),
            Some(most) if longer => {
                let error = if most == 6_000 { WriteError::TooLarge } else { WriteError::Full };
                prop_assert_eq!(link.write(now, ALPHA, last, &noise(9, most + 1)), Err(error));
                prop_assert_eq!(link.unsent(), unsent);
            }
            Some(most) => _ = link.write(now, ALPHA, last, &noise(9, most)).unwrap(),
        }
    }
}

/// Two protocols of a busy node; one of them reacts to `Writable` only after everything was sent
#[test]
fn a_late_reaction_to_writable_does_not_starve() {
    let config = config(LINK, PROTOCOLS).with_max_message(3_000).unwrap().with_send_window(6_000);
    let mut stalled = Stalled::new(&config, Buffers::growable(), 3_000, 3_000);
    let mut wrote = [0; 2];
    // Whether it was told one drain ago. Its first attempt is immediate.
    let mut late = true;
    for _ in 0..10_000 {
        while stalled.write(ALPHA, 900).is_ok() {
            wrote[0] += 1;
        }
        if std::mem::replace(&mut late, stalled.known[1].told) {
            wrote[1] += usize::from(stalled.write(BETA, 3_000).is_ok());
            assert_eq!(stalled.write(BETA, 3_000), Err(WriteError::Full));
            late = false;
        }
        stalled.drain(usize::MAX);
    }
    assert!(wrote[1] >= 4_999, "{wrote:?}");
}

/// In a fixed buffer, a protocol is told that it can write, and another one writes first
#[test]
fn what_another_writes_after_writable_takes_nothing_away() {
    let config = config(LINK, PROTOCOLS).with_max_message(4_500).unwrap();
    let mut memory = (vec![0; config.receive_len()], vec![0; config.transmit_len() + 671], vec![]);
    let fixed = Buffers::fixed(&mut memory.0, &mut memory.1, &mut memory.2, slots());
    let share = largest_frame(4_500) as u64 + 335;
    let mut stalled = Stalled::new(&config, fixed, 4_500, share);
    stalled.write(BETA, 4_500).unwrap();
    assert_eq!(stalled.write(BETA, 4_500), Err(WriteError::Full));
    stalled.drain(usize::MAX);
    assert!(stalled.known[1].told);
    stalled.write(ALPHA, 2_399).unwrap();
    stalled.drain(1_000);
    stalled.write(BETA, 4_500).unwrap();
}

/// A link without regular Pings, since the rule of writing does not depend on time
#[test]
fn a_protocol_that_loses_interest_costs_nobody_anything() {
    let mut timeouts = Timeouts::default();
    timeouts.ping = std::time::Duration::MAX;
    let config = config(LINK, PROTOCOLS).with_timeouts(timeouts).unwrap().with_max_message(3_000).unwrap();
    let mut memory = (vec![0; config.receive_len()], vec![0; config.transmit_len()], vec![]);
    let fixed = Buffers::fixed(&mut memory.0, &mut memory.1, &mut memory.2, slots());
    let mut stalled = Stalled::new(&config, fixed, 3_000, largest_frame(3_000) as u64);
    stalled.write(BETA, 3_000).unwrap();
    assert_eq!(stalled.write(BETA, 3_000), Err(WriteError::Full));
    stalled.drain(usize::MAX);
    for _ in 0..10 {
        stalled.write(ALPHA, 3_000).unwrap();
        stalled.drain(usize::MAX);
    }
}

/// A large message is refused, and another protocol keeps writing as much as it can
#[test]
fn small_messages_of_another_do_not_hold_up_a_large_one() {
    let config = config(LINK, PROTOCOLS).with_send_window(20_000);
    let mut stalled = Stalled::new(&config, Buffers::growable(), 30_000, 10_000);
    stalled.write(BETA, 30_000).unwrap();
    assert_eq!(stalled.write(BETA, 30_000), Err(WriteError::Full));
    for _ in 0..1_000 {
        if let Some(most) = stalled.scene.node.link.write_capacity(ALPHA) {
            stalled.write(ALPHA, most.min(500)).unwrap();
        }
        stalled.drain(100);
        if stalled.known[1].told {
            return stalled.write(BETA, 30_000).unwrap();
        }
    }
    panic!("never told");
}

#[test]
fn writable_comes_once_when_nothing_of_the_protocol_is_unsent() {
    let config = config(LINK, PROTOCOLS).with_send_window(20_000);
    let mut scene = Scene::running_with(recipient(&config), Hello::fitting(REMOTE));
    scene.output.capacity = 0;
    let payload = noise(1, 4_000);
    let write = |scene: &mut Scene<'_>, protocol| scene.node.link.write(scene.now, protocol, 0, &payload).map(|_| ());
    assert_eq!([write(&mut scene, ALPHA), write(&mut scene, ALPHA)], [Ok(()); 2]);
    assert_eq!([write(&mut scene, ALPHA), write(&mut scene, ALPHA)], [Err(WriteError::Full); 2]);
    scene.settle();
    assert_eq!(scene.node.seen, [], "no Writable while something is unsent");
    scene.output.capacity = 4_200;
    scene.step();
    scene.output.capacity = 0;
    scene.settle();
    assert_eq!(scene.node.seen, [], "nor while the second message is");
    scene.output.capacity = usize::MAX;
    scene.settle();
    assert_eq!(scene.node.seen, [Seen::Writable(ALPHA)], "once");
    assert_eq!(write(&mut scene, ALPHA), Ok(()));
    scene.settle();
    assert_eq!((scene.received.len(), scene.node.seen.len()), (3, 1));
}

/// In buffers of exactly the published size, while the peer pings all the time
#[test]
fn pings_and_pongs_take_no_capacity_from_messages() {
    let max = 1_000;
    let config = config(LINK, PROTOCOLS).with_max_message(max).unwrap();
    let mut memory = (vec![0; config.receive_len()], vec![0; config.transmit_len()], vec![0; 256]);
    let fixed = Buffers::fixed(&mut memory.0, &mut memory.1, &mut memory.2, slots());
    let mut stalled = Stalled::new(&config, fixed, max, largest_frame(max) as u64);
    stalled.scene.node.link.ping(stalled.scene.now).unwrap();
    for _ in 0..5 {
        let ping = stalled.scene.session().seal(&body(PING, &compressed(&[0xc0])));
        let link = &mut stalled.scene.node.link;
        assert_eq!(link.receive(stalled.scene.now, &ping), ping.len());
        assert!(!link.unsent().is_empty());
        for protocol in [ALPHA, BETA] {
            stalled.write(protocol, max).unwrap();
            assert_eq!(stalled.write(protocol, max), Err(WriteError::Full));
        }
        stalled.drain(usize::MAX);
    }
}

/// Until our Hello has left, the caller's buffer holds what the link itself sends
#[test]
fn a_fixed_buffer_takes_messages_once_our_hello_has_left() {
    let config = config(LINK, PROTOCOLS).with_max_message(200).unwrap();
    let mut memory = (vec![0; config.receive_len()], vec![0; config.transmit_len()], vec![0; 256]);
    let fixed = Buffers::fixed(&mut memory.0, &mut memory.1, &mut memory.2, slots());
    let link = PeerState::recipient(Instant::ZERO, &config, entropy(7), fixed).unwrap();
    let mut scene = Scene::remote_dials(link);
    scene.node.react(|link, now, seen| {
        if let Seen::Ready(_) = seen {
            assert_eq!(link.write_capacity(ALPHA), None);
            assert_eq!(link.write(now, ALPHA, 0, b"early"), Err(WriteError::Full));
        }
        if let Seen::Writable(protocol) = seen {
            link.write(now, *protocol, 0, b"early").unwrap();
        }
    });
    // Our Hello stays where it is until the remote has sent its own.
    scene.output.capacity = scene.node.link.unsent().len();
    scene.step();
    scene.output.capacity = 0;
    scene.send_hello(Hello::fitting(REMOTE));
    assert_eq!(scene.received, [], "our Hello is unsent");
    scene.output.capacity = usize::MAX;
    scene.settle();
    assert_eq!(scene.received.last(), Some(&(0x10, b"early".to_vec())));
}

//! The memory that the link takes from the heap, counted by the allocator of this test binary

use std::time::Duration;

use devp2p_heap::{Counting, in_use};
use devp2p_proto::{
    Action, Buffers, Config, Instant, MessageEvent, PeerState, ProtocolSlot, Stage, Timeouts, Timer, WriteError,
};
use devp2p_testing::{ALPHA, BETA, Node, PROTOCOLS, Pipe, config, entropy, key, noise};

#[global_allocator]
static COUNTING: Counting = Counting;

/// How many allocations `work` makes
fn allocations<T>(work: impl FnOnce() -> T) -> (usize, T) {
    let before = devp2p_heap::allocations();
    let result = work();
    (devp2p_heap::allocations() - before, result)
}

const MAX: usize = 5_000;

fn limited(seed: u8) -> Config {
    config(seed, PROTOCOLS).with_max_message(MAX).unwrap()
}

/// Makes the curve's precomputed tables, which the first use in a process allocates
fn warm_up() {
    let now = Instant::ZERO;
    let mut link = PeerState::initiator(now, &limited(1), key(2).node_id(), entropy(9), Buffers::growable()).unwrap();
    let mut other = PeerState::recipient(now, &limited(2), entropy(10), Buffers::growable()).unwrap();
    exchange(&mut link, &mut other);
    assert_eq!((link.stage(), other.stage()), (Stage::Running, Stage::Running));
}

/// Moves bytes until both are at rest, without a heap; returns how many messages arrived
fn exchange(a: &mut PeerState<'_>, b: &mut PeerState<'_>) -> usize {
    let mut delivered = 0;
    while hand_over(a, b, &mut delivered) | hand_over(b, a, &mut delivered) {}
    delivered
}

fn hand_over(from: &mut PeerState<'_>, to: &mut PeerState<'_>, delivered: &mut usize) -> bool {
    let now = Instant::ZERO;
    let mut progress = false;
    loop {
        let taken = match from.poll() {
            Some(Action::Send(bytes)) => to.receive(now, bytes),
            Some(Action::Deliver { payload, .. }) => {
                *delivered += usize::from(payload.iter().all(|byte| *byte == payload[0]));
                continue;
            }
            Some(_) => {
                progress = true;
                continue;
            }
            None => return progress,
        };
        if taken == 0 {
            return progress;
        }
        progress = true;
        from.sent(now, taken).unwrap();
        // Once its actions are polled, the other side takes more input.
        while let Some(action) = to.poll() {
            match action {
                Action::Deliver { .. } => *delivered += 1,
                Action::Send(_) => break,
                _ => {}
            }
        }
    }
}

#[test]
fn no_allocation() {
    warm_up();
    let mut memory = (
        vec![0; Buffers::receive_len(MAX)],
        vec![0; 2 * Buffers::transmit_len(&[MAX])],
        vec![0; 1024],
        vec![ProtocolSlot::EMPTY; 2],
    );
    let mut others = memory.clone();
    let (ours, theirs) = (limited(1), limited(2));
    let payloads = [vec![1; 10], noise(1, MAX), vec![2; MAX]];
    let now = Instant::ZERO;
    let drawn = (entropy(1), entropy(2));
    let (count, ()) = allocations(|| {
        let (receive, transmit, table, slots) = &mut memory;
        let buffers = Buffers::fixed(receive, transmit, table, slots);
        let mut a = PeerState::initiator(now, &ours, theirs.node_id(), drawn.0, buffers).unwrap();
        let (receive, transmit, table, slots) = &mut others;
        let mut b =
            PeerState::recipient(now, &theirs, drawn.1, Buffers::fixed(receive, transmit, table, slots)).unwrap();
        exchange(&mut a, &mut b);
        assert_eq!((a.stage(), b.stage()), (Stage::Running, Stage::Running));
        for round in 0..30 {
            for payload in &payloads {
                a.write(now, ALPHA, 0, payload).unwrap();
                b.write(now, BETA, round % 3, payload).unwrap();
                assert_eq!(exchange(&mut a, &mut b), 2);
            }
        }
        a.ping(now).unwrap();
        exchange(&mut a, &mut b);
        assert_eq!(a.liveness().pongs_received, 1);
        b.disconnect(now, devp2p_proto::DisconnectReason::CLIENT_QUITTING);
        exchange(&mut a, &mut b);
        assert_eq!((a.stage(), b.stage()), (Stage::Closed, Stage::Closing));
        b.handle_timeout(Instant::from_millis(60_000));
        assert_eq!(b.stage(), Stage::Closed);
    });
    assert_eq!(count, 0, "with the caller's buffers");

    let mut a = PeerState::initiator(now, &ours, theirs.node_id(), entropy(1), Buffers::growable()).unwrap();
    let mut b = PeerState::recipient(now, &theirs, entropy(2), Buffers::growable()).unwrap();
    exchange(&mut a, &mut b);
    let mut round = |a: &mut PeerState<'_>| {
        for payload in &payloads {
            a.write(now, ALPHA, 0, payload).unwrap();
            a.write_rlp(now, BETA, 0, &payload.as_slice())
                .unwrap_or_else(|_| a.write_rlp(now, BETA, 0, &&payload[..payload.len() - 3]).unwrap());
            assert_eq!(exchange(a, &mut b), 2);
        }
    };
    round(&mut a);
    let (count, ()) = allocations(|| (0..30).for_each(|_| round(&mut a)));
    assert_eq!(count, 0, "per message, with growable buffers in steady state");
}

/// A payload that was taken out of the link and dropped leaves its memory for the next one
#[test]
fn payloads_that_are_taken_and_dropped_cost_nothing() {
    warm_up();
    let now = Instant::ZERO;
    let (ours, theirs) = (limited(1), limited(2));
    for payload in [noise(1, MAX), vec![2; MAX], noise(1, 40)] {
        let mut a = PeerState::initiator(now, &ours, theirs.node_id(), entropy(1), Buffers::growable()).unwrap();
        let mut b = PeerState::recipient(now, &theirs, entropy(2), Buffers::growable()).unwrap();
        exchange(&mut a, &mut b);
        let mut round = || {
            a.write(now, ALPHA, 0, &payload).unwrap();
            loop {
                let Some(Action::Send(bytes)) = a.poll() else { return };
                let taken = b.receive(now, bytes);
                a.sent(now, taken).unwrap();
                if let Some(Action::Deliver { payload: delivered, .. }) = b.poll() {
                    assert_eq!(delivered.into_bytes(), payload);
                }
            }
        };
        (0..5).for_each(|_| round());
        let (count, ()) = allocations(|| (0..30).for_each(|_| round()));
        assert_eq!(count, 0, "{} bytes", payload.len());
    }
}

/// A payload that is kept holds at most twice its own length plus 4 KiB, whatever came before it
#[test]
fn a_kept_payload_does_not_hold_a_large_buffer() {
    warm_up();
    let now = Instant::ZERO;
    let link = || config(1, PROTOCOLS);
    let mut a = PeerState::initiator(now, &link(), key(2).node_id(), entropy(1), Buffers::growable()).unwrap();
    let mut b = PeerState::recipient(now, &config(2, PROTOCOLS), entropy(2), Buffers::growable()).unwrap();
    exchange(&mut a, &mut b);
    let mut kept = Vec::with_capacity(1_000);
    let before = in_use();
    for payload in [vec![0; 4 << 20], vec![0; 26], noise(1, 100_000), noise(2, 5_000), noise(3, 1)] {
        for _ in 0..16 {
            a.write(now, ALPHA, 0, &payload).unwrap();
            while let Some(Action::Send(bytes)) = a.poll() {
                let taken = b.receive(now, bytes);
                a.sent(now, taken).unwrap();
                if let Some(Action::Deliver { payload, .. }) = b.poll() {
                    let bytes = payload.into_bytes();
                    if bytes.len() < 4 << 20 {
                        kept.push(bytes);
                    }
                }
            }
        }
    }
    assert_eq!(kept.len(), 64);
    drop((a, b));
    let held = in_use() - before;
    let most: usize = kept.iter().map(|bytes| 2 * bytes.len() + 4_096 + 64).sum();
    assert!(held <= most as isize, "{held} bytes are held by payloads that may hold {most}");
}

/// Two links in virtual time
struct Idle {
    a: Node<'static>,
    b: Node<'static>,
    now: Instant,
}

impl Idle {
    fn new() -> Self {
        Self::with(&config(1, PROTOCOLS), &config(2, PROTOCOLS))
    }

    fn with(ours: &Config, theirs: &Config) -> Self {
        let now = Instant::ZERO;
        let a = PeerState::initiator(now, ours, key(2).node_id(), entropy(1), Buffers::growable()).unwrap();
        let b = PeerState::recipient(now, theirs, entropy(2), Buffers::growable()).unwrap();
        Self { a: Node::new(a), b: Node::new(b), now }
    }

    fn exchange(&mut self) {
        exchange(&mut self.a.link, &mut self.b.link);
    }

    /// Two minutes with only Pings
    fn idle(&mut self) {
        for _ in 0..120 {
            self.now = self.now.checked_add(Duration::from_secs(1)).unwrap();
            for link in [&mut self.a.link, &mut self.b.link] {
                link.handle_timeout(self.now);
            }
            let (mut forth, mut back) = (Pipe::new(), Pipe::new());
            while self.a.turn(self.now, &mut back, &mut forth) | self.b.turn(self.now, &mut forth, &mut back) {}
        }
        assert_eq!((self.a.link.stage(), self.b.link.stage()), (Stage::Running, Stage::Running));
    }
}

/// The heap of both links together
fn heap_of_both(before: isize) -> isize {
    in_use() - before
}

#[test]
fn memory_is_given_back() {
    warm_up();
    let before = in_use();
    let mut idle = Idle::new();
    idle.exchange();
    let fresh = heap_of_both(before);
    for payload in [noise(1, 4 << 20), vec![7; 4 << 20]] {
        let held = payload.capacity() as isize;
        idle.a.link.write(idle.now, ALPHA, 0, &payload).unwrap();
        idle.b.link.write(idle.now, ALPHA, 0, &payload).unwrap();
        idle.exchange();
        let grown = heap_of_both(before) - held;
        assert!(grown > 4 << 20, "{grown} bytes hold a message of 4 MiB");
    }
    idle.idle();
    // The drivers' logs are on the heap too; they hold only Ready and IdentityClaimed here.
    let back = heap_of_both(before);
    assert!(back <= fresh.max(2 * 1024), "{back} bytes after the large message, {fresh} before");
}

/// If a peer leaves one byte unread, the link keeps no more memory than its unsent bytes need
#[test]
fn memory_is_given_back_while_something_is_unsent() {
    warm_up();
    let mut timeouts = Timeouts::default();
    (timeouts.slowest_rate, timeouts.read) = (1, Duration::MAX);
    let config = |seed| config(seed, PROTOCOLS).with_timeouts(timeouts).unwrap();
    let before = in_use();
    let mut idle = Idle::with(&config(1), &config(2));
    idle.exchange();
    idle.a.link.write(idle.now, ALPHA, 0, &noise(1, 4 << 20)).unwrap();
    let large = idle.a.link.unsent().len();
    idle.a.link.write(idle.now, BETA, 0, &noise(2, 1_000)).unwrap();
    let Some(Action::Send(_)) = idle.a.link.poll() else { panic!("there is something to send") };
    idle.a.link.sent(idle.now, large).unwrap();
    let unsent = idle.a.link.unsent().to_vec();
    for _ in 0..3 {
        idle.now = idle.now.checked_add(Duration::from_secs(15)).unwrap();
        idle.a.link.handle_timeout(idle.now);
        idle.a.link.sent(idle.now, 1).unwrap();
    }
    assert!(idle.a.link.unsent().starts_with(&unsent[3..]), "what is unsent is as it was");
    let back = heap_of_both(before);
    assert!(back <= 8 * 1024, "{back} bytes for {} unsent", idle.a.link.unsent().len());
}

/// When a message has to wait, the link keeps no buffer that an earlier one needed only until it was compressed
#[test]
fn memory_for_compressing_is_given_back_when_a_message_waits() {
    warm_up();
    let zeros = vec![0; 4 << 20];
    let before = in_use();
    let mut idle = Idle::new();
    idle.exchange();
    idle.a.link.write(idle.now, ALPHA, 0, &zeros).unwrap();
    assert!(heap_of_both(before) > 4 << 20);
    let unsent = idle.a.link.unsent().to_vec();
    assert_eq!(idle.a.link.write(idle.now, ALPHA, 0, &zeros), Err(WriteError::Full));
    assert_eq!(idle.a.link.unsent(), unsent, "what is unsent is as it was");
    let back = heap_of_both(before);
    assert!(back < 1 << 20, "{back} bytes for {} unsent", unsent.len());
}

/// Memory is given back without regular Pings, too
#[test]
fn memory_is_given_back_without_pings() {
    warm_up();
    let mut timeouts = Timeouts::default();
    (timeouts.ping, timeouts.read) = (Duration::MAX, Duration::MAX);
    let config = |seed| config(seed, PROTOCOLS).with_timeouts(timeouts).unwrap();
    let before = in_use();
    let mut idle = Idle::with(&config(1), &config(2));
    idle.exchange();
    idle.a.link.write(idle.now, ALPHA, 0, &noise(1, 4 << 20)).unwrap();
    idle.exchange();
    assert!(heap_of_both(before) > 4 << 20);
    idle.idle();
    let back = heap_of_both(before);
    assert!(back <= 2 * 4096 + 2048, "{back} bytes");
    assert_eq!((idle.a.link.next_timeout(), idle.b.link.next_timeout()), (None, None), "and neither link has a timer");
}

/// There is always a message of one protocol unsent when a message of the other one is written
#[test]
fn a_constant_backlog_takes_constant_memory() {
    const LEN: usize = 100_000;
    warm_up();
    let before = in_use();
    let mut idle = Idle::new();
    idle.exchange();
    let payload = noise(1, LEN);
    let held = heap_of_both(before);
    let link = &mut idle.a.link;
    let frame = link.write(idle.now, BETA, 0, &payload).unwrap().wire_size;
    for round in 0..50 {
        link.write(idle.now, [ALPHA, BETA][round % 2], 0, &payload).unwrap();
        link.sent(idle.now, frame).unwrap();
    }
    let heap = heap_of_both(before) - held;
    assert!(heap < 5 * LEN as isize, "{heap} bytes for two messages of {LEN}");
}

/// Buffers of a few kilobytes have no timer: the regular Ping gives their memory back
#[test]
fn memory_of_small_messages_is_given_back_with_a_ping() {
    warm_up();
    let before = in_use();
    let mut idle = Idle::new();
    idle.exchange();
    idle.a.link.write(idle.now, ALPHA, 0, &noise(1, 800)).unwrap();
    idle.exchange();
    assert_eq!(idle.a.link.next_timer(), Some(Timer::Ping));
    assert!(heap_of_both(before) > 4_096);
    idle.idle();
    let back = heap_of_both(before);
    assert!(back <= 1_024, "{back} bytes after the message");
}

/// The compressor's table for 2,000 bytes takes 4 KiB, and that is more than the frame
#[test]
fn memory_of_the_table_counts() {
    let mut timeouts = Timeouts::default();
    (timeouts.ping, timeouts.read) = (Duration::MAX, Duration::MAX);
    let config = |seed| config(seed, PROTOCOLS).with_timeouts(timeouts).unwrap();
    let mut idle = Idle::with(&config(1), &config(2));
    idle.exchange();
    idle.a.link.write(idle.now, ALPHA, 0, &noise(1, 2_000)).unwrap();
    idle.exchange();
    assert_eq!(idle.a.link.next_timer(), Some(Timer::Memory));
}

/// What a refused message needed is given back, and an ended link keeps nothing
#[test]
fn memory_of_refused_messages_is_given_back() {
    type Refused = fn(&mut Idle) -> Result<MessageEvent, WriteError>;
    let refused: [(Refused, WriteError); 2] = [
        (|idle| idle.a.link.write_with(idle.now, ALPHA, 0, 4 << 20, |_| usize::MAX), WriteError::TooLarge),
        (|idle| idle.a.link.write_rlp(idle.now, ALPHA, 0, &vec![7_u8; 4 << 20]), WriteError::Full),
    ];
    warm_up();
    let mut timeouts = Timeouts::default();
    (timeouts.ping, timeouts.read, timeouts.write) = (Duration::MAX, Duration::MAX, Duration::MAX);
    let config = |seed| config(seed, PROTOCOLS).with_timeouts(timeouts).unwrap();
    for (write, error) in refused {
        for ends in [false, true] {
            let before = in_use();
            let mut idle = Idle::with(&config(1), &config(2));
            idle.exchange();
            if error == WriteError::Full {
                idle.a.link.write(idle.now, ALPHA, 0, b"unsent").unwrap();
            }
            assert_eq!(write(&mut idle), Err(error));
            assert!(heap_of_both(before) > 4 << 20, "{error:?}");
            if ends {
                idle.a.link.receive_closed(idle.now);
            } else {
                idle.now = Instant::from_millis(15_000);
                idle.a.link.handle_timeout(idle.now);
            }
            let back = heap_of_both(before);
            assert!(back <= 2 * 4096 + 2048, "{back} bytes after {error:?}, ended: {ends}");
        }
    }
}

/// A peer that sends 15 MiB at a time to a link whose limit is 4 KiB
#[test]
fn skipped_messages_take_no_memory() {
    const LINKS: usize = 64;
    const LIMIT: usize = 4_096;
    warm_up();
    let now = Instant::ZERO;
    let protocols = [PROTOCOLS[0].with_max_message(LIMIT).skip_larger()];
    let ours = config(2, &protocols);
    let payloads = [noise(1, 15 << 20), vec![0; 15 << 20], noise(2, LIMIT + 1), noise(3, LIMIT)];
    let mut wire = Vec::with_capacity(64 << 20);
    let before = in_use();
    let mut links = Vec::with_capacity(LINKS);
    for index in 0..LINKS {
        let mut peer =
            PeerState::initiator(now, &config(1, PROTOCOLS), key(2).node_id(), entropy(1), Buffers::growable())
                .unwrap();
        let mut link = PeerState::recipient(now, &ours, entropy(2), Buffers::growable()).unwrap();
        exchange(&mut peer, &mut link);
        wire.clear();
        // Random data of 15 MiB takes a while, so only every eighth link gets it.
        for payload in payloads.iter().skip(usize::from(index % 8 != 0)) {
            peer.write(now, ALPHA, 0, payload).unwrap();
            wire.extend_from_slice(peer.unsent());
            peer.sent(now, peer.unsent().len()).unwrap();
        }
        drop(peer);
        devp2p_heap::restart_peak();
        let (skipped, delivered) = read(&mut link, &wire);
        assert_eq!((skipped, delivered), (if index % 8 == 0 { 3 } else { 2 }, 1));
        links.push(link);
        let most = devp2p_heap::peak() - before;
        assert!(most < 1 << 20, "{most} bytes for {} links", links.len());
    }
}

#[test]
fn skipped_messages_allocate_nothing() {
    warm_up();
    let now = Instant::ZERO;
    let ours = config(2, &[PROTOCOLS[0].skip_larger()]).with_max_message(1_000).unwrap();
    let (mut receive, mut transmit) = (vec![0; ours.receive_len()], vec![0; ours.transmit_len()]);
    let mut slots = [ProtocolSlot::EMPTY];
    let buffers = Buffers::fixed(&mut receive, &mut transmit, &mut [], &mut slots);
    let mut link = PeerState::recipient(now, &ours, entropy(2), buffers).unwrap();
    let mut peer =
        PeerState::initiator(now, &config(1, PROTOCOLS), key(2).node_id(), entropy(1), Buffers::growable()).unwrap();
    exchange(&mut peer, &mut link);
    for payload in [noise(1, 1 << 20), noise(2, 1_001), vec![0; 2 << 20], noise(3, 1_000)] {
        peer.write(now, ALPHA, 0, &payload).unwrap();
        let wire = peer.unsent().to_vec();
        peer.sent(now, wire.len()).unwrap();
        let skips = payload.len() > 1_000;
        let (count, told) = allocations(|| read(&mut link, &wire));
        assert_eq!((count, told), (0, (usize::from(skips), usize::from(!skips))));
    }
}

/// Reads the stream in pieces; returns how many messages were skipped and delivered
fn read(link: &mut PeerState<'_>, stream: &[u8]) -> (usize, usize) {
    let (mut skipped, mut delivered) = (0, 0);
    for mut piece in stream.chunks(64 << 10) {
        while !piece.is_empty() {
            let taken = link.receive(Instant::ZERO, piece);
            assert!(taken > 0, "the actions are polled");
            piece = &piece[taken..];
            match link.poll() {
                Some(Action::Skipped { .. }) => skipped += 1,
                Some(Action::Deliver { .. }) => delivered += 1,
                _ => {}
            }
        }
    }
    (skipped, delivered)
}

/// Printed for the record: `cargo test --test allocation -- --nocapture idle`
#[test]
fn an_idle_link_is_small() {
    warm_up();
    let before = in_use();
    let mut idle = Idle::new();
    idle.exchange();
    for index in 0..20 {
        idle.a.link.write(idle.now, ALPHA, 0, &noise(index, 20_000)).unwrap();
        idle.b.link.write(idle.now, BETA, 0, &vec![7; 20_000]).unwrap();
        idle.exchange();
    }
    idle.idle();
    let heap = (heap_of_both(before) / 2) as usize;
    let link = size_of::<PeerState<'_>>();
    println!("an idle link takes {} bytes: {link} in itself and {heap} on the heap", link + heap);
    // The driver's log of a node is on the heap too, with 96 bytes.
    assert!(link + heap <= 4_032, "{link} in itself and {heap} on the heap");
}

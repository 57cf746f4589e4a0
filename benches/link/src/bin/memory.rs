//! The memory of one link, counted by the allocator of this program
//!
//! `benches/link/memory` runs it.

use std::hint::black_box;
use std::time::Duration;

use devp2p_heap::{Counting, allocations, in_use, peak, restart_peak};
use devp2p_link_bench::{Kind, SIZES};
use devp2p_proto::{Action, Buffers, Config, Instant, PeerState, Stage};
use devp2p_testing::{ALPHA, PROTOCOLS, config, entropy, slots};

/// The largest payload
const MAX: usize = 1 << 20;
/// How many messages are counted
const MESSAGES: usize = 100;

#[global_allocator]
static COUNTING: Counting = Counting;

/// The heap of one link
#[derive(Default)]
struct Heap {
    now: isize,
    peak: isize,
    allocations: usize,
}

impl Heap {
    /// Does work of this link
    fn count<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let (made, held) = (allocations(), in_use());
        restart_peak();
        let result = work();
        self.peak = self.peak.max(self.now + peak() - held);
        self.now += in_use() - held;
        self.allocations += allocations() - made;
        result
    }
}

struct Metered<'buf> {
    link: PeerState<'buf>,
    heap: Heap,
}

impl<'buf> Metered<'buf> {
    fn new(start: impl FnOnce() -> PeerState<'buf>) -> Self {
        let mut heap = Heap::default();
        Self { link: heap.count(start), heap }
    }

    /// Does every action, and copies what is to be sent to the end of `output`; returns whether there was any
    fn act(&mut self, now: Instant, output: &mut Vec<u8>) -> bool {
        let mut any = false;
        let Self { link, heap } = self;
        loop {
            let sent = match heap.count(|| link.poll()) {
                None => return any,
                Some(Action::Send(bytes)) => {
                    output.extend_from_slice(bytes);
                    bytes.len()
                }
                Some(action) => {
                    _ = black_box(action);
                    0
                }
            };
            any = true;
            if sent > 0 {
                heap.count(|| link.sent(now, sent)).expect("it was offered");
            }
        }
    }

    fn receive(&mut self, now: Instant, input: &mut Vec<u8>) -> bool {
        let Self { link, heap } = self;
        let taken = heap.count(|| link.receive(now, input));
        input.drain(..taken);
        taken > 0
    }
}

/// Two links, the bytes between them, and the time
struct Two<'buf> {
    links: [Metered<'buf>; 2],
    wires: [Vec<u8>; 2],
    now: Instant,
}

impl<'buf> Two<'buf> {
    fn running(buffers: [Buffers<'buf>; 2]) -> Self {
        let (ours, theirs) = (limited(1), limited(2));
        let (now, remote, drawn) = (Instant::ZERO, theirs.node_id(), [entropy(1), entropy(2)]);
        let ([first, second], [a, b]) = (buffers, drawn);
        let initiator =
            Metered::new(|| PeerState::initiator(now, &ours, remote, a, first).expect("the buffers are large enough"));
        let recipient =
            Metered::new(|| PeerState::recipient(now, &theirs, b, second).expect("the buffers are large enough"));
        let mut two = Self { links: [initiator, recipient], wires: [Vec::new(), Vec::new()], now };
        two.settle();
        assert!(two.links.iter().all(|metered| metered.link.stage() == Stage::Running));
        two
    }

    /// Carries bytes until both links have nothing to do
    fn settle(&mut self) {
        let ([a, b], [to_b, to_a]) = (&mut self.links, &mut self.wires);
        while a.act(self.now, to_b) | b.act(self.now, to_a) | b.receive(self.now, to_b) | a.receive(self.now, to_a) {}
    }

    /// The first link sends a message to the second
    fn message(&mut self, payload: &[u8]) {
        let Metered { link, heap } = &mut self.links[0];
        heap.count(|| link.write(self.now, ALPHA, 0, payload)).expect("nothing is unsent");
        self.settle();
    }

    /// Two minutes with only Pings
    fn idle(&mut self) {
        for _ in 0..120 {
            self.now = self.now.checked_add(Duration::from_secs(1)).expect("a few minutes");
            for Metered { link, heap } in &mut self.links {
                heap.count(|| link.handle_timeout(self.now));
            }
            self.settle();
        }
    }

    fn heaps(&self) -> [isize; 2] {
        self.links.each_ref().map(|metered| metered.heap.now)
    }

    /// The most since the last call
    fn peaks(&mut self) -> [isize; 2] {
        self.links.each_mut().map(|metered| std::mem::replace(&mut metered.heap.peak, metered.heap.now))
    }

    fn allocations(&mut self) -> [usize; 2] {
        self.links.each_mut().map(|metered| std::mem::take(&mut metered.heap.allocations))
    }
}

fn limited(seed: u8) -> Config {
    config(seed, PROTOCOLS).with_max_message(MAX).expect("a size that is allowed")
}

fn growable() -> [Buffers<'static>; 2] {
    [Buffers::growable(), Buffers::growable()]
}

fn main() {
    link();
    own_buffers();
    messages();
}

fn link() {
    let inline = size_of::<PeerState<'_>>() as isize;
    println!("A link with growable buffers, two protocols, heap in bytes; {inline} bytes more in the link itself\n");
    println!("| when | the initiator, which sends | the recipient, which receives |\n|---|---|---|");
    let row = |what: &str, [sends, receives]: [isize; 2]| println!("| {what} | {sends} | {receives} |");
    let mut two = Two::running(growable());
    row("most during the handshake", two.peaks());
    row("after it", two.heaps());
    two.idle();
    let idle = two.heaps();
    row("idle, after two minutes of Pings", idle);
    row("**an idle link with everything**", idle.map(|heap| heap + inline));
    for kind in Kind::ALL {
        let payload = kind.payload(MAX);
        two.peaks();
        two.message(&payload);
        row(&format!("most during a message of 1 MiB, {}", kind.name()), two.peaks());
        row("after it", two.heaps());
        two.idle();
        row("after two minutes of Pings", two.heaps());
    }
}

/// The memory that a caller without an allocator provides, besides the link and its slots
fn own_buffers() {
    println!(
        "\nA link in the caller's own memory, one protocol, in bytes; the link itself and a `ProtocolSlot` of 176 bytes come on top\n"
    );
    println!("| largest payload | receive | transmit | table, if full use is made of it |\n|---|---|---|---|");
    for max in SIZES.into_iter().skip(3) {
        let table = 2 * max.next_power_of_two().clamp(256, 16_384);
        println!("| {max} | {} | {} | {table} |", Buffers::receive_len(max), Buffers::transmit_len(&[max]));
    }
}

fn messages() {
    println!("\nAllocations for a message, after five like it: by the sender, by the receiver\n");
    println!("| payload | growable buffers | the caller's own buffers |\n|---|---|---|");
    let sizes = || (0..2).map(|_| (vec![0; Buffers::receive_len(MAX)], vec![0; Buffers::transmit_len(&[MAX, MAX])]));
    let (mut memory, mut tables): (Vec<_>, _) = (sizes().collect(), [[0; 4_096]; 2]);
    let own: Vec<_> = memory
        .iter_mut()
        .zip(&mut tables)
        .map(|((receive, transmit), table)| Buffers::fixed(receive, transmit, table, slots()))
        .collect();
    let own: [_; 2] = own.try_into().expect("two");
    let mut kinds = [Two::running(growable()), Two::running(own)];
    assert_eq!(kinds[1].allocations(), [0, 0], "the handshake with the caller's own buffers");
    row("the first one, 1 MiB, random", &mut kinds, &Kind::Random.payload(MAX), 1);
    for kind in Kind::ALL {
        for size in SIZES {
            let payload = kind.payload(size);
            kinds.iter_mut().for_each(|two| (0..5).for_each(|_| two.message(&payload)));
            row(&format!("{size} bytes, {}", kind.name()), &mut kinds, &payload, MESSAGES);
        }
    }
}

/// A row of the table of allocations
fn row(what: &str, kinds: &mut [Two<'_>; 2], payload: &[u8], times: usize) {
    let cells = kinds.each_mut().map(|two| {
        two.allocations();
        (0..times).for_each(|_| two.message(payload));
        two.allocations().map(|count| (count as f64 / times as f64).to_string()).join(", ")
    });
    println!("| {what} | {} |", cells.join(" | "));
}

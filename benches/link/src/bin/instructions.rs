//! The instructions of one link
//!
//! `benches/link/instructions` runs this program in callgrind, and prints tables of the counts. The name of each count is
//! the name of the row, how many times its work was done, and how many Keccak permutations one time must take.

use std::hint::black_box;

use devp2p_link_bench::{Kind, SIZES};
use devp2p_proto::{Action, Buffers, Entropy, Instant, PeerState, keccak256};
use devp2p_testing::remote::{Handshake, Hello, LINK, PING, PONG, REMOTE, Scene, body, compressed};
use devp2p_testing::{ALPHA, PROTOCOLS, config, entropy, noise};
use devp2p_valgrind::callgrind;
use sha3::Digest;

/// The message id of code 0 of the first protocol
const ALPHA_ID: u64 = 0x10;
/// The bytes in a TCP segment on Ethernet, with timestamps
const SEGMENT: usize = 1_448;
/// The limit of messages, in bytes; larger ones are skipped
const SKIPPED_BEYOND: usize = 100;
const NOW: Instant = Instant::ZERO;
/// How often work is repeated that is always the same
const TIMES: usize = 68;
/// How many handshakes are made, each with other keys
const HANDSHAKES: usize = 4;

fn main() {
    assert!(devp2p_valgrind::is_running(), "this program must be run by benches/link/instructions");
    hashes();
    for size in SIZES {
        for kind in Kind::ALL {
            let mut links = running(5);
            write(&format!("write/{}/{size}", kind.name()), &mut links, &kind.payload(size));
            receive(&format!("receive/{}/{size}", kind.name()), &mut links, &kind.payload(size), usize::MAX);
        }
        // Without compression the content does not matter.
        let mut links = running(4);
        write(&format!("write/plain/{size}"), &mut links, &Kind::Random.payload(size));
        receive(&format!("receive/plain/{size}"), &mut links, &Kind::Random.payload(size), usize::MAX);
    }
    for size in SIZES {
        write(&format!("write/aligned/{size}"), &mut linked(5, Alignment::Word), &Kind::Random.payload(size));
    }
    for size in SIZES.into_iter().filter(|size| *size > SEGMENT) {
        receive(&format!("receive/segments/{size}"), &mut running(5), &Kind::Random.payload(size), SEGMENT);
    }
    for size in SIZES.into_iter().filter(|size| *size > SKIPPED_BEYOND) {
        receive(&format!("skip/whole/{size}"), &mut skipping(), &Kind::Random.payload(size), usize::MAX);
        receive(&format!("skip/segments/{size}"), &mut skipping(), &Kind::Random.payload(size), SEGMENT);
    }
    pings();
    idle();
    initiator();
    recipients();
}

/// A row of the table, and `times` how often `work` does what it is about
fn row(name: &str, times: usize, permutations: f64, work: impl FnOnce()) {
    callgrind::count(&format!("{name}\t{times}\t{permutations}"), work);
}

/// How often a frame of this size is repeated
///
/// The offset of a MAC in its block is the same after 17 frames, so 17 frames take the average number of
/// permutations. For many blocks that makes no difference.
const fn repetitions(size: usize) -> usize {
    match size {
        0..=1_024 => TIMES,
        1_025..=16_384 => 17,
        16_385..=131_072 => 2,
        _ => 1,
    }
}

/// How many permutations the frames of this many bytes must take on average
///
/// The MAC of a frame absorbs 16 bytes for the header, the padded body, and 16 bytes for the body, in blocks of 136
/// bytes. It reads three digests; the fourth is known from the frame before.
fn permutations(frame: usize) -> f64 {
    3.0 + (frame - 16) as f64 / 136.0
}

/// One hash of each payload by `sha3`, and blocks of our own Keccak
fn hashes() {
    for size in SIZES {
        let payload = Kind::Random.payload(size);
        _ = black_box(sha3::Keccak256::digest(&payload));
        row(&format!("sha3/{size}"), 1, (size / 136 + 1) as f64, || {
            _ = black_box(sha3::Keccak256::digest(black_box(&payload)));
        });
    }
    let blocks = noise(1, 136 * 1_000);
    row("keccak256/block", 1_000, 1.0, || _ = black_box(keccak256(black_box(&blocks[..136 * 1_000 - 1]))));
}

/// The remote has this version of the base protocol; before 5 nothing is compressed
fn running(version: u64) -> Scene<'static> {
    linked(version, Alignment::Odd)
}

/// Where the MAC of what the link sends begins in the words of Keccak
///
/// That depends on the length of the ack, which is random.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Alignment {
    /// At the first byte of a word, as in one of 8 links
    Word,
    /// Anywhere else
    Odd,
}

fn linked(version: u64, alignment: Alignment) -> Scene<'static> {
    let node = config(LINK, PROTOCOLS);
    let hello = || Hello { version, ..Hello::fitting(REMOTE) };
    let link = |seed| PeerState::recipient(NOW, &node, entropy(seed), Buffers::growable()).expect("it can start");
    let mut links = (0..).map(|seed| Scene::running_with(link(seed), hello()));
    let aligned = alignment == Alignment::Word;
    links.find(|scene| packet_len(&scene.output.log).is_multiple_of(8) == aligned).expect("there is such a length")
}

/// A link that skips messages
fn skipping() -> Scene<'static> {
    let node = config(LINK, &[PROTOCOLS[0].with_max_message(SKIPPED_BEYOND).skip_larger()]);
    let link = PeerState::recipient(NOW, &node, entropy(5), Buffers::growable()).expect("it can start");
    Scene::running_with(link, Hello::fitting(REMOTE))
}

/// The length of the handshake packet at the start of these bytes
fn packet_len(bytes: &[u8]) -> usize {
    2 + usize::from(u16::from_be_bytes([bytes[0], bytes[1]]))
}

fn write(name: &str, links: &mut Scene<'_>, payload: &[u8]) {
    let link = &mut links.node.link;
    let times = repetitions(payload.len());
    let frame = write_one(link, payload);
    row(name, times, permutations(frame), || {
        for _ in 0..times {
            write_one(link, black_box(payload));
        }
    });
}

/// Writes a message that leaves at once; returns the length of its frame
fn write_one(link: &mut PeerState<'_>, payload: &[u8]) -> usize {
    link.write(NOW, ALPHA, 0, payload).expect("nothing is unsent");
    send(link)
}

/// The transport takes everything that is unsent; returns how many bytes that was
fn send(link: &mut PeerState<'_>) -> usize {
    let Some(Action::Send(bytes)) = link.poll() else { panic!("there is something to send") };
    let len = black_box(bytes).len();
    link.sent(NOW, len).expect("it is unsent");
    len
}

fn receive(name: &str, links: &mut Scene<'_>, payload: &[u8], piece: usize) {
    let times = repetitions(payload.len());
    let payload = if links.compressing { compressed(payload) } else { payload.to_vec() };
    let frames: Vec<_> = (0..=times).map(|_| links.session().seal(&body(ALPHA_ID, &payload))).collect();
    let (first, rest) = frames.split_first().expect("one more than is counted");
    let link = &mut links.node.link;
    assert_eq!(receive_one(link, first, piece), 1);
    row(name, times, permutations(first.len()), || {
        for frame in rest {
            receive_one(link, frame, piece);
        }
    });
}

/// Receives one frame in pieces; returns how many messages were delivered or skipped
fn receive_one(link: &mut PeerState<'_>, frame: &[u8], piece: usize) -> usize {
    let mut told = 0;
    for piece in frame.chunks(piece) {
        let taken = link.receive(NOW, black_box(piece));
        assert_eq!(taken, piece.len(), "one frame at a time");
        while let Some(action) = link.poll() {
            told += usize::from(matches!(black_box(action), Action::Deliver { .. } | Action::Skipped { .. }));
        }
    }
    told
}

/// A Ping of ours with its Pong, and a Ping of the remote with our Pong
fn pings() {
    let mut links = running(5);
    let mut frames =
        |id| -> Vec<_> { (0..=TIMES).map(|_| links.session().seal(&body(id, &compressed(&[0xc0])))).collect() };
    let (pongs, pings) = (frames(PONG), frames(PING));
    let link = &mut links.node.link;
    let ping = |link: &mut PeerState<'_>, pong: &[u8]| {
        link.ping(NOW).expect("the Ping before was answered");
        send(link);
        receive_one(link, pong, usize::MAX);
    };
    let pong = |link: &mut PeerState<'_>, ping: &[u8]| {
        assert_eq!(link.receive(NOW, ping), ping.len());
        send(link);
    };
    ping(link, &pongs[0]);
    row("ping/sent", TIMES, 2.0 * permutations(pongs[0].len()), || {
        pongs[1..].iter().for_each(|frame| ping(link, frame))
    });
    assert_eq!(link.liveness().pongs_received, TIMES as u64 + 1);
    pong(link, &pings[0]);
    row("ping/answered", TIMES, 2.0 * permutations(pings[0].len()), || {
        pings[1..].iter().for_each(|frame| pong(link, frame))
    });
    assert_eq!(link.liveness().pongs_sent, TIMES as u64 + 1);
}

/// The calls of a driver that has nothing to do
fn idle() {
    let mut links = running(5);
    let link = &mut links.node.link;
    assert!(link.poll().is_none());
    row("idle/poll", TIMES, 0.0, || (0..TIMES).for_each(|_| assert!(black_box(&mut *link).poll().is_none())));
    row("idle/next_timeout", TIMES, 0.0, || (0..TIMES).for_each(|_| _ = black_box(black_box(&*link).next_timeout())));
}

/// From the constructor to the auth, and from the ack to the session
fn initiator() {
    let (node, remote) = (config(LINK, PROTOCOLS), Handshake::new(REMOTE));
    let (id, ack) = (remote.id(), remote.ack(&node.node_id()));
    let dial = |drawn| {
        let mut link = PeerState::initiator(NOW, &node, id, drawn, Buffers::growable()).expect("it can start");
        send(&mut link);
        link
    };
    let finish = |link: &mut PeerState<'_>| {
        assert_eq!(link.receive(NOW, &ack), ack.len());
        assert!(matches!(black_box(link.poll()), Some(Action::IdentityClaimed(_))));
    };
    // The first one makes the tables of the curve.
    finish(&mut dial(entropy(100)));
    let mut links = Vec::with_capacity(HANDSHAKES);
    let drawn = entropies();
    row("handshake/initiator/auth", HANDSHAKES, 0.0, || links.extend(drawn.into_iter().map(dial)));
    row("handshake/initiator/ack", HANDSHAKES, 0.0, || links.iter_mut().for_each(finish));
}

/// From the constructor to the session
fn recipients() {
    let (node, remote) = (config(LINK, PROTOCOLS), Handshake::new(REMOTE));
    let auth = remote.auth(&node.node_id());
    let accept = |drawn| {
        let mut link = PeerState::recipient(NOW, &node, drawn, Buffers::growable()).expect("it can start");
        assert_eq!(link.receive(NOW, &auth), auth.len());
        assert!(matches!(black_box(link.poll()), Some(Action::IdentityClaimed(_))));
    };
    accept(entropy(100));
    let drawn = entropies();
    row("handshake/recipient", HANDSHAKES, 0.0, || drawn.into_iter().for_each(accept));
}

fn entropies() -> Vec<Entropy> {
    (0..HANDSHAKES).map(|seed| entropy(seed as u64)).collect()
}

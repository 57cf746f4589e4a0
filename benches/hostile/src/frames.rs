//! The work of a link for frames

use devp2p_proto::{Cause, DisconnectReason, Protocol, Violation};
use devp2p_testing::remote::{DISCONNECT, HELLO, Hello, LINK, PING, PONG, REMOTE, Scene, body, compressed, recipient};
use devp2p_testing::{PROTOCOLS, config, noise};

use crate::{feed, row};

/// How many frames are sent for a row
const TIMES: usize = 64;
/// The largest payload of the base protocol
const MAX_BASE: usize = 2_048;
/// The message id of code 0 of the first protocol
pub const ALPHA: u64 = 0x10;
/// The largest message of the first protocol, and of the second
const LIMITS: [usize; 2] = [64 * 1_024, 1_024 * 1_024];

pub fn all() {
    let honest = body(ALPHA, &compressed(&noise(5, LIMITS[0])));
    flood("for comparison, a message with an incompressible payload of 64 KiB", &honest, usize::MAX);
    flood("a Ping", &body(PING, &compressed(&[0xc0])), usize::MAX);
    flood("a Ping with 2 KiB of empty lists", &body(PING, &[0xc0; MAX_BASE]), usize::MAX);
    flood("a Pong for which no Ping was sent", &body(PONG, &compressed(&[0xc0])), usize::MAX);
    flood("a message with a reserved id", &body(0x0f, &[]), usize::MAX);
    flood("the same with 2 KiB of payload", &body(0x0f, &[0; MAX_BASE]), usize::MAX);
    flood("an empty message of a protocol", &body(ALPHA, &compressed(&[])), usize::MAX);
    flood("the same, in segments of one byte", &body(ALPHA, &compressed(&[])), 1);
    let skips = [PROTOCOLS[0].with_max_message(1_024).skip_larger(), PROTOCOLS[1]];
    let larger = body(ALPHA, &compressed(&noise(7, 3_000)));
    flood_to(running_with(&skips), "a message of 3,000 bytes that is skipped", &larger, usize::MAX);
    hello("a Hello with 651 capabilities");
    that_end();
}

/// Frames after which the link ends
fn that_end() {
    let mut items = vec![0xf9, 0x07, 0xfd, 0x04];
    items.resize(MAX_BASE, 0xc0);
    let left = Cause::Remote(DisconnectReason::TOO_MANY_PEERS);
    last("a Disconnect with 2 KiB of additional items", &body(DISCONNECT, &compressed(&items)), left);
    last("an empty frame", &[], Cause::Violation(Violation::EmptyFrame));
    let large = body(ALPHA, &noise(5, LIMITS[1]));
    let size = large.len();
    let refused = Cause::Violation(Violation::FrameTooLarge { size });
    last("a frame of 1 MiB that its protocol does not permit", &large, refused);
    after_the_end("64 KiB after our Disconnect");
}

fn running() -> Scene<'static> {
    running_with(&[PROTOCOLS[0].with_max_message(LIMITS[0]), PROTOCOLS[1].with_max_message(LIMITS[1])])
}

fn running_with(protocols: &[Protocol<'_>]) -> Scene<'static> {
    Scene::running_with(recipient(&config(LINK, protocols)), Hello::fitting(REMOTE))
}

/// Many frames with this body, each in pieces of this size
pub fn flood(what: &str, body: &[u8], piece: usize) {
    flood_to(running(), what, body, piece);
}

fn flood_to(mut scene: Scene<'_>, what: &str, body: &[u8], piece: usize) {
    let mut frames = || -> Vec<Vec<u8>> { (0..TIMES).map(|_| scene.session().seal(body)).collect() };
    let (first, second) = (frames(), frames());
    let link = &mut scene.node.link;
    // The first frames make the buffers grow.
    first.iter().for_each(|frame| feed(link, frame, piece));
    row(what, first[0].len(), TIMES, || second.iter().for_each(|frame| feed(link, frame, piece)));
    assert_eq!(link.cause(), None, "{what}");
}

/// The node has the most protocols that it can have, all of one name, and every capability in the Hello has that name
fn hello(what: &str) {
    let protocols: Vec<_> = (101..=116).map(|version| Protocol::new("a", version, 1)).collect();
    let mut capabilities = vec![(b"a".to_vec(), 1); 650];
    capabilities.push((b"a".to_vec(), 116));
    let payload = Hello { capabilities, ..Hello::fitting(REMOTE) }.encode();
    assert!((MAX_BASE - 2..=MAX_BASE).contains(&payload.len()), "the Hello is as long as it can be: {}", payload.len());
    let mut scene = Scene::remote_dials(recipient(&config(LINK, &protocols)));
    scene.settle();
    let frame = scene.session().seal(&body(HELLO, &payload));
    row(what, frame.len(), 1, || feed(&mut scene.node.link, &frame, usize::MAX));
    assert_eq!(scene.node.link.cause(), None, "{what}");
}

fn last(what: &str, body: &[u8], cause: Cause) {
    let mut scene = running();
    let frame = scene.session().seal(body);
    row(what, frame.len(), 1, || feed(&mut scene.node.link, &frame, usize::MAX));
    assert_eq!(scene.node.link.cause(), Some(cause), "{what}");
}

fn after_the_end(what: &str) {
    let mut scene = running();
    let frame = scene.session().seal(&[]);
    let more = noise(6, LIMITS[0]);
    let link = &mut scene.node.link;
    feed(link, &frame, usize::MAX);
    row(what, more.len(), 1, || feed(link, &more, usize::MAX));
}

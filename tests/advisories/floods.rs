//! Floods: what a peer that sends without end costs, in heap and in actions
//!
//! Each test states both bounds. The heap is what a link takes beyond what it has after Hello, at any moment; the
//! work is the number of actions that its driver has to do. What the tests are known to notice:
//!
//! | test | change of `src` that it notices |
//! |---|---|
//! | `pings_whose_pongs_are_not_taken` | a Pong is sealed although the one before it is unsent |
//! | `pings_whose_pongs_are_taken` | two Pongs for a Ping |
//! | `pings_with_a_large_payload` | the payload of a Ping is decompressed |
//! | `pongs_that_nobody_has_asked_for` | a Pong is answered |
//! | `empty_frames` | an empty frame is read as a message |
//! | `reserved_ids` | a reserved id is answered |
//! | `frames_of_one_byte` | the payload of a Ping is decompressed; a reserved id is answered |
//! | `sizes_that_never_arrive` | the claimed size of a frame is allocated |
//! | `a_large_frame_in_pieces` | a buffer doubles beyond the frame; buffers are not used again |
//! | `a_hello_with_hundreds_of_capabilities` | the seventeenth capability panics |
//! | `hellos_without_end` | a second Hello is read |
//! | `snappy_at_its_worst` | no limit for the claimed length; every body is stored; buffers are not used again |
//! | `a_storm_of_disconnects_from_the_peer` | a link that has ended goes on reading |
//! | `a_storm_of_disconnects_from_both` | a second Disconnect closes at once |
//! | `a_handshake_that_trickles` | each byte starts the timer of the handshake anew; buffers are not used again |

use std::time::Duration;

use devp2p_heap::in_use;
use devp2p_proto::{Cause, Instant, Stage, Timeout, Violation};
use devp2p_testing::remote::{
    DISCONNECT, Handshake, Hello, LINK, PING, PONG, REMOTE, Scene, body, compressed, recipient,
};
use devp2p_testing::{PROTOCOLS, config, key, noise};

use crate::metered::{Work, feed, frames};

/// A frame of the base protocol, and the payload of a Pong
const SMALL: isize = 4 * 1024;
/// A frame with an empty list
const PONG_LEN: usize = 64;

/// Two protocols, whose messages may have these sizes
fn running(alpha: usize, beta: usize) -> Scene<'static> {
    let protocols = [PROTOCOLS[0].with_max_message(alpha), PROTOCOLS[1].with_max_message(beta)];
    Scene::running_with(recipient(&config(LINK, &protocols)), Hello::fitting(REMOTE))
}

/// Sends the same body many times, in pieces of a thousand frames
fn flood(scene: &mut Scene<'_>, body: &[u8], times: usize) -> Work {
    let mut total = Work::default();
    for _ in 0..times / 1_000 {
        let bytes = frames(scene, std::iter::repeat_n(body, 1_000));
        let work = feed(&mut scene.node.link, scene.now, &bytes);
        assert_eq!(work.taken, bytes.len());
        total.taken += work.taken;
        total.calls += work.calls;
        total.delivered += work.delivered;
        total.sends += work.sends;
        total.sent += work.sent;
        total.others += work.others;
        total.ends += work.ends;
        total.heap += work.heap;
        total.peak = total.peak.max(total.heap - work.heap + work.peak);
    }
    total
}

/// Heap: none beyond one Pong. Work: two Pings are taken, and then nothing, however often they are offered.
fn pings_without_draining(offers: usize) {
    let mut scene = Scene::running();
    let bytes = frames(&mut scene, std::iter::repeat_n(&body(PING, &compressed(&[0xc0]))[..], 10));
    let (link, now) = (&mut scene.node.link, scene.now);
    let before = in_use();
    let mut taken = 0;
    for _ in 0..offers {
        taken += link.receive(now, &bytes[taken..]);
        // The driver polls, and its socket is full.
        assert!(matches!(link.poll(), Some(devp2p_proto::Action::Send(bytes)) if bytes.len() == PONG_LEN));
    }
    assert_eq!((taken, link.wants_input()), (2 * 64, false));
    assert!(in_use() - before <= 1_024, "{} bytes", in_use() - before);
}

#[test]
fn pings_whose_pongs_are_not_taken() {
    pings_without_draining(100_000);
}

#[test]
#[ignore = "long: a million Pings of both kinds"]
fn a_million_pings() {
    pings_without_draining(1_000_000);
    pings_with_draining(1_000_000);
}

/// Heap: one Pong. Work: for each Ping of 64 bytes one action, of 64 bytes.
fn pings_with_draining(count: usize) {
    let mut scene = Scene::running();
    let work = flood(&mut scene, &body(PING, &compressed(&[0xc0])), count);
    assert_eq!((work.sends, work.sent, work.actions()), (count, count * PONG_LEN, count));
    assert!(work.peak <= 1_024, "{} bytes", work.peak);
}

#[test]
fn pings_whose_pongs_are_taken() {
    pings_with_draining(20_000);
}

/// The payload of a Ping is not looked at. Heap: the frame, and one Pong. Work: as for a small Ping.
#[test]
fn pings_with_a_large_payload() {
    let mut scene = Scene::running();
    let work = flood(&mut scene, &body(PING, &[0xc0; 2_048]), 1_000);
    assert_eq!((work.sends, work.sent, work.actions()), (1_000, 1_000 * PONG_LEN, 1_000));
    assert!(work.peak <= 2 * SMALL, "{} bytes", work.peak);
}

/// Heap: none. Work: none.
#[test]
fn pongs_that_nobody_has_asked_for() {
    let mut scene = Scene::running();
    let work = flood(&mut scene, &body(PONG, &compressed(&[0xc0])), 20_000);
    assert_eq!((work.actions(), work.sent), (0, 0));
    assert!(work.peak <= 1_024, "{} bytes", work.peak);
}

/// Heap: our Disconnect. Work: the first one is the end, and the others are swallowed.
#[test]
fn empty_frames() {
    let mut scene = Scene::running();
    let bytes = frames(&mut scene, std::iter::repeat_n(&[][..], 20_000));
    let work = feed(&mut scene.node.link, scene.now, &bytes);
    assert_eq!(scene.node.link.cause(), Some(Cause::Violation(Violation::EmptyFrame)));
    assert_eq!((work.taken, work.actions()), (bytes.len(), 1), "our Disconnect is the only action");
    assert!(work.calls <= 2 && work.peak <= 1_024, "{work:?}");
}

/// Heap: the largest frame of the base protocol. Work: none, and one call for each frame.
#[test]
fn reserved_ids() {
    for len in [0, 1, 2_048] {
        let mut scene = running(1_000, 1_000);
        let work = flood(&mut scene, &body(0x0f, &vec![0x5a; len]), 5_000);
        assert_eq!((work.actions(), work.calls), (0, 5_000));
        assert!(work.peak <= 2 * SMALL, "{} bytes", work.peak);
    }
}

/// Heap: none. Work: one action for each frame of 64 bytes, which is what the frame is worth.
#[test]
fn frames_of_one_byte() {
    for (id, version, deliveries, pongs) in [(0x04, 5, 0, 0), (0x02, 5, 0, 1), (0x10, 4, 1, 0)] {
        let hello = Hello { version, ..Hello::fitting(REMOTE) };
        let mut scene = Scene::running_with(recipient(&config(LINK, PROTOCOLS)), hello);
        let work = flood(&mut scene, &[id], 10_000);
        assert_eq!((work.delivered, work.sends, work.calls), (10_000 * deliveries, 10_000 * pongs, 10_000), "{id}");
        assert_eq!(work.actions(), work.delivered + work.sends);
        assert!(work.peak <= 1_024, "{} bytes", work.peak);
    }
}

/// Many calls of a byte each. Heap: as for whole frames. Work: one call for each byte, and no action but one Pong.
#[test]
fn a_frame_in_pieces_of_one_byte() {
    let mut scene = Scene::running();
    let ping = body(PING, &compressed(&[0xc0]));
    let bytes = frames(&mut scene, std::iter::repeat_n(&ping[..], 500));
    let (mut actions, mut peak) = (0, 0);
    for byte in bytes.chunks(1) {
        let work = feed(&mut scene.node.link, scene.now, byte);
        actions += work.actions();
        peak = peak.max(work.peak);
    }
    assert_eq!(actions, 500);
    assert!(peak <= 512, "{peak} bytes");
}

/// Heap: twice what has come, and never more than the whole frame. Work: none, and the end after the frame's time.
#[test]
fn sizes_that_never_arrive() {
    for size in [2_050, 60_000, 1 << 20, 16_000_000] {
        let mut scene = running(16_000_000, 1_000);
        let bytes = scene.session().seal(&vec![0x10; size]);
        let work = feed(&mut scene.node.link, scene.now, &bytes[..32 + 16]);
        assert!(work.peak <= 256 && work.actions() == 0, "{size}: {work:?}");
        scene.now = Instant::from_millis(1_000_000);
        scene.node.link.handle_timeout(scene.now);
        assert_eq!(scene.node.link.stage(), Stage::Closing);
        assert!(matches!(scene.node.link.cause(), Some(Cause::Timeout(Timeout::Frame | Timeout::Read))));
    }
}

/// Heap: at rest, no more than the frame, in whatever pieces it comes; and twice that while it grows.
#[test]
fn a_large_frame_in_pieces() {
    for (size, piece) in [(1_500_000, 1_000), (1_500_000, 700_000), (70_000, 1), (1_048_700, 65_536)] {
        let mut scene = running(16_000_000, 1_000);
        let before = in_use();
        let bytes = scene.session().seal(&body(0x10, &compressed(&noise(1, size))));
        let held = bytes.capacity() as isize;
        let last = bytes.len() - 1;
        for piece in bytes[..last].chunks(piece) {
            let work = feed(&mut scene.node.link, scene.now, piece);
            assert_eq!((work.taken, work.actions()), (piece.len(), 0));
            assert!(work.peak <= 2 * bytes.len() as isize, "{work:?}");
        }
        let grown = in_use() - before - held;
        assert!(grown <= bytes.len() as isize + 512, "{grown} bytes for a frame of {}", bytes.len());
        assert_eq!(feed(&mut scene.node.link, scene.now, &bytes[last..]).delivered, 1);
    }
}

/// Heap: the frame of a Hello, and nothing for what it lists. Work: one Ready.
#[test]
fn a_hello_with_hundreds_of_capabilities() {
    let mut listed = vec![(b"alpha".to_vec(), 1)];
    listed.extend((0..619).map(|_| (Vec::new(), 0)));
    for hello in [
        Hello { capabilities: listed, client_id: Vec::new(), ..Hello::fitting(REMOTE) },
        Hello { capabilities: vec![(b"alpha".to_vec(), 1); 240], ..Hello::fitting(REMOTE) },
    ] {
        let mut scene = Scene::expecting_hello();
        let payload = hello.encode();
        assert!((1_700..=2_048).contains(&payload.len()), "{}", payload.len());
        let bytes = frames(&mut scene, [&body(0, &payload)[..]]);
        let work = feed(&mut scene.node.link, scene.now, &bytes);
        assert_eq!((work.others, work.actions(), work.cause), (1, 1, None), "Ready");
        assert!(work.peak <= SMALL, "{} bytes", work.peak);
        let hello = scene.node.link.remote_hello().unwrap();
        assert!(hello.capabilities().len() <= devp2p_proto::MAX_PROTOCOLS);
    }
}

/// Hello after Hello. Heap: the frame. Work: none.
#[test]
fn hellos_without_end() {
    let mut scene = Scene::running();
    let work = flood(&mut scene, &body(0, &Hello::fitting(REMOTE).encode()), 5_000);
    assert_eq!((work.actions(), work.calls), (0, 5_000));
    assert!(work.peak <= SMALL, "{} bytes", work.peak);
}

/// Snappy at its worst: copies of 64 bytes, which take 3. Heap: the payload at its limit, the frame, and once more
/// while a buffer grows; not more for the second message than for the first. Work: one message for each frame.
#[test]
fn snappy_at_its_worst() {
    const LIMIT: usize = 1 << 20;
    let mut scene = running(LIMIT, 1_000);
    // The length in front, a literal of one byte, and copies of 64 bytes from one byte before
    let copies = (LIMIT - 1) / 64;
    let len = 1 + copies * 64;
    let mut block = vec![len as u8 | 0x80, (len >> 7) as u8 | 0x80, (len >> 14) as u8, 0x00, 0x07];
    block.extend(std::iter::repeat_n([0xfe, 0x01, 0x00], copies).flatten());
    let message = body(0x10, &block);
    let bytes = frames(&mut scene, [&message[..]]);
    let first = feed(&mut scene.node.link, scene.now, &bytes);
    assert_eq!((first.delivered, first.actions(), first.cause), (1, 1, None));
    assert!(first.peak <= (LIMIT + 2 * bytes.len()) as isize + SMALL, "{} bytes", first.peak);
    for _ in 0..20 {
        let bytes = frames(&mut scene, [&message[..]]);
        let work = feed(&mut scene.node.link, scene.now, &bytes);
        assert_eq!((work.delivered, work.actions(), work.peak), (1, 1, 0));
    }
    // One byte more is refused before anything grows.
    let mut scene = running(len - 1, 1_000);
    let bytes = frames(&mut scene, [&message[..]]);
    let work = feed(&mut scene.node.link, scene.now, &bytes);
    assert_eq!(scene.node.link.cause(), Some(Cause::Violation(Violation::PayloadTooLarge { size: len })));
    assert!(work.peak <= SMALL, "{} bytes", work.peak);
}

/// Heap: none. Work: one action, the end, for any number of Disconnects and whatever follows them.
#[test]
fn a_storm_of_disconnects_from_the_peer() {
    let mut scene = Scene::running();
    let storm = body(DISCONNECT, &compressed(&[0xc1, 0x04]));
    let bytes = frames(&mut scene, std::iter::repeat_n(&storm[..], 20_000));
    let work = feed(&mut scene.node.link, scene.now, &bytes);
    assert_eq!((work.taken, work.ends, work.actions(), work.sent), (bytes.len(), 1, 1, 0));
    assert!(work.calls <= 2 && work.peak <= 1_024, "{work:?}");
}

/// Both sides disconnect without end. Heap: our Disconnect. Work: one frame of ours, and one end.
#[test]
fn a_storm_of_disconnects_from_both() {
    let mut scene = Scene::running();
    let storm = body(DISCONNECT, &compressed(&[0xc1, 0x04]));
    let before = in_use();
    let bytes = frames(&mut scene, std::iter::repeat_n(&storm[..], 1_000));
    let held = bytes.capacity() as isize;
    let (mut actions, mut sent) = (0, 0);
    for frame in bytes.chunks(storm.len().next_multiple_of(16) + 48) {
        for code in 0..10 {
            scene.node.link.disconnect(scene.now, devp2p_proto::DisconnectReason::from_code(code));
        }
        let work = feed(&mut scene.node.link, scene.now, frame);
        actions += work.actions();
        sent += work.sent;
    }
    assert_eq!((actions, sent), (1, PONG_LEN), "our Disconnect; the end waits for the peer to hang up");
    assert!(in_use() - before - held <= 1_024);
    scene.node.link.receive_closed(scene.now);
    let work = feed(&mut scene.node.link, scene.now, &[0]);
    assert_eq!((work.ends, work.actions()), (1, 1));
}

/// A handshake that trickles. Heap: twice the packet at most. Work: no action until it is complete, and the end
/// after five seconds, however it trickles.
#[test]
fn a_handshake_that_trickles() {
    let auth = Handshake::new(REMOTE).auth(&key(LINK).node_id());
    for pause in [5, 20, 1_000] {
        let mut link = recipient(&config(LINK, PROTOCOLS));
        let before = in_use();
        let (mut now, mut actions, mut peak) = (Instant::ZERO, 0, 0);
        for byte in auth.chunks(1) {
            now = now.checked_add(Duration::from_millis(pause)).unwrap();
            link.handle_timeout(now);
            if link.stage() != Stage::Handshake {
                break;
            }
            let work = feed(&mut link, now, byte);
            actions += work.actions();
            peak = peak.max(in_use() - before);
        }
        assert!(peak <= 2 * auth.len() as isize + 1_024, "{peak} bytes");
        if auth.len() as u64 * pause < 5_000 {
            assert_eq!((actions, link.stage()), (2, Stage::Hello), "the claim, and ack with Hello");
            now = Instant::from_millis(5_000);
            link.handle_timeout(now);
            assert_eq!(link.stage(), Stage::Closing);
        } else {
            assert_eq!((actions, link.stage(), now), (0, Stage::Closed, Instant::from_millis(5_000)));
        }
        assert_eq!(link.cause(), Some(Cause::Timeout(Timeout::Handshake)));
    }
}

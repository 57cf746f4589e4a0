//! Messages that cost more than they are worth

use std::time::Duration;

use devp2p_heap::in_use;
use devp2p_proto::{Cause, Config, Instant, Outbox, SnappyError, Stage, Violation};
use devp2p_testing::remote::{Hello, LINK, REMOTE, Scene, body, compressed, recipient};
use devp2p_testing::{ALPHA, BETA, PROTOCOLS, config, noise};

use crate::metered::{feed, frames};
use crate::{receive, violation};

/// Heap that is no more than a small message takes
const SMALL: isize = 8 * 1024;

fn limited(alpha: usize, beta: usize) -> Config {
    config(LINK, &[PROTOCOLS[0].with_max_message(alpha), PROTOCOLS[1].with_max_message(beta)])
}

fn running(alpha: usize, beta: usize) -> Scene<'static> {
    Scene::running_with(recipient(&limited(alpha, beta)), Hello::fitting(REMOTE))
}

/// The length that a Snappy block claims, as it is spelt
fn claim(mut len: u64) -> Vec<u8> {
    let mut spelt = Vec::new();
    while len >= 0x80 {
        spelt.push(len as u8 | 0x80);
        len >>= 7;
    }
    spelt.push(len as u8);
    spelt
}

/// One message made the node hold much memory.
///
/// A claim is no reason to allocate: neither the size in a header, nor the length in front of a block. What grew
/// for a large message is given back within two intervals of 15 seconds.
#[test]
fn ghsa_689v_6xwf_5jf3() {
    let mut scene = running(16 << 20, 500);
    let header = scene.session().seal(&vec![0x10; 16_000_000])[..32 + 16].to_vec();
    let work = feed(&mut scene.node.link, scene.now, &header);
    assert!(work.peak <= 1_024 && work.cause.is_none(), "{work:?}");

    // 2 KB that claim what their protocol does not permit, and what a block of this size could make
    let mut scene = running(16 << 20, 5_000);
    let block = [claim(40_000), vec![0xfe; 2_000]].concat();
    let bytes = frames(&mut scene, [&body(0x14, &block)[..]]);
    let work = feed(&mut scene.node.link, scene.now, &bytes);
    assert_eq!(violation(&scene.node.link), Some(Violation::PayloadTooLarge { size: 40_000 }));
    assert!(work.peak <= SMALL, "{work:?}");
    // The same with what no block of this size can make
    let mut scene = running(16 << 20, 500);
    let bytes = frames(&mut scene, [&body(0x10, &[claim(16_000_000), vec![0xfe; 2_000]].concat())[..]]);
    let work = feed(&mut scene.node.link, scene.now, &bytes);
    assert_eq!(violation(&scene.node.link), Some(Violation::MalformedCompression(SnappyError::TooShort)));
    assert!(work.peak <= SMALL, "{work:?}");

    let mut scene = running(16 << 20, 500);
    let before = in_use();
    let bytes = frames(&mut scene, [&body(0x10, &compressed(&vec![0; 4 << 20]))[..]]);
    let held = bytes.capacity() as isize;
    let work = feed(&mut scene.node.link, scene.now, &bytes);
    assert_eq!(work.delivered, 1);
    assert!(in_use() - before - held > 4 << 20, "the buffers have grown");
    // The peer is not silent, but sends small messages.
    for seconds in [10, 15, 20, 30] {
        let now = Instant::from_millis(seconds * 1_000);
        scene.node.link.handle_timeout(now);
        let small = frames(&mut scene, [&body(0x10, &compressed(b"small"))[..]]);
        assert_eq!(feed(&mut scene.node.link, now, &small).delivered, 1);
    }
    let kept = in_use() - before - held;
    assert!(kept <= SMALL, "{kept} bytes");
}

/// Decompression bombs.
///
/// A block that claims more than the limit is refused before it is decompressed, and one that makes another
/// number of bytes than it claims is refused.
#[test]
fn eip_706() {
    for len in [501, 1 << 14, 1 << 24, (1 << 24) + 1, 1 << 31, u32::MAX.into()] {
        let mut scene = running(1 << 20, 500);
        // As many elements as the claim needs to be possible, as far as they fit a frame of the limit
        let block = [claim(len), vec![0xfe; 300]].concat();
        let bytes = frames(&mut scene, [&body(0x14, &block)[..]]);
        let work = feed(&mut scene.node.link, scene.now, &bytes);
        let expected = match len {
            ..6_400 => Violation::PayloadTooLarge { size: len as usize },
            _ => Violation::MalformedCompression(SnappyError::TooShort),
        };
        assert_eq!(violation(&scene.node.link), Some(expected), "{len}");
        assert!(work.peak <= SMALL, "{len}: {work:?}");
    }
    let whole = compressed(&noise(1, 400));
    for wrong in [0_u64, 1, 399, 401, 500] {
        let block = [claim(wrong), whole[2..].to_vec()].concat();
        let mut scene = running(1 << 20, 500);
        receive(&mut scene, &body(0x14, &block));
        let expected = if wrong < 400 { SnappyError::TooLong } else { SnappyError::TooShort };
        assert_eq!(violation(&scene.node.link), Some(Violation::MalformedCompression(expected)), "{wrong}");
        assert_eq!(scene.node.delivered(), []);
    }
    let mut scene = running(1 << 20, 500);
    receive(&mut scene, &body(0x14, &whole));
    assert_eq!(scene.node.delivered(), [(BETA, 0, noise(1, 400))]);
    // A length that is not spelt in 32 bits
    for spelt in [&[0xff, 0xff, 0xff, 0xff, 0x10][..], &[0x80; 5], &[0xff; 10]] {
        let mut scene = running(1 << 20, 500);
        receive(&mut scene, &body(0x14, spelt));
        let expected = Violation::MalformedCompression(SnappyError::BadLength);
        assert_eq!(violation(&scene.node.link), Some(expected), "{spelt:02x?}");
    }
}

/// Messages were stored and decoded before anybody knew whether they were wanted: 133 MB for 16, and memory of
/// twenty times the bytes on the wire.
///
/// No header may announce more than the largest limit of the shared protocols takes. What is too large for its
/// own protocol is read to its MAC in constant memory. What comes within the limits costs the frame and the
/// payload.
#[test]
fn reth_22508_and_23718_and_ethrex_6956() {
    for id in [0x04, 0x10, 0x14, 0x17] {
        let mut scene = running(1_024, 500);
        let frame = frames(&mut scene, [&body(id, &compressed(&noise(1, 2 << 20)))[..]]);
        let work = feed(&mut scene.node.link, scene.now, &frame);
        assert!(matches!(violation(&scene.node.link), Some(Violation::FrameTooLarge { .. })), "{id}");
        assert!(work.peak <= SMALL, "{id}: {work:?}");
    }
    for (id, payload) in
        [(0x14, noise(1, 2 << 20)), (0x14, vec![0; 8 << 20]), (0x17, noise(1, 2 << 20)), (0x04, noise(1, 2 << 20))]
    {
        let mut scene = running(4 << 20, 500);
        let frame = frames(&mut scene, [&body(id, &compressed(&payload))[..]]);
        let work = feed(&mut scene.node.link, scene.now, &frame);
        assert!(violation(&scene.node.link).is_some());
        assert_eq!((work.taken, work.delivered, work.ends), (frame.len(), 0, 0), "our Disconnect leaves first");
        assert!(work.peak <= SMALL, "{id}: {work:?}");
    }
    let mut scene = running(4 << 20, 500);
    let payload = vec![0; 4 << 20];
    let frame = frames(&mut scene, [&body(0x10, &compressed(&payload))[..]]);
    let work = feed(&mut scene.node.link, scene.now, &frame);
    assert_eq!(work.delivered, 1);
    // The old buffer and the new one exist together while it grows.
    let most = payload.len() + 2 * frame.len();
    assert!(work.peak <= most as isize + SMALL, "{} bytes, not {most}", work.peak);
}

/// A mailbox without a bound behind one peer grew by 1.5 GB a day.
///
/// What a link holds for a peer that never reads is bounded by its window and by one frame of each protocol, and
/// `Outbox` by its limit, both in bytes. The link ends after 20 seconds.
#[test]
fn ethrex_6900() {
    const OUTBOX: usize = 100_000;
    let config = limited(1 << 20, 500).with_send_window(64 * 1024);
    let mut scene = Scene::running_with(recipient(&config), Hello::fitting(REMOTE));
    scene.output.capacity = 0;
    let before = in_use();
    let mut outbox = Outbox::new(ALPHA, OUTBOX);
    let payload = noise(1, 1_000);
    let mut refused = 0;
    for _ in 0..10_000 {
        let link = &mut scene.node.link;
        let outcome =
            outbox.send(0, &payload, |protocol, code, payload| link.write(scene.now, protocol, code, payload));
        refused += usize::from(outcome.is_err());
    }
    assert!(scene.node.link.unsent().len() <= 32 * 1024, "the share of one of two protocols");
    assert!(outbox.bytes() <= OUTBOX && outbox.bytes() + payload.len() + Outbox::OVERHEAD > OUTBOX);
    assert!(refused > 9_800, "{refused} of 10000 were refused");
    let held = in_use() - before;
    // The transmit buffer may have twice the size that it needs, and each message in the outbox a header.
    assert!(held <= (2 * 64 * 1024 + OUTBOX + 128 * 64) as isize + SMALL, "{held} bytes");
    scene.advance(Duration::from_secs(20));
    assert_eq!(scene.node.link.stage(), Stage::Closed);
    assert!(matches!(scene.node.cause(), Some(Cause::Timeout(_))), "{:?}", scene.node.cause());
}

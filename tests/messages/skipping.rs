//! Messages that are larger than their limit, for protocols that skip them

use std::time::Duration;

use devp2p_proto::{
    Buffers, Cause, DisconnectReason, Instant, MAX_MESSAGE, PeerState, Protocol, SnappyError, Stage, Timeout, Violation,
};
use devp2p_testing::remote::{DISCONNECT, Hello, LINK, PING, PONG, REMOTE, Scene, body, compressed, recipient};
use devp2p_testing::{ALPHA, BETA, PROTOCOLS, Seen, config, entropy, noise, slots};

const ALPHA_ID: u64 = 0x10;
const BETA_ID: u64 = 0x14;

/// A link whose alpha skips what is larger than 1,000 bytes, and whose beta ends the link at 500
fn skipping() -> PeerState<'static> {
    linked(&[PROTOCOLS[0].with_max_message(1_000).skip_larger(), PROTOCOLS[1].with_max_message(500)])
}

fn linked(protocols: &[Protocol<'_>]) -> PeerState<'static> {
    recipient(&config(LINK, protocols))
}

fn scene() -> Scene<'static> {
    Scene::running_with(skipping(), Hello::fitting(REMOTE))
}

/// The length of the frame of a body
fn wire(body: &[u8]) -> usize {
    48 + body.len().next_multiple_of(16)
}

/// What a driver sees of a body, and how the link then stands
fn seen(mut scene: Scene<'_>, body: &[u8]) -> (Vec<Seen>, Option<Cause>) {
    scene.send_body(body);
    scene.settle();
    (scene.node.seen, scene.node.link.cause())
}

fn violation(body: &[u8]) -> Violation {
    let (seen, cause) = seen(scene(), body);
    assert!(matches!(seen[..], [] | [Seen::Disconnect(_)]), "{seen:?}");
    match cause {
        Some(Cause::Violation(violation)) => violation,
        other => panic!("{other:?}"),
    }
}

/// A Snappy block that declares `claim` bytes, and whose `size` bytes of elements are nonsense
fn claims(claim: u64, size: usize) -> Vec<u8> {
    let mut block = Vec::new();
    let mut rest = claim;
    while rest >= 0x80 {
        block.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    block.push(rest as u8);
    block.extend(noise(claim, size));
    block
}

/// Payloads that compress and payloads that do not, from one byte above the limit up to the largest message
#[test]
fn a_message_beyond_its_limit_is_told_once_and_the_link_lives_on() {
    for (code, payload) in [
        (0, noise(1, 1_001)),
        (3, vec![0; 1_001]),
        (1, vec![7; 40_000]),
        (2, noise(2, 2_100)),
        (0, noise(3, 300_000)),
        (0, vec![1; MAX_MESSAGE]),
        (0, noise(4, 16_700_000)),
    ] {
        let mut scene = scene();
        let body = body(ALPHA_ID + code, &compressed(&payload));
        scene.send_body(&body);
        scene.settle();
        assert_eq!(scene.node.seen, [Seen::Skipped(ALPHA, code, payload.len(), wire(&body))]);
        scene.send(ALPHA_ID, &noise(5, 1_000));
        scene.send(BETA_ID, &noise(6, 500));
        scene.send(PING, &[0xc0]);
        assert_eq!(scene.node.seen.len(), 3);
        assert_eq!(scene.node.delivered(), [(ALPHA, 0, noise(5, 1_000)), (BETA, 0, noise(6, 500))]);
        assert_eq!(scene.received.last(), Some(&(PONG, vec![0xc0])));
        let traffic = scene.node.link.traffic(ALPHA).unwrap();
        assert_eq!(traffic.ingress.messages, 1, "a skipped message is not counted as received");
    }
}

/// The elements of a skipped block are not read
#[test]
fn whether_the_content_agrees_with_its_claim_is_not_looked_at() {
    for (claim, size) in [(1_001, 900), (16_000, 1_000), (21_300, 1_000), (1_001, 1_100), (16_777_215, 800_000)] {
        let body = body(ALPHA_ID, &claims(claim, size));
        let (seen, cause) = seen(scene(), &body);
        assert_eq!((seen, cause), (vec![Seen::Skipped(ALPHA, 0, claim as usize, wire(&body))], None));
    }
}

/// A claim that no message, or no body of this length, can have
#[test]
fn impossible_claims_are_violations() {
    let too_short = Violation::MalformedCompression(SnappyError::TooShort);
    let bad_length = Violation::MalformedCompression(SnappyError::BadLength);
    for (claim, size, expected) in [
        // More than 64 bytes for each 3 of the body
        (21_400, 1_000, too_short),
        (10_000_000, 3_000, too_short),
        (1 << 31, 4_000, too_short),
        // More than a message can have
        (MAX_MESSAGE as u64 + 1, 800_000, Violation::PayloadTooLarge { size: MAX_MESSAGE + 1 }),
        (1 << 32, 4_000, bad_length),
        (1 << 34, 100, bad_length),
        // A body that is too large for what it claims
        (1_001, 1_500, Violation::FrameTooLarge { size: 1_503 }),
        (900, 4_000, Violation::FrameTooLarge { size: 4_003 }),
        (0, 16_000_000, Violation::FrameTooLarge { size: 16_000_002 }),
        (5_000, 16_000_000, Violation::FrameTooLarge { size: 16_000_003 }),
    ] {
        assert_eq!(violation(&body(ALPHA_ID, &claims(claim, size))), expected, "{claim} in {size} bytes");
    }
    let unterminated = [&[0xff; 5][..], &noise(1, 4_000)].concat();
    assert_eq!(violation(&body(ALPHA_ID, &unterminated)), bad_length);
}

/// A peer without Snappy sends payloads as they are
#[test]
fn without_compression_the_claim_is_the_size() {
    let hello = Hello { version: 4, ..Hello::fitting(REMOTE) };
    let mut scene = Scene::running_with(skipping(), hello);
    for payload in [noise(1, 1_001), noise(2, 2_500), vec![0; 1 << 20]] {
        let body = body(ALPHA_ID, &payload);
        scene.send_body(&body);
        scene.settle();
        assert_eq!(scene.node.seen.pop(), Some(Seen::Skipped(ALPHA, 0, payload.len(), wire(&body))));
    }
    scene.send_body(&body(ALPHA_ID, &noise(3, 1_000)));
    scene.settle();
    assert_eq!(scene.node.delivered(), [(ALPHA, 0, noise(3, 1_000))]);
}

/// Messages of the base protocol or of another protocol, and unknown ids, are not skipped
#[test]
fn only_the_messages_of_the_protocol_that_skips_are_skipped() {
    let payload = compressed(&noise(1, 30_000));
    let size = payload.len() + 1;
    for (id, expected) in [
        (BETA_ID, Violation::FrameTooLarge { size }),
        (0x17, Violation::UnknownMessageId(0x17)),
        (PING, Violation::FrameTooLarge { size }),
        (DISCONNECT, Violation::FrameTooLarge { size }),
        (0x04, Violation::FrameTooLarge { size }),
    ] {
        assert_eq!(violation(&body(id, &payload)), expected, "{id:#x}");
    }
    let zeros = vec![0; 10_000];
    assert_eq!(violation(&body(BETA_ID, &compressed(&zeros))), Violation::PayloadTooLarge { size: 10_000 });
    // The largest body for beta's limit has 500 / 6 + 41 bytes more.
    let too_large = Violation::PayloadTooLarge { size: 600 };
    assert_eq!(violation(&body(BETA_ID, &claims(600, 621))), too_large);
    assert_eq!(violation(&body(BETA_ID, &claims(600, 622))), Violation::FrameTooLarge { size: 625 });
}

/// The header permits large frames only while a protocol that skips is shared
#[test]
fn a_protocol_that_is_not_shared_does_not_skip() {
    let hello = Hello { capabilities: vec![(b"beta".to_vec(), 2)], ..Hello::fitting(REMOTE) };
    let mut scene = Scene::running_with(skipping(), hello);
    let frame = scene.session().seal(&vec![0x10; 4_000]);
    scene.input.write(&frame[..32]);
    scene.settle();
    assert_eq!(scene.node.link.cause(), Some(Cause::Violation(Violation::FrameTooLarge { size: 4_000 })));
}

/// A protocol without messages has none that could be skipped
#[test]
fn a_protocol_without_messages_does_not_make_frames_larger() {
    let alpha = Protocol::new("alpha", 1, 0).skip_larger();
    let link = linked(&[alpha, PROTOCOLS[1].with_max_message(500)]);
    let mut scene = Scene::running_with(link, Hello::fitting(REMOTE));
    let frame = scene.session().seal(&vec![0x10; 4_000]);
    scene.input.write(&frame[..32]);
    scene.settle();
    assert_eq!(scene.node.link.cause(), Some(Cause::Violation(Violation::FrameTooLarge { size: 4_000 })));
}

/// For example headers of up to 2 MiB, and announcements of up to 4 KiB
#[test]
fn a_message_code_can_have_a_limit_of_its_own() {
    let limits = [(0, 4_096), (2, 200_000)];
    let alpha = PROTOCOLS[0].with_max_message(1_000).with_code_limits(&limits);
    let largest = [4_096, 1_000, 200_000, 1_000];
    for skips in [false, true] {
        let alpha = if skips { alpha.skip_larger() } else { alpha };
        for (code, limit) in (0..).zip(largest) {
            let mut scene = Scene::running_with(linked(&[alpha]), Hello::fitting(REMOTE));
            for payload in [noise(code, limit), vec![7; limit]] {
                scene.send(ALPHA_ID + code, &payload);
                assert_eq!(scene.node.delivered(), [(ALPHA, code, payload)]);
                scene.node.seen.clear();
            }
            scene.send(ALPHA_ID + code, &vec![7; limit + 1]);
            match scene.node.link.cause() {
                Some(Cause::Violation(Violation::PayloadTooLarge { size })) if !skips => assert_eq!(size, limit + 1),
                None if skips => assert!(matches!(scene.node.seen[..], [Seen::Skipped(ALPHA, ..)])),
                other => panic!("{other:?}"),
            }
        }
    }
}

/// The limit of the node applies to each message code
#[test]
fn the_limit_of_the_node_applies_to_message_codes() {
    let alpha = PROTOCOLS[0].with_code_limits(&[(1, 50_000)]).skip_larger();
    let config = config(LINK, &[alpha]).with_max_message(2_000).unwrap();
    let mut scene = Scene::running_with(recipient(&config), Hello::fitting(REMOTE));
    scene.send(ALPHA_ID + 1, &noise(1, 2_000));
    assert_eq!(scene.node.delivered(), [(ALPHA, 1, noise(1, 2_000))]);
    scene.send(ALPHA_ID + 1, &noise(1, 2_001));
    assert!(matches!(scene.node.seen[1..], [Seen::Skipped(ALPHA, 1, 2_001, _)]), "{:?}", scene.node.seen);
}

/// A skipped message needs no room in the driver, so the driver is told of it even while it holds input
#[test]
fn a_skipped_message_is_not_held() {
    let mut scene = scene();
    scene.node.link.hold_input(scene.now, true);
    scene.send(ALPHA_ID, &noise(1, 5_000));
    scene.send(ALPHA_ID, &noise(2, 1_001));
    assert!(matches!(scene.node.seen[..], [Seen::Skipped(..), Seen::Skipped(..)]), "{:?}", scene.node.seen);
    scene.send(ALPHA_ID, b"waits");
    scene.send(ALPHA_ID, &noise(1, 5_000));
    assert_eq!(scene.node.seen.len(), 2, "what comes after a message that waits is not read");
    scene.node.link.hold_input(scene.now, false);
    scene.settle();
    assert!(matches!(scene.node.seen[2..], [Seen::Deliver(..), Seen::Skipped(..)]), "{:?}", scene.node.seen);
}

/// The stream may end, or writing may fail, at any byte of the frame
#[test]
fn a_skipped_message_that_is_cut_off() {
    let body = body(ALPHA_ID, &compressed(&noise(1, 5_000)));
    for cut in [31, 32, 33, 47, 48, 49, 3_000, wire(&body) - 16, wire(&body) - 1] {
        let mut scene = scene();
        let frame = scene.session().seal(&body);
        scene.input.write(&frame[..cut]);
        scene.settle();
        assert_eq!((scene.node.seen.len(), scene.node.link.cause()), (0, None), "{cut}");
        scene.node.link.receive_closed(scene.now);
        scene.settle();
        assert_eq!(scene.node.seen, [Seen::Disconnect(Cause::ReceiveClosed)], "{cut}");
    }
}

/// On a link whose writing has failed, messages are ignored until a Disconnect comes
#[test]
fn a_severed_link_reads_past_large_messages_to_a_disconnect() {
    for cut in [0, 40, 900] {
        for payload in [noise(1, 5_000), noise(2, 900), noise(3, 300_000)] {
            let mut scene = scene();
            let frame = scene.session().seal(&body(ALPHA_ID, &compressed(&payload)));
            scene.input.write(&frame[..cut]);
            scene.settle();
            scene.node.link.send_failed(scene.now);
            scene.input.write(&frame[cut..]);
            scene.send_body(&body(DISCONNECT, &compressed(&[0xc1, 0x04])));
            scene.settle();
            assert_eq!(scene.node.seen, [Seen::Disconnect(Cause::Remote(DisconnectReason::TOO_MANY_PEERS))]);
        }
    }
}

#[test]
fn ten_thousand_skipped_messages() {
    let mut scene = scene();
    let body = body(ALPHA_ID + 1, &compressed(&noise(1, 3_000)));
    for _ in 0..10_000 {
        scene.send_body(&body);
        scene.settle();
        assert_eq!(scene.node.seen.pop(), Some(Seen::Skipped(ALPHA, 1, 3_000, wire(&body))));
    }
    assert_eq!((scene.node.link.stage(), scene.node.seen.len()), (Stage::Running, 0));
}

/// The worst encoder makes a block that is a sixth and 32 bytes larger than its payload, and a message id has up to 9 bytes
#[test]
fn a_skipped_frame_may_take_a_sixth_more_than_it_claims() {
    for claim in [1_001, 1_722, 1_800, 6_000, 300_000] {
        let largest = claim + claim / 6 + 32 + 9;
        let of_size = |size: usize| {
            let start = body(ALPHA_ID, &claims(claim as u64, 0));
            [&start[..], &noise(1, size - start.len())].concat()
        };
        let body = of_size(largest);
        assert_eq!(seen(scene(), &body), (vec![Seen::Skipped(ALPHA, 0, claim, wire(&body))], None));
        assert_eq!(violation(&of_size(largest + 1)), Violation::FrameTooLarge { size: largest + 1 });
    }
}

/// The caller's memory holds the largest message that is taken, and nothing larger
#[test]
fn skipping_in_the_smallest_buffers() {
    for max in [64, 1_000, 1_743, 1_744, 1_745, 2_048, 2_049, 4_096] {
        let alpha = PROTOCOLS[0].with_max_message(MAX_MESSAGE).with_code_limits(&[(1, 0), (2, 63)]).skip_larger();
        let config = config(LINK, &[alpha, PROTOCOLS[1].with_max_message(64)]).with_max_message(max).unwrap();
        let (mut receive, mut transmit) = (vec![0; config.receive_len()], vec![0; config.transmit_len()]);
        let buffers = Buffers::fixed(&mut receive, &mut transmit, &mut [], slots());
        let link = PeerState::recipient(Instant::ZERO, &config, entropy(7), buffers).unwrap();
        let mut scene = Scene::running_with(link, Hello::fitting(REMOTE));
        for (code, limit) in [(0, max), (1, 0), (2, 63), (3, max)] {
            // Around the largest body that is always stored, too: 2,049 bytes with the message id.
            for len in [limit, limit + 1, 2_030, 2_042, 2_043, 2_044, 2_048, max + 1, 3 * max, 20_000] {
                for payload in [noise(1, len), vec![7; len]] {
                    let body = body(ALPHA_ID + code, &compressed(&payload));
                    scene.send_body(&body);
                    scene.settle();
                    let expected = match len <= limit {
                        true => Seen::Deliver(ALPHA, code, payload),
                        false => Seen::Skipped(ALPHA, code, len, wire(&body)),
                    };
                    assert_eq!(scene.node.seen.pop(), Some(expected), "{len} of {limit}");
                    assert_eq!(scene.node.seen, []);
                }
            }
        }
        scene.send(BETA_ID, &noise(2, 64));
        assert_eq!(scene.node.delivered(), [(BETA, 0, noise(2, 64))]);
    }
}

/// The next link has the same memory, wherever the frame of the last one was cut
#[test]
fn the_buffers_of_a_link_that_was_skipping_serve_the_next_link() {
    let config = config(LINK, &[PROTOCOLS[0].skip_larger()]).with_max_message(1_000).unwrap();
    let (mut receive, mut transmit) = (vec![0; config.receive_len()], vec![0; config.transmit_len()]);
    let mut buffers = Buffers::fixed(&mut receive, &mut transmit, &mut [], slots());
    let body = body(ALPHA_ID, &compressed(&noise(1, 5_000)));
    for cut in [31, 32, 47, 48, 3_000, wire(&body) - 1, wire(&body)] {
        let link = PeerState::recipient(Instant::ZERO, &config, entropy(7), buffers).unwrap();
        let mut scene = Scene::running_with(link, Hello::fitting(REMOTE));
        scene.send(ALPHA_ID, &noise(2, 1_000));
        assert_eq!(scene.node.delivered(), [(ALPHA, 0, noise(2, 1_000))], "{cut}");
        let frame = scene.session().seal(&body);
        scene.input.write(&frame[..cut]);
        scene.settle();
        buffers = scene.node.link.into_buffers();
    }
}

/// The first block holds an id of 9 bytes and a claim of 5, which is not the shortest form of that claim
#[test]
fn the_longest_message_ids_and_claims() {
    let limits = [(u64::from(u32::MAX), 6_000)];
    let alpha = Protocol::new("alpha", 1, u64::MAX - ALPHA_ID).with_max_message(100).with_code_limits(&limits);
    let hello = Hello { capabilities: vec![(b"alpha".to_vec(), 1)], ..Hello::fitting(REMOTE) };
    let mut scene = Scene::running_with(linked(&[alpha.skip_larger()]), hello);
    let payload = noise(1, 5_000);
    let block = [&[0x88, 0xa7, 0x80, 0x80, 0x00], &compressed(&payload)[2..]].concat();
    // The next to last differs from the code with a limit of its own by 2^32.
    for code in [0x6f, 0x70, limits[0].0 + 1, limits[0].0 + (1 << 32), u64::MAX - ALPHA_ID - 1] {
        let body = body(ALPHA_ID + code, &block);
        scene.send_body(&body);
        scene.settle();
        assert_eq!(scene.node.seen.pop(), Some(Seen::Skipped(ALPHA, code, 5_000, wire(&body))));
    }
    scene.send_body(&body(ALPHA_ID + limits[0].0, &block));
    scene.settle();
    assert_eq!(scene.node.delivered(), [(ALPHA, limits[0].0, payload)]);
}

/// A peer that sends a byte now and then, of the body or of its MAC, does not keep the link alive
#[test]
fn a_skipped_frame_has_the_time_of_any_frame() {
    for (size, cut, expected) in [(5_000, 60, 30), (5_000, 5_040, 30), (5_000, 5_041, 30), (4 << 20, 60, 65)] {
        let mut scene = scene();
        let frame = scene.session().seal(&body(ALPHA_ID, &claims(size as u64, size - 10)));
        scene.input.write(&frame[..cut]);
        let mut pieces = frame[cut..].chunks(1);
        let mut seconds = 0;
        while scene.node.link.stage() == Stage::Running {
            scene.advance(Duration::from_secs(1));
            seconds += 1;
            if seconds % 7 == 0 {
                scene.input.write(pieces.next().unwrap());
            }
        }
        let timeout = Some(Cause::Timeout(Timeout::Frame));
        assert_eq!((seconds, scene.node.link.cause()), (expected, timeout), "{size} bytes after {cut}");
    }
}

/// The link may end in any way before the action is polled
#[test]
fn a_skipped_message_is_told_before_the_end() {
    let causes = [Cause::Local(DisconnectReason::REQUESTED), Cause::ReceiveClosed, Cause::SendFailed];
    for cause in causes {
        for held in [false, true] {
            let mut scene = scene();
            scene.node.link.hold_input(scene.now, held);
            let body = body(ALPHA_ID, &compressed(&noise(1, 5_000)));
            let frame = scene.session().seal(&body);
            assert_eq!(scene.node.link.receive(scene.now, &frame), frame.len());
            match cause {
                Cause::Local(reason) => scene.node.link.disconnect(scene.now, reason),
                Cause::ReceiveClosed => scene.node.link.receive_closed(scene.now),
                _ => scene.node.link.send_failed(scene.now),
            }
            scene.advance(Duration::from_secs(5));
            assert_eq!(scene.node.seen, [Seen::Skipped(ALPHA, 0, 5_000, wire(&body)), Seen::Disconnect(cause)]);
        }
    }
}

/// A severed link stores no large body, not even one that its protocol would take
#[test]
fn a_severed_link_reads_past_large_messages_in_the_smallest_buffers() {
    let config = config(LINK, &[PROTOCOLS[0].skip_larger()]).with_max_message(3_000).unwrap();
    let (mut receive, mut transmit) = (vec![0; config.receive_len()], vec![0; config.transmit_len()]);
    let buffers = Buffers::fixed(&mut receive, &mut transmit, &mut [], slots());
    let link = PeerState::recipient(Instant::ZERO, &config, entropy(7), buffers).unwrap();
    let mut scene = Scene::running_with(link, Hello::fitting(REMOTE));
    scene.node.link.send_failed(scene.now);
    for size in [3_000, 300_000] {
        scene.send_body(&body(ALPHA_ID, &compressed(&noise(1, size))));
    }
    scene.send_body(&body(DISCONNECT, &compressed(&[0xc1, 0x04])));
    scene.settle();
    assert_eq!(scene.node.seen, [Seen::Disconnect(Cause::Remote(DisconnectReason::TOO_MANY_PEERS))]);
}

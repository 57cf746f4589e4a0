//! Endings by a timeout

use std::time::Duration;

use devp2p_proto::{Cause, DisconnectReason as Reason, Stage, Timeout, Timeouts, Timer};
use devp2p_testing::remote::{Hello, LINK, PING, PONG, REMOTE, Scene, body, compressed, recipient};
use devp2p_testing::{ALPHA, PROTOCOLS, Pair, config};

use crate::{SECOND, cause, parting, told};

#[test]
fn the_handshake_has_five_seconds_for_both_stages() {
    let mut silent = Scene::new(recipient(&config(LINK, PROTOCOLS)));
    silent.advance(SECOND * 4);
    assert_eq!(silent.node.link.next_timer(), Some(Timer::Handshake));
    assert_eq!(silent.node.cause(), None);
    assert_eq!(parting(&mut silent), (Cause::Timeout(Timeout::Handshake), None));

    let mut unanswered = Pair::new(&config(1, PROTOCOLS), &config(2, PROTOCOLS));
    unanswered.to_initiator.capacity = 0;
    unanswered.advance(SECOND * 5);
    assert_eq!(cause(&mut unanswered.initiator, unanswered.now), Cause::Timeout(Timeout::Handshake));

    let mut without_hello = Scene::new(recipient(&config(LINK, PROTOCOLS)));
    without_hello.advance(SECOND * 3);
    without_hello.send_auth();
    without_hello.advance(SECOND);
    assert_eq!(without_hello.node.link.stage(), Stage::Hello);
    without_hello.advance(SECOND);
    assert_eq!(without_hello.node.link.stage(), Stage::Closing, "5 s in all, not for each stage");
    let ending = parting(&mut without_hello);
    assert_eq!(ending, (Cause::Timeout(Timeout::Handshake), Some(Reason::PING_TIMEOUT)));
}

#[test]
fn silence_ends_a_link_after_thirty_seconds() {
    let mut scene = Scene::running();
    scene.advance(SECOND * 29);
    assert_eq!(scene.received, [(PING, vec![0xc0])]);
    assert_eq!(scene.node.link.stage(), Stage::Running);
    scene.advance(SECOND);
    assert_eq!(scene.node.link.stage(), Stage::Closing);
    assert_eq!(parting(&mut scene), (Cause::Timeout(Timeout::Read), Some(Reason::PING_TIMEOUT)));

    let mut pair = Pair::running();
    pair.to_initiator.capacity = 0;
    pair.advance(SECOND * 33);
    let timeout = Cause::Timeout(Timeout::Read);
    assert_eq!(pair.causes(), (Some(timeout), Some(Cause::Remote(Reason::PING_TIMEOUT))));
}

#[test]
fn a_ping_that_is_never_answered_ends_the_link() {
    let mut scene = Scene::running();
    for _ in 0..44 {
        scene.advance(SECOND);
        scene.send(0x10, b"busy, but no Pong");
    }
    assert_eq!(scene.node.link.stage(), Stage::Running);
    assert_eq!(scene.received.len(), 1, "one Ping, whose answer is awaited");
    scene.advance(SECOND);
    assert_eq!(scene.node.link.stage(), Stage::Closing);
    assert_eq!(parting(&mut scene), (Cause::Timeout(Timeout::Pong), Some(Reason::PING_TIMEOUT)));
}

#[test]
fn a_transport_that_takes_nothing_for_twenty_seconds_ends_the_link() {
    let mut scene = Scene::running();
    scene.output.capacity = 0;
    scene.node.link.write(scene.now, ALPHA, 0, b"stuck").unwrap();
    scene.advance(SECOND * 19);
    assert_eq!(scene.node.link.next_timer(), Some(Timer::Write));
    assert_eq!(scene.node.link.stage(), Stage::Running);
    assert_eq!(parting(&mut scene), (Cause::Timeout(Timeout::Write), None));
}

/// 16 MiB at 1 Mbit/s take 134 s, both ways
#[test]
fn a_slow_link_has_the_time_that_a_large_frame_takes() {
    a_large_frame_at_1_mbit(125_000);
}

/// A part of the header does not say how large the frame is
#[test]
fn a_large_frame_has_its_time_from_its_first_byte_on() {
    a_large_frame_at_1_mbit(16);
}

/// In the first second come so many bytes
fn a_large_frame_at_1_mbit(first: usize) {
    const RATE: usize = 125_000;
    let mut scene = Scene::running();
    let large = devp2p_testing::noise(1, 16_000_000);
    scene.node.link.write(scene.now, ALPHA, 0, &large).unwrap();
    scene.send_body(&body(0x10, &compressed(&large)));
    let mut frame = scene.input.unread().to_vec();
    scene.input.consume(frame.len());
    for second in 0.. {
        let piece = frame.len().min(if second == 0 { first } else { RATE });
        scene.input.write(&frame[..piece]);
        frame.drain(..piece);
        scene.output.capacity = RATE;
        scene.step();
        scene.output.capacity = 0;
        scene.advance(SECOND);
        if scene.received.iter().any(|(id, _)| *id == 0x10) && !scene.node.delivered().is_empty() {
            assert!(second > 120, "{second} s");
            assert_eq!(scene.node.delivered()[0].2.len(), large.len());
            return;
        }
        assert_eq!(scene.node.link.stage(), Stage::Running, "after {second} s");
    }
}

/// One node sends a large message, and the other one only reads and has nothing to say
///
/// Its Ping is answered behind the message, so that it sends no other one before that.
#[test]
fn a_node_that_sends_a_large_frame_is_not_tired_of_its_reader() {
    const RATE: usize = 125_000;
    for len in [5_000_000, 16_000_000] {
        let mut pair = Pair::running();
        pair.initiator.link.write(pair.now, ALPHA, 0, &devp2p_testing::noise(1, len)).unwrap();
        while pair.recipient.delivered().is_empty() {
            pair.to_recipient.capacity = RATE;
            pair.step();
            pair.to_recipient.capacity = 0;
            pair.advance(SECOND);
            assert_eq!(pair.causes(), (None, None), "after {:?}", pair.now);
        }
        pair.to_recipient.capacity = usize::MAX;
        pair.advance(SECOND * 100);
        assert_eq!(pair.causes(), (None, None), "and lives on");
    }
}

/// The peer reads what is sent to it, as slowly as it may, and says nothing
#[test]
fn silence_behind_a_large_frame_ends_the_link() {
    for (pong, cause) in [(SECOND * 30, Timeout::Pong), (Duration::MAX, Timeout::Read)] {
        let mut timeouts = Timeouts::default();
        timeouts.pong = pong;
        let config = config(LINK, PROTOCOLS).with_timeouts(timeouts).unwrap();
        let mut scene = Scene::running_with(recipient(&config), Hello::fitting(REMOTE));
        scene.node.link.write(scene.now, ALPHA, 0, &devp2p_testing::noise(1, 5_000_000)).unwrap();
        let mut seconds = 0;
        while scene.node.link.stage() == Stage::Running && seconds < 200 {
            scene.output.capacity = 70_000;
            scene.step();
            scene.output.capacity = 0;
            scene.advance(SECOND);
            seconds += 1;
        }
        // 71 s for the message, and 30 s for an answer to the Ping behind it
        assert_eq!((seconds, scene.node.link.cause()), (101, Some(Cause::Timeout(cause))));
    }
}

/// If the transport may take for ever, the silence of the peer counts all the same
#[test]
fn silence_ends_a_link_that_may_write_for_ever() {
    let mut timeouts = Timeouts::default();
    timeouts.write = Duration::MAX;
    let config = config(LINK, PROTOCOLS).with_timeouts(timeouts).unwrap();
    let mut scene = Scene::running_with(recipient(&config), Hello::fitting(REMOTE));
    scene.output.capacity = 0;
    scene.advance(SECOND * 29);
    assert_eq!(scene.node.link.stage(), Stage::Running);
    scene.advance(SECOND);
    assert_eq!(scene.node.link.cause(), Some(Cause::Timeout(Timeout::Read)));
}

/// A transport that takes only a byte now and then ends the link
#[test]
fn a_trickling_reader_does_not_live_on() {
    let mut scene = Scene::running();
    scene.output.capacity = 0;
    scene.node.link.write(scene.now, ALPHA, 0, &devp2p_testing::noise(1, 185_000)).unwrap();
    let mut seconds = 0;
    while scene.node.link.stage() == Stage::Running {
        scene.advance(SECOND);
        seconds += 1;
        if seconds % 14 == 0 {
            scene.output.capacity = 1;
            scene.step();
            scene.output.capacity = 0;
        }
    }
    assert_eq!((seconds, scene.node.link.cause()), (20, Some(Cause::Timeout(Timeout::Write))));
}

/// A peer that sends only a byte of a frame now and then ends the link
#[test]
fn a_trickling_writer_does_not_live_on() {
    for (size, expected) in [(100, 30), (4 << 20, 65)] {
        let mut scene = Scene::running();
        let frame = scene.session().seal(&vec![0x10; size]);
        let mut pieces = frame.chunks(1);
        scene.input.write(&frame[..32]);
        let mut seconds = 0;
        while scene.node.link.stage() == Stage::Running {
            scene.advance(SECOND);
            seconds += 1;
            if seconds % 14 == 0 {
                scene.input.write(pieces.next().unwrap());
            }
        }
        assert_eq!((seconds, scene.node.link.cause()), (expected, Some(Cause::Timeout(Timeout::Frame))), "{size}");
    }
}

/// A Pong after a large frame has as much time as the frame
#[test]
fn the_pong_deadline_rests_while_a_frame_is_within_its_own() {
    let mut scene = Scene::running();
    scene.advance(SECOND * 15);
    let frame = scene.session().seal(&body(0x10, &compressed(&devp2p_testing::noise(1, 8 << 20))));
    let mut pieces = frame.chunks(100_000);
    for _ in 0..frame.len().div_ceil(100_000) - 1 {
        scene.input.write(pieces.next().unwrap());
        scene.advance(SECOND);
    }
    assert_eq!(scene.node.link.stage(), Stage::Running, "for 80 seconds");
    scene.input.write(pieces.next().unwrap());
    scene.send(PONG, &[0xc0]);
    scene.advance(SECOND * 14);
    assert_eq!((scene.node.link.stage(), scene.node.delivered().len()), (Stage::Running, 1));
}

#[test]
fn the_remote_has_two_seconds_to_close_first() {
    let mut scene = Scene::running();
    scene.node.link.disconnect(scene.now, Reason::USELESS_PEER);
    scene.settle();
    assert_eq!((told(&scene), scene.node.cause()), (Some(Reason::USELESS_PEER), None));
    assert_eq!(scene.node.link.next_timer(), Some(Timer::Linger));
    scene.advance(Duration::from_millis(1999));
    assert_eq!(scene.node.link.stage(), Stage::Closing);
    scene.advance(Duration::from_millis(1));
    assert_eq!(cause(&mut scene.node, scene.now), Cause::Local(Reason::USELESS_PEER));
}

#[test]
fn a_disconnect_that_cannot_leave_does_not_keep_the_link() {
    let mut scene = Scene::running();
    scene.output.capacity = 0;
    scene.node.link.disconnect(scene.now, Reason::USELESS_PEER);
    scene.advance(SECOND * 19);
    assert_eq!(scene.node.link.stage(), Stage::Closing, "the peer may still read it");
    scene.advance(SECOND);
    assert_eq!(cause(&mut scene.node, scene.now), Cause::Local(Reason::USELESS_PEER));
    assert_eq!(scene.node.link.unsent().len(), 0);
}

/// The reason reaches a peer that reads, however many bytes are sent before it
#[test]
fn a_disconnect_behind_a_backlog_is_not_lost() {
    for linger in [0, 2] {
        let mut timeouts = Timeouts::default();
        timeouts.linger = SECOND * linger;
        let config = config(LINK, PROTOCOLS).with_timeouts(timeouts).unwrap();
        let mut scene = Scene::running_with(recipient(&config), Hello::fitting(REMOTE));
        scene.output.capacity = 0;
        scene.node.link.write(scene.now, ALPHA, 0, &devp2p_testing::noise(1, 2 << 20)).unwrap();
        scene.node.link.disconnect(scene.now, Reason::TOO_MANY_PEERS);
        while scene.node.cause().is_none() {
            scene.advance(SECOND);
            scene.output.capacity = 200_000;
            scene.step();
            scene.output.capacity = 0;
        }
        scene.output.capacity = usize::MAX;
        scene.settle();
        assert_eq!(told(&scene), Some(Reason::TOO_MANY_PEERS), "with {linger} s for the peer to close");
        assert_eq!(scene.node.cause(), Some(Cause::Local(Reason::TOO_MANY_PEERS)));
    }
}

#[test]
fn without_a_linger_the_link_ends_with_its_disconnect() {
    let mut timeouts = Timeouts::default();
    timeouts.linger = Duration::ZERO;
    let config = config(LINK, PROTOCOLS).with_timeouts(timeouts).unwrap();
    let mut scene = Scene::running_with(recipient(&config), Hello::fitting(REMOTE));
    scene.node.link.disconnect(scene.now, Reason::USELESS_PEER);
    assert_eq!(parting(&mut scene), (Cause::Local(Reason::USELESS_PEER), Some(Reason::USELESS_PEER)));
}

#[test]
fn infinite_timeouts_never_end_a_link() {
    let mut timeouts = Timeouts::default();
    timeouts.read = Duration::MAX;
    timeouts.pong = Duration::MAX;
    timeouts.ping = Duration::MAX;
    let config = config(LINK, PROTOCOLS).with_timeouts(timeouts).unwrap();
    let mut scene = Scene::running_with(recipient(&config), Hello::fitting(REMOTE));
    assert_eq!(scene.node.link.next_timeout(), None);
    scene.advance(SECOND * 1_000_000);
    assert_eq!((scene.node.link.stage(), scene.received.len()), (Stage::Running, 0));
}

//! Endings by the local node

use devp2p_proto::{Cause, DisconnectReason as Reason, Instant, PeerState, ProtocolError, Stage};
use devp2p_testing::{ALPHA, BETA, Pair, Seen};

use crate::{SECOND, cause};

#[test]
fn what_both_sides_are_told() {
    type Act = fn(&mut PeerState<'_>, Instant);
    let beta = "beta/2".parse().unwrap();
    let failed = |error| Cause::ProtocolFailed { protocol: BETA, capability: beta, error };
    let rows: &[(Act, Cause, Cause)] = &[
        (
            |link, now| link.disconnect(now, Reason::REQUESTED),
            Cause::Local(Reason::REQUESTED),
            Cause::Remote(Reason::REQUESTED),
        ),
        (
            |link, now| link.protocol_returned(now, BETA, Ok(())).unwrap(),
            Cause::ProtocolReturned { protocol: BETA, capability: beta },
            Cause::Remote(Reason::CLIENT_QUITTING),
        ),
        (
            |link, now| {
                let own = ProtocolError::Reason(Reason::TOO_MANY_PEERS);
                link.protocol_returned(now, BETA, Err(own)).unwrap();
            },
            failed(ProtocolError::Reason(Reason::TOO_MANY_PEERS)),
            Cause::Remote(Reason::TOO_MANY_PEERS),
        ),
        (
            |link, now| link.protocol_returned(now, BETA, Err(ProtocolError::BadMessage)).unwrap(),
            failed(ProtocolError::BadMessage),
            Cause::Remote(Reason::BREACH_OF_PROTOCOL),
        ),
        (
            |link, now| link.protocol_returned(now, BETA, Err(ProtocolError::Other)).unwrap(),
            failed(ProtocolError::Other),
            Cause::Remote(Reason::SUBPROTOCOL),
        ),
        (|link, now| link.receive_closed(now), Cause::ReceiveClosed, Cause::ReceiveClosed),
        (|link, now| link.send_failed(now), Cause::SendFailed, Cause::ReceiveClosed),
    ];
    for (act, ours, theirs) in rows {
        for dialled in [false, true] {
            let mut pair = Pair::running();
            let subject = if dialled { &mut pair.recipient } else { &mut pair.initiator };
            act(&mut subject.link, pair.now);
            pair.advance(SECOND * 3);
            let causes = (cause(&mut pair.initiator, pair.now), cause(&mut pair.recipient, pair.now));
            let expected = if dialled { (*theirs, *ours) } else { (*ours, *theirs) };
            assert_eq!(causes, expected);
            assert_eq!(ours.reason(), if theirs.is_remote() { theirs.reason() } else { Reason::TCP_ERROR });
        }
    }
}

#[test]
fn every_reason_arrives_as_it_was_given() {
    for code in (0..=0x11).chain([0x7f, 0x80, 0xff, 0x100, u64::MAX]) {
        let reason = Reason::from_code(code);
        let mut pair = Pair::running();
        pair.recipient.link.disconnect(pair.now, reason);
        assert_eq!(pair.recipient.link.stage(), Stage::Closing);
        pair.settle();
        assert_eq!(pair.causes(), (Some(Cause::Remote(reason)), Some(Cause::Local(reason))));
    }
}

#[test]
fn both_sides_disconnect_at_once() {
    let mut pair = Pair::running();
    pair.initiator.link.disconnect(pair.now, Reason::CLIENT_QUITTING);
    pair.recipient.link.disconnect(pair.now, Reason::USELESS_PEER);
    pair.advance(SECOND * 3);
    let causes = (cause(&mut pair.initiator, pair.now), cause(&mut pair.recipient, pair.now));
    assert_eq!(causes, (Cause::Local(Reason::CLIENT_QUITTING), Cause::Local(Reason::USELESS_PEER)));
}

#[test]
fn the_first_cause_is_kept() {
    let mut pair = Pair::running();
    let now = pair.now;
    let link = &mut pair.initiator.link;
    link.disconnect(now, Reason::USELESS_PEER);
    link.disconnect(now, Reason::REQUESTED);
    link.protocol_returned(now, ALPHA, Err(ProtocolError::Other)).unwrap();
    link.receive_closed(now);
    link.send_failed(now);
    pair.settle();
    assert_eq!(cause(&mut pair.initiator, now), Cause::Local(Reason::USELESS_PEER));
}

#[test]
fn messages_written_before_a_disconnect_are_delivered() {
    let mut pair = Pair::running();
    pair.initiator.link.write(pair.now, ALPHA, 1, b"last").unwrap();
    pair.initiator.link.disconnect(pair.now, Reason::CLIENT_QUITTING);
    pair.settle();
    let expected =
        [Seen::Deliver(ALPHA, 1, b"last".to_vec()), Seen::Disconnect(Cause::Remote(Reason::CLIENT_QUITTING))];
    assert_eq!(pair.recipient.seen, expected);
}

#[test]
fn an_unknown_protocol_cannot_return() {
    let mut pair = Pair::running();
    let stranger = devp2p_proto::ProtocolId(9);
    let refused = pair.initiator.link.protocol_returned(pair.now, stranger, Ok(()));
    assert_eq!(refused, Err(devp2p_proto::NotShared));
    assert_eq!(pair.initiator.link.stage(), Stage::Running);
}

//! Endings before the link is ready: by the admission policy, and because no protocol is shared

use devp2p_proto::{Cause, DisconnectReason as Reason, Stage};
use devp2p_testing::remote::{DISCONNECT, LINK, Scene, recipient};
use devp2p_testing::{PROTOCOLS, Pair, Seen, config};

use crate::{SECOND, cause, parting};

#[test]
fn the_recipient_disconnects_at_the_claim() {
    let mut scene = Scene::remote_dials(recipient(&config(LINK, PROTOCOLS)));
    assert_eq!(scene.node.link.stage(), Stage::Admission);
    scene.node.link.disconnect(scene.now, Reason::TOO_MANY_PEERS);
    scene.settle();
    assert_eq!(scene.received, [(DISCONNECT, vec![0xc1, 0x04])], "in the clear, and no Hello before it");
    assert_eq!(parting(&mut scene), (Cause::Local(Reason::TOO_MANY_PEERS), Some(Reason::TOO_MANY_PEERS)));

    let mut pair = Pair::new(&config(1, PROTOCOLS), &config(2, PROTOCOLS));
    pair.recipient.react(|link, now, seen| {
        if matches!(seen, Seen::IdentityClaimed(_)) {
            link.disconnect(now, Reason::ALREADY_CONNECTED);
        }
    });
    pair.settle();
    let reason = Reason::ALREADY_CONNECTED;
    assert_eq!(pair.causes(), (Some(Cause::Remote(reason)), Some(Cause::Local(reason))));
}

#[test]
fn the_initiator_disconnects_at_the_claim() {
    let mut pair = Pair::new(&config(1, PROTOCOLS), &config(2, PROTOCOLS));
    pair.initiator.react(|link, now, seen| {
        if matches!(seen, Seen::IdentityClaimed(_)) {
            link.disconnect(now, Reason::USELESS_PEER);
        }
    });
    pair.settle();
    let reason = Reason::USELESS_PEER;
    assert_eq!(pair.causes(), (Some(Cause::Local(reason)), Some(Cause::Remote(reason))));
}

#[test]
fn the_recipient_disconnects_at_ready() {
    let mut pair = Pair::new(&config(1, PROTOCOLS), &config(2, PROTOCOLS));
    pair.recipient.react(|link, now, seen| {
        if matches!(seen, Seen::Ready(_)) {
            link.disconnect(now, Reason::TOO_MANY_PEERS);
        }
    });
    pair.settle();
    let reason = Reason::TOO_MANY_PEERS;
    assert_eq!(pair.causes(), (Some(Cause::Remote(reason)), Some(Cause::Local(reason))));
}

#[test]
fn a_disconnect_before_the_handshake_sends_nothing() {
    let mut pair = Pair::new(&config(1, PROTOCOLS), &config(2, PROTOCOLS));
    pair.initiator.link.disconnect(pair.now, Reason::REQUESTED);
    pair.settle();
    assert!(pair.to_recipient.log.is_empty());
    assert_eq!(cause(&mut pair.initiator, pair.now), Cause::Local(Reason::REQUESTED));
}

#[test]
fn no_shared_protocol() {
    let other = [devp2p_proto::Protocol::new("gamma", 1, 4), devp2p_proto::Protocol::new("alpha", 2, 4)];
    let mut pair = Pair::new(&config(1, PROTOCOLS), &config(2, &other));
    pair.advance(SECOND * 3);
    let told = Cause::Remote(Reason::USELESS_PEER);
    let causes = (cause(&mut pair.initiator, pair.now), cause(&mut pair.recipient, pair.now));
    assert!(matches!(causes, (Cause::NothingShared, _) | (_, Cause::NothingShared)), "{causes:?}");
    for cause in [causes.0, causes.1] {
        assert!(cause == Cause::NothingShared || cause == told, "{cause:?}");
        assert_eq!(cause.reason(), Reason::USELESS_PEER);
    }
    assert!(!pair.initiator.seen.iter().any(|seen| matches!(seen, Seen::Ready(_))), "nothing was started");
}

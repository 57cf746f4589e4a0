//! A link from the handshake to its end

use std::time::Duration;

use devp2p_proto::{Cause, DisconnectReason, Stage};
use devp2p_testing::remote::{Handshake, Hello, LINK, REMOTE, Scene, initiator, recipient};
use devp2p_testing::{ALPHA, BETA, PROTOCOLS, Pair, Seen, config, noise};

#[test]
fn two_nodes_meet_talk_and_part() {
    let (ours, theirs) = (config(1, PROTOCOLS), config(2, PROTOCOLS));
    let mut pair = Pair::new(&ours, &theirs);
    pair.settle();
    let agreed = vec!["alpha/1@16+4".to_string(), "beta/2@20+3".to_string()];
    assert_eq!(pair.initiator.seen, [Seen::IdentityClaimed(theirs.node_id()), Seen::Ready(agreed.clone())]);
    assert_eq!(pair.recipient.seen, [Seen::IdentityClaimed(ours.node_id()), Seen::Ready(agreed)]);
    assert_eq!(pair.initiator.link.stage(), Stage::Running);

    pair.initiator.link.write(pair.now, BETA, 2, b"to beta").unwrap();
    pair.recipient.link.write(pair.now, ALPHA, 0, b"to alpha").unwrap();
    pair.settle();
    assert_eq!(pair.recipient.delivered(), [(BETA, 2, b"to beta".to_vec())]);
    assert_eq!(pair.initiator.delivered(), [(ALPHA, 0, b"to alpha".to_vec())]);

    pair.advance(Duration::from_secs(60));
    assert_eq!(pair.causes(), (None, None), "Pings keep an idle link alive");

    pair.initiator.link.disconnect(pair.now, DisconnectReason::CLIENT_QUITTING);
    pair.settle();
    let quitting = DisconnectReason::CLIENT_QUITTING;
    assert_eq!(pair.causes(), (Some(Cause::Local(quitting)), Some(Cause::Remote(quitting))));
}

/// Tests each role against the scripted remote, which has an RLPx of its own
#[test]
fn both_roles_agree_with_an_independent_implementation() {
    let config = config(LINK, PROTOCOLS);
    let mut scene = Scene::link_dials(initiator(&config));
    scene.send_hello(Hello::fitting(REMOTE));
    assert_eq!(scene.node.seen[0], Seen::IdentityClaimed(Handshake::new(REMOTE).id()));
    let agreed = Seen::Ready(vec!["alpha/1@16+4".to_string(), "beta/2@20+3".to_string()]);
    assert_eq!(scene.node.seen[1], agreed);
    let mut dialled = Scene::running_with(recipient(&config), Hello::fitting(REMOTE));
    for scene in [&mut scene, &mut dialled] {
        scene.received.clear();
        for len in [0, 1, 15, 16, 17, 1_000, 70_000] {
            let payload = noise(len as u64, len);
            scene.send(0x16, &payload);
            assert_eq!(scene.node.seen.last(), Some(&Seen::Deliver(BETA, 2, payload.clone())));
            scene.node.link.write(scene.now, ALPHA, 3, &payload).unwrap();
            scene.settle();
            assert_eq!(scene.received.pop(), Some((0x13, payload)));
        }
    }
}

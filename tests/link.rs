//! The life of a link, as a script
#![cfg(feature = "alloc")]
mod support;

use std::time::Duration;

use devp2p_proto::{Cause, DisconnectReason, Stage};
use support::{ALPHA, BETA, PROTOCOLS, Pair, Seen, config};

#[test]
fn two_nodes_meet_talk_and_part() {
    let (ours, theirs) = (config(1, PROTOCOLS), config(2, PROTOCOLS));
    let mut pair = Pair::new(&ours, &theirs);
    pair.settle();
    let agreed = vec!["alpha/1@16+4".to_string(), "beta/2@20+3".to_string()];
    assert_eq!(pair.initiator.seen, [Seen::Authenticated(theirs.node_id()), Seen::Ready(agreed.clone())]);
    assert_eq!(pair.recipient.seen, [Seen::Authenticated(ours.node_id()), Seen::Ready(agreed)]);
    assert_eq!(pair.initiator.link.stage(), Stage::Running);

    pair.initiator.link.write(pair.now, BETA, 2, b"to beta").unwrap();
    pair.recipient.link.write(pair.now, ALPHA, 0, b"to alpha").unwrap();
    pair.settle();
    assert_eq!(pair.recipient.delivered(), [(BETA, 2, b"to beta".to_vec())]);
    assert_eq!(pair.initiator.delivered(), [(ALPHA, 0, b"to alpha".to_vec())]);

    pair.pass(Duration::from_secs(60));
    assert_eq!(pair.causes(), (None, None), "an idle link lives by its Pings");

    pair.initiator.link.disconnect(pair.now, DisconnectReason::ClientQuitting);
    pair.settle();
    let quitting = DisconnectReason::ClientQuitting;
    assert_eq!(pair.causes(), (Some(Cause::Local(quitting)), Some(Cause::Remote(quitting))));
}

//! Two nodes that dial each other

use std::time::Duration;

use devp2p_proto::{Cause, DisconnectReason};
use devp2p_tokio::Node;
use tokio::time::sleep;

use crate::{Left, builder, link, listen};

const ALREADY: [Cause; 2] =
    [Cause::Local(DisconnectReason::ALREADY_CONNECTED), Cause::Remote(DisconnectReason::ALREADY_CONNECTED)];

/// A node with room for a single peer, which need not be two for a moment
fn node(key: u8) -> Node {
    builder(key).max_peers(1).protocol(|| Left(listen)).build().unwrap()
}

/// Whichever handshake is the first, the node with the smaller id keeps the link that it has dialled
#[tokio::test(start_paused = true)]
async fn of_two_links_at_once_one_remains() {
    for pause in [Duration::ZERO, Duration::from_secs(1)] {
        let (mut small, mut large) = (node(1), node(2));
        if small.id() > large.id() {
            (small, large) = (large, small);
        }
        let loses = link(&large, &small);
        sleep(pause).await;
        let _keeps = link(&small, &large);
        for end in [loses.0.await.unwrap(), loses.1.await.unwrap()] {
            assert!(ALREADY.contains(&end), "{end}");
        }
        sleep(Duration::from_secs(5)).await;
        let (ours, theirs) = (small.peers(), large.peers());
        assert_eq!((ours.len(), theirs.len()), (1, 1));
        assert!(!ours[0].is_inbound() && theirs[0].is_inbound());
    }
}

/// The same, but the link that remains was the first
#[tokio::test(start_paused = true)]
async fn a_link_that_remains_may_be_the_first() {
    let (mut small, mut large) = (node(1), node(2));
    if small.id() > large.id() {
        (small, large) = (large, small);
    }
    let _keeps = link(&small, &large);
    sleep(Duration::from_secs(1)).await;
    let loses = link(&large, &small);
    for end in [loses.0.await.unwrap(), loses.1.await.unwrap()] {
        assert!(ALREADY.contains(&end), "{end}");
    }
    assert!(!small.peers()[0].is_inbound());
}

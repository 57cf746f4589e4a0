//! A protocol that always has something to do, and all else on its link

use std::time::Duration;

use devp2p_proto::{Cause, DisconnectReason};
use devp2p_tokio::{Io, Node, Peer};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use crate::{Left, NEVER, Outcome, QUITTING, Right, builder, link, listen, meet, node, noise, returned};

/// Never waits but for `tokio`, which stops it now and then for the sake of others
async fn busy(_: Peer, _io: Io) -> Outcome {
    let (sender, mut receiver) = mpsc::unbounded_channel();
    loop {
        _ = sender.send(());
        receiver.recv().await;
    }
}

/// Works in small pieces, each of which `tokio` counts
async fn echo(_: Peer, mut io: Io) -> Outcome {
    let (sender, mut receiver) = mpsc::unbounded_channel();
    while let Some(message) = io.recv().await? {
        _ = sender.send(message);
        if let Some(message) = receiver.recv().await {
            io.send(message).await?;
        }
    }
    Ok(())
}

fn busy_node() -> Node {
    builder(1).protocol(|| Left(busy)).protocol(|| Right(echo)).build().unwrap()
}

/// The stream and the other protocol have their turns, too
#[tokio::test]
async fn a_busy_protocol_stops_nobody() {
    let theirs = node(2, async |_, mut io: Io| {
        for _ in 0..3 {
            io.send(noise(100_000)).await?;
            io.recv().await?.expect("an echo");
        }
        Ok(())
    });
    let ends = timeout(NEVER, async { meet(&busy_node(), &theirs).await }).await;
    assert_eq!(ends.expect("the link goes on"), (QUITTING, returned()));
}

#[tokio::test]
async fn a_busy_protocol_does_not_keep_a_shutdown() {
    let (ours, theirs) = (busy_node(), node(2, listen));
    let (near, far) = link(&ours, &theirs);
    while ours.peers().is_empty() {
        sleep(Duration::from_millis(5)).await;
    }
    let reason = DisconnectReason::CLIENT_QUITTING;
    timeout(NEVER, ours.shutdown(reason)).await.expect("it ends");
    assert_eq!((near.await.unwrap(), far.await.unwrap()), (Cause::Local(reason), QUITTING));
}

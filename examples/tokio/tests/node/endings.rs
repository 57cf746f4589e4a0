//! The ways in which a link ends, and what both sides come to know of it

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use devp2p_proto::{Cause, DisconnectReason, ProtocolError};
use devp2p_tokio::{Io, Peer, RawMessage};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};

use crate::{Outcome, QUITTING, failed, link, listen, meet, node, noise, returned};

#[tokio::test(start_paused = true)]
async fn a_return_is_quitting() {
    let ours = node(1, async |_, _| Ok(()));
    assert_eq!(meet(&ours, &node(2, listen)).await, (returned(), QUITTING));
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_told_with_its_reason() {
    let reason = DisconnectReason::USELESS_PEER;
    for (error, reason) in [
        (ProtocolError::Reason(reason), reason),
        (ProtocolError::BadMessage, DisconnectReason::BREACH_OF_PROTOCOL),
        (ProtocolError::Other, DisconnectReason::SUBPROTOCOL),
    ] {
        let ours = node(1, async move |_, _| Err(error));
        assert_eq!(meet(&ours, &node(2, listen)).await, (failed(error), Cause::Remote(reason)));
    }
}

#[tokio::test(start_paused = true)]
async fn to_drop_both_halves_is_an_ending() {
    let ours = node(1, async |_, io| {
        sleep(Duration::from_millis(50)).await;
        drop(io);
        pending().await
    });
    assert_eq!(meet(&ours, &node(2, listen)).await, (returned(), QUITTING));
}

#[tokio::test(start_paused = true)]
async fn to_drop_them_elsewhere_is_one_too() {
    let ours = node(1, async |_, io| {
        tokio::spawn(async {
            sleep(Duration::from_secs(1)).await;
            drop(io);
        });
        pending().await
    });
    assert_eq!(meet(&ours, &node(2, listen)).await, (returned(), QUITTING));
}

/// One after the other, first the one that sends
#[tokio::test(start_paused = true)]
async fn to_drop_the_halves_one_by_one_elsewhere_is_one_too() {
    let start = Instant::now();
    let ours = node(1, async |_, io: Io| {
        let (sender, receiver) = io.split();
        tokio::spawn(async {
            drop(sender);
            sleep(Duration::from_secs(1)).await;
            drop(receiver);
        });
        pending().await
    });
    assert_eq!(meet(&ours, &node(2, listen)).await, (returned(), QUITTING));
    // Before any Ping wakes the link.
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
}

/// The protocol drops what would receive, and what comes is dropped
#[tokio::test(start_paused = true)]
async fn a_protocol_may_only_send() {
    let ours = node(1, async |_, io: Io| {
        let (mut sender, receiver) = io.split();
        drop(receiver);
        for len in 0..100 {
            sleep(Duration::from_secs(1)).await;
            sender.send(noise(len)).await?;
        }
        Ok(())
    });
    let theirs = node(2, async |_, mut io: Io| {
        for len in 0..100 {
            io.send(noise(64 * 1024)).await?;
            assert_eq!(io.recv().await?.expect("a message").payload.len(), len);
        }
        listen_on(io).await
    });
    assert_eq!(meet(&ours, &theirs).await, (returned(), QUITTING));
}

async fn listen_on(mut io: Io) -> Outcome {
    while io.recv().await?.is_some() {}
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn what_was_sent_before_the_end_arrives() {
    let (sender, mut received) = mpsc::unbounded_channel();
    let ours = node(1, async |_, mut io: Io| {
        for len in 0..200 {
            io.send(noise(len * 100)).await?;
        }
        Ok(())
    });
    let theirs = node(2, async move |_, mut io: Io| {
        while let Some(message) = io.recv().await? {
            sender.send(message.payload.len()).map_err(|_| ProtocolError::Other)?;
        }
        Ok(())
    });
    assert_eq!(meet(&ours, &theirs).await.0, returned());
    drop(theirs);
    let mut lengths = Vec::new();
    while let Some(len) = received.recv().await {
        lengths.push(len);
    }
    assert_eq!(lengths, (0..200).map(|len| len * 100).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn a_message_that_can_never_be_sent_is_a_failure() {
    for message in [RawMessage::new(2, ""), RawMessage::new(0, vec![0; (1 << 24) + 1])] {
        let ours = node(1, async move |_, mut io: Io| {
            io.send(message).await?;
            pending().await
        });
        assert_eq!(meet(&ours, &node(2, listen)).await.0, failed(ProtocolError::Other));
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_is_disconnected_with_a_reason() {
    let ours = node(1, async |peer: Peer, io| {
        peer.disconnect(DisconnectReason::TOO_MANY_PEERS);
        listen(peer, io).await
    });
    let reason = DisconnectReason::TOO_MANY_PEERS;
    assert_eq!(meet(&ours, &node(2, listen)).await, (Cause::Local(reason), Cause::Remote(reason)));
}

/// A protocol learns that the link has ended, and does what it has to do before the link's task ends
#[tokio::test(start_paused = true)]
async fn protocols_have_time_to_return() {
    let done = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&done);
    let theirs = node(2, async move |peer, io| {
        listen(peer, io).await?;
        sleep(Duration::from_millis(500)).await;
        told.store(true, Ordering::Relaxed);
        Ok(())
    });
    assert_eq!(meet(&node(1, async |_, _| Ok(())), &theirs).await.1, QUITTING);
    assert!(done.load(Ordering::Relaxed));
}

#[tokio::test(start_paused = true)]
async fn a_protocol_that_takes_no_notice_is_dropped() {
    let start = Instant::now();
    let theirs = node(2, async |_, io: Io| {
        let _io = io;
        pending().await
    });
    assert_eq!(meet(&node(1, async |_, _| Ok(())), &theirs).await.1, QUITTING);
    assert!((1..5).contains(&start.elapsed().as_secs()), "{:?}", start.elapsed());
}

/// The clock of the links is tokio's: half an hour of Pings takes no time
#[tokio::test(start_paused = true)]
async fn an_idle_link_pings() {
    let (sender, mut received) = mpsc::unbounded_channel();
    let ours = node(1, async move |peer: Peer, _io| {
        sleep(Duration::from_secs(1800)).await;
        _ = sender.send(peer.clone());
        pending().await
    });
    let theirs = node(2, listen);
    let _links = link(&ours, &theirs);
    let peer = received.recv().await.unwrap();
    let liveness = peer.inspect(|link| link.liveness()).await.unwrap();
    assert!((119..=121).contains(&liveness.pongs_received), "{liveness:?}");
}

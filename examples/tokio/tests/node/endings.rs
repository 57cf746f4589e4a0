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

/// The node has two links, and one of them meets the panic
#[tokio::test(start_paused = true)]
async fn a_panic_is_a_failure_of_one_link() {
    let theirs = node(2, async |peer: Peer, io: Io| match peer.node_id() == node(1, listen).id() {
        true => panic!("on purpose"),
        false => echo(peer, io).await,
    });
    let (sender, mut received) = mpsc::unbounded_channel();
    let other = node(3, async move |_, mut io: Io| {
        sleep(Duration::from_secs(60)).await;
        io.send(noise(10)).await?;
        _ = sender.send(io.recv().await?);
        Ok(())
    });
    let goes_on = link(&other, &theirs);
    let causes = meet(&node(1, listen), &theirs).await;
    assert_eq!(causes, (Cause::Remote(DisconnectReason::SUBPROTOCOL), failed(ProtocolError::Other)));
    assert_eq!(received.recv().await.flatten().map(|message| message.payload.len()), Some(10));
    assert_eq!(goes_on.0.await.unwrap(), returned());
}

async fn echo(_: Peer, mut io: Io) -> Outcome {
    while let Some(message) = io.recv().await? {
        io.send(message).await?;
    }
    Ok(())
}

struct PanicsWhenDropped;

impl Drop for PanicsWhenDropped {
    fn drop(&mut self) {
        panic!("on purpose");
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_a_drop_is_no_harm() {
    let ours = node(1, async |_, io| {
        let _value = PanicsWhenDropped;
        drop(io);
        pending().await
    });
    assert_eq!(meet(&ours, &node(2, listen)).await, (returned(), QUITTING));
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

//! Queues: their bounds, and what becomes of a message when a future is dropped

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use devp2p_tokio::{Io, RawMessage};
use futures_util::{SinkExt, StreamExt};
use tokio::sync::{Notify, mpsc};
use tokio::time::{sleep, timeout};

use crate::{Left, QUITTING, Right, builder, flood, link, listen, meet, node, noise, returned};

/// Waits until the count has not risen for a while: in virtual time, nothing can go on by then
async fn until_steady(count: &AtomicUsize) -> usize {
    loop {
        let before = count.load(Ordering::Relaxed);
        sleep(Duration::from_secs(1)).await;
        if before > 0 && count.load(Ordering::Relaxed) == before {
            return before;
        }
    }
}

/// A protocol that does not read stops the peer's writing, on this link, and nothing of its own
#[tokio::test(start_paused = true)]
async fn a_slow_protocol_holds_input_back_and_nothing_else() {
    const MESSAGES: usize = 2000;
    let (sender, mut received) = mpsc::unbounded_channel();
    let (sent, heard) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
    // Ours floods on the right, and hears on the left.
    let counter = Arc::clone(&sent);
    let hear = async move |_, mut io: Io| {
        while let Some(message) = io.recv().await? {
            _ = sender.send(message);
        }
        Ok(())
    };
    let flood = async move |_, mut io: Io| {
        for _ in 0..MESSAGES {
            io.send(noise(64 * 1024)).await?;
            counter.fetch_add(1, Ordering::Relaxed);
        }
        while io.recv().await?.is_some() {}
        Ok(())
    };
    let ours = builder(1).protocol(move || Left(hear.clone())).protocol(move || Right(flood.clone())).build().unwrap();
    // `theirs` does not read on the right before its messages on the left have been received.
    let (seen, waits) = (Arc::clone(&sent), Arc::clone(&heard));
    let slow = async move |_, mut io: Io| {
        waits.notified().await;
        for _ in 0..MESSAGES {
            io.recv().await?;
        }
        Ok(())
    };
    let speaks = async move |peer, mut io: Io| {
        until_steady(&seen).await;
        io.send(noise(1)).await?;
        listen(peer, io).await
    };
    let theirs = builder(2).protocol(move || Left(speaks.clone())).protocol(move || Right(slow.clone()));
    let theirs = theirs.build().unwrap();
    let (near, _far) = link(&ours, &theirs);
    received.recv().await.expect("the left one is heard while the right one is not read");
    let stalled = sent.load(Ordering::Relaxed);
    heard.notify_one();
    assert_eq!(near.await.unwrap(), QUITTING);
    assert_eq!(sent.load(Ordering::Relaxed), MESSAGES);
    assert!(stalled < 20, "{stalled} messages were sent while nobody read");
}

/// Each queue holds its limit and one message, however large
#[tokio::test(start_paused = true)]
async fn a_slow_protocol_keeps_few_large_messages() {
    const MESSAGES: usize = 8;
    let sent = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&sent);
    let ours = node(1, async move |_, mut io: Io| {
        for _ in 0..MESSAGES {
            io.send(noise(4_000_000)).await?;
            counter.fetch_add(1, Ordering::Relaxed);
        }
        while io.recv().await?.is_some() {}
        Ok(())
    });
    let stalled = Arc::new(AtomicUsize::new(0));
    let store = Arc::clone(&stalled);
    let theirs = node(2, async move |_, mut io: Io| {
        store.store(until_steady(&sent).await, Ordering::Relaxed);
        for _ in 0..MESSAGES {
            io.recv().await?;
        }
        Ok(())
    });
    assert_eq!(meet(&ours, &theirs).await.1, returned());
    // At the other end one in the queue and one in the link; on this side one in the link, one refused by it and one in
    // the queue.
    let stalled = stalled.load(Ordering::Relaxed);
    assert!(stalled <= 5, "{stalled} of {MESSAGES} messages were sent while nobody read");
}

/// Futures that are dropped again and again lose no message and send none twice
#[tokio::test(start_paused = true)]
async fn sending_and_receiving_may_be_cancelled() {
    const MESSAGES: u64 = 500;
    let short = Duration::from_millis(1);
    let ours = node(1, async move |_, mut io: Io| {
        for number in 0..MESSAGES {
            let message = |number: u64| RawMessage::new(0, [&number.to_be_bytes()[..], &[7; 10_000]].concat());
            while timeout(short, io.send(message(number))).await.is_err() {}
        }
        while io.recv().await?.is_some() {}
        Ok(())
    });
    let (sender, mut received) = mpsc::unbounded_channel();
    let theirs = node(2, async move |_, mut io: Io| {
        for number in 0..MESSAGES {
            if number % 50 == 0 {
                // Meanwhile the queues fill.
                sleep(Duration::from_secs(1)).await;
            }
            let message = loop {
                if let Ok(message) = timeout(short, io.recv()).await {
                    break message?.expect("the link goes on");
                }
            };
            _ = sender.send(u64::from_be_bytes(message.payload[..8].try_into().unwrap()));
        }
        Ok(())
    });
    assert_eq!(meet(&ours, &theirs).await.1, returned());
    drop(theirs);
    let mut numbers = Vec::new();
    while let Some(number) = received.recv().await {
        numbers.push(number);
    }
    assert_eq!(numbers, (0..MESSAGES).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn a_handle_is_a_stream_and_a_sink() {
    let ours = node(1, async |_, io: Io| {
        let (mut sink, stream) = io.split();
        let mut messages = tokio_stream(1000).map(Ok);
        sink.send_all(&mut messages).await?;
        let lengths: Vec<_> = stream.take(1000).map(|message| message.unwrap().payload.len()).collect().await;
        assert_eq!(lengths, (0..1000).collect::<Vec<_>>());
        Ok(())
    });
    let theirs = node(2, async |_, io: Io| {
        let (mut sink, mut stream) = io.split();
        while let Some(message) = stream.next().await {
            sink.send(message?).await?;
        }
        Ok(())
    });
    assert_eq!(meet(&ours, &theirs).await.0, returned());
}

fn tokio_stream(count: usize) -> impl StreamExt<Item = RawMessage> + Unpin {
    futures_util::stream::iter((0..count).map(noise))
}

/// The protocol hands its `Io` to another task
#[tokio::test(start_paused = true)]
async fn another_task_may_send_and_receive() {
    let ours = node(1, async |_, mut io: Io| {
        let task = tokio::spawn(async move {
            for len in 0..300 {
                io.send(noise(len * 100)).await.unwrap();
                assert_eq!(io.recv().await.unwrap().unwrap().payload.len(), len * 100);
            }
            io
        });
        task.await.map(drop).map_err(|_| devp2p_proto::ProtocolError::Other)
    });
    let theirs = node(2, async |_, mut io: Io| {
        while let Some(message) = io.recv().await? {
            io.send(message).await?;
        }
        Ok(())
    });
    assert_eq!(meet(&ours, &theirs).await.0, returned());
}

/// Both flood each other, and both read: nobody waits for ever
#[tokio::test(start_paused = true)]
async fn both_may_send_more_than_the_queues_hold() {
    let ours = node(1, async |_, io| flood(io, 1000).await.map(drop));
    let theirs = node(2, async |_, io| {
        let mut receiver = flood(io, 1000).await?;
        while receiver.recv().await?.is_some() {}
        Ok(())
    });
    assert_eq!(meet(&ours, &theirs).await, (returned(), QUITTING));
}

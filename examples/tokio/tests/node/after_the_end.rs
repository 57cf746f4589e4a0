//! What happens between the moment when a link has a cause to end, and the end of its task

use std::future::pending;
use std::time::Duration;

use devp2p_proto::{Cause, DisconnectReason, ProtocolError, Timeouts};
use devp2p_tokio::{Closed, Io, Peer};
use tokio::io::{BufStream, duplex};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout};

use crate::{PIPE, Right, builder, link, listen, node, noise, slowly};

/// The peer does not read, so the link lingers: but who sends knows at once
#[tokio::test(start_paused = true)]
async fn sending_fails_as_soon_as_the_link_has_a_cause() {
    let (tell, mut told) = mpsc::unbounded_channel();
    let ours = node(1, async move |peer: Peer, mut io: Io| {
        while timeout(Duration::from_secs(1), io.send(noise(1000))).await.is_ok() {}
        peer.disconnect(DisconnectReason::REQUESTED);
        let start = Instant::now();
        while io.send(noise(1000)).await != Err(Closed) {}
        _ = tell.send(start.elapsed());
        Ok(())
    });
    let theirs = node(2, async |_, _io| pending().await);
    let (mut near, _far) = link(&ours, &theirs);
    assert!(told.recv().await.unwrap() < Duration::from_secs(1));
    assert!(timeout(Duration::from_secs(60), &mut near).await.is_err(), "the Disconnect has not left");
}

/// The old link's protocol takes its time to return, and the peer comes again
#[tokio::test(start_paused = true)]
async fn a_peer_may_come_again_at_once() {
    let ours = node(1, async |peer, io| {
        listen(peer, io).await?;
        sleep(Duration::from_millis(900)).await;
        Ok(())
    });
    let theirs = node(2, listen);
    let (_near, far) = link(&ours, &theirs);
    sleep(Duration::from_secs(1)).await;
    theirs.peers()[0].disconnect(DisconnectReason::REQUESTED);
    assert_eq!(far.await.unwrap(), Cause::Local(DisconnectReason::REQUESTED));
    assert!(ours.peers().is_empty());
    let _links = link(&theirs, &ours);
    sleep(Duration::from_millis(500)).await;
    assert_eq!((ours.peers().len(), theirs.peers().len()), (1, 1));
    // The end of the first link's task leaves the second one alone.
    sleep(Duration::from_secs(5)).await;
    assert_eq!((ours.peers().len(), theirs.peers().len()), (1, 1));
}

/// The stream's own buffer takes the last message, and the peer needs longer for it than a link lingers
#[tokio::test(start_paused = true)]
async fn what_a_buffer_holds_at_the_end_arrives() {
    const LEN: usize = 7000;
    let ours = builder(1).timeouts(Timeouts::default()).protocol(|| {
        Right(async |_, mut io: Io| {
            sleep(Duration::from_secs(1)).await;
            Ok::<_, ProtocolError>(io.send(noise(LEN)).await?)
        })
    });
    let (ours, (tell, mut told)) = (ours.build().unwrap(), mpsc::unbounded_channel());
    let theirs = node(2, async move |_, mut io: Io| {
        while let Some(message) = io.recv().await? {
            _ = tell.send(message.payload.len());
        }
        Ok(())
    });
    let ((near, middle), (other_middle, far)) = (duplex(64), duplex(PIPE));
    let _links = (ours.connect(BufStream::new(near), theirs.id()), theirs.accept(far));
    // 2 kB in a second
    tokio::spawn(slowly(middle, other_middle, |_| Duration::from_millis(32)));
    assert_eq!(told.recv().await, Some(LEN));
}

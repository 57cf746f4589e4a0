//! Panics of the application, which stay within their link

use std::future::pending;
use std::panic::panic_any;
use std::time::Duration;

use devp2p_proto::{Cause, DisconnectReason, ProtocolError};
use devp2p_tokio::{Io, Node, Peer};
use tokio::sync::mpsc;
use tokio::time::sleep;

use crate::{Left, Outcome, QUITTING, Right, builder, failed, link, listen, meet, node, noise, returned};

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

/// Takes no notice of anything, until it is dropped
async fn panics_when_dropped(_: Peer, io: Io) -> Outcome {
    let _held = (PanicsWhenDropped, io);
    pending().await
}

fn two_that_panic_when_dropped() -> Node {
    let builder = builder(1).protocol(|| Left(panics_when_dropped)).protocol(|| Right(panics_when_dropped));
    builder.build().unwrap()
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

/// The protocols are dropped when their second is over
#[tokio::test(start_paused = true)]
async fn two_panics_in_drops_after_the_end_are_no_harm() {
    let theirs = node(2, async |_, _| Ok(()));
    assert_eq!(meet(&two_that_panic_when_dropped(), &theirs).await, (QUITTING, returned()));
}

#[tokio::test(start_paused = true)]
async fn a_node_may_be_dropped_whose_protocols_panic_then() {
    let (ours, theirs) = (two_that_panic_when_dropped(), node(2, listen));
    let (_near, far) = link(&ours, &theirs);
    sleep(Duration::from_secs(1)).await;
    assert_eq!(ours.peers().len(), 1);
    drop(ours);
    assert_eq!(far.await.unwrap(), Cause::ReceiveClosed);
}

#[tokio::test(start_paused = true)]
async fn what_a_panic_is_about_may_panic_when_it_is_dropped() {
    let ours = node(1, async |_, _| panic_any(PanicsWhenDropped));
    assert_eq!(meet(&ours, &node(2, listen)).await.0, failed(ProtocolError::Other));
}

#[tokio::test(start_paused = true)]
async fn whoever_meets_a_panic_is_not_admitted() {
    let theirs = builder(2).protocol(|| Right(listen)).admit(|_| panic!("on purpose")).build().unwrap();
    let reason = DisconnectReason::REQUESTED;
    assert_eq!(meet(&node(1, listen), &theirs).await, (Cause::Remote(reason), Cause::Local(reason)));
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_a_look_at_the_link_is_no_answer() {
    let (ours, theirs) = (node(1, listen), node(2, listen));
    let _links = link(&ours, &theirs);
    sleep(Duration::from_secs(1)).await;
    let peer = ours.peers().pop().unwrap();
    assert_eq!(peer.inspect(|_| -> () { panic!("on purpose") }).await, None);
    // The link goes on.
    assert_eq!(peer.inspect(|_| ()).await, Some(()));
}

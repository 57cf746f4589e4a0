//! Who is admitted, and how many

use std::time::Duration;

use devp2p_proto::{Cause, DisconnectReason, Enode};
use devp2p_tokio::{Builder, Io, Node};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::{Left, QUITTING, Right, builder, flood, link, listen, meet, node, noise};

const TOO_MANY: Cause = Cause::Remote(DisconnectReason::TOO_MANY_PEERS);

fn idle(builder: Builder<'static>) -> Builder<'static> {
    builder.protocol(|| Left(listen))
}

async fn listening(builder: Builder<'static>) -> (Node, Enode) {
    let node = idle(builder).listen("127.0.0.1:0").await.unwrap();
    let enode = node.enode().unwrap();
    (node, enode)
}

fn dialler(key: u8) -> Node {
    idle(builder(key)).build().unwrap()
}

/// Waits until a node has so many peers
async fn until_peers(node: &Node, count: usize) {
    while node.peers().len() != count {
        sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn whoever_is_not_admitted_is_told_why() {
    let (unwanted, wanted) = (dialler(1), dialler(2));
    let id = unwanted.id();
    let reason = DisconnectReason::USELESS_PEER;
    let (node, enode) = listening(builder(3).admit(move |candidate| {
        assert!(candidate.address.is_some_and(|address| address.ip().is_loopback()));
        if candidate.node_id == id { Err(reason) } else { Ok(()) }
    }))
    .await;
    assert_eq!(unwanted.dial(enode).await.unwrap(), Cause::Remote(reason));
    let _link = wanted.dial(enode);
    until_peers(&node, 1).await;
    assert_eq!(node.peers()[0].node_id(), wanted.id());
}

#[tokio::test]
async fn there_are_at_most_so_many_peers() {
    let (node, enode) = listening(builder(9).max_peers(2)).await;
    let diallers: Vec<Node> = (1..=3).map(dialler).collect();
    let mut links = vec![diallers[0].dial(enode), diallers[1].dial(enode)];
    until_peers(&node, 2).await;
    assert_eq!(diallers[2].dial(enode).await.unwrap(), TOO_MANY);
    // One that leaves makes room.
    diallers[0].peers()[0].disconnect(DisconnectReason::REQUESTED);
    links.remove(0).await.unwrap();
    until_peers(&node, 1).await;
    let _link = diallers[2].dial(enode);
    until_peers(&node, 2).await;
}

/// Those that this node dials count, too
#[tokio::test(start_paused = true)]
async fn dialled_peers_count() {
    let node = idle(builder(9).max_peers(1)).build().unwrap();
    let others = [dialler(1), dialler(2)];
    let _first = link(&node, &others[0]);
    sleep(Duration::from_secs(1)).await;
    let (near, far) = link(&node, &others[1]);
    assert_eq!(near.await.unwrap(), Cause::Local(DisconnectReason::TOO_MANY_PEERS));
    assert_eq!(far.await.unwrap(), TOO_MANY);
}

#[tokio::test(start_paused = true)]
async fn there_is_one_link_with_each_peer() {
    let (ours, theirs) = (dialler(1), dialler(2));
    let _first = link(&ours, &theirs);
    sleep(Duration::from_secs(1)).await;
    let reason = DisconnectReason::ALREADY_CONNECTED;
    let (near, far) = link(&ours, &theirs);
    let causes = (near.await.unwrap(), far.await.unwrap());
    assert!(causes.0 == Cause::Local(reason) || causes.1 == Cause::Local(reason), "{causes:?}");
    assert_eq!((ours.peers().len(), theirs.peers().len()), (1, 1));
}

/// Silent connections take what the listener has, and no more
#[tokio::test]
async fn the_listener_closes_what_is_beyond_its_limit() {
    let (_node, enode) = listening(builder(9).max_inbound(3)).await;
    let mut silent = Vec::new();
    for _ in 0..3 {
        silent.push(TcpStream::connect(enode.address).await.unwrap());
    }
    let mut beyond = TcpStream::connect(enode.address).await.unwrap();
    // Closed or reset, it ends.
    assert!(matches!(beyond.read(&mut [0]).await, Ok(0) | Err(_)));
    drop(silent.pop());
    let dialler = dialler(1);
    // The place becomes free when the node has noticed.
    let ready = async {
        loop {
            drop(dialler.dial(enode));
            sleep(Duration::from_millis(20)).await;
            if !dialler.peers().is_empty() {
                break;
            }
        }
    };
    timeout(crate::NEVER, ready).await.unwrap();
}

#[tokio::test]
async fn few_may_be_in_their_handshakes() {
    let (node, enode) = listening(builder(9).max_handshakes(2)).await;
    let silent = [TcpStream::connect(enode.address).await.unwrap(), TcpStream::connect(enode.address).await.unwrap()];
    // Those two have been accepted before this one, which waits.
    let dialler = dialler(1);
    let _link = dialler.dial(enode);
    sleep(Duration::from_millis(200)).await;
    assert!(node.peers().is_empty());
    drop(silent);
    until_peers(&node, 1).await;
}

#[tokio::test(start_paused = true)]
async fn a_message_beyond_the_limit_ends_the_link() {
    let ours = node(1, async |peer, mut io: Io| {
        io.send(noise(10_000)).await?;
        listen(peer, io).await
    });
    let theirs = builder(2).max_message(4096).protocol(|| Left(listen)).protocol(|| Right(listen)).build().unwrap();
    let (near, far) = meet(&ours, &theirs).await;
    assert!(matches!(far, Cause::Violation(_)), "{far}");
    assert_eq!(near, Cause::Remote(far.reason()));
}

/// A queue without any room takes one message at a time
#[tokio::test(start_paused = true)]
async fn queues_may_be_as_small_as_can_be() {
    let ours = builder(1).queue(0).protocol(|| Right(async |_, io| flood(io, 100).await.map(drop))).build().unwrap();
    let echo = async |_, mut io: Io| {
        while let Some(message) = io.recv().await? {
            io.send(message).await?;
        }
        Ok(())
    };
    let theirs = builder(2).queue(0).protocol(move || Right(echo)).build().unwrap();
    assert_eq!(meet(&ours, &theirs).await.1, QUITTING);
}

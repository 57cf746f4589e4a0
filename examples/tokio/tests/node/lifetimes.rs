//! Nothing is left behind, on either kind of runtime

use std::future::pending;
use std::net::{Ipv4Addr, TcpListener as StdListener};
use std::time::Duration;

use devp2p_proto::{Cause, DisconnectReason, Enode, Timeouts};
use devp2p_tokio::{BuildError, Io, LinkError, Node};
use tokio::io::duplex;
use tokio::runtime::{self, Handle, Runtime};
use tokio::time::{Instant, sleep};

use crate::{PIPE, QUITTING, Right, builder, flood, listen, meet, node, noise, returned, slowly};

fn runtimes() -> [Runtime; 2] {
    let build = |mut builder: runtime::Builder| builder.enable_all().build().unwrap();
    [
        build(runtime::Builder::new_current_thread()),
        build({
            let mut builder = runtime::Builder::new_multi_thread();
            builder.worker_threads(2);
            builder
        }),
    ]
}

/// Waits until this is the only task; the one that runs here is none of the runtime's
async fn until_no_task() {
    while Handle::current().metrics().num_alive_tasks() > 0 {
        sleep(Duration::from_millis(5)).await;
    }
}

fn busy(key: u8) -> devp2p_tokio::Builder<'static> {
    builder(key).protocol(|| Right(async |_, io| flood(io, usize::MAX).await.map(drop)))
}

async fn until_connected(node: &Node, peers: usize) {
    while node.peers().len() < peers {
        sleep(Duration::from_millis(5)).await;
    }
}

/// Ten busy links, some idle connections and a dial that nobody answers
#[test]
fn a_shutdown_leaves_no_task() {
    for runtime in runtimes() {
        runtime.block_on(async {
            let node = busy(1).listen("127.0.0.1:0").await.unwrap();
            let enode = node.enode().unwrap();
            let diallers: Vec<Node> = (2..12).map(|key| busy(key).build().unwrap()).collect();
            let links: Vec<_> = diallers.iter().map(|dialler| dialler.dial(enode)).collect();
            let _silent = tokio::net::TcpStream::connect(enode.address).await.unwrap();
            let unanswered = node.dial(unanswered());
            until_connected(&node, 10).await;
            node.shutdown(DisconnectReason::CLIENT_QUITTING).await;
            assert!(node.peers().is_empty());
            for link in links {
                assert_eq!(link.await.unwrap(), QUITTING);
            }
            drop(unanswered);
            drop(diallers);
            until_no_task().await;
            // It stays over.
            assert!(matches!(node.dial(enode).await, Err(LinkError::Dropped)));
        });
    }
}

#[test]
fn a_node_that_is_dropped_leaves_no_task() {
    for runtime in runtimes() {
        runtime.block_on(async {
            let node = busy(1).listen("127.0.0.1:0").await.unwrap();
            let dialler = busy(2).build().unwrap();
            let link = dialler.dial(node.enode().unwrap());
            until_connected(&dialler, 1).await;
            drop(node);
            assert!(!matches!(link.await.unwrap(), Cause::Local(_)));
            drop(dialler);
            until_no_task().await;
        });
    }
}

/// A shutdown that is not waited for ends all the same
#[test]
fn a_shutdown_may_be_cancelled() {
    for runtime in runtimes() {
        runtime.block_on(async {
            let (ours, theirs) = (busy(1).build().unwrap(), busy(2).build().unwrap());
            let links = crate::link(&ours, &theirs);
            until_connected(&ours, 1).await;
            let shutdown = ours.shutdown(DisconnectReason::CLIENT_QUITTING);
            _ = tokio::time::timeout(Duration::ZERO, shutdown).await;
            _ = links.1.await;
            drop((ours, theirs));
            until_no_task().await;
        });
    }
}

/// A place where connections are not answered
fn unanswered() -> Enode {
    let listener = StdListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    // It stays open as long as the process.
    std::mem::forget(listener);
    Enode { node_id: builder(99).build().unwrap().id(), address }
}

#[tokio::test]
async fn a_dial_that_is_refused_says_so() {
    let address = StdListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
    let node = node(1, listen);
    let link = node.dial(Enode { node_id: node.id(), address });
    assert!(matches!(link.await, Err(LinkError::Connect(_))));
}

#[test]
fn without_a_runtime_there_is_no_node() {
    assert!(matches!(builder(1).build(), Err(BuildError::NoRuntime)));
}

/// Each of many links does its work on several threads
#[test]
fn many_links_on_several_threads() {
    let [_, runtime] = runtimes();
    runtime.block_on(async {
        let echo = node(100, async |_, mut io: Io| {
            while let Some(message) = io.recv().await? {
                io.send(message).await?;
            }
            Ok(())
        });
        let diallers: Vec<Node> = (1..30)
            .map(|key| {
                node(key, async |_, mut io: Io| {
                    for len in 0..100 {
                        io.send(noise(len * len)).await?;
                        assert_eq!(io.recv().await?.unwrap().payload.len(), len * len);
                    }
                    Ok(())
                })
            })
            .collect();
        for dialler in &diallers {
            let ends = meet(dialler, &echo);
            assert_eq!(ends.await, (returned(), QUITTING));
        }
    });
}

#[tokio::test(start_paused = true)]
async fn a_protocol_that_never_ends_does_not_keep_a_shutdown() {
    let (ours, theirs) = (
        node(1, async |_, io: Io| {
            let _io = io;
            pending().await
        }),
        node(2, listen),
    );
    let links = crate::link(&ours, &theirs);
    until_connected(&ours, 1).await;
    ours.shutdown(DisconnectReason::CLIENT_QUITTING).await;
    assert_eq!(links.0.await.unwrap(), Cause::Local(DisconnectReason::CLIENT_QUITTING));
}

/// Both wait for the end of the links
#[tokio::test(start_paused = true)]
async fn a_node_may_be_shut_down_twice() {
    let (ours, theirs) = (node(1, async |_, _io| pending().await), node(2, listen));
    let _links = crate::link(&ours, &theirs);
    until_connected(&ours, 1).await;
    let reason = DisconnectReason::CLIENT_QUITTING;
    let start = Instant::now();
    let wait = async || {
        ours.shutdown(reason).await;
        start.elapsed()
    };
    let (first, second) = tokio::join!(wait(), wait());
    // What the protocol has to return.
    assert!(first >= Duration::from_secs(1) && second >= first, "{first:?} {second:?}");
}

/// The peer takes a few bytes in each second, so no timeout of the link ends it
#[tokio::test(start_paused = true)]
async fn a_trickle_does_not_keep_a_shutdown() {
    let timeouts = Timeouts::default();
    let ours = busy(1).timeouts(timeouts).build().unwrap();
    let theirs = node(2, listen);
    let ((near, middle), (other_middle, far)) = (duplex(64), duplex(PIPE));
    let _links = (ours.connect(near, theirs.id()), theirs.accept(far));
    let handshake = 3000;
    let pause = move |passed| Duration::from_secs(if passed < handshake { 0 } else { 1 });
    tokio::spawn(slowly(middle, other_middle, pause));
    until_connected(&ours, 1).await;
    sleep(Duration::from_secs(1)).await;
    let start = Instant::now();
    ours.shutdown(DisconnectReason::CLIENT_QUITTING).await;
    assert!(start.elapsed() < 3 * timeouts.write, "{:?}", start.elapsed());
}

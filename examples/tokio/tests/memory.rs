//! What links take from the heap, counted by the allocator of this test binary
//!
//! All of a test runs in one thread, and the counters are the thread's.

use std::thread;
use std::time::Duration;

use devp2p_heap::{Counting, in_use, peak, restart_peak};
use devp2p_proto::{DisconnectReason, Protocol, ProtocolError};
use devp2p_tokio::{Builder, Io, Node, Peer, RawMessage, Subprotocol, random_key};
use tokio::runtime;
use tokio::sync::oneshot;
use tokio::time::sleep;

#[global_allocator]
static COUNTING: Counting = Counting;

const MIB: isize = 1 << 20;

/// Sends back what comes
struct Echo;

impl Subprotocol for Echo {
    const PROTOCOL: Protocol<'static> = Protocol::new("echo", 1, 1);
    type Message = RawMessage;

    async fn run(self, _: Peer, mut io: Io) -> Result<(), ProtocolError> {
        while let Some(message) = io.recv().await? {
            io.send(message).await?;
        }
        Ok(())
    }
}

/// Sends zeros, sixteen million at a time, and reads nothing
struct Zeros;

impl Subprotocol for Zeros {
    const PROTOCOL: Protocol<'static> = Echo::PROTOCOL;
    type Message = RawMessage;

    async fn run(self, _: Peer, mut io: Io) -> Result<(), ProtocolError> {
        loop {
            io.send(RawMessage::new(0, ZEROS)).await?;
        }
    }
}

static ZEROS: &[u8] = &[0; 16_777_000];

fn builder() -> Builder<'static> {
    Node::builder(random_key().unwrap(), "test/1.0")
}

/// The peer has a thread of its own, whose memory does not count
#[tokio::test]
async fn a_peer_that_sends_large_zeros_and_never_reads() {
    let ours = builder().protocol(|| Echo).listen("127.0.0.1:0").await.unwrap();
    let enode = ours.enode().unwrap();
    let (end, ended) = oneshot::channel::<()>();
    let before = in_use();
    restart_peak();
    let peer = thread::spawn(move || {
        let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let theirs = builder().protocol(|| Zeros).build().unwrap();
            theirs.dial(enode);
            _ = ended.await;
        });
    });
    let messages = until_steady(&ours).await;
    let most = peak() - before;
    println!("at most {} KiB, with {messages} messages", most / 1024);
    assert!(most < 64 * MIB, "{most} bytes");
    end.send(()).unwrap();
    peer.join().unwrap();
}

/// Waits until no message has come for a while, and returns how many have come
async fn until_steady(node: &Node) -> u64 {
    let mut before = 0;
    loop {
        sleep(Duration::from_secs(1)).await;
        let Some(peer) = node.peers().pop() else { continue };
        let messages = peer.inspect(|link| link.shared().next().map(|it| link.traffic(it.protocol)));
        let messages = messages.await.flatten().flatten().unwrap().ingress.messages;
        if messages > 0 && messages == before {
            return messages;
        }
        before = messages;
    }
}

/// Both ends of many links over TCP, with what tokio has for each socket, task and timer
#[tokio::test(start_paused = true)]
async fn an_idle_link_takes_little() {
    const LINKS: isize = 50;
    let ours = builder().protocol(|| Echo).max_peers(100).max_inbound(100).listen("127.0.0.1:0").await.unwrap();
    let enode = ours.enode().unwrap();
    let diallers: Vec<Node> = (0..=LINKS).map(|_| builder().protocol(|| Echo).build().unwrap()).collect();
    let connect = async |dialler: &Node, count| {
        dialler.dial(enode);
        while ours.peers().len() < count || dialler.peers().is_empty() {
            sleep(Duration::from_millis(1)).await;
        }
    };
    // The first link makes what all of them share.
    connect(&diallers[0], 1).await;
    let before = in_use();
    for (index, dialler) in diallers.iter().enumerate().skip(1) {
        connect(dialler, index + 1).await;
    }
    // Two Pings, after which a link has given back what only its handshake needed.
    sleep(Duration::from_secs(40)).await;
    let each = (in_use() - before) / (2 * LINKS);
    println!("an idle link takes {each} bytes");
    assert!(each <= 8 * 1024, "{each} bytes");
    ours.shutdown(DisconnectReason::CLIENT_QUITTING).await;
}

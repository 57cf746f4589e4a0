//! Nodes that meet in memory and over TCP, and what becomes of their links

mod after_the_end;
mod busy;
mod endings;
mod handles;
mod lifetimes;
mod limits;
mod meetings;
mod panics;
mod queues;
mod streams;
mod wakes;

use std::time::Duration;

use devp2p_proto::{Capability, Cause, DisconnectReason, Protocol, ProtocolError, ProtocolId, SecretKey, Timeouts};
use devp2p_tokio::{Builder, Io, LinkHandle, Node, Peer, RawMessage, Receiver, Subprotocol};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, copy, duplex, split};
use tokio::time::sleep;

/// How many bytes are between two nodes in memory
const PIPE: usize = 64 * 1024;
/// Longer than anything takes on a busy machine
const NEVER: Duration = Duration::from_secs(600);

const QUITTING: Cause = Cause::Remote(DisconnectReason::CLIENT_QUITTING);

/// The protocols `left/1` and `right/1`, each as a function
#[derive(Clone)]
struct Left<F>(F);
#[derive(Clone)]
struct Right<F>(F);

type Outcome = Result<(), ProtocolError>;

macro_rules! function {
    ($protocol:ident, $name:literal) => {
        impl<F, R> Subprotocol for $protocol<F>
        where
            F: FnOnce(Peer, Io) -> R + Send + 'static,
            R: Future<Output = Outcome> + Send + 'static,
        {
            const PROTOCOL: Protocol<'static> = Protocol::new($name, 1, 2);
            type Message = RawMessage;

            async fn run(self, peer: Peer, io: Io) -> Outcome {
                (self.0)(peer, io).await
            }
        }
    };
}

function!(Left, "left");
function!(Right, "right");

fn builder(key: u8) -> Builder<'static> {
    Node::builder(SecretKey::from_bytes([key; 32]).unwrap(), "test/1.0").timeouts(patient())
}

/// Pings in regular intervals, and waits as long as it takes
fn patient() -> Timeouts {
    let mut timeouts = Timeouts::default();
    let Timeouts { handshake, pong, read, write, linger, .. } = &mut timeouts;
    for timeout in [handshake, pong, read, write, linger] {
        *timeout = NEVER;
    }
    timeouts
}

/// A node on which the right protocol is this function, and the left one only listens
fn node<F, R>(key: u8, right: F) -> Node
where
    F: FnOnce(Peer, Io) -> R + Clone + Send + Sync + 'static,
    R: Future<Output = Outcome> + Send + 'static,
{
    let right = Right(right);
    builder(key).protocol(|| Left(listen)).protocol(move || right.clone()).build().unwrap()
}

/// Takes what comes until the link ends
async fn listen(_: Peer, mut io: Io) -> Outcome {
    while io.recv().await?.is_some() {}
    Ok(())
}

/// Opens a link from `ours` to `theirs`, in memory
fn link(ours: &Node, theirs: &Node) -> (LinkHandle, LinkHandle) {
    let (near, far) = duplex(PIPE);
    (ours.connect(near, theirs.id()), theirs.accept(far))
}

/// The causes for both sides when the link has ended
async fn meet(ours: &Node, theirs: &Node) -> (Cause, Cause) {
    let (near, far) = link(ours, theirs);
    (near.await.unwrap(), far.await.unwrap())
}

fn right() -> (ProtocolId, Capability) {
    (ProtocolId(1), "right/1".parse().unwrap())
}

fn returned() -> Cause {
    let (protocol, capability) = right();
    Cause::ProtocolReturned { protocol, capability }
}

fn failed(error: ProtocolError) -> Cause {
    let (protocol, capability) = right();
    Cause::ProtocolFailed { protocol, capability, error }
}

/// A message that does not get smaller on the wire
fn noise(len: usize) -> RawMessage {
    let mut payload = vec![0; len];
    getrandom::fill(&mut payload).unwrap();
    RawMessage::new(1, payload)
}

/// Sends so many messages, and meanwhile receives as many
async fn flood(io: Io, count: usize) -> Result<Receiver, ProtocolError> {
    let (mut sender, mut receiver) = io.split();
    let send = async {
        for _ in 0..count {
            sender.send(noise(10_000)).await?;
        }
        Ok::<_, ProtocolError>(())
    };
    let receive = async {
        for _ in 0..count {
            receiver.recv().await?.ok_or(ProtocolError::Other)?;
        }
        Ok(())
    };
    tokio::try_join!(send, receive)?;
    Ok(receiver)
}

/// Passes up to 64 bytes at a time from one to the other, each after a pause that depends on how many bytes there were
/// before; all at once in the other direction
async fn slowly(one: DuplexStream, other: DuplexStream, pause: impl Fn(usize) -> Duration) {
    let ((mut from, mut back), (mut answers, mut to)) = (split(one), split(other));
    tokio::spawn(async move { copy(&mut answers, &mut back).await });
    let (mut buffer, mut passed) = ([0; 64], 0);
    while let Ok(len @ 1..) = from.read(&mut buffer).await {
        sleep(pause(passed)).await;
        passed += len;
        if to.write_all(&buffer[..len]).await.is_err() {
            return;
        }
    }
}

//! Protocols that are tasks: the ways in which one ends, and what both sides come to know of it
//!
//! This runs the loop of `devp2p-tokio` with other protocols than its program has.

use std::future::pending;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant as Clock};

use bytes::Bytes;
use devp2p_drivers::app::Message;
use devp2p_drivers::link::RecordedLink;
use devp2p_program_tests::NEVER;
use devp2p_program_tests::driver::patient;
use devp2p_proto::{
    Action, Buffers, Cause, Config, DisconnectReason, Entropy, Instant, PeerState, Protocol, ProtocolError, ProtocolId,
    Ready, SecretKey,
};
use devp2p_tokio::drive::{Service, drive};
use devp2p_tokio::protocols::{Handle, Protocols};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::{sleep, timeout};

const LEFT: ProtocolId = ProtocolId(0);
const RIGHT: ProtocolId = ProtocolId(1);

/// A node on which each protocol is one function
struct Functions<F> {
    started: Clock,
    run: F,
}

impl<F, R> Service for Functions<F>
where
    F: Fn(ProtocolId, Handle) -> R,
    R: Future<Output = Result<(), ProtocolError>> + Send + 'static,
{
    fn now(&self) -> Instant {
        Instant::from(self.started.elapsed())
    }

    fn start(&self, ready: &Ready<'_>, protocols: &mut Protocols) {
        for shared in ready.shared() {
            protocols.start(shared.protocol, |handle| (self.run)(shared.protocol, handle));
        }
    }

    fn note(&self, _: &Action<'_>) {}
}

fn functions<F, R>(run: F) -> Functions<F>
where
    F: Fn(ProtocolId, Handle) -> R,
{
    Functions { started: Clock::now(), run }
}

fn config(key: u8) -> Config {
    let protocols = [Protocol::new("left", 1, 2), Protocol::new("right", 1, 2)];
    let config = Config::new(SecretKey::from_bytes([key; 32]).unwrap(), "test", &protocols);
    config.unwrap().with_timeouts(patient()).unwrap()
}

fn entropy() -> Entropy {
    Entropy::from_rng(|bytes| getrandom::fill(bytes).unwrap())
}

async fn sockets() -> io::Result<(TcpStream, TcpStream)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let dialled = TcpStream::connect(listener.local_addr()?).await?;
    Ok((dialled, listener.accept().await?.0))
}

/// Runs a link between the two until both sides have ended
async fn meet(ours: &impl Service, theirs: &impl Service) -> (Cause, Cause) {
    let (dialled, accepted) = sockets().await.unwrap();
    let (_interrupt, quit) = watch::channel(false);
    let dialler = PeerState::initiator(ours.now(), &config(1), config(2).node_id(), entropy(), Buffers::growable());
    let listener = PeerState::recipient(theirs.now(), &config(2), entropy(), Buffers::growable());
    let (mut dialler, mut listener) = (RecordedLink::from(dialler.unwrap()), RecordedLink::from(listener.unwrap()));
    let both = async {
        tokio::join!(
            drive(&mut dialler, dialled, ours, quit.clone()),
            drive(&mut listener, accepted, theirs, quit.clone())
        )
    };
    timeout(NEVER, both).await.expect("both come to their ends")
}

fn returned() -> Cause {
    Cause::ProtocolReturned { protocol: RIGHT, capability: "right/1".parse().unwrap() }
}

fn failed(error: ProtocolError) -> Cause {
    Cause::ProtocolFailed { protocol: RIGHT, capability: "right/1".parse().unwrap(), error }
}

type Run = Pin<Box<dyn Future<Output = Result<(), ProtocolError>> + Send>>;

/// Runs until the link ends, and takes what comes
async fn listen(mut handle: Handle) -> Result<(), ProtocolError> {
    while handle.read().await.is_some() {}
    Ok(())
}

/// What both sides take for the cause if one of two protocols ends like this
async fn cause(run: fn(Handle) -> Run) -> (Cause, Cause) {
    let ours = functions(|protocol, handle| if protocol == RIGHT { run(handle) } else { Box::pin(listen(handle)) });
    meet(&ours, &functions(|_, handle| listen(handle))).await
}

/// A message that does not get smaller on the wire
fn message(len: usize) -> Message {
    let mut payload = vec![0; len];
    getrandom::fill(&mut payload).unwrap();
    Message { code: 1, payload: Bytes::from(payload) }
}

#[tokio::test]
async fn a_return_is_quitting() {
    let causes = cause(|_handle| Box::pin(async { Ok(()) })).await;
    assert_eq!(causes, (returned(), Cause::Remote(DisconnectReason::CLIENT_QUITTING)));
}

#[tokio::test]
async fn a_failure_is_told_with_its_reason() {
    let reason = DisconnectReason::USELESS_PEER;
    for (error, reason) in [
        (ProtocolError::Reason(reason), reason),
        (ProtocolError::BadMessage, DisconnectReason::BREACH_OF_PROTOCOL),
        (ProtocolError::Other, DisconnectReason::SUBPROTOCOL),
    ] {
        let ours = functions(move |protocol, handle: Handle| async move {
            if protocol == RIGHT { Err(error) } else { listen(handle).await }
        });
        let causes = meet(&ours, &functions(|_, handle| listen(handle))).await;
        assert_eq!(causes, (failed(error), Cause::Remote(reason)));
    }
}

#[tokio::test]
async fn a_panic_is_a_failure() {
    let (ours, theirs) = cause(|_handle| Box::pin(async { panic!("on purpose") })).await;
    assert_eq!(ours, failed(ProtocolError::Other));
    assert_eq!(theirs, Cause::Remote(DisconnectReason::SUBPROTOCOL));
}

#[tokio::test]
async fn a_dropped_handle_is_an_ending() {
    let (ours, theirs) = cause(|handle| {
        Box::pin(async {
            sleep(Duration::from_millis(50)).await;
            drop(handle);
            pending().await
        })
    })
    .await;
    assert_eq!(ours, returned());
    assert_eq!(theirs, Cause::Remote(DisconnectReason::CLIENT_QUITTING));
}

#[tokio::test]
async fn a_handle_dropped_elsewhere_is_one_too() {
    let (ours, _) = cause(|handle| {
        Box::pin(async {
            tokio::spawn(async { drop(handle) });
            pending().await
        })
    })
    .await;
    assert_eq!(ours, returned());
}

#[tokio::test]
async fn what_was_written_before_the_end_arrives() {
    let (sender, mut received) = mpsc::unbounded_channel();
    let ours = functions(|protocol, handle: Handle| async move {
        if protocol == LEFT {
            return listen(handle).await;
        }
        for len in 0..200 {
            handle.write(message(len * 100)).await?;
        }
        Ok(())
    });
    let theirs = functions(move |_, mut handle: Handle| {
        let sender = sender.clone();
        async move {
            while let Some(message) = handle.read().await {
                sender.send(message.payload.len()).map_err(|_| ProtocolError::Other)?;
            }
            Ok(())
        }
    });
    assert_eq!(meet(&ours, &theirs).await.0, returned());
    drop(theirs);
    let mut lengths = Vec::new();
    while let Some(len) = received.recv().await {
        lengths.push(len);
    }
    assert_eq!(lengths, (0..200).map(|len| len * 100).collect::<Vec<_>>());
}

/// Waits until the count stops rising: without a reader, no writer can then write any more
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
#[tokio::test]
async fn a_slow_protocol_holds_input_back_and_nothing_else() {
    const MESSAGES: usize = 2000;
    let (sender, mut received) = mpsc::unbounded_channel();
    let written = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&written);
    // Ours floods on the right, and hears on the left.
    let ours = functions(move |protocol, mut handle: Handle| {
        let (sender, counter) = (sender.clone(), Arc::clone(&counter));
        async move {
            if protocol == LEFT {
                while let Some(message) = handle.read().await {
                    sender.send(message).map_err(|_| ProtocolError::Other)?;
                }
                return Ok(());
            }
            for _ in 0..MESSAGES {
                handle.write(message(64 * 1024)).await?;
                counter.fetch_add(1, Ordering::Relaxed);
            }
            listen(handle).await
        }
    });
    // `theirs` does not read on the right before its messages on the left have been received.
    let heard = Arc::new(Notify::new());
    let (seen, hears) = (Arc::clone(&written), Arc::clone(&heard));
    let theirs = functions(move |protocol, mut handle: Handle| {
        let (seen, hears) = (Arc::clone(&seen), Arc::clone(&hears));
        async move {
            if protocol == LEFT {
                until_steady(&seen).await;
                handle.write(message(1)).await?;
                return listen(handle).await;
            }
            hears.notified().await;
            for _ in 0..MESSAGES {
                handle.read().await;
            }
            Ok(())
        }
    });
    let watch = async {
        received.recv().await.expect("the left one is heard while the right one is not read");
        let stalled = written.load(Ordering::Relaxed);
        heard.notify_one();
        stalled
    };
    let ((ours, _), stalled) = tokio::join!(meet(&ours, &theirs), watch);
    assert_eq!(ours, Cause::Remote(DisconnectReason::CLIENT_QUITTING));
    assert_eq!(written.load(Ordering::Relaxed), MESSAGES);
    assert!(stalled < MESSAGES / 2, "{stalled} messages were written while nobody read");
}

/// Two large messages wait at most, one of them in the link: a peer cannot have a slow protocol cost more
#[tokio::test]
async fn a_slow_protocol_keeps_few_large_messages() {
    const MESSAGES: usize = 8;
    let len = 16_000_000;
    let written = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&written);
    let ours = functions(move |protocol, handle: Handle| {
        let counter = Arc::clone(&counter);
        async move {
            for _ in 0..if protocol == RIGHT { MESSAGES } else { 0 } {
                handle.write(message(len)).await?;
                counter.fetch_add(1, Ordering::Relaxed);
            }
            listen(handle).await
        }
    });
    let stalled = Arc::new(AtomicUsize::new(0));
    let seen = (Arc::clone(&written), Arc::clone(&stalled));
    let theirs = functions(move |protocol, mut handle: Handle| {
        let (written, stalled) = (Arc::clone(&seen.0), Arc::clone(&seen.1));
        async move {
            if protocol == LEFT {
                return listen(handle).await;
            }
            stalled.store(until_steady(&written).await, Ordering::Relaxed);
            for _ in 0..MESSAGES {
                handle.read().await;
            }
            Ok(())
        }
    });
    assert_eq!(meet(&ours, &theirs).await.1, returned());
    // Two at the other end, and on this side one in the link, one refused by it, one that waits for that and one
    // that was just put in.
    let stalled = stalled.load(Ordering::Relaxed);
    assert!(stalled <= 6, "{stalled} of {MESSAGES} messages were written while nobody read");
}

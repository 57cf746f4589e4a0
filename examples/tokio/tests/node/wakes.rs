//! Who is woken when the ends of a queue are in unusual places

use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use devp2p_proto::{
    Buffers, Config, Entropy, Instant as LinkInstant, Notice, Out, PeerState, Protocol, SecretKey, SharedProtocol,
    Timeouts,
};
use devp2p_tokio::{Driver, Host, Io, Run, Sender, control};
use tokio::io::duplex;
use tokio::select;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};

use crate::{Left, PIPE, QUITTING, Right, builder, link, listen, meet, node, noise};

/// Half a second: no Ping of the link has woken anybody by then
const SOON: Duration = Duration::from_millis(500);

/// One protocol sends by the half that another one of the same link has got
#[tokio::test(start_paused = true)]
async fn a_protocol_may_send_for_another_one() {
    let slot: Arc<Mutex<Option<Sender>>> = Arc::default();
    let (give, take) = (Arc::clone(&slot), slot);
    let left = async move |_, io: Io| {
        let (sender, mut receiver) = io.split();
        *give.lock().unwrap() = Some(sender);
        while receiver.recv().await?.is_some() {}
        Ok(())
    };
    let right = async move |_, _io: Io| {
        sleep(Duration::from_secs(1)).await;
        let mut sender = take.lock().unwrap().take().unwrap();
        sender.send(noise(10)).await?;
        pending().await
    };
    let ours = builder(1).protocol(move || Left(left.clone())).protocol(move || Right(right.clone())).build().unwrap();
    let hear = async |_, mut io: Io| io.recv().await.map(drop);
    let theirs = builder(2).protocol(move || Left(hear)).protocol(|| Right(listen)).build().unwrap();
    let start = Instant::now();
    // The protocol at the other end returns when the message has come.
    let (_near, far) = link(&ours, &theirs);
    _ = far.await;
    assert!(start.elapsed() < Duration::from_secs(1) + SOON, "{:?}", start.elapsed());
}

/// Gives the `Io` of its protocol away
struct GivesAway(mpsc::UnboundedSender<Io>);

impl Host<PeerState<'static>> for GivesAway {
    fn note(&mut self, _: &Notice, _: &mut Out<'_, PeerState<'static>>) {}

    fn start(&mut self, _: SharedProtocol, io: Io) -> Run {
        _ = self.0.send(io);
        Box::pin(pending())
    }
}

/// A driver, and in the same task a future that sends and receives
#[tokio::test(start_paused = true)]
async fn a_driver_may_share_its_task() {
    let theirs = node(2, async |_, mut io: Io| {
        while let Some(message) = io.recv().await? {
            io.send(message).await?;
        }
        Ok(())
    });
    let config = Config::new(SecretKey::from_bytes([1; 32]).unwrap(), "test/1.0", &[Protocol::new("right", 1, 2)]);
    let entropy = Entropy::from_rng(|bytes| getrandom::fill(bytes).unwrap());
    let state =
        PeerState::initiator(LinkInstant::ZERO, &config.unwrap(), theirs.id(), entropy, Buffers::growable()).unwrap();
    let (near, far) = duplex(PIPE);
    let _far = theirs.accept(far);
    let (sender, mut given) = mpsc::unbounded_channel();
    let (_control, commands) = control();
    let driver = Driver::new(LinkInstant::ZERO, state, near, GivesAway(sender), commands);
    let talk = async move {
        let mut io = given.recv().await.unwrap();
        for _ in 0..5 {
            io.send(noise(10)).await.unwrap();
            io.recv().await.unwrap().expect("an echo");
        }
        io
    };
    let start = Instant::now();
    // The driver is polled first, so it has to be woken for what the other one sends.
    select! {
        biased;
        cause = driver => panic!("{cause}"),
        _io = talk => {}
    }
    assert!(start.elapsed() < SOON, "{:?}", start.elapsed());
}

/// Each message takes its time, and the peer has sent many at once: the link goes on meanwhile
#[tokio::test(start_paused = true)]
async fn a_batch_of_messages_makes_room_bit_by_bit() {
    const MESSAGES: usize = 1500;
    let ours = node(1, async |peer, mut io: Io| {
        for _ in 0..MESSAGES {
            io.send(noise(36)).await?;
        }
        listen(peer, io).await
    });
    let theirs = builder(2).timeouts(Timeouts::default()).protocol(|| {
        Right(async |_, mut io: Io| {
            // Meanwhile all of them come.
            sleep(Duration::from_secs(1)).await;
            for _ in 0..MESSAGES {
                io.recv().await?;
                sleep(Duration::from_millis(40)).await;
            }
            Ok(())
        })
    });
    assert_eq!(meet(&ours, &theirs.build().unwrap()).await.0, QUITTING);
}

//! The interface: the properties of its types, and calls as values of `Event`

use devp2p_proto::{
    Action, Buffers, Cause, Config, DisconnectReason, Event, Handled, Instant, NotShared, NotStarted, Outbox,
    PeerState, ProtocolError, ProtocolId, Refused, SentTooMuch, Stage, WriteError,
};
use devp2p_testing::remote::{Scene, body, compressed};
use devp2p_testing::{ALPHA, BETA, observe};

#[test]
fn a_link_is_send_and_sync_and_of_a_known_size() {
    fn is_send_and_sync<T: Send + Sync>() {}
    is_send_and_sync::<PeerState<'_>>();
    is_send_and_sync::<Config>();
    is_send_and_sync::<Buffers<'_>>();
    is_send_and_sync::<Action<'_>>();
    is_send_and_sync::<NotStarted<'_>>();
    is_send_and_sync::<Outbox>();
    #[cfg(feature = "std")]
    is_send_and_sync::<devp2p_proto::Connection>();
    println!("PeerState: {} bytes, Config: {} bytes", size_of::<PeerState<'_>>(), size_of::<Config>());
    assert!(size_of::<PeerState<'_>>() <= 3_584, "{}", size_of::<PeerState<'_>>());
}

/// `handle` does the same as the methods
#[test]
fn events_by_value_are_the_methods() {
    let mut by_method = Scene::running();
    let mut by_event = Scene::running();
    let (now, later) = (by_method.now, Instant::from_millis(15_000));
    let frame = by_method.session().seal(&body(0x10, &compressed(b"in")));
    let same = by_event.session().seal(&body(0x10, &compressed(b"in")));
    let (a, b) = (&mut by_method.node.link, &mut by_event.node.link);
    assert_eq!(b.handle(now, Event::Receive(&same)), Ok(Handled::Received(a.receive(now, &frame))));
    assert_eq!(a.poll().map(observe), b.poll().map(observe));
    let event = Event::Write { protocol: BETA, code: 2, payload: b"out" };
    let written = a.write(now, BETA, 2, b"out").unwrap();
    assert_eq!(b.handle(now, event), Ok(Handled::Written(written)));
    assert_eq!(a.unsent(), b.unsent());
    let refused = Event::Write { protocol: BETA, code: 3, payload: b"out" };
    assert_eq!(b.handle(now, refused), Err(Refused::Write(WriteError::InvalidCode)));
    assert_eq!(b.handle(now, Event::Sent(b.unsent().len() + 1)), Err(Refused::Sent(SentTooMuch)));
    a.sent(now, a.unsent().len()).unwrap();
    assert_eq!(b.handle(now, Event::Sent(b.unsent().len())), Ok(Handled::Done));
    a.handle_timeout(later);
    b.handle(later, Event::Timeout).unwrap();
    assert_eq!((a.unsent(), a.next_timeout()), (b.unsent(), b.next_timeout()));
    assert_eq!(a.unsent().len(), 64, "a Ping");
    a.hold_input(later, true);
    b.handle(later, Event::HoldInput(true)).unwrap();
    assert_eq!(a.next_timeout(), b.next_timeout());
    let failed = Err(ProtocolError::Other);
    assert_eq!(
        b.handle(now, Event::ProtocolReturned(ProtocolId(7), failed)),
        Err(Refused::ProtocolReturned(NotShared))
    );
    a.protocol_returned(later, ALPHA, failed).unwrap();
    b.handle(later, Event::ProtocolReturned(ALPHA, failed)).unwrap();
    assert_eq!((a.cause(), a.unsent()), (b.cause(), b.unsent()));
    b.handle(later, Event::Disconnect(DisconnectReason::REQUESTED)).unwrap();
    b.handle(later, Event::SendFailed).unwrap();
    assert_eq!(b.handle(later, Event::ReceiveClosed), Ok(Handled::Done));
    assert_eq!(
        (b.stage(), b.cause()),
        (
            Stage::Closed,
            Some(Cause::ProtocolFailed {
                protocol: ALPHA,
                capability: "alpha/1".parse().unwrap(),
                error: ProtocolError::Other
            })
        )
    );
    for (event, stage) in [
        (Event::ReceiveClosed, Stage::Closed),
        (Event::SendFailed, Stage::Closing),
        (Event::Disconnect(DisconnectReason::REQUESTED), Stage::Closing),
    ] {
        let mut scene = Scene::running();
        scene.node.link.handle(scene.now, event).unwrap();
        assert_eq!(scene.node.link.stage(), stage);
    }
}

//! The whole of the library's surface, for `.ci/panic-free` to look at the machine code of
//!
//! Not to be run. It calls every public function, so that what is generic is instantiated and what is inlined is
//! inlined. Arguments and results pass through `black_box`, so that nothing is known to the compiler that would
//! let it drop a path.

use core::fmt::{self, Debug, Display, Write};
use core::hint::black_box;
use core::time::Duration;

use devp2p_proto::{
    Action, Buffers, Capability, Cause, Config, DisconnectReason, Enode, Entropy, Event, Instant, Name, Network,
    NodeId, PeerState, Protocol, ProtocolError, ProtocolId, ProtocolSlot, RemoteHello, SecretKey, Timeouts, Violation, batch,
    keccak256, rlp,
};

const MAX_MESSAGE: usize = 1024;

#[unsafe(no_mangle)]
pub fn surface(receive: &mut [u8], transmit: &mut [u8], table: &mut [u16], slots: &mut [ProtocolSlot]) {
    let config = configure();
    let now = black_box(Instant::ZERO);
    while black_box(true) {
        let buffers = Buffers::fixed(black_box(&mut *receive), black_box(&mut *transmit), black_box(&mut *table), black_box(&mut *slots));
        let entropy = Entropy::from_bytes(black_box([0; Entropy::SIZE]));
        [&buffers as &dyn Debug, &entropy].into_iter().for_each(show);
        let link = if black_box(true) {
            let remote = black_box("").parse().unwrap_or(NodeId::new([1; 64]));
            [&remote as &dyn Debug, &remote.hash()].into_iter().for_each(show);
            [&remote as &dyn Display, &remote.hash()].into_iter().for_each(print);
            black_box((remote.as_bytes(), remote.is_zero(), remote.hash().as_bytes()));
            PeerState::initiator(now, &config, remote, entropy, buffers)
        } else {
            PeerState::recipient(now, &config, entropy, buffers)
        };
        match link {
            Ok(mut link) => {
                events(&mut link, now);
                actions(&mut link);
                observers(&link, now);
                black_box(link.into_buffers());
            }
            Err(refusal) => {
                [&refusal as &dyn Debug, &refusal.error].into_iter().for_each(show);
                [&refusal as &dyn Display, &refusal.error].into_iter().for_each(print);
                black_box(refusal.buffers);
            }
        }
        black_box(keccak256(black_box(&[])));
        payloads();
        values(now);
    }
}

#[inline(never)]
fn configure() -> Config {
    loop {
        let Ok(identity) = SecretKey::from_bytes(black_box([1; 32])) else { continue };
        let protocol = Protocol::new(black_box("a"), black_box(1), black_box(2)).with_max_message(black_box(9));
        let protocols = [protocol.with_max_send(black_box(9))];
        let config = Config::new(identity, black_box("client"), black_box(&protocols[..]));
        let config = config.map(|config| config.with_listen_port(black_box(1)).with_send_window(black_box(1)));
        let config = config.and_then(|config| config.with_timeouts(black_box(Timeouts::default())));
        let config = config.and_then(|config| config.with_max_message(black_box(MAX_MESSAGE)));
        if let Ok(config) = config.and_then(|config| config.with_max_send(black_box(MAX_MESSAGE))) {
            config.capabilities().for_each(|capability| print(black_box(&capability)));
            black_box((config.node_id(), config.client_id(), config.listen_port()));
            black_box((config.receive_len(), config.transmit_len()));
            let info = config.node_info(black_box(""), black_box(""), |_, _| black_box(None::<u8>));
            black_box(info.protocols());
            print(&info.enode());
            show(&config);
            return config;
        }
    }
}

#[inline(never)]
fn events(link: &mut PeerState<'_>, now: Instant) {
    let (protocol, payload) = (black_box(ProtocolId(0)), black_box(&[0; 9][..]));
    black_box(link.receive(now, payload));
    black_box(link.write(now, protocol, black_box(1), payload).is_ok());
    black_box(link.write_with(now, protocol, black_box(1), black_box(9), |room| black_box(room.len())).is_ok());
    black_box((link.sent(now, black_box(1)).is_ok(), link.ping(now).is_ok()));
    black_box(link.protocol_returned(now, protocol, black_box(Err(ProtocolError::Other))).is_ok());
    batch::write(now, [(black_box(7), &mut *link, protocol)], black_box(1), payload, |key, outcome| _ = black_box((key, outcome)));
    batch::receive(now, [(black_box(7), &mut *link, payload)], |key, taken| _ = black_box((key, taken)));
    link.receive_closed(now);
    link.hold_input(now, black_box(true));
    link.handle_timeout(now);
    link.send_failed(now);
    link.disconnect(now, black_box(DisconnectReason::REQUESTED));
    let event = black_box(Event::Receive(payload));
    show(&event);
    match link.handle(now, event) {
        Ok(handled) => {
            show(&handled);
        }
        Err(refused) => {
            show(&refused);
            print(&refused);
        }
    }
}

#[inline(never)]
fn actions(link: &mut PeerState<'_>) {
    while let Some(action) = link.poll() {
        black_box(action.message_event());
        show(&action);
        match action {
            Action::Ready(ready) => {
                ready.shared().for_each(|shared| _ = black_box(shared));
                hello(ready.hello());
            }
            Action::Deliver { payload, .. } => drop(black_box((&payload[..], payload.wire_len()))),
            Action::Disconnect(cause) => {
                print(&cause);
                black_box((cause.reason().code(), cause.is_remote(), cause.sent_reason()));
            }
            other => drop(black_box(other)),
        }
    }
}

#[inline(never)]
fn hello(hello: &RemoteHello) {
    black_box((hello.version(), hello.client_id(), hello.capabilities(), hello.omitted_capabilities()));
    black_box(hello.listen_port());
}

#[inline(never)]
fn observers(link: &PeerState<'_>, now: Instant) {
    black_box((link.next_timeout(), link.next_timer(), link.stage(), link.cause(), link.role()));
    let protocol = black_box(ProtocolId(0));
    black_box((link.local_id().hash(), link.remote_id(), link.unsent(), link.age(now), link.write_capacity(protocol)));
    black_box((link.is_remote_proven(), link.remote_hello().is_some(), link.wants_input(), link.traffic(protocol)));
    black_box(link.liveness());
    link.shared().for_each(|shared| _ = black_box(shared));
    if let Some(info) = link.peer_info(Network::default(), |_| black_box(None::<u8>)) {
        black_box(info.protocols());
        print(&info.enode());
    }
    show(link);
}

/// A subprotocol's own messages
#[inline(never)]
fn payloads() {
    let mut buffer = black_box([0; 64]);
    let mut writer = rlp::Writer::new(&mut buffer);
    writer.list(|list| {
        list.uint(black_box(1));
        list.bytes(black_box(&[1, 2]));
        list.list(|list| list.raw(black_box(&[0x80])));
    });
    black_box(writer.finish().is_ok());
    black_box(rlp::validate(black_box(&buffer)).is_ok());
    let mut reader = rlp::Reader::new(black_box(&buffer));
    if let Ok(mut list) = reader.list() {
        black_box((list.uint().is_ok(), list.bytes().is_ok(), list.item().is_ok(), list.array::<4>().is_ok()));
        black_box((list.raw().is_ok(), list.only_list().is_ok(), rlp::uint_len(black_box(1))));
        black_box((list.is_empty(), list.remaining(), list.finish().is_ok()));
    }
}

/// The rest of what has methods of its own
#[inline(never)]
fn values(now: Instant) {
    if let Some(name) = Name::new(black_box(&[])) {
        black_box((name.as_bytes(), name.as_str()));
        show(&name);
    }
    let (name, capability) = (black_box("").parse::<Name>(), black_box("").parse::<Capability>());
    let enode = black_box("").parse::<Enode>();
    [&name as &dyn Debug, &capability, &enode].into_iter().for_each(show);
    if let Ok(enode) = enode {
        print(&enode);
    }
    print(&now);
    let later = now.checked_add(black_box(Duration::ZERO));
    black_box((now.as_millis(), later, now.saturating_since(black_box(now)), Instant::from_millis(black_box(1))));
    black_box((now.as_nanos(), Instant::from_nanos(black_box(1)), Instant::from(black_box(Duration::ZERO))));
    let (cause, error) = (black_box(Cause::ReceiveClosed), black_box(ProtocolError::Other));
    let (violation, reason) = (black_box(Violation::EmptyFrame), DisconnectReason::from_code(black_box(1)));
    [&cause as &dyn Display, &error, &violation, &reason].into_iter().for_each(print);
    black_box((error.reason(), violation.reason(), violation.is_answered(), reason.code(), reason.name()));
    black_box(Entropy::from_rng(|bytes| _ = black_box(bytes)));
}

#[inline(never)]
fn show(value: &dyn Debug) {
    _ = write!(Sink, "{value:?}");
}

#[inline(never)]
fn print(value: &dyn Display) {
    _ = write!(Sink, "{value}");
}

/// Takes text, and does nothing with it
struct Sink;

impl Write for Sink {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        black_box(text);
        Ok(())
    }
}

/// What needs an allocator
#[cfg(feature = "alloc")]
#[unsafe(no_mangle)]
pub fn surface_with_allocator() {
    use devp2p_proto::Outbox;
    let now = black_box(Instant::ZERO);
    let (config, remote) = (configure(), NodeId::new(black_box([1; 64])));
    while black_box(true) {
        let entropy = Entropy::from_bytes(black_box([0; Entropy::SIZE]));
        let Ok(mut link) = PeerState::initiator(now, &config, remote, entropy, Buffers::growable()) else { return };
        events(&mut link, now);
        observers(&link, now);
        let mut outbox = Outbox::new(ProtocolId(0), black_box(9));
        let message = black_box(&[1_u8; 9][..]);
        black_box(outbox.send(1, message, |protocol, code, message| link.write(now, protocol, code, message)).is_ok());
        black_box(outbox.flush(|protocol, code, message| link.write(now, protocol, code, message)).is_ok());
        black_box((outbox.protocol(), outbox.is_empty(), outbox.bytes()));
        show(&outbox);
        #[cfg(feature = "rlp")]
        black_box(link.write_rlp(now, ProtocolId(0), black_box(1), &black_box(7_u64)).is_ok());
        while let Some(action) = link.poll() {
            if let Action::Deliver { payload, .. } = action {
                #[cfg(feature = "rlp")]
                black_box((payload.decode::<u64>().is_ok(), rlp::decode::<u64>(&payload).is_ok()));
                black_box(payload.into_bytes());
            }
        }
        black_box(link.into_buffers());
    }
}

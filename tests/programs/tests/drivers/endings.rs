//! Peers that break off, fall silent or talk nonsense

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use devp2p_program_tests::NEVER;
use devp2p_program_tests::driver::{Driver, Message, node};
use devp2p_program_tests::memory::Process;
use devp2p_program_tests::program::{Place, Program, until_quiet};
use devp2p_proto::{MAX_MESSAGE, Protocol, ProtocolId};
use devp2p_testing::remote::{HELLO, Handshake, Hello, PING, REMOTE, Session, body, compressed};

every_driver!(
    []
    half_close,
    reset,
    stops_reading,
    pings_and_stops_reading,
    sends_large_zeros_and_never_reads,
    dies_in_a_message,
    nonsense,
    connect_is_refused,
    connect_never_answers,
    handshake_never_answers,
    wrong_key,
    breach,
    refused_beyond_the_limit,
);

const PROTOCOLS: [Protocol<'static>; 1] = [Protocol::new("echo", 2, 17)];

/// A remote of ours that listens
struct Remote {
    listener: TcpListener,
    config: devp2p_proto::Config,
}

impl Remote {
    fn new() -> Self {
        Self { listener: TcpListener::bind("127.0.0.1:0").expect("a free port"), config: node(&PROTOCOLS) }
    }

    fn place(&self) -> Place {
        Place { id: self.config.node_id(), address: self.listener.local_addr().expect("bound") }
    }

    fn accept(&self) -> TcpStream {
        self.listener.accept().expect("somebody dials").0
    }

    /// Goes on to where messages are exchanged
    fn meet(&self) -> Driver {
        let mut remote = Driver::recipient(&self.config, self.accept());
        until_ready(&mut remote);
        remote
    }
}

/// A remote of ours that dials
fn dialled(place: Place) -> Driver {
    let stream = TcpStream::connect(place.address).expect("it listens");
    let mut remote = Driver::initiator(&node(&PROTOCOLS), place.id, stream);
    until_ready(&mut remote);
    remote
}

fn until_ready(remote: &mut Driver) {
    let deadline = Instant::now() + NEVER;
    while !remote.is_ready() {
        assert!(Instant::now() < deadline && remote.cause().is_none(), "{:?}", remote.log());
        remote.turn(Duration::from_millis(50));
    }
}

/// Reads to the end of the stream, whatever comes
fn until_closed(socket: &TcpStream) {
    socket.set_read_timeout(Some(NEVER)).expect("a TCP socket");
    let mut socket = socket;
    // A reset is an end as good as any.
    if let Err(error) = std::io::copy(&mut socket, &mut std::io::sink()) {
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    }
}

/// The remote sends nothing more, but would still read
fn half_close(driver: &str) {
    let remote = Remote::new();
    let program = Program::dial(driver, remote.place(), "--stay");
    let socket = remote.meet();
    socket.socket().shutdown(Shutdown::Write).expect("open");
    until_closed(socket.socket());
    program.fail("ended 0x1 connection closed by the peer");

    let (mut program, place) = Program::listen(driver, "--links 2");
    let socket = dialled(place);
    socket.socket().shutdown(Shutdown::Write).expect("open");
    until_closed(socket.socket());
    program.wait("1 ended 0x1 connection closed by the peer");
    still_serves(driver, place);
    program.fail("2 ended 0x8");
}

/// The remote goes with our bytes unread, which resets the connection
fn reset(driver: &str) {
    let (mut program, place) = Program::listen(driver, "--links 2 --send 500 --take 0 --size 16000");
    let remote = dialled(place);
    thread::sleep(Duration::from_millis(100));
    drop(remote);
    program.wait("1 ended 0x1");
    let options = "--take 500 --size 16000";
    Program::dial(driver, place, options).succeed();
    program.fail("2 ended 0x8");
}

/// The remote is there and takes nothing
fn stops_reading(driver: &str) {
    let remote = Remote::new();
    let options = "--send 2000 --take 0 --size 16000 --timeouts write=3000,linger=200";
    let program = Program::dial(driver, remote.place(), options);
    let silent = remote.meet();
    program.fail("ended 0x1 write timeout");
    drop(silent);
}

/// The remote asks for more Pongs than it takes; the second one has to wait for the first, and input for it
fn pings_and_stops_reading(driver: &str) {
    let options = "--links 1 --protocols alpha/1:4 --send 3000 --take 1 --size 16000";
    let (mut program, place) = Program::listen(driver, options);
    let mut socket = TcpStream::connect(place.address).expect("it listens");
    let mut session = scripted_handshake(&mut socket, place);
    let hello = session.seal(&body(HELLO, &Hello::fitting(REMOTE).encode()));
    socket.write_all(&hello).expect("open");
    program.wait(" ready ");
    // By then its socket is full.
    until_quiet(&[&program]);
    let pings: Vec<u8> = (0..20).flat_map(|_| session.seal(&body(PING, &compressed(&[0xc0])))).collect();
    socket.write_all(&pings).expect("open");

    until_quiet(&[&program]);
    drop(socket);
    program.fail("ended 0x1");
}

/// Each message is 16 MiB of zeros that fit into 780 KB on the wire, and the echo would be as large
fn sends_large_zeros_and_never_reads(driver: &str) {
    let (mut program, place) = Program::listen(driver, "--links 1 --protocols alpha/1:4");
    let mut socket = TcpStream::connect(place.address).expect("it listens");
    let mut session = scripted_handshake(&mut socket, place);
    let hello = session.seal(&body(HELLO, &Hello::fitting(REMOTE).encode()));
    socket.write_all(&hello).expect("open");
    program.wait(" ready ");
    let zeros = body(0x10, &compressed(&vec![0; MAX_MESSAGE]));
    // Until the program takes no more
    socket.set_write_timeout(Some(Duration::from_secs(1))).expect("a TCP socket");
    while socket.write_all(&session.seal(&zeros)).is_ok() {}
    until_quiet(&[&program]);
    let peak = Process(program.id()).peak();
    assert!(peak < 64 * 1024, "{peak} KiB");
    drop(socket);
    program.fail("ended 0x1");
}

fn scripted_handshake(socket: &mut TcpStream, place: Place) -> Session {
    let handshake = Handshake::new(REMOTE);
    let auth = handshake.auth(&place.id);
    socket.write_all(&auth).expect("open");
    let mut ack = vec![0; 2];
    socket.read_exact(&mut ack).expect("the size of an ack");
    ack.resize(2 + usize::from(ack[0]) * 256 + usize::from(ack[1]), 0);
    socket.read_exact(&mut ack[2..]).expect("an ack");
    handshake.initiator_session(&auth, &ack)
}

fn dies_in_a_message(driver: &str) {
    let (mut program, place) = Program::listen(driver, "--links 2");
    let mut remote = dialled(place);
    remote.send(Message { protocol: ProtocolId(0), code: 0, payload: vec![1; 100_000] });
    // The first turn seals it and begins to send it; a copy of the socket damages what follows.
    let mut socket = remote.socket().try_clone().expect("open");
    remote.turn(Duration::from_millis(1));
    socket.write_all(&[0; 20]).expect("open");
    remote.die();
    drop(socket);
    program.wait("1 ended");
    still_serves(driver, place);
    program.fail("2 ended 0x8");
}

fn nonsense(driver: &str) {
    let (mut program, place) = Program::listen(driver, "--links 2");
    let mut socket = TcpStream::connect(place.address).expect("it listens");
    // As long as an auth packet may be, and nothing of the kind.
    socket.write_all(&[1, 0x90]).and_then(|()| socket.write_all(&[0x55; 0x190])).expect("open");
    until_closed(&socket);
    program.wait("1 ended");
    still_serves(driver, place);
    program.fail("2 ended 0x8");
}

fn still_serves(driver: &str, place: Place) {
    Program::dial(driver, place, "--send 10").succeed();
}

fn connect_is_refused(driver: &str) {
    let place = Remote::new().place();
    Program::dial(driver, place, "").fail("1 ");
}

/// A full backlog: the kernel itself does not answer
fn connect_never_answers(driver: &str) {
    let remote = Remote::new();
    let place = remote.place();
    let connect = |_| TcpStream::connect_timeout(&place.address, Duration::from_millis(300));
    let backlog: Vec<TcpStream> = (0..800).map(connect).map_while(Result::ok).collect();
    let program = Program::dial(driver, place, "--timeouts handshake=3000");
    let (success, lines) = program.finish();
    assert!(!success && lines.iter().any(|line| line.starts_with("1 ")), "{lines:#?}");
    assert!(
        !lines.iter().any(|line| line.contains("os error")),
        "the timeout of the kernel came before that of the driver: {lines:#?}"
    );
    drop(backlog);
}

fn handshake_never_answers(driver: &str) {
    let remote = Remote::new();
    let program = Program::dial(driver, remote.place(), "--timeouts handshake=3000");
    let mut socket = remote.accept();
    program.fail("ended 0xb handshake timeout");
    let mut auth = Vec::new();
    // The program is gone: closed or reset, the stream ends.
    let _ = socket.read_to_end(&mut auth);
    assert!(auth.len() > 300, "{} bytes of auth", auth.len());
}

/// Not the node that was dialled
fn wrong_key(driver: &str) {
    let remote = Remote::new();
    let place = Place { id: node(&PROTOCOLS).node_id(), ..remote.place() };
    let program = Program::dial(driver, place, "");
    let mut driver = Driver::recipient(&remote.config, remote.accept());
    while driver.cause().is_none() {
        driver.turn(Duration::from_millis(50));
    }
    program.fail("1 ended");
}

/// A message that is not what the protocol expects
fn breach(driver: &str) {
    let remote = Remote::new();
    let program = Program::dial(driver, remote.place(), "--take 1");
    let mut remote = remote.meet();
    remote.send(Message { protocol: ProtocolId(0), code: 5, payload: vec![1; 10] });
    let deadline = Instant::now() + NEVER;
    while remote.cause().is_none() {
        assert!(Instant::now() < deadline, "{:?}", remote.log());
        remote.turn(Duration::from_millis(50));
    }
    let cause = remote.cause().expect("it has ended").to_string();
    assert_eq!(cause, "remote disconnected: breach of protocol");
    program.fail("ended 0x2 echo/2 failed: bad message");
}

/// A connection too many is closed before anything is read or computed, and there is room again afterwards
fn refused_beyond_the_limit(driver: &str) {
    let (mut listener, place) = Program::listen(driver, "--links 2 --max-inbound 1");
    let mut first = Program::dial(driver, place, "--stay");
    first.wait(" ready ");
    for _ in 0..3 {
        let socket = TcpStream::connect(place.address).expect("it listens");
        until_closed(&socket);
    }
    Program::dial(driver, place, "").fail("ended 0x1");
    first.interrupt();
    first.succeed();
    listener.wait("1 ended");
    still_serves(driver, place);
    listener.succeed();
}

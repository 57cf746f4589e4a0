//! A remote of our own, which the test plays move by move: it offers what geth offers and says what no geth says

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::time::{Duration, Instant as Clock};

use devp2p_drivers::transient::is_transient;
use devp2p_program_tests::NEVER;
use devp2p_program_tests::driver::patient;
use devp2p_proto::{
    Action, Buffers, Cause, Config, DisconnectReason, Enode, Entropy, Instant, PeerState, Protocol, ProtocolId,
    SecretKey,
};
use rlp::Encodable;

pub const ETH: ProtocolId = ProtocolId(0);
pub const SNAP: ProtocolId = ProtocolId(1);

/// A node that listens
pub struct Listener {
    socket: TcpListener,
    config: Config,
}

/// A link to the program under test, which has dialled or was dialled
pub struct Remote {
    link: PeerState<'static>,
    socket: TcpStream,
    started: Clock,
    rest: Vec<u8>,
    refuse: Option<DisconnectReason>,
}

/// What the link brought
#[derive(Debug)]
pub enum Seen {
    Ready,
    Message { protocol: ProtocolId, code: u64, payload: Vec<u8> },
    Ended(Cause),
}

impl Listener {
    pub fn new(protocols: &[Protocol<'_>]) -> Self {
        Self::named("remote/1.0", protocols)
    }

    pub fn named(client_id: &str, protocols: &[Protocol<'_>]) -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").expect("a port");
        Self { socket, config: configured(client_id, protocols) }
    }

    /// With eth/69 and snap/1
    pub fn ethereum() -> Self {
        Self::new(&[Protocol::new("eth", 69, 18), Protocol::new("snap", 1, 8)])
    }

    pub fn url(&self) -> String {
        Enode { node_id: self.config.node_id(), address: self.socket.local_addr().expect("an address") }.to_string()
    }

    pub fn accept(&self) -> Remote {
        let (socket, _) = self.socket.accept().expect("somebody dials");
        let link = PeerState::recipient(Instant::ZERO, &self.config, entropy(), Buffers::growable());
        Remote::new(link.expect("a link"), socket)
    }

    /// Accepts, and goes on until the link is ready
    pub fn meet(&self) -> Remote {
        self.accept().until_ready()
    }
}

fn configured(client_id: &str, protocols: &[Protocol<'_>]) -> Config {
    let mut key = [0; 32];
    getrandom::fill(&mut key).expect("randomness");
    let key = SecretKey::from_bytes(key).expect("a key");
    let config = Config::new(key, client_id, protocols).and_then(|config| config.with_timeouts(patient()));
    config.expect("a configuration")
}

fn entropy() -> Entropy {
    Entropy::from_rng(|bytes| getrandom::fill(bytes).expect("randomness"))
}

impl Remote {
    fn new(link: PeerState<'static>, socket: TcpStream) -> Self {
        socket.set_read_timeout(Some(Duration::from_millis(10))).expect("a socket");
        Self { link, socket, started: Clock::now(), rest: Vec::new(), refuse: None }
    }

    /// Dials a node
    pub fn dial(node: Enode, protocols: &[Protocol<'_>]) -> Self {
        let socket = TcpStream::connect(node.address).expect("somebody listens");
        let config = configured("visitor/1.0", protocols);
        let link = PeerState::initiator(Instant::ZERO, &config, node.node_id, entropy(), Buffers::growable());
        Self::new(link.expect("a link"), socket)
    }

    /// Goes on until the link is ready
    pub fn until_ready(mut self) -> Self {
        match self.next() {
            Seen::Ready => self,
            other => panic!("{other:?} before Ready"),
        }
    }

    /// Refuses the link: sends Disconnect in place of Hello
    pub fn refuse(mut self, reason: DisconnectReason) {
        self.refuse = Some(reason);
        self.wait_for_end();
    }

    /// The next thing of interest
    pub fn next(&mut self) -> Seen {
        let deadline = Clock::now() + NEVER;
        loop {
            if let Some(seen) = self.turn() {
                return seen;
            }
            assert!(Clock::now() < deadline, "nothing happens");
        }
    }

    /// Does what the link asks for; if the test need not see any of that, reads for a moment
    pub fn turn(&mut self) -> Option<Seen> {
        if let Some(seen) = self.act() {
            return Some(seen);
        }
        let mut buffer = [0; 16 * 1024];
        if self.rest.is_empty() {
            match self.socket.read(&mut buffer) {
                Ok(0) => self.link.receive_closed(self.now()),
                Ok(len) => self.rest.extend_from_slice(&buffer[..len]),
                Err(error) if is_transient(&error) => {}
                Err(_) => self.link.receive_closed(self.now()),
            }
        }
        let taken = self.link.receive(self.now(), &self.rest);
        self.rest.drain(..taken);
        self.link.handle_timeout(self.now());
        None
    }

    fn act(&mut self) -> Option<Seen> {
        loop {
            let now = self.now();
            match self.link.poll()? {
                Action::IdentityClaimed(_) => {
                    if let Some(reason) = self.refuse {
                        self.link.disconnect(now, reason);
                    }
                }
                Action::Ready(_) => return Some(Seen::Ready),
                Action::Deliver { protocol, code, payload } => {
                    return Some(Seen::Message { protocol, code, payload: payload.to_vec() });
                }
                Action::Send(_) => self.flush(),
                Action::Disconnect(cause) => {
                    // The program may wait until the connection is closed, or may have closed it first.
                    let _ = self.socket.shutdown(Shutdown::Both);
                    return Some(Seen::Ended(cause));
                }
                _ => {}
            }
        }
    }

    /// The payload of the next message, which must have this code
    #[track_caller]
    pub fn expect(&mut self, protocol: ProtocolId, code: u64) -> Vec<u8> {
        match self.next() {
            Seen::Message { protocol: by, code: is, payload } if (by, is) == (protocol, code) => payload,
            other => panic!("{other:?} instead of code {code} of {protocol}"),
        }
    }

    pub fn send(&mut self, protocol: ProtocolId, code: u64, message: &impl Encodable) {
        self.send_raw(protocol, code, &rlp::encode(message));
    }

    pub fn send_raw(&mut self, protocol: ProtocolId, code: u64, payload: &[u8]) {
        self.link.write(self.now(), protocol, code, payload).expect("room");
        self.flush();
    }

    /// Has the socket take all that is unsent
    fn flush(&mut self) {
        while !self.link.unsent().is_empty() {
            let now = self.now();
            match self.socket.write(self.link.unsent()) {
                Ok(len) => self.link.sent(now, len).expect("as many as were there"),
                Err(_) => self.link.send_failed(now),
            }
        }
    }

    /// Sends a message many times over and reads nothing, until the peer has had enough
    pub fn flood(&mut self, protocol: ProtocolId, code: u64, message: &impl Encodable, count: usize) {
        for _ in 0..count {
            if self.link.cause().is_some() {
                return;
            }
            self.send(protocol, code, message);
        }
    }

    pub fn disconnect(&mut self, reason: DisconnectReason) {
        self.link.disconnect(self.now(), reason);
        self.wait_for_end();
    }

    /// Waits for a message or a Ping: the program's own loop has begun by then
    pub fn wait_for_first_word(&mut self) {
        let deadline = Clock::now() + NEVER;
        while self.link.liveness().pings_received == 0 && !matches!(self.turn(), Some(Seen::Message { .. })) {
            assert!(Clock::now() < deadline, "nothing happens");
        }
    }

    /// How the link ends, whatever comes before
    pub fn wait_for_end(&mut self) -> Cause {
        loop {
            if let Seen::Ended(cause) = self.next() {
                return cause;
            }
        }
    }

    fn now(&self) -> Instant {
        Instant::from(self.started.elapsed())
    }
}

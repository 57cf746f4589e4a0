//! The kinds of hostile peers

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::OnceLock;

use devp2p_program_tests::program::Place;
use devp2p_testing::remote::{DISCONNECT, HELLO, Handshake, Hello, PING, REMOTE, Session, body, compressed};

/// A kind of hostile peer
pub struct Kind {
    pub name: &'static str,
    /// Who closes such a connection
    pub closes: Who,
    attack: Attack,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// The node, by a timeout or because of what it was sent
    Node,
    /// Only the peer itself, as long as a wave takes
    Attacker,
}

enum Attack {
    /// The first bytes of an auth packet, as many as this, and no more
    Start(usize),
    /// An auth packet, a byte at a time
    Trickle,
    /// A complete handshake, and then these bytes
    Frames(fn(&mut Session) -> Vec<u8>),
}

pub const KINDS: &[Kind] = &[
    Kind { name: "silent", closes: Who::Node, attack: Attack::Start(0) },
    Kind { name: "an auth packet, a byte at a time", closes: Who::Node, attack: Attack::Trickle },
    Kind { name: "the size of an auth packet, and nothing else", closes: Who::Node, attack: Attack::Start(3) },
    Kind { name: "an auth packet without its last byte", closes: Who::Node, attack: Attack::Start(usize::MAX) },
    Kind { name: "a complete handshake, and then nothing", closes: Who::Node, attack: Attack::Frames(|_| Vec::new()) },
    Kind {
        name: "the header of a frame of 16 MiB, and nothing else",
        closes: Who::Attacker,
        attack: Attack::Frames(large_header),
    },
    Kind {
        name: "500 frames of one byte",
        closes: Who::Attacker,
        attack: Attack::Frames(|session| flood(session, 0x0f, &[], 500)),
    },
    Kind {
        name: "500 Pings",
        closes: Who::Attacker,
        attack: Attack::Frames(|session| flood(session, PING, &compressed(&[0xc0]), 500)),
    },
    Kind {
        name: "50 messages of 2 KiB with a reserved id",
        closes: Who::Attacker,
        attack: Attack::Frames(|session| flood(session, 0x0f, &[0x5a; 2_048], 50)),
    },
    Kind {
        name: "500 Disconnects",
        closes: Who::Node,
        attack: Attack::Frames(|session| flood(session, DISCONNECT, &compressed(&[0xc1, 0x04]), 500)),
    },
    Kind { name: "a Hello with 600 capabilities", closes: Who::Attacker, attack: Attack::Frames(large_hello) },
];

/// A connection of a hostile peer
pub struct Connection {
    socket: TcpStream,
    /// The bytes that are sent later, one at a time
    rest: &'static [u8],
}

impl Kind {
    /// Connects, and sends the bytes that are sent at once
    pub fn open(&self, place: Place) -> Connection {
        let mut socket = TcpStream::connect(place.address).expect("it listens");
        socket.set_nodelay(true).expect("a TCP socket");
        let auth = auth(place);
        let (bytes, rest) = match self.attack {
            Attack::Start(len) => (auth[..len.min(auth.len() - 1)].to_vec(), &[][..]),
            Attack::Trickle => (Vec::new(), auth),
            Attack::Frames(frames) => (frames(&mut shake_hands(&mut socket, auth)), &[][..]),
        };
        socket.write_all(&bytes).expect("it is taken");
        Connection { socket, rest }
    }
}

impl Connection {
    /// Sends the next byte, if there is one
    pub fn go_on(&mut self) {
        if let Some((byte, rest)) = self.rest.split_first() {
            self.rest = rest;
            // If the node has closed the connection, the write may fail.
            let _ = self.socket.write_all(&[*byte]);
        }
    }
}

/// An auth packet for this node; all peers send the same one
fn auth(place: Place) -> &'static [u8] {
    static AUTH: OnceLock<Vec<u8>> = OnceLock::new();
    AUTH.get_or_init(|| Handshake::new(REMOTE).auth(&place.id))
}

fn shake_hands(socket: &mut TcpStream, auth: &[u8]) -> Session {
    socket.write_all(auth).expect("it is taken");
    let mut ack = vec![0; 2];
    socket.read_exact(&mut ack).expect("an ack");
    ack.resize(2 + usize::from(u16::from_be_bytes([ack[0], ack[1]])), 0);
    socket.read_exact(&mut ack[2..]).expect("all of it");
    Handshake::new(REMOTE).initiator_session(auth, &ack)
}

fn hello(session: &mut Session, capabilities: Vec<(Vec<u8>, u64)>) -> Vec<u8> {
    session.seal(&body(HELLO, &Hello { capabilities, ..Hello::fitting(REMOTE) }.encode()))
}

fn shared() -> (Vec<u8>, u64) {
    (b"echo".to_vec(), 2)
}

fn large_hello(session: &mut Session) -> Vec<u8> {
    let mut capabilities = vec![(b"a".to_vec(), 1); 600];
    capabilities.push(shared());
    hello(session, capabilities)
}

/// A Hello, and then the same frame again and again
fn flood(session: &mut Session, id: u64, payload: &[u8], times: usize) -> Vec<u8> {
    let mut bytes = hello(session, vec![shared()]);
    let body = body(id, payload);
    (0..times).for_each(|_| bytes.extend(session.seal(&body)));
    bytes
}

fn large_header(session: &mut Session) -> Vec<u8> {
    let mut bytes = hello(session, vec![shared()]);
    bytes.extend(&session.seal_with_header(&[0xff, 0xff, 0xff, 0xc2, 0x80, 0x80], &[])[..32]);
    bytes
}

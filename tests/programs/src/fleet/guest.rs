//! One inbound connection of a test node

use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;
use std::time::Instant as Clock;

use devp2p_drivers::eth::chain::Chain;
use devp2p_drivers::eth::fork::{ForkId, Forks};
use devp2p_drivers::eth::hash::Hash;
use devp2p_drivers::eth::status::Status;
use devp2p_proto::{Action, Buffers, Cause, DisconnectReason, Entropy, Instant, PeerState, ProtocolId};
use mio::net::TcpStream;

use super::kind::{Kind, Then};
use super::place::Place;
use super::script;

const ETH: ProtocolId = ProtocolId(0);
/// Codes of `eth`
const STATUS: u64 = 0;
const TRANSACTIONS: u64 = 2;

pub struct Guest {
    kind: Kind,
    socket: TcpStream,
    part: Part,
    started: Clock,
    /// Why its link has ended
    cause: Option<Cause>,
}

/// What the test node does on this connection
enum Part {
    /// A link, which ends or falls silent at some point
    Link(Box<PeerState<'static>>),
    /// Waits for auth, and then answers it with bytes that are wrong
    Liar {
        auth: Vec<u8>,
    },
    /// Reads, and sends nothing, until the peer closes
    Mute,
    Over,
}

impl Guest {
    pub fn new(place: &Place, socket: TcpStream) -> Self {
        // Small frames are not to wait for one another.
        let _ = socket.set_nodelay(true);
        let kind = place.kind;
        let part = match kind {
            Kind::Hangs(Then::Accepted) | Kind::Vanishes(Then::Accepted) => Part::Mute,
            Kind::Web | Kind::Noise | Kind::WrongMac | Kind::Impostor | Kind::Oversized => {
                Part::Liar { auth: Vec::new() }
            }
            _ => {
                let entropy = Entropy::from_rng(|bytes| getrandom::fill(bytes).expect("randomness"));
                let link = PeerState::recipient(Instant::ZERO, &place.config, entropy, Buffers::growable());
                Part::Link(Box::new(link.expect("a link")))
            }
        };
        let guest = Self { kind, socket, part, started: Clock::now(), cause: None };
        if kind == Kind::Vanishes(Then::Accepted) {
            guest.close();
        }
        guest
    }

    /// Does all that can be done now; returns whether the connection is over
    pub fn is_over(&mut self) -> bool {
        let mut buffer = [0; 16 * 1024];
        self.act();
        while !matches!(self.part, Part::Over) {
            match self.socket.read(&mut buffer) {
                Ok(0) => self.hear_end(),
                Ok(len) => self.hear(&buffer[..len]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return false,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => self.part = Part::Over,
            }
        }
        true
    }

    /// Whether the peer has disconnected with `CLIENT_QUITTING`
    pub fn was_told_goodbye(&self) -> bool {
        self.cause == Some(Cause::Remote(DisconnectReason::CLIENT_QUITTING))
    }

    fn hear(&mut self, mut bytes: &[u8]) {
        let now = self.now();
        while !bytes.is_empty() {
            match &mut self.part {
                Part::Link(link) => {
                    let taken = link.receive(now, bytes);
                    bytes = &bytes[taken..];
                    self.act();
                }
                Part::Liar { auth } => {
                    auth.extend_from_slice(bytes);
                    if script::auth_len(auth) == Some(auth.len()) {
                        let lie = script::answer(self.kind, auth);
                        self.part = Part::Mute;
                        self.send(&lie);
                    }
                    return;
                }
                Part::Mute | Part::Over => return,
            }
        }
    }

    fn hear_end(&mut self) {
        let now = self.now();
        match &mut self.part {
            Part::Link(link) => {
                link.receive_closed(now);
                self.act();
                // The link may still wait for a timeout, but there is no peer any more.
                self.part = Part::Over;
            }
            _ => self.part = Part::Over,
        }
    }

    /// Does what the link asks for, up to the point at which this node falls silent
    fn act(&mut self) {
        let now = self.now();
        while let Part::Link(link) = &mut self.part {
            match link.poll() {
                None => return,
                Some(Action::Send(bytes)) => {
                    let len = bytes.len();
                    if self.socket.write(bytes).is_ok_and(|sent| sent == len) {
                        link.sent(now, len).expect("what was offered");
                    } else {
                        link.send_failed(now);
                    }
                }
                Some(Action::IdentityClaimed(_)) => {
                    if let Some(reason) = self.kind.refuses() {
                        link.disconnect(now, reason);
                    } else if self.ceases_at(Then::HandshakeDone) {
                        // The ack, and no Hello
                        self.send_unsent();
                        return self.cease();
                    }
                }
                Some(Action::Ready(_)) => self.begin(now),
                Some(Action::Disconnect(cause)) => {
                    self.cause = Some(cause);
                    self.close();
                    self.part = Part::Mute;
                }
                Some(_) => {}
            }
        }
    }

    /// Hellos are exchanged
    fn begin(&mut self, now: Instant) {
        if self.ceases_at(Then::HelloSaid) {
            return self.cease();
        }
        let Part::Link(link) = &mut self.part else {
            return;
        };
        match self.kind {
            Kind::Fickle => link.disconnect(now, DisconnectReason::ALREADY_CONNECTED),
            Kind::BadStatus => drop(link.write(now, ETH, STATUS, &[0xc1, 0x05]).expect("room")),
            Kind::Stranger | Kind::Silent => {}
            Kind::Loud => {
                // Compressed it is small, so that any socket takes it.
                link.write(now, ETH, TRANSACTIONS, &[0; 64 * 1024]).expect("room");
                link.write(now, ETH, STATUS, &status()).expect("room");
            }
            _ => drop(link.write(now, ETH, STATUS, &status()).expect("room")),
        }
        if self.ceases_at(Then::StatusSent) {
            self.send_unsent();
            self.cease();
        }
    }

    fn ceases_at(&self, then: Then) -> bool {
        self.kind == Kind::Vanishes(then) || self.kind == Kind::Hangs(then)
    }

    fn cease(&mut self) {
        self.part = Part::Mute;
        if matches!(self.kind, Kind::Vanishes(_)) {
            self.close();
        }
    }

    /// Sends all unsent bytes of the link
    fn send_unsent(&mut self) {
        if let Part::Link(link) = &mut self.part {
            let bytes = link.unsent().to_vec();
            self.send(&bytes);
        }
    }

    /// Sends bytes, which are so few for one peer that any socket takes them
    fn send(&mut self, bytes: &[u8]) {
        // The peer may be gone.
        let _ = self.socket.write_all(bytes);
    }

    /// Ends the stream after what was sent, as a process that exits does
    ///
    /// The socket stays open until the peer closes too. If a socket is closed with unread bytes in it, the system
    /// resets the connection, and the peer may not be able to read what was sent last.
    fn close(&self) {
        // The peer may be gone.
        let _ = self.socket.shutdown(Shutdown::Write);
    }

    fn now(&self) -> Instant {
        Instant::from(self.started.elapsed())
    }
}

/// The Status of a node of mainnet that has the genesis block and nothing more
fn status() -> Vec<u8> {
    let genesis: Hash = GENESIS.parse().expect("a hash");
    let fork_id = ForkId { checksum: [0xfc, 0x64, 0xec, 0x04], next: 1_150_000 };
    let chain = Chain { network: 1, genesis, forks: Forks::Only(fork_id) };
    rlp::encode(&Status::of(69, &chain, &chain.beginning())).to_vec()
}

const GENESIS: &str = "d4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3";

//! One end of a link, and the connections that the link has one after the other

use devp2p_proto::{Buffers, Cause, Connection, Instant, NodeId, Notice, PeerState, ProtocolError, ProtocolId, Turn};
use fastrand::Rng;

use crate::library::{Item, Kind, Library};
use crate::message::{Act, Message};
use crate::node::Identity;
use crate::plan::{Cable, Lie};
use crate::socket::{CHUNK, Socket, after};
use crate::traffic::{Counted, Traffic};

/// The gossip protocol is the only one
const GOSSIP: ProtocolId = ProtocolId(0);
/// How many bytes of messages may wait while the link cannot take them; further messages are dropped
const BACKLOG: usize = 32 << 20;

/// Where an end of a link is: the node, and which of its ends
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    pub node: usize,
    pub end: usize,
}

/// Something on its way to an end of a link
pub struct Mail {
    pub to: Place,
    pub at: Instant,
    pub connection: ConnectionId,
    pub signal: Signal,
}

/// Which connection of the link: the time at which it was dialled, and the end that has dialled
pub type ConnectionId = (Instant, usize);

pub enum Signal {
    /// Like the SYN of TCP
    Dial,
    /// Like the SYN and ACK of TCP
    Accept,
    Bytes(Vec<u8>),
    Close,
}

/// What the node hears of its link
pub enum Heard {
    Ready,
    Message(Message),
    Ended(Cause),
}

pub struct End {
    cable: Cable,
    /// 0 for the first end of the cable, 1 for the second
    side: usize,
    pub peer: Place,
    peer_id: NodeId,
    state: State,
    /// What earlier connections have sent
    sent: Traffic,
}

enum State {
    Idle,
    Dialling(ConnectionId),
    Open(Box<Open>),
}

struct Open {
    id: ConnectionId,
    connection: Connection<Counted>,
    socket: Socket,
}

impl End {
    pub fn new(cable: Cable, side: usize, peer: Place, peer_id: NodeId) -> Self {
        Self { cable, side, peer, peer_id, state: State::Idle, sent: Traffic::default() }
    }

    /// Opens a new connection
    pub fn dial(&mut self, now: Instant, mail: &mut Vec<Mail>) {
        self.reset();
        let id = (now, self.side);
        self.state = State::Dialling(id);
        mail.push(self.mail(now, id, Signal::Dial));
    }

    /// Forgets the connection, and sends the peer nothing
    pub fn reset(&mut self) {
        self.sent = self.traffic();
        self.state = State::Idle;
    }

    /// All that was sent so far
    pub fn traffic(&mut self) -> Traffic {
        let mut sent = self.sent;
        if let State::Open(open) = &mut self.state {
            sent += &open.sent();
        }
        sent
    }

    /// Whether both nodes have said Hello and the connection goes on
    pub fn is_ready(&self) -> bool {
        matches!(&self.state, State::Open(open) if open.connection.link().shared().next().is_some())
    }

    /// When the next timeout of the link comes, or the cable takes what is unsent
    pub fn next(&self) -> Option<Instant> {
        let State::Open(open) = &self.state else { return None };
        let link = open.connection.link();
        let writes = (!link.unsent().is_empty()).then(|| open.socket.free_at());
        link.next_timeout().into_iter().chain(writes).min()
    }

    /// Takes what has arrived; the caller gives the end a turn afterwards
    pub fn arrive(&mut self, now: Instant, letter: (ConnectionId, Signal), node: &mut Identity, mail: &mut Vec<Mail>) {
        let (id, signal) = letter;
        match (signal, &mut self.state) {
            // If both have dialled, the later connection remains.
            (Signal::Dial, State::Dialling(ours)) if *ours > id => {}
            (Signal::Dial, _) => {
                self.reset();
                let entropy = node.entropy();
                let link = PeerState::recipient(now, &node.config, entropy, Buffers::growable());
                self.open(id, link.expect("the buffers grow"));
                mail.push(self.mail(now, id, Signal::Accept));
            }
            (Signal::Accept, State::Dialling(ours)) if *ours == id => {
                let entropy = node.entropy();
                let link = PeerState::initiator(now, &node.config, self.peer_id, entropy, Buffers::growable());
                self.open(id, link.expect("the key is that of a node"));
            }
            (Signal::Bytes(bytes), State::Open(open)) if open.id == id => open.socket.arrive(bytes),
            (Signal::Close, State::Open(open)) if open.id == id => open.socket.close(),
            // The signal belongs to an earlier connection.
            (Signal::Accept | Signal::Bytes(_) | Signal::Close, _) => {}
        }
    }

    fn open(&mut self, id: ConnectionId, link: PeerState<'static>) {
        let connection = Connection::new(Counted { link, sent: Traffic::default() }, BACKLOG);
        self.state = State::Open(Box::new(Open { id, connection, socket: Socket::new(&self.cable) }));
    }

    fn mail(&self, now: Instant, connection: ConnectionId, signal: Signal) -> Mail {
        Mail { to: self.peer, at: after(now, self.cable.latency), connection, signal }
    }

    /// Sends a message if there is a link; drops it if the backlog has no room
    pub fn send(&mut self, now: Instant, message: Message, library: &Library) {
        if let State::Open(open) = &mut self.state {
            // If the link has ended, its next turn returns the cause.
            let _ = open.connection.out(now).send(GOSSIP, message.code(), &message.encode(library));
        }
    }

    /// Sends what no correct node sends
    pub fn lie(&mut self, now: Instant, lie: Lie, random: &mut Rng) {
        let State::Open(open) = &mut self.state else { return };
        match lie {
            Lie::Mac => {
                open.socket.damage();
                // Only bytes that leave can be damaged. A link that is not ready sends its Hello anyway.
                let _ = open.connection.out(now).ping();
            }
            Lie::Block => {
                let block: [u8; 32] = std::array::from_fn(|_| random.u8(..));
                let message = Message { act: Act::Push, item: Item { kind: Kind::Block, number: 0 } };
                let _ = open.connection.out(now).send_rlp(GOSSIP, message.code(), &&block[..]);
            }
        }
    }

    /// Lets the link do all that it can do now
    pub fn turn(&mut self, now: Instant, library: &Library, heard: &mut Vec<Heard>, mail: &mut Vec<Mail>) {
        let State::Open(open) = &mut self.state else { return };
        let ended = open.turn(now, library, heard);
        let (to, connection) = (self.peer, open.id);
        let chunks = open.socket.departures();
        mail.extend(chunks.map(|(at, bytes)| Mail { to, at, connection, signal: Signal::Bytes(bytes) }));
        if let Some(cause) = ended {
            mail.push(Mail { to, at: open.socket.end_arrives(), connection, signal: Signal::Close });
            heard.push(Heard::Ended(cause));
            self.reset();
        }
    }
}

impl Open {
    /// Takes turns until there is nothing to do; returns why the link has ended, if it has ended
    fn turn(&mut self, now: Instant, library: &Library, heard: &mut Vec<Heard>) -> Option<Cause> {
        let mut buffer = [0; CHUNK];
        self.socket.set_time(now);
        loop {
            let turn = self.connection.turn(now, &mut self.socket, &mut buffer, |notice, out| match notice {
                Notice::Ready => heard.push(Heard::Ready),
                Notice::Message { code, payload, .. } => match Message::decode(code, &payload, library) {
                    Some(message) => heard.push(Heard::Message(message)),
                    // Never refused: a message of the protocol has come, so it is shared.
                    None => _ = out.protocol_returned(GOSSIP, Err(ProtocolError::BadMessage)),
                },
                _ => {}
            });
            match turn {
                Turn::Again => {}
                Turn::Wait { .. } => return None,
                Turn::Ended(cause) => return Some(cause),
            }
        }
    }

    fn sent(&mut self) -> Traffic {
        Traffic { bytes: self.socket.written, ..self.connection.get_mut().sent }
    }
}

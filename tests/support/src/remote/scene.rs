//! One node and a scripted remote

use std::time::Duration;

use devp2p_proto::{Buffers, Config, Instant, PeerState, Stage};
use rlp::Rlp;

use super::message::{DISCONNECT, HELLO};
use super::{Handshake, Hello, Session, body, compressed};
use crate::{Node, PROTOCOLS, Pipe, config, entropy, observe};

/// The seed of the scripted remote's key
pub const REMOTE: u8 = 1;
/// The seed of the key of the node that it is connected to
pub const LINK: u8 = 2;

/// The state of the remote's handshake
#[expect(clippy::large_enum_variant, reason = "a test has few of them")]
enum Keys {
    /// The remote has sent this auth
    Dialling(Handshake, Vec<u8>),
    /// The remote waits for an auth
    Dialled(Handshake),
    /// Both sides have the keys
    Agreed(Session),
}

/// One node and a scripted remote, the two directions between them, and the time
pub struct Scene<'buf> {
    /// The virtual time
    pub now: Instant,
    /// The node
    pub node: Node<'buf>,
    keys: Keys,
    /// The bytes from the remote to the node
    pub input: Pipe,
    /// The bytes from the node to the remote
    pub output: Pipe,
    /// Whether the payloads of both sides are compressed after Hello
    pub compressing: bool,
    /// Every message that the node has sent: its id, and its payload without compression
    pub received: Vec<(u64, Vec<u8>)>,
    unread: Vec<u8>,
}

impl<'buf> Scene<'buf> {
    /// The remote has dialled `link`, a recipient, and the link has given `IdentityClaimed`
    pub fn remote_dials(link: PeerState<'buf>) -> Self {
        Self::remote_dials_with(Handshake::new(REMOTE), link)
    }

    /// The same, with another key of the remote
    pub fn remote_dials_with(handshake: Handshake, link: PeerState<'buf>) -> Self {
        let mut scene = Self::with_keys(link, Keys::Dialled(handshake));
        scene.send_auth();
        scene
    }

    /// A remote that has not sent or received anything
    pub fn new(link: PeerState<'buf>) -> Self {
        Self::with_keys(link, Keys::Dialled(Handshake::new(REMOTE)))
    }

    /// Sends auth, and takes the action that follows from it
    ///
    /// # Panics
    ///
    /// If the remote has dialled or was dialled before.
    pub fn send_auth(&mut self) {
        let Keys::Dialled(handshake) = &self.keys else {
            panic!("dialled already");
        };
        let link = &mut self.node.link;
        let auth = handshake.auth(&link.local_id());
        assert_eq!(link.receive(self.now, &auth), auth.len());
        self.node.seen.extend(link.poll().map(observe));
        self.keys = Keys::Dialling(handshake.clone(), auth);
    }

    /// The remote has dialled and has received the Hello of a node with [`PROTOCOLS`], but has sent none
    pub fn expecting_hello() -> Scene<'static> {
        let mut scene = Scene::remote_dials(recipient(&config(LINK, PROTOCOLS)));
        scene.settle();
        assert_eq!(scene.node.link.stage(), Stage::Hello);
        scene
    }

    /// `link`, an initiator, has dialled the remote, and both have the keys
    pub fn link_dials(link: PeerState<'buf>) -> Self {
        let mut scene = Self::new(link);
        scene.settle();
        scene
    }

    /// The remote and a node with [`PROTOCOLS`] have exchanged Hello
    pub fn running() -> Scene<'static> {
        Scene::running_with(recipient(&config(LINK, PROTOCOLS)), Hello::fitting(REMOTE))
    }

    /// The remote and `link`, a recipient, have exchanged Hello; the remote has sent this one
    ///
    /// # Panics
    ///
    /// If the link does not accept the Hello.
    pub fn running_with(link: PeerState<'buf>, hello: Hello) -> Self {
        let mut scene = Self::remote_dials(link);
        scene.settle();
        scene.send_hello(hello);
        assert_eq!(scene.node.link.stage(), Stage::Running);
        scene.node.seen.clear();
        scene.received.clear();
        scene
    }

    fn with_keys(link: PeerState<'buf>, keys: Keys) -> Self {
        Self {
            now: Instant::ZERO,
            node: Node::new(link),
            keys,
            input: Pipe::new(),
            output: Pipe::new(),
            compressing: true,
            received: Vec::new(),
            unread: Vec::new(),
        }
    }

    /// The remote's keys, for frames that are not sent by [`send_body`](Self::send_body)
    ///
    /// # Panics
    ///
    /// Before the handshake is over.
    pub fn session(&mut self) -> &mut Session {
        match &mut self.keys {
            Keys::Agreed(session) => session,
            _ => panic!("there are no keys yet"),
        }
    }

    /// Sends this Hello, and lets the node answer
    pub fn send_hello(&mut self, hello: Hello) {
        self.compressing = hello.version >= 5;
        self.send_body(&body(HELLO, &hello.encode()));
        self.settle();
    }

    /// Sends a message, compressed if [`compressing`](Self::compressing), and lets the node answer
    pub fn send(&mut self, id: u64, payload: &[u8]) {
        let payload = if self.compressing { compressed(payload) } else { payload.to_vec() };
        self.send_body(&body(id, &payload));
        self.settle();
    }

    /// Sends a frame with this body, and does not let the node answer yet
    pub fn send_body(&mut self, body: &[u8]) {
        let frame = self.session().seal(body);
        self.input.write(&frame);
    }

    /// The remote ends its stream
    pub fn close(&mut self) {
        self.input.close();
        self.settle();
    }

    /// Runs the driver and the remote until neither has anything to do at this time
    pub fn settle(&mut self) {
        while self.node.turn(self.now, &mut self.input, &mut self.output) | self.read() {}
    }

    /// One turn of the driver's loop and of the remote's
    pub fn step(&mut self) {
        self.node.turn(self.now, &mut self.input, &mut self.output);
        self.read();
    }

    /// Moves the time forward, and wakes the link at the time that it has asked for
    pub fn advance(&mut self, time: Duration) {
        let end = self.now.checked_add(time).unwrap();
        self.settle();
        while let Some(wake) = self.node.link.next_timeout().filter(|wake| *wake <= end) {
            self.now = self.now.max(wake);
            self.node.link.handle_timeout(self.now);
            self.settle();
        }
        self.now = end;
    }

    fn read(&mut self) -> bool {
        self.unread.extend(self.output.unread());
        self.output.consume(self.output.waiting());
        let packet = self.unread.get(..2).map(|size| 2 + usize::from(u16::from_be_bytes([size[0], size[1]])));
        if let Keys::Agreed(session) = &mut self.keys {
            let Some(opened) = session.open(&mut self.unread) else {
                return false;
            };
            let id = Rlp::new(&opened).as_val::<u64>().unwrap();
            let payload = &opened[1..];
            let instead = self.received.is_empty() && id == DISCONNECT && self.node.link.remote_hello().is_none();
            let plain = if self.compressing && id != HELLO && !instead {
                snap::raw::Decoder::new().decompress_vec(payload).unwrap()
            } else {
                payload.to_vec()
            };
            self.received.push((id, plain));
            return true;
        }
        let Some(packet) = packet.filter(|len| *len <= self.unread.len()) else {
            return false;
        };
        let packet: Vec<u8> = self.unread.drain(..packet).collect();
        let session = match &self.keys {
            Keys::Dialling(handshake, auth) => handshake.initiator_session(auth, &packet),
            Keys::Dialled(handshake) => {
                let ack = handshake.ack(&self.node.link.local_id());
                self.input.write(&ack);
                handshake.recipient_session(&packet, &ack).0
            }
            Keys::Agreed(_) => unreachable!("answered above"),
        };
        self.keys = Keys::Agreed(session);
        true
    }
}

/// The link of a node that was dialled
pub fn recipient(config: &Config) -> PeerState<'static> {
    PeerState::recipient(Instant::ZERO, config, entropy(7), Buffers::growable()).unwrap()
}

/// The link of a node that dials the scripted remote
pub fn initiator(config: &Config) -> PeerState<'static> {
    let remote = Handshake::new(REMOTE).id();
    PeerState::initiator(Instant::ZERO, config, remote, entropy(8), Buffers::growable()).unwrap()
}

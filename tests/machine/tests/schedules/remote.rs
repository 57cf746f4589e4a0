//! The scripted remote of one link: it has the keys, and seals and opens frames

use std::collections::VecDeque;
use std::sync::OnceLock;

use devp2p_proto::internal::{Answered, Dialled, Frames};
use devp2p_proto::{NodeId, SecretKey};
use devp2p_testing::remote::{DISCONNECT, HELLO, Hello, LINK, PING, PONG, REMOTE, body, compressed};
use devp2p_testing::{entropy, key};

/// What the remote sends
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Says {
    /// Auth or ack, and then Hello
    Greeting,
    Ping,
    Pong,
    Message,
    Disconnect,
}

/// A packet or a frame on the way to the link
#[derive(Debug)]
pub struct Unit {
    pub what: Says,
    /// What the link has not taken
    pub bytes: Vec<u8>,
    len: usize,
    pub damaged: bool,
}

impl Unit {
    /// How far the link is: nothing, less than a header, a header and more
    pub fn progress(&self) -> usize {
        (self.len - self.bytes.len()).div_ceil(32).min(2)
    }
}

enum Keys {
    /// The link was dialled
    Dialling,
    /// The link has dialled
    Dialled,
    Agreed(Box<Frames>),
}

/// The remote
pub struct Remote {
    keys: Keys,
    packet_sent: bool,
    /// On the way to the link
    pub wire: VecDeque<Unit>,
    /// What the link has sent and was not opened
    received: Vec<u8>,
    /// The ids of the messages that the link has sent
    pub opened: Vec<u64>,
    /// Bytes of the link got lost, so that nothing behind them can be opened
    pub cut: bool,
    messages: u8,
}

pub fn id_of(seed: u8) -> NodeId {
    static IDS: OnceLock<[NodeId; 3]> = OnceLock::new();
    IDS.get_or_init(|| [1, 2, 3].map(|seed| key(seed).node_id()))[usize::from(seed) - 1]
}

fn identity() -> SecretKey {
    static KEY: OnceLock<SecretKey> = OnceLock::new();
    KEY.get_or_init(|| key(REMOTE)).clone()
}

fn dial() -> Dialled {
    Dialled::new(&identity(), id_of(LINK), entropy(3)).expect("a key and entropy")
}

fn answer(auth: &[u8]) -> Answered {
    match Answered::new(&identity(), entropy(4), auth) {
        Ok(answered) => answered,
        Err(violation) => panic!("{violation:?}"),
    }
}

impl Remote {
    fn with(keys: Keys) -> Self {
        let (wire, received, opened) = (VecDeque::new(), Vec::new(), Vec::new());
        Self { keys, packet_sent: false, wire, received, opened, cut: false, messages: 0 }
    }

    /// It dials the link, which is a recipient
    pub fn dialling() -> Self {
        Self::with(Keys::Dialling)
    }

    /// The link dials it
    pub fn dialled() -> Self {
        Self::with(Keys::Dialled)
    }

    /// The other end of a link that has the keys
    pub fn agreed() -> Self {
        Self::with(Keys::Agreed(Box::new(Frames::past_handshake())))
    }

    /// Sends something, if it can
    pub fn say(&mut self, what: Says) -> bool {
        if self.wire.len() >= 2 {
            return false;
        }
        let bytes = match (what, &mut self.keys) {
            (_, Keys::Agreed(frames)) => frames.seal(&content(what, &mut self.messages)),
            (Says::Greeting, _) => match self.packet() {
                Some(packet) => packet,
                None => return false,
            },
            _ => return false,
        };
        self.wire.push_back(Unit { what, len: bytes.len(), bytes, damaged: false });
        true
    }

    /// Our part of the handshake, once
    fn packet(&mut self) -> Option<Vec<u8>> {
        static AUTH: OnceLock<Vec<u8>> = OnceLock::new();
        if self.packet_sent || matches!(self.keys, Keys::Dialled) && !self.has_packet() {
            return None;
        }
        self.packet_sent = true;
        match self.keys {
            Keys::Dialled => {
                let Answered { ack, frames, .. } = answer(&std::mem::take(&mut self.received));
                self.keys = Keys::Agreed(Box::new(frames));
                Some(ack)
            }
            _ => Some(AUTH.get_or_init(|| dial().auth().to_vec()).clone()),
        }
    }

    /// Whether auth or ack of the link is here
    fn has_packet(&self) -> bool {
        let size = self.received.first_chunk().map(|size| 2 + usize::from(u16::from_be_bytes(*size)));
        size.is_some_and(|size| self.received.len() >= size)
    }

    /// Takes bytes from the link; `whole` says whether nothing is left of what it has sealed
    pub fn take(&mut self, bytes: &[u8], whole: bool) {
        self.received.extend(bytes);
        if whole && !self.cut {
            self.open();
        }
    }

    fn open(&mut self) {
        if matches!(self.keys, Keys::Dialling) && !self.received.is_empty() {
            let len = 2 + usize::from(u16::from_be_bytes([self.received[0], self.received[1]]));
            let ack: Vec<u8> = self.received.drain(..len).collect();
            let frames = dial().finish(&ack).expect("an ack");
            self.keys = Keys::Agreed(Box::new(frames));
        }
        let Keys::Agreed(frames) = &mut self.keys else { return };
        while !self.received.is_empty() {
            let frame = frames.open(&self.received).expect("a whole frame with right MACs");
            self.received.drain(..frame.len);
            assert!(self.opened.last() != Some(&DISCONNECT), "nothing comes after Disconnect");
            self.opened.push(u64::from(if frame.body[0] == 0x80 { 0 } else { frame.body[0] }));
        }
    }

    /// Whether the bytes of the link are all opened
    pub fn is_up_to_date(&self) -> bool {
        self.received.is_empty() && !self.cut
    }
}

/// The payload of a message of the remote
pub fn message(number: u8) -> Vec<u8> {
    vec![number; 40]
}

fn content(what: Says, messages: &mut u8) -> Vec<u8> {
    static HELLO_BODY: OnceLock<Vec<u8>> = OnceLock::new();
    match what {
        Says::Greeting => HELLO_BODY.get_or_init(|| body(HELLO, &Hello::fitting(REMOTE).encode())).clone(),
        Says::Ping => body(PING, &compressed(&[0xc0])),
        Says::Pong => body(PONG, &compressed(&[0xc0])),
        Says::Disconnect => body(DISCONNECT, &compressed(&[0xc1, 0x04])),
        Says::Message => {
            *messages += 1;
            body(0x10, &compressed(&message(*messages)))
        }
    }
}

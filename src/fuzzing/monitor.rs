//! What the remote hears: every frame of the link is opened and held against what the link was asked to send

use std::collections::VecDeque;
use std::vec::Vec;

use super::remote::{Keys, Remote};
use super::settings::{Side, key};
use crate::p2p::message::{self, DISCONNECT, HELLO, PING, PONG};
use crate::p2p::{disconnect, hello};
use crate::rlpx::frame::{HEADER, sealed_body_len};
use crate::rlpx::handshake::{Answer, MAX_SENT};
use crate::wire::snappy;
use crate::{DisconnectReason, PeerState};

/// What has come from the link, sent or only offered
#[derive(Debug, Default)]
pub(super) struct Heard {
    /// Offered and not sent
    unsent: Vec<u8>,
    /// How much was sent, ever
    sent: usize,
    /// Messages that the link has taken and that have not been heard: id, payload, bytes in the frame
    pub(super) written: VecDeque<(u64, Vec<u8>, usize)>,
    pub(super) hello: bool,
    pub(super) pings: usize,
    pub(super) pongs: usize,
    /// Where the last Ping and the last Pong end
    last: [usize; 2],
    /// Where the last of all else ends
    message_end: usize,
    pub(super) goodbye: Option<DisconnectReason>,
}

impl Remote {
    /// Hears what is offered for sending
    pub(super) fn hear(&mut self, offered: &[u8], link: &PeerState<'_>) {
        let known = self.heard.unsent.len();
        assert!(offered.starts_with(&self.heard.unsent), "bytes that were offered have changed");
        self.heard.unsent.extend_from_slice(&offered[known..]);
        let mut position = self.heard.sent + known;
        let mut new = offered[known..].to_vec();
        let mut rest = &mut new[..];
        while !rest.is_empty() && !matches!(self.keys, Keys::Lost) {
            let len = if matches!(self.keys, Keys::Agreed(_)) {
                self.hear_frame(rest, position, link)
            } else {
                self.hear_packet(rest)
            };
            position += len;
            if self.heard.last.iter().all(|end| *end != position) {
                self.heard.message_end = position;
            }
            rest = &mut rest[len..];
        }
    }

    /// Notes that the first `len` bytes of what was offered are sent
    pub(super) fn note_sent(&mut self, len: usize) {
        self.heard.unsent.drain(..len);
        self.heard.sent += len;
    }

    /// Nothing waits but Ping and Pong
    pub(super) fn messages_have_left(&self) -> bool {
        self.heard.written.is_empty() && self.heard.message_end <= self.heard.sent
    }

    /// Goes from auth or ack to a session
    fn hear_packet(&mut self, bytes: &mut [u8]) -> usize {
        let len = 2 + usize::from(u16::from_be_bytes([bytes[0], bytes[1]]));
        let packet = &mut bytes[..len];
        let session = match core::mem::replace(&mut self.keys, Keys::Lost) {
            Keys::AwaitAuth(handshake) => {
                let mut ack = std::vec![0; MAX_SENT];
                let Answer { session, remote, len } = handshake.answer(packet, &mut ack).unwrap();
                assert_eq!(remote, key(Side::Link).node_id());
                self.say_packet(&ack[..len]);
                session
            }
            Keys::AwaitAck(handshake, auth) => handshake.finish(&auth, packet).unwrap(),
            keys => {
                self.keys = keys;
                return len;
            }
        };
        self.keys = Keys::Agreed(session);
        len
    }

    fn hear_frame(&mut self, bytes: &mut [u8], position: usize, link: &PeerState<'_>) -> usize {
        let Keys::Agreed(session) = &mut self.keys else {
            return bytes.len();
        };
        let (header, rest) = bytes.split_at_mut(HEADER);
        let size = session.open_header((&*header).try_into().unwrap()).unwrap();
        let sealed = &mut rest[..sealed_body_len(size)];
        session.open_body(sealed).unwrap();
        let len = HEADER + sealed.len();
        assert!(sealed[size..sealed.len() - 16].iter().all(|byte| *byte == 0), "padding is not zero");
        let (id, payload) = message::split(&sealed[..size]).unwrap();
        assert_eq!(self.heard.goodbye, None, "something follows Disconnect");
        match id {
            HELLO => self.hear_hello(payload),
            DISCONNECT => self.hear_disconnect(payload, link),
            _ => self.hear_message(id, payload, position + len, len, link),
        }
        len
    }

    fn hear_hello(&mut self, payload: &[u8]) {
        assert!(!self.heard.hello, "a second Hello");
        self.heard.hello = true;
        let hello = hello::Hello::decode(payload).unwrap();
        assert_eq!(hello.id, key(Side::Link).node_id());
    }

    fn hear_disconnect(&mut self, payload: &[u8], link: &PeerState<'_>) {
        let compressed = self.is_compressed_for(link);
        let payload = if compressed { decompress(payload) } else { payload.to_vec() };
        let reason = disconnect::decode(&payload).unwrap();
        assert!(payload[0] >= 0xc0, "Disconnect is not a list");
        assert_eq!(Some(reason), link.cause().and_then(crate::Cause::sent_reason));
        self.heard.goodbye = Some(reason);
    }

    fn hear_message(&mut self, id: u64, payload: &[u8], end: usize, wire: usize, link: &PeerState<'_>) {
        let compressed = link.remote_hello().expect("a message before Hello").version() >= 5;
        assert!(!self.certain || self.is_compressing() == Some(compressed));
        let payload = if compressed { decompress(payload) } else { payload.to_vec() };
        match id {
            PING => {
                self.heard.pings += 1;
                self.check_only_one(0, end);
                assert_eq!(payload, [0xc0]);
            }
            PONG => {
                self.heard.pongs += 1;
                self.check_only_one(1, end);
                assert_eq!(payload, [0xc0]);
                let asked = self.pings_taken();
                assert!(!self.certain || self.heard.pongs <= asked, "{} Pongs for {asked} Pings", self.heard.pongs);
            }
            _ => {
                let written = self.heard.written.pop_front().expect("a message that nobody wrote");
                assert!((id, &payload, wire) == (written.0, &written.1, written.2), "another message than was written");
            }
        }
    }

    /// At most one Ping and one Pong wait to be sent
    fn check_only_one(&mut self, kind: usize, end: usize) {
        let last = core::mem::replace(&mut self.heard.last[kind], end);
        assert!(last <= self.heard.sent, "one more waits");
    }

    /// Whether the link compresses what it says now
    fn is_compressed_for(&self, link: &PeerState<'_>) -> bool {
        match link.remote_hello() {
            Some(hello) => hello.version() >= 5,
            // It cannot know yet what we do, and compresses once it has said Hello.
            None => self.heard.hello,
        }
    }
}

fn decompress(block: &[u8]) -> Vec<u8> {
    let mut payload = std::vec![0; snappy::decompressed_len(block).unwrap()];
    snappy::decompress(block, &mut payload).unwrap();
    payload
}

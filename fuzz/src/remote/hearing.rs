//! What the remote receives: it opens every frame and compares it with what the link was asked to send

use std::collections::VecDeque;

use devp2p_proto::internal::{Answered, Frame};
use devp2p_proto::rlp::Reader;
use devp2p_proto::{Cause, DisconnectReason, PeerState};

use super::{DISCONNECT, HELLO, Keys, PING, PONG, Remote};
use crate::dialogue::decompress;
use crate::settings::{Side, entropy, key};

/// What the link has sent or offered
#[derive(Debug, Default)]
pub(crate) struct Heard {
    /// Offered and not sent
    unsent: Vec<u8>,
    /// How many bytes were sent since the start
    sent: usize,
    /// Messages that the link has taken and not offered yet: id, payload, length of the frame
    pub(crate) written: VecDeque<(u64, Vec<u8>, usize)>,
    pub(crate) hello: bool,
    pub(crate) pings: usize,
    pub(crate) pongs: usize,
    /// Where the last Ping and the last Pong end
    last: [usize; 2],
    pub(crate) goodbye: Option<DisconnectReason>,
}

impl Remote {
    /// Reads the bytes that are offered for sending
    pub(crate) fn hear(&mut self, offered: &[u8], link: &PeerState<'_>) {
        let known = self.heard.unsent.len();
        assert!(offered.starts_with(&self.heard.unsent), "bytes that were offered have changed");
        self.heard.unsent.extend_from_slice(&offered[known..]);
        let mut position = self.heard.sent + known;
        let mut rest = &offered[known..];
        while !rest.is_empty() && !matches!(self.keys, Keys::Lost) {
            let len = if matches!(self.keys, Keys::Agreed(_)) {
                self.hear_frame(rest, position, link)
            } else {
                self.hear_packet(rest)
            };
            position += len;
            rest = &rest[len..];
        }
    }

    /// Notes that the first `len` bytes of what was offered are sent
    pub(crate) fn note_sent(&mut self, len: usize) {
        self.heard.unsent.drain(..len);
        self.heard.sent += len;
    }

    /// Switches from auth or ack to frames
    fn hear_packet(&mut self, bytes: &[u8]) -> usize {
        let len = 2 + usize::from(u16::from_be_bytes([bytes[0], bytes[1]]));
        let packet = &bytes[..len];
        let frames = match std::mem::replace(&mut self.keys, Keys::Lost) {
            Keys::AwaitAuth => {
                let answered = Answered::new(&key(Side::Remote), entropy(Side::Remote), packet);
                let Answered { remote, ack, frames } = answered.ok().unwrap();
                assert_eq!(remote, key(Side::Link).node_id());
                self.say_packet(&ack);
                frames
            }
            Keys::AwaitAck(dialled) => dialled.finish(packet).ok().unwrap(),
            keys => {
                self.keys = keys;
                return len;
            }
        };
        self.keys = Keys::Agreed(frames);
        len
    }

    fn hear_frame(&mut self, bytes: &[u8], position: usize, link: &PeerState<'_>) -> usize {
        let Keys::Agreed(frames) = &mut self.keys else {
            return bytes.len();
        };
        let Frame { body, padding, len } = frames.open(bytes).expect("a frame that is whole and authentic");
        assert!(padding.iter().all(|byte| *byte == 0), "padding is not zero");
        let mut reader = Reader::new(&body);
        let id = reader.uint().unwrap();
        let payload = reader.remaining();
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
        let mut fields = Reader::new(payload).only_list().unwrap();
        assert_eq!(fields.uint(), Ok(5));
        assert_eq!(fields.bytes(), Ok(&b"fuzz/1"[..]));
        fields.list().unwrap();
        assert_eq!(fields.uint(), Ok(30303));
        assert_eq!(fields.array(), Ok(key(Side::Link).node_id().as_bytes()));
        fields.finish().unwrap();
    }

    fn hear_disconnect(&mut self, payload: &[u8], link: &PeerState<'_>) {
        let compressed = self.is_compressed_for(link);
        let payload = if compressed { decompress(payload) } else { payload.to_vec() };
        let mut fields = Reader::new(&payload).only_list().expect("Disconnect is a list");
        let reason = DisconnectReason::from_code(fields.uint().unwrap());
        fields.finish().unwrap();
        assert_eq!(Some(reason), link.cause().and_then(Cause::sent_reason));
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
        let last = std::mem::replace(&mut self.heard.last[kind], end);
        assert!(last <= self.heard.sent, "more than one waits");
    }

    /// Whether the link compresses its Disconnect
    fn is_compressed_for(&self, link: &PeerState<'_>) -> bool {
        match link.remote_hello() {
            Some(hello) => hello.version() >= 5,
            // It does not know our version yet. It compresses after its own Hello.
            None => self.heard.hello,
        }
    }
}

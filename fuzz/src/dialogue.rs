//! A link after its handshake, and a remote that sends what the target decides
//!
//! The transport takes all bytes at once, and no time passes.

use devp2p_proto::internal::{self, Frames};
use devp2p_proto::{Buffers, Config, Instant, NodeId, PeerState, Role};

use crate::items;
use crate::subject::Seen;

pub(crate) struct Dialogue {
    pub(crate) link: PeerState<'static>,
    frames: Frames,
    /// Bytes that the link has sent and the remote has not read yet
    unread: Vec<u8>,
}

impl Dialogue {
    /// The link has admitted the remote and has sent its Hello
    pub(crate) fn new(config: &Config, role: Role, remote: NodeId) -> Self {
        let link = internal::past_handshake(Instant::ZERO, config, role, remote, Buffers::growable()).unwrap();
        let mut dialogue = Self { link, frames: Frames::past_handshake(), unread: Vec::new() };
        assert_eq!(dialogue.act(), [Seen::IdentityClaimed(remote)]);
        dialogue
    }

    /// Sends a message to the link, and returns what the link does because of it
    pub(crate) fn say(&mut self, id: u64, payload: &[u8]) -> Vec<Seen> {
        let body = [&items::uint(id), payload].concat();
        let frame = self.frames.seal(&body);
        let mut rest = &frame[..];
        let mut seen = Vec::new();
        while !rest.is_empty() {
            let taken = self.link.receive(Instant::ZERO, rest);
            assert!(taken > 0, "a link with nothing to do takes no bytes");
            rest = &rest[taken..];
            seen.extend(self.act());
        }
        seen
    }

    /// Does every action of the link, and returns those that are not about sending
    pub(crate) fn act(&mut self) -> Vec<Seen> {
        act(&mut self.link, &mut self.unread)
    }

    /// The next message that the link has sent, as id and payload
    pub(crate) fn hear(&mut self) -> Option<(u64, Vec<u8>)> {
        if self.unread.is_empty() {
            return None;
        }
        let frame = self.frames.open(&self.unread).expect("a frame that is whole and authentic");
        self.unread.drain(..frame.len);
        let mut reader = devp2p_proto::rlp::Reader::new(&frame.body);
        let id = reader.uint().unwrap();
        Some((id, reader.remaining().to_vec()))
    }
}

pub(crate) fn compress(payload: &[u8]) -> Vec<u8> {
    snap::raw::Encoder::new().compress_vec(payload).unwrap()
}

pub(crate) fn decompress(block: &[u8]) -> Vec<u8> {
    snap::raw::Decoder::new().decompress_vec(block).unwrap()
}

/// Does every action of a link whose transport takes everything; returns those that are not about sending
pub(crate) fn act(link: &mut PeerState<'_>, sent: &mut Vec<u8>) -> Vec<Seen> {
    let mut seen = Vec::new();
    while let Some(action) = link.poll() {
        match Seen::new(action) {
            Seen::Send(bytes) => {
                link.sent(Instant::ZERO, bytes.len()).unwrap();
                sent.extend(bytes);
            }
            action => seen.push(action),
        }
    }
    seen
}

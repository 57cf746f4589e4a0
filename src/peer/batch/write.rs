//! One message to many links

use super::Occupancy;
use crate::error::WriteError;
use crate::invariant::must;
use crate::peer::PeerState;
use crate::peer::action::MessageEvent;
use crate::peer::compression::Compression;
use crate::peer::state::State;
use crate::peer::write::{Written, encode};
use crate::protocol::ProtocolId;
use crate::rlpx::frame::{HEADER, Session};
use crate::rlpx::lanes::Lanes;
use crate::time::Instant;
use crate::wipe::{REST, WipesStack};
use crate::wire::copy;
use crate::wire::rlp::uint_len;

/// Sends one message to many links, as [`PeerState::write`] does to each
///
/// The payload is compressed once, and the frames are sealed together. Each link has its own protocol, since the
/// versions of a protocol are different protocols of a node. `done` is called for each link, in the order of the links,
/// with the key that came with the link and with the result of `write`. The key is of any type: an index, or a
/// reference to what the caller keeps beside the link.
///
/// Leave out a link on which earlier messages wait in an [`Outbox`](crate::Outbox): this message would overtake them.
///
/// Every frame is sealed when the call returns. Nothing is allocated except what the links allocate. A link with
/// growable buffers that copies the compressed payload of another link allocates no table for compressing. Returns how
/// many links were worked on side by side.
///
/// ```
/// # #[cfg(feature = "alloc")]
/// # fn announce(links: &mut [devp2p_proto::PeerState<'static>], block: &[u8]) {
/// # use devp2p_proto::{Instant, ProtocolId, WriteError, batch};
/// # const ETH: ProtocolId = ProtocolId(0);
/// # const NEW_BLOCK: u64 = 7;
/// # let now = Instant::ZERO;
/// let links = links.iter_mut().enumerate().map(|(index, link)| (index, link, ETH));
/// batch::write(now, links, NEW_BLOCK, block, |index, outcome| match outcome {
///     Ok(event) => println!("link {index}: {} bytes", event.wire_size),
///     Err(WriteError::Full) => println!("link {index}: after `Writable`"),
///     Err(error) => println!("link {index}: {error}"),
/// });
/// # }
/// ```
pub fn write<'a, 'buf: 'a, K>(
    now: Instant,
    links: impl IntoIterator<Item = (K, &'a mut PeerState<'buf>, ProtocolId)>,
    code: u64,
    payload: &[u8],
    mut done: impl FnMut(K, Result<MessageEvent, WriteError>),
) -> Occupancy {
    // The lanes make this frame larger than that of `PeerState::write`.
    let _wipes = WipesStack::<REST>;
    let mut occupancy = Occupancy::default();
    let mut sealing = Sealing::new(&mut occupancy);
    for (key, link, protocol) in links {
        done(key, sealing.write(now, link, protocol, code, payload));
    }
    drop(sealing);
    occupancy
}

/// Frames that are not sealed completely
///
/// Dropping this value seals all of them, even if a function of the caller panics.
struct Sealing<'a, 'b> {
    /// The first frame with a compressed payload, in the clear: the others copy from it
    source: Option<Source<'a>>,
    lanes: Lanes<'a, 'b>,
}

/// A frame in the clear, whose payload was compressed
struct Source<'a> {
    frame: Frame<'a>,
    /// Where the compressed payload begins in the body
    start: usize,
    /// How much of its table the compressor used: the compressed bytes depend on that
    table: usize,
}

/// A frame that was placed in the buffer of its link, and what seals it
struct Frame<'a> {
    session: &'a mut Session,
    bytes: &'a mut [u8],
    body: usize,
}

impl<'a, 'b> Sealing<'a, 'b> {
    const fn new(occupancy: &'b mut Occupancy) -> Self {
        Self { source: None, lanes: Lanes::new(occupancy) }
    }

    fn write(
        &mut self,
        now: Instant,
        link: &'a mut PeerState<'_>,
        protocol: ProtocolId,
        code: u64,
        payload: &[u8],
    ) -> Result<MessageEvent, WriteError> {
        link.advance_clock(now);
        let draft = link.draft(protocol, code, payload.len())?;
        let (compression, start) = (draft.compression, uint_len(draft.id));
        let mut used = None;
        let (event, body) = link.place_message(draft, |room, table| {
            let encoded = match &self.source {
                Some(source) if compression == Compression::Snappy && source.table == table.used(payload.len()) => {
                    copy(room, source.compressed())
                }
                _ => {
                    used = Some(table.used(payload.len()));
                    encode(payload, room, compression, table)?
                }
            };
            Some(Written { payload: payload.len(), encoded })
        })?;
        let PeerState { state: State::Established { session, .. }, egress, .. } = link else { return Ok(event) };
        let frame = Frame { session, bytes: egress.last_frame(body), body };
        match used {
            Some(table) if compression == Compression::Snappy && self.source.is_none() => {
                self.source = Some(Source { frame, start, table });
            }
            _ => frame.seal(&mut self.lanes),
        }
        Ok(event)
    }
}

impl<'a> Frame<'a> {
    /// Encrypts the frame, and leaves its MACs to the lanes
    fn seal(self, lanes: &mut Lanes<'a, '_>) {
        if let Some(work) = self.session.encrypt(self.bytes, self.body) {
            lanes.push(work);
        }
    }
}

impl Source<'_> {
    fn compressed(&self) -> &[u8] {
        let body = self.frame.bytes.get(HEADER..).and_then(|rest| rest.get(self.start..self.frame.body));
        must(body, "the payload is in the frame")
    }
}

impl Drop for Sealing<'_, '_> {
    fn drop(&mut self) {
        if let Some(Source { frame, .. }) = self.source.take() {
            frame.seal(&mut self.lanes);
        }
    }
}

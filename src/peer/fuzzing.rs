//! What a fuzzer needs of a link and nobody else: a start without curve arithmetic, and its memory

use super::buffers::Buffers;
use super::config::Config;
use super::egress::Egress;
use super::state::{Pending, State};
use super::{PeerState, Remote, Role};
use crate::error::ConfigError;
use crate::node_id::NodeId;
use crate::protocol::ProtocolId;
use crate::rlpx::frame::Session;
use crate::time::Instant;

impl<'buf> PeerState<'buf> {
    /// A link that has just finished the encryption handshake with `remote`, with `session` as the outcome
    pub(crate) fn past_handshake(
        now: Instant,
        config: &Config,
        role: Role,
        remote: NodeId,
        session: Session,
        buffers: Buffers<'buf>,
    ) -> Result<Self, ConfigError> {
        buffers.check(config)?;
        let state = State::Admission { session };
        let mut link = Self::new(now, config, state, role, Remote::Proven(remote), buffers)?;
        link.ingress.expect_hello();
        link.pending = Pending::Authenticated;
        Ok(link)
    }

    /// The most that the frame of a message takes on this link
    pub(crate) fn frame_room(&self, protocol: ProtocolId, code: u64, len: usize) -> Option<usize> {
        let State::Running(running) = &self.state else {
            return None;
        };
        let id = self.protocols.find(protocol)?.offset.saturating_add(code);
        Some(Egress::max_frame_len(id, len, running.compression))
    }

    /// How many bytes the growable buffers occupy: receiving, and sending
    pub(crate) fn memory(&mut self) -> (usize, usize) {
        use super::buffers::{Arena, Store};
        let receive = match &mut self.ingress.arena {
            Arena::Fixed { .. } => 0,
            Arena::Growable { frame, message } => {
                frame.inner_mut().capacity().saturating_add(message.inner_mut().capacity())
            }
        };
        let transmit = match &mut self.egress.store {
            Store::Fixed(_) => 0,
            Store::Growable(bytes) => bytes.inner_mut().capacity(),
        };
        (receive, transmit)
    }
}

//! A link without the work of a handshake, for fuzz targets
//!
//! Its keys are known to everybody, so no build that is not for fuzzing or for the tests of this repository has it.

use super::PeerState;
use super::buffers::Buffers;
use super::config::Config;
use super::remote::Remote;
use super::start::NotStarted;
use super::state::{Pending, Phase, Role, State};
use crate::node_id::NodeId;
use crate::rlpx::frame::Session;
use crate::time::Instant;

/// A link that has just finished the encryption handshake with `remote`
///
/// The other end is a link of the other role from this function.
///
/// # Errors
/// Those of the constructors of a link that are about the sizes of buffers.
#[allow(clippy::result_large_err, reason = "the result of the constructors")]
pub fn past_handshake<'buf>(
    now: Instant,
    config: &Config,
    role: Role,
    remote: NodeId,
    buffers: Buffers<'buf>,
) -> Result<PeerState<'buf>, NotStarted<'buf>> {
    let mut link = PeerState::new(now, config, role, Remote::Claimed(remote), buffers, &|| {
        Ok(State::Established { session: fixed_session(), phase: Phase::Admission })
    })?;
    link.ingress.expect_hello();
    link.pending = Pending::IdentityClaimed;
    Ok(link)
}

/// Each end of such a connection
pub(super) fn fixed_session() -> Session {
    Session::with_keys(&[0x61; 32], &[0x6d; 32])
}

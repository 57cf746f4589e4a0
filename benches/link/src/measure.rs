//! One call, measured

use std::hint::black_box;

use devp2p_proto::{Action, PeerState};
use rustix::time::{ClockId, clock_gettime};

/// The length of the payload that the link delivers
pub fn deliver(link: &mut PeerState<'_>) -> Option<usize> {
    match black_box(link.poll()) {
        Some(Action::Deliver { payload, .. }) => Some(payload.len()),
        _ => None,
    }
}

/// The processor time of this process, in nanoseconds
pub fn processor_time() -> u64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

//! The sizes that the documentation publishes, computed independently

/// The largest body that a frame can announce
pub(crate) const MAX_BODY: usize = 0x00ff_ffff;

/// The frame of a Ping or a Pong
pub(crate) const BASE_FRAME: usize = frame(1 + worst_case(1));

/// What the caller's transmit buffer keeps free for Ping, Pong and Disconnect
///
/// The payload of a Disconnect has at most ten bytes: a list of one number of eight bytes.
pub(crate) const RESERVE: usize = 2 * BASE_FRAME + frame(1 + worst_case(10));

/// Header and its MAC, the body padded to whole blocks, and its MAC (rlpx.md §Framing)
pub(crate) const fn frame(body: usize) -> usize {
    32 + body.next_multiple_of(16) + 16
}

/// The largest Snappy block of a payload
pub(crate) const fn worst_case(payload: usize) -> usize {
    payload + payload / 64 + 7
}

/// The bytes of a message id in RLP
pub(crate) const fn id_len(id: u64) -> usize {
    match id {
        0..0x80 => 1,
        _ => 1 + (8 - id.leading_zeros() as usize / 8),
    }
}

/// The largest body that a message of any content may make
pub(crate) const fn message_body(id: u64, payload: usize, compressed: bool) -> usize {
    id_len(id) + if compressed { worst_case(payload) } else { payload }
}

/// The largest frame of a protocol whatever its ids, compressed or not
pub(crate) const fn largest_frame(max_send: usize) -> usize {
    frame(message_body(u64::MAX, max_send, true))
}

/// The largest body of the base protocol
pub(crate) const MAX_BASE_BODY: usize = 1 + 2048;

/// The largest body with a payload of so many bytes: a sixth is what the reference encoder may add, and nine bytes
/// are the longest message id
pub(crate) fn max_body(max_message: usize) -> usize {
    (max_message + max_message / 6 + 32 + 9).min(MAX_BODY)
}

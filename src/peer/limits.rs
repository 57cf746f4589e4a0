//! The limits of a link, and the sizes of buffers that follow from them

use crate::p2p::hello;
use crate::p2p::message::{MAX_BASE_PAYLOAD, MAX_ID_LEN, TABLE};
use crate::rlpx::frame::{MAX_BODY, frame_len, sealed_body_len};
use crate::rlpx::{MAX_PACKET, MAX_SENT};
use crate::wire::snappy;

/// The most protocols that a node can offer on one link: 16, or 8 without an allocator
pub const MAX_PROTOCOLS: usize = if cfg!(feature = "alloc") { 16 } else { 8 };

/// The most message codes of one protocol that can have a limit of their own: 8, or 4 without an allocator
pub const MAX_CODE_LIMITS: usize = if cfg!(feature = "alloc") { 8 } else { 4 };

/// The longest client id, in bytes
pub const MAX_CLIENT_ID: usize = 96;

/// The smallest limit for messages, in bytes: what the base protocol itself needs
pub const MIN_MESSAGE: usize = 64;

/// The largest limit for messages, in bytes: 16 MiB - 1, what a frame can announce
pub const MAX_MESSAGE: usize = MAX_BODY;

/// Capacity of the transmit buffer that messages of protocols do not use, so that Ping, Pong and
/// Disconnect always fit
pub(super) const RESERVE: usize = reserve();

const fn reserve() -> usize {
    let (mut rows, mut sum) = (TABLE, 0_usize);
    while let [row, rest @ ..] = rows {
        if let Some(body) = row.reserved_body() {
            sum = sum.saturating_add(frame_len(body));
        }
        rows = rest;
    }
    sum
}

/// The limits of a node; the limits of each protocol apply as well
#[derive(Debug, Clone, Copy)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(super) struct Limits {
    /// The largest payload that is taken from a peer
    pub(super) max_message: usize,
    /// The largest payload that is sent
    pub(super) max_send: usize,
    pub(super) send_window: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_message: MAX_MESSAGE, max_send: MAX_MESSAGE, send_window: 256 * 1024 }
    }
}

/// The largest frame body that a peer may send for a payload of `max_message` bytes
///
/// Includes the worst case of the reference Snappy encoder; our own encoder makes less.
pub(super) const fn max_body(max_message: usize) -> usize {
    let compressed = max_message.saturating_add(max_message / 6).saturating_add(32);
    let body = compressed.saturating_add(MAX_ID_LEN);
    if body < MAX_BODY { body } else { MAX_BODY }
}

/// The capacity that this side needs to seal a payload of up to `max_send` bytes
///
/// It may exceed the largest frame, since a payload near the limit has to be compressed first.
pub(super) const fn largest_frame(max_send: usize) -> usize {
    frame_len(snappy::max_compressed_len(max_send).saturating_add(MAX_ID_LEN))
}

/// The receive buffer for payloads of up to `max_message` bytes: a frame, and the payload beside it
pub(super) const fn receive_len(max_message: usize) -> usize {
    let message = sealed_body_len(max_body(max_message)).saturating_add(max_message);
    let hello = sealed_body_len(1 + MAX_BASE_PAYLOAD);
    max(message, max(hello, MAX_PACKET))
}

/// What this side sends before it takes messages: ack and Hello
pub(super) const fn greeting_len(client_id: usize, protocols: usize) -> usize {
    MAX_SENT.saturating_add(frame_len(hello::max_len(client_id, protocols).saturating_add(1)))
}

/// The transmit buffer for protocols whose largest frames take `frames` bytes together
pub(super) const fn transmit_len(frames: usize, greeting: usize) -> usize {
    max(frames, greeting).saturating_add(RESERVE)
}

/// A number of bytes as `u32`, which keeps a link small
pub(super) fn up_to_4_gib(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

const fn max(a: usize, b: usize) -> usize {
    if a > b { a } else { b }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each is a frame of 48 bytes besides its body, which is padded to blocks of 16
    #[test]
    fn a_disconnect_a_ping_and_a_pong_always_fit() {
        assert_eq!(reserve(), (48 + 32) + (48 + 16) + (48 + 16));
    }
}

//! What is counted on a link

use core::time::Duration;

/// What has gone over the link in one direction
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct Counters {
    /// Messages
    pub messages: u64,
    /// Bytes of their payloads, not compressed
    pub payload_bytes: u64,
    /// Bytes of their frames, as on the wire
    pub wire_bytes: u64,
}

impl Counters {
    pub(super) fn count(&mut self, payload: usize, wire: usize) {
        self.messages = self.messages.saturating_add(1);
        self.payload_bytes = self.payload_bytes.saturating_add(payload as u64);
        self.wire_bytes = self.wire_bytes.saturating_add(wire as u64);
    }
}

/// What has gone over the link in both directions
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct Traffic {
    /// From the peer
    pub ingress: Counters,
    /// To the peer
    pub egress: Counters,
}

/// The Pings and Pongs of a link
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct Liveness {
    /// Pings that this node has sent
    pub pings_sent: u64,
    /// Pings that the peer has answered
    pub pongs_received: u64,
    /// Pings that the peer has sent
    pub pings_received: u64,
    /// Pings that this node has answered
    pub pongs_sent: u64,
    /// The time from the last answered Ping to its Pong, by the driver's clock
    ///
    /// Starts when the Ping has left, or when it was sealed if its Pong comes before the driver reports
    /// the Ping as sent. Includes the time for which the Pong was not read, for example because the
    /// driver held a message.
    pub round_trip: Option<Duration>,
}

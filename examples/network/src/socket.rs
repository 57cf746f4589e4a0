//! One end of a connection in virtual time, as a socket that never blocks

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::time::Duration;

use devp2p_proto::Instant;

use crate::plan::Cable;

/// The most that leaves at once, and so the most that is read at once
pub const CHUNK: usize = 16 << 10;

/// A socket whose bytes leave at the rate of its cable
///
/// Whatever has arrived is kept until it is read: a peer that does not read does not slow the sender down.
pub struct Socket {
    latency: Duration,
    rate: u64,
    now: Instant,
    /// When the bytes that were written last have left
    free_at: Instant,
    /// Chunks for the other end, with the time at which each arrives
    departures: Vec<(Instant, Vec<u8>)>,
    arrived: VecDeque<Vec<u8>>,
    /// Whether the peer has closed the connection after the bytes that have arrived
    closed: bool,
    /// Whether a bit of the next chunk is to be flipped
    damaged: bool,
    pub written: u64,
}

impl Socket {
    pub const fn new(cable: &Cable) -> Self {
        Self {
            latency: cable.latency,
            rate: cable.rate,
            now: Instant::ZERO,
            free_at: Instant::ZERO,
            departures: Vec::new(),
            arrived: VecDeque::new(),
            closed: false,
            damaged: false,
            written: 0,
        }
    }

    pub const fn set_time(&mut self, now: Instant) {
        self.now = now;
    }

    pub fn arrive(&mut self, bytes: Vec<u8>) {
        self.arrived.push_back(bytes);
    }

    pub const fn close(&mut self) {
        self.closed = true;
    }

    pub const fn damage(&mut self) {
        self.damaged = true;
    }

    /// When more can be written
    pub const fn free_at(&self) -> Instant {
        self.free_at
    }

    /// What was written since the last call, and when it arrives
    pub fn departures(&mut self) -> impl Iterator<Item = (Instant, Vec<u8>)> {
        self.departures.drain(..)
    }

    /// When the end of the stream arrives, if it is sent now
    pub fn end_arrives(&self) -> Instant {
        after(self.free_at.max(self.now), self.latency)
    }
}

/// The time that is `delay` later; the largest time if there is no later one
pub fn after(at: Instant, delay: Duration) -> Instant {
    at.checked_add(delay).unwrap_or(Instant::MAX)
}

impl Read for Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(chunk) = self.arrived.pop_front() else {
            return if self.closed { Ok(0) } else { Err(ErrorKind::WouldBlock.into()) };
        };
        buffer[..chunk.len()].copy_from_slice(&chunk);
        Ok(chunk.len())
    }
}

impl Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.now < self.free_at {
            return Err(ErrorKind::WouldBlock.into());
        }
        let len = bytes.len().min(CHUNK);
        let mut chunk = bytes[..len].to_vec();
        if std::mem::take(&mut self.damaged) {
            chunk[len - 1] ^= 1;
        }
        self.free_at = after(self.now, Duration::from_nanos(len as u64 * 1_000_000_000 / self.rate));
        self.departures.push((after(self.free_at, self.latency), chunk));
        self.written += len as u64;
        Ok(len)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

//! One direction of a faulty TCP connection, in true time

use std::collections::VecDeque;

/// Nanoseconds since the start, as no clock of a node shows them
pub type Time = u64;

pub const MILLI: Time = 1_000_000;
pub const SECOND: Time = 1_000 * MILLI;

/// What is wrong with a direction
#[derive(Debug, Clone, Default)]
pub struct Faults {
    pub latency: Time,
    /// How long a byte takes
    pub per_byte: Time,
    /// What arrives between these times arrives at the second one
    pub stalls: Vec<(Time, Time)>,
    /// Positions of bytes of which a bit is flipped
    pub flips: Vec<u64>,
    /// The position from which on bytes are lost; the receiver sees the end of the stream
    pub cut: Option<u64>,
    /// From then on nothing arrives
    pub dead: Option<Time>,
    /// How many bytes are on the way at most, those that the receiver has not read included
    pub capacity: usize,
}

/// One direction of a connection
#[derive(Debug)]
pub struct Wire {
    pub faults: Faults,
    flight: VecDeque<(Time, Vec<u8>)>,
    unread: VecDeque<u8>,
    on_the_way: usize,
    free_at: Time,
    /// How many bytes were written
    pub written: u64,
    /// When the end of the stream arrives
    end: Option<Time>,
    /// Whether a bit was flipped
    pub flipped: bool,
    /// Whether bytes were lost
    pub was_cut: bool,
}

impl Wire {
    pub fn new(faults: Faults) -> Self {
        let (flight, unread) = (VecDeque::new(), VecDeque::new());
        Self {
            faults,
            flight,
            unread,
            on_the_way: 0,
            free_at: 0,
            written: 0,
            end: None,
            flipped: false,
            was_cut: false,
        }
    }

    /// Takes as many bytes as there is room for
    pub fn write(&mut self, now: Time, bytes: &[u8]) -> usize {
        let len = bytes.len().min(self.faults.capacity.saturating_sub(self.on_the_way));
        if len == 0 {
            return 0;
        }
        let start = self.written;
        self.written += len as u64;
        let mut bytes = bytes[..len].to_vec();
        for flip in &self.faults.flips {
            if (start..self.written).contains(flip) {
                bytes[(flip - start) as usize] ^= 1 << (flip % 8);
                self.flipped = true;
            }
        }
        if let Some(cut) = self.faults.cut.filter(|cut| *cut < self.written) {
            bytes.truncate(cut.saturating_sub(start) as usize);
            self.was_cut = true;
        }
        self.free_at = self.free_at.max(now) + self.faults.per_byte * len as u64;
        let at = self.arrival(self.free_at);
        if !bytes.is_empty() {
            self.on_the_way += bytes.len();
            self.flight.push_back((at, bytes));
        }
        if self.was_cut {
            self.end.get_or_insert(at);
        }
        len
    }

    fn arrival(&self, leaves: Time) -> Time {
        let at = leaves + self.faults.latency;
        let stalled = self.faults.stalls.iter().filter(|(from, to)| (*from..*to).contains(&at));
        let at = stalled.map(|(_, to)| *to).max().unwrap_or(at).max(self.flight.back().map_or(0, |(at, _)| *at));
        if self.faults.dead.is_some_and(|dead| at >= dead) { Time::MAX } else { at }
    }

    /// The sender closes its side: the end of the stream follows what was written
    pub fn close(&mut self, now: Time) {
        let at = self.arrival(self.free_at.max(now));
        self.end.get_or_insert(at);
    }

    /// From now on nothing arrives, not even what is on the way
    pub fn die(&mut self, now: Time) {
        self.faults.dead = Some(self.faults.dead.map_or(now, |dead| dead.min(now)));
        self.flight.iter_mut().filter(|(at, _)| *at > now).for_each(|(at, _)| *at = Time::MAX);
        self.end = self.end.map(|at| if at > now { Time::MAX } else { at });
    }

    /// When something arrives next that has not
    pub fn next_arrival(&self, now: Time) -> Option<Time> {
        let bytes = self.flight.front().map(|(at, _)| *at);
        let next = bytes.or(self.end.filter(|at| *at > now));
        next.filter(|at| *at != Time::MAX)
    }

    /// What has arrived by now and was not read
    pub fn unread(&mut self, now: Time) -> &[u8] {
        while self.flight.front().is_some_and(|(at, _)| *at <= now) {
            self.unread.extend(self.flight.pop_front().expect("there is one").1);
        }
        self.unread.make_contiguous()
    }

    pub fn consume(&mut self, len: usize) {
        self.unread.drain(..len);
        self.on_the_way -= len;
    }

    /// Whether the reader has come to the end of the stream
    pub fn is_at_end(&self, now: Time) -> bool {
        self.unread.is_empty() && self.flight.is_empty() && self.end.is_some_and(|at| at <= now)
    }

    pub fn has_unread(&self) -> bool {
        !self.unread.is_empty()
    }

    /// The connection was reset: what is on the way is lost
    pub fn reset(&mut self, now: Time) {
        self.flight.clear();
        self.unread.clear();
        self.on_the_way = 0;
        self.end = Some(now);
        self.was_cut = true;
    }
}

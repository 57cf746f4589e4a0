//! One direction of a connection

use std::collections::VecDeque;

/// The bytes of one direction of a connection, as the buffers of two sockets hold them
#[derive(Debug)]
pub struct Pipe {
    waiting: VecDeque<u8>,
    /// How many bytes can wait; 0 stalls the pipe
    pub capacity: usize,
    /// Every byte that was ever written
    pub log: Vec<u8>,
    closed: bool,
}

impl Default for Pipe {
    fn default() -> Self {
        Self::new()
    }
}

impl Pipe {
    /// An empty pipe that never stalls
    pub const fn new() -> Self {
        Self { waiting: VecDeque::new(), capacity: usize::MAX, log: Vec::new(), closed: false }
    }

    /// Writes as many of these bytes as fit; returns how many
    pub fn write(&mut self, bytes: &[u8]) -> usize {
        let len = bytes.len().min(self.capacity.saturating_sub(self.waiting.len()));
        self.waiting.extend(&bytes[..len]);
        self.log.extend(&bytes[..len]);
        len
    }

    /// Flips one bit of a byte that has not been read; 0 is the byte that is read next
    ///
    /// # Panics
    ///
    /// If fewer bytes wait, or if `bit` is not less than 8.
    pub fn flip(&mut self, index: usize, bit: u8) {
        assert!(bit < 8, "a byte has 8 bits");
        self.waiting[index] ^= 1 << bit;
    }

    /// Ends the stream after the bytes that wait
    pub fn close(&mut self) {
        self.closed = true;
    }

    /// The bytes that have not been read
    pub fn unread(&mut self) -> &[u8] {
        self.waiting.make_contiguous()
    }

    /// Removes the first `len` bytes that have not been read
    ///
    /// # Panics
    ///
    /// If fewer bytes wait.
    pub fn consume(&mut self, len: usize) {
        self.waiting.drain(..len);
    }

    /// How many bytes have not been read
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Whether [`close`](Self::close) was called
    pub const fn is_closed(&self) -> bool {
        self.closed
    }
}

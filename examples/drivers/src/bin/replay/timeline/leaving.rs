//! Which of the sealed packets and frames have left

use std::collections::VecDeque;

#[derive(Default)]
pub struct Leaving {
    /// How many bytes were sealed, and how many of them have left
    sealed: u64,
    left: u64,
    /// What has not left, by the position of its end among all sealed bytes
    waiting: VecDeque<(u64, usize)>,
}

impl Leaving {
    /// Notes that a packet or frame of so many bytes was sealed
    pub fn seal(&mut self, number: usize, len: u64) {
        self.sealed += len;
        self.waiting.push_back((self.sealed, number));
    }

    /// Notes that so many bytes have left
    pub fn leave(&mut self, len: u64) {
        self.left += len;
    }

    /// The next packet or frame whose last byte has left, once
    pub fn next_left(&mut self) -> Option<usize> {
        let (end, number) = self.waiting.front().copied()?;
        if end > self.left {
            return None;
        }
        self.waiting.pop_front();
        Some(number)
    }
}

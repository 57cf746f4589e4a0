//! Writing RLP items into a slice

use super::RlpError;
use crate::wire::copy;

/// Writes RLP items into a slice
///
/// An overflow is remembered and reported once, by [`Writer::finish`], so that code that writes a
/// message need not check every field.
#[derive(Debug)]
pub struct Writer<'a> {
    buffer: &'a mut [u8],
    len: usize,
    full: bool,
}

impl<'a> Writer<'a> {
    /// A writer at the start of `buffer`
    pub const fn new(buffer: &'a mut [u8]) -> Self {
        Self { buffer, len: 0, full: false }
    }

    /// Writes a string
    pub fn bytes(&mut self, bytes: &[u8]) {
        match bytes {
            [single] if *single < 0x80 => {}
            _ => self.header(0x80, bytes.len()),
        }
        self.raw(bytes);
    }

    /// Writes an integer
    pub fn uint(&mut self, value: u64) {
        let spelt = value.to_be_bytes();
        let zeros = usize::try_from(value.leading_zeros() / 8).unwrap_or_default();
        self.bytes(spelt.get(zeros..).unwrap_or_default());
    }

    /// Writes a list of whatever `items` writes
    ///
    /// The header is put in front once the length is known, so a list costs one move of its bytes.
    pub fn list(&mut self, items: impl FnOnce(&mut Self)) {
        let start = self.len;
        items(self);
        let payload = self.len.saturating_sub(start);
        self.header(0xc0, payload);
        if let Some(list) = self.buffer.get_mut(start..self.len)
            && payload <= list.len()
        {
            list.rotate_left(payload);
        }
    }

    /// Writes bytes that are RLP already
    pub fn raw(&mut self, bytes: &[u8]) {
        let end = self.len.saturating_add(bytes.len());
        match self.buffer.get_mut(self.len..end) {
            Some(target) => {
                copy(target, bytes);
                self.len = end;
            }
            None => self.full = true,
        }
    }

    /// What has been written
    ///
    /// # Errors
    /// `BufferFull` if anything did not fit.
    pub fn finish(self) -> Result<&'a [u8], RlpError> {
        match self.buffer.get(..self.len) {
            Some(written) if !self.full => Ok(written),
            _ => Err(RlpError::BufferFull),
        }
    }

    fn header(&mut self, base: u8, len: usize) {
        match u8::try_from(len) {
            Ok(short @ 0..=0x37) => self.raw(&[base.wrapping_add(short)]),
            _ => {
                let spelt = len.to_be_bytes();
                let zeros = usize::try_from(len.leading_zeros() / 8).unwrap_or_default();
                let digits = spelt.get(zeros..).unwrap_or_default();
                let size = u8::try_from(digits.len()).unwrap_or_default();
                self.raw(&[base.wrapping_add(0x37).wrapping_add(size)]);
                self.raw(digits);
            }
        }
    }
}

/// How many bytes an integer takes when written
pub const fn uint_len(value: u64) -> usize {
    match value {
        0..=0x7f => 1,
        _ => 9_usize.saturating_sub((value.leading_zeros() / 8) as usize),
    }
}

//! Reads a fuzzer's bytes as decisions
//!
//! Every byte string is a valid input. Each decision takes few bytes, so that a mutation changes one decision and
//! leaves the rest alone. After the last byte, everything reads as zero.

/// The rest of the bytes
#[derive(Debug, Clone)]
pub(crate) struct Input<'a> {
    bytes: &'a [u8],
    /// How many payloads may still be as large as the link permits
    huge: usize,
}

impl<'a> Input<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, huge: 0 }
    }

    /// The next byte, `None` at the end
    pub(crate) fn next(&mut self) -> Option<u8> {
        let (byte, rest) = self.bytes.split_first()?;
        self.bytes = rest;
        Some(*byte)
    }

    pub(crate) fn byte(&mut self) -> u8 {
        self.next().unwrap_or_default()
    }

    pub(crate) fn flag(&mut self) -> bool {
        self.byte() & 1 == 1
    }

    pub(crate) fn u16(&mut self) -> u16 {
        u16::from_be_bytes([self.byte(), self.byte()])
    }

    pub(crate) fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[usize::from(self.byte()) % choices.len()]
    }

    /// As many bytes as a length byte says, or all that are left
    pub(crate) fn bytes(&mut self) -> &'a [u8] {
        let len = usize::from(self.byte()).min(self.bytes.len());
        let (bytes, rest) = self.bytes.split_at(len);
        self.bytes = rest;
        bytes
    }

    pub(crate) const fn rest(&self) -> &'a [u8] {
        self.bytes
    }

    /// Permits payloads of any size, but only a few of them, since each takes a second
    pub(crate) const fn permit_huge(&mut self) {
        self.huge = 2;
    }

    /// A payload with a length at a boundary, up to one byte more than `limit`
    pub(crate) fn payload(&mut self, limit: usize) -> Vec<u8> {
        let selector = self.byte();
        let len = match selector & 0x0f {
            0 => return self.bytes().to_vec(),
            1 => 0,
            2 => 1,
            3 => 31,
            4 => 32,
            5 => 33,
            6 => usize::from(self.byte()),
            7 => usize::from(self.u16()),
            8 => limit,
            9 => limit + 1,
            10 => limit - limit / 7,
            11 => limit / 2,
            12 => limit / 3,
            13 => limit.saturating_sub(1),
            14 => 64,
            _ => 1024,
        };
        pattern(selector >> 4, self.affordable(len.min(limit + 1)))
    }

    /// Longer messages take time and find little that is new
    pub(crate) const fn affordable(&mut self, len: usize) -> usize {
        match (len > MAX_PAYLOAD, self.huge) {
            (false, _) => len,
            (true, 0) => MAX_PAYLOAD,
            (true, _) => {
                self.huge -= 1;
                len
            }
        }
    }
}

/// The longest payload that is made in most runs
const MAX_PAYLOAD: usize = 66_001;

/// Bytes that compress well, a little, or not at all
fn pattern(kind: u8, len: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_u32 ^ u32::from(kind);
    let mut noise = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state as u8
    };
    match kind & 3 {
        0 => vec![kind; len],
        1 => (0..len).map(|index| (index / 3) as u8).collect(),
        2 => std::iter::repeat_with(noise).take(len).collect(),
        _ => (0..len).map(|index| if index % 32 < 9 { noise() } else { kind }).collect(),
    }
}

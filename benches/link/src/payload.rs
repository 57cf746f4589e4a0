//! Payloads that are the same in every run

use devp2p_testing::noise;

/// The sizes of the payloads in most tables, in bytes
pub const SIZES: [usize; 7] = [0, 32, 256, 1 << 10, 16 << 10, 128 << 10, 1 << 20];

/// How well a payload compresses
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Not at all
    Random,
    /// By 3.3 to 3.4 times with the crate `snap`; shorter payloads than 1 KiB by 2.7 to 3.1 times
    Compressible,
}

impl Kind {
    /// Both kinds
    pub const ALL: [Self; 2] = [Self::Random, Self::Compressible];

    /// The name in rows and arguments
    pub const fn name(self) -> &'static str {
        match self {
            Self::Random => "random",
            Self::Compressible => "compressible",
        }
    }

    /// The payload of this kind and length
    pub fn payload(self, len: usize) -> Vec<u8> {
        match self {
            Self::Random => noise(5, len),
            Self::Compressible => compressible(len),
        }
    }
}

/// Short pieces that are new, each followed by a longer piece from the 4 KiB before it
fn compressible(len: usize) -> Vec<u8> {
    let random = noise(6, 2 * len + 64);
    let mut random = random.into_iter();
    let mut draw = || usize::from(random.next().expect("two random bytes for each byte of the payload"));
    let mut bytes = Vec::with_capacity(len + 64);
    while bytes.len() < len {
        for _ in 0..4 + draw() % 9 {
            bytes.push(draw() as u8);
        }
        let distance = 1 + (draw() << 8 | draw()) % bytes.len().min(4 << 10);
        for _ in 0..24 + draw() % 41 {
            bytes.push(bytes[bytes.len() - distance]);
        }
    }
    bytes.truncate(len);
    bytes
}

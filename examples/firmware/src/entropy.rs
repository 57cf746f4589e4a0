//! Randomness, from the host

use devp2p_proto::Entropy;
use semihosting::fs::File;
use semihosting::io::Read;

/// Why there is no randomness
#[derive(Debug, Clone, Copy, PartialEq, Eq, defmt::Format)]
pub enum EntropyError {
    /// The generator does not answer
    Unavailable,
    /// The generator gives what no generator gives: zeros, or the same again
    Weak,
}

/// Where the bytes for links come from; all but the first are faults, to see what comes of them
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The random device of the debugger's host
    ///
    /// It stands for the chip's true random number generator, or, on a chip without one, for a seed
    /// that was drawn at manufacture and is replaced in flash, by output of a generator that it
    /// started, before each use. Counters, serial numbers, uptime and ADC noise are none: whoever can
    /// guess the bytes has the keys of the link. [`devp2p_proto::Entropy`] says how many are needed
    /// and for what.
    Host,
    /// Zeros, as of a generator without a clock
    Zero,
    /// Zeros at first, as of a generator that is read before it runs
    Late,
    /// The same 32 bytes over and over, as of a generator that is read faster than it works
    Repeating,
}

impl Source {
    /// The source that a command line names
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "zero" => Some(Self::Zero),
            "late" => Some(Self::Late),
            "repeating" => Some(Self::Repeating),
            _ => None,
        }
    }

    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        match self {
            Self::Host => return fill_random(bytes),
            Self::Zero => bytes.fill(0),
            Self::Late => {
                bytes.fill(0);
                *self = Self::Host;
            }
            Self::Repeating => {
                for (byte, value) in bytes.iter_mut().zip((0..32).cycle()) {
                    *byte = value;
                }
            }
        }
        Ok(())
    }
}

/// Draws the randomness of links
pub struct Generator {
    source: Source,
    /// The beginning of what was drawn last
    last: Option<[u8; 16]>,
}

impl Generator {
    pub const fn new(source: Source) -> Self {
        Self { source, last: None }
    }

    /// The randomness of one link
    ///
    /// The link's constructor refuses what is weak in itself. That it is the same as for the link before
    /// can only be seen here (the continuous test of FIPS 140-2, 4.9.2).
    #[inline(never)]
    pub fn draw(&mut self) -> Result<Entropy, EntropyError> {
        let mut random = [0; Entropy::SIZE];
        self.source.fill(&mut random)?;
        let beginning = random.first_chunk().copied();
        if self.last == beginning {
            return Err(EntropyError::Weak);
        }
        self.last = beginning;
        Ok(Entropy::from_bytes(random))
    }
}

/// Fills `bytes` from the random device of the debugger's host
pub fn fill_random(bytes: &mut [u8]) -> Result<(), EntropyError> {
    let mut device = File::open(c"/dev/urandom").map_err(|_| EntropyError::Unavailable)?;
    let mut rest = bytes;
    while !rest.is_empty() {
        match device.read(rest) {
            Ok(len @ 1..) => rest = rest.get_mut(len..).unwrap_or_default(),
            _ => return Err(EntropyError::Unavailable),
        }
    }
    Ok(())
}

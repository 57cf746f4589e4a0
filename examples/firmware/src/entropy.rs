//! Randomness, from the host

use semihosting::fs::File;
use semihosting::io::Read;

/// The debugger's host has no random device, or would not let it be read
#[derive(Debug, Clone, Copy, defmt::Format)]
pub struct NoEntropy;

/// Fills `bytes` from the random device of the debugger's host
///
/// It stands for the chip's true random number generator, or, on a chip without one, for a seed that
/// was drawn at manufacture and is replaced in flash, by output of a generator that it started, before
/// each use. Counters, serial numbers, uptime and ADC noise are none: whoever can guess the bytes has
/// the keys of the link. [`devp2p_proto::Entropy`] says how many are needed and for what.
pub fn fill_random(bytes: &mut [u8]) -> Result<(), NoEntropy> {
    let mut device = File::open(c"/dev/urandom").map_err(|_| NoEntropy)?;
    let mut rest = bytes;
    while !rest.is_empty() {
        match device.read(rest) {
            Ok(len @ 1..) => rest = rest.get_mut(len..).unwrap_or_default(),
            _ => return Err(NoEntropy),
        }
    }
    Ok(())
}

//! The board lm3s6965evb: a Cortex-M3 with 256 KiB of flash, 64 KiB of RAM, and an Ethernet controller

mod ethernet;

pub use ethernet::Ethernet;

/// The processor's clock after a reset: the internal oscillator (LM3S6965 data sheet, 5.2.5)
pub const HERTZ: u32 = 12_500_000;

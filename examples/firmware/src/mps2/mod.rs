//! The board mps2-an386: a Cortex-M4 at 25 MHz (ARM DAI 0386, "Cortex-M4 on MPS2")

#[cfg(feature = "async")]
mod async_uart;
mod uart;

pub use uart::Uart;

/// The processor's clock
pub const HERTZ: u32 = 25_000_000;

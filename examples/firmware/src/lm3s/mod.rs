//! The board lm3s6965evb: a Cortex-M3 with 256 KiB of flash, 64 KiB of RAM, and an Ethernet controller

#[cfg(feature = "async-ethernet")]
mod alarm;
#[cfg(feature = "async-ethernet")]
mod async_ethernet;
#[cfg(feature = "async-ethernet")]
pub mod async_network;
mod ethernet;
pub mod network;

use core::net::Ipv4Addr;

pub use ethernet::Ethernet;

use crate::node::{Role, StartError};

/// The processor's clock after a reset: the internal oscillator (LM3S6965 data sheet, 5.2.5)
pub const HERTZ: u32 = 12_500_000;

/// Locally administered (IEEE 802, 8.2.2); a device has one of its own
const HARDWARE: [u8; 6] = [0x02, 0, 0, 0, 0, 1];
/// QEMU's user network: who we are in it
const ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 0, 2, 15);
/// The host's loopback in that network
pub const HOST: Ipv4Addr = Ipv4Addr::new(10, 0, 2, 2);

/// Where the recipient listens
pub const PORT: u16 = 30303;

/// What the command line says: `initiator NODE_ID PORT` or `recipient`
#[inline(never)]
pub fn command() -> Result<(Role, u16), StartError> {
    let args = semihosting::experimental::env::args::<256>().map_err(|_| StartError::CommandLine)?;
    let mut args = (&args).filter_map(Result::ok);
    let role = args.next();
    let remote = args.next().map(str::parse);
    let port = args.next().map(str::parse);
    match (role, remote, port) {
        (Some("initiator"), Some(Ok(remote)), Some(Ok(port))) => Ok((Role::Initiator(remote), port)),
        (Some("recipient"), None, None) => Ok((Role::Recipient, PORT)),
        _ => Err(StartError::CommandLine),
    }
}

/// All interrupts of the board come here, as nothing else names them.
///
/// # Safety
/// It is called by the processor, at most once at a time.
#[cfg(feature = "async-ethernet")]
#[cortex_m_rt::exception]
unsafe fn DefaultHandler(number: i16) {
    const ETHERNET: i16 = ethernet::Interrupt::NUMBER as i16;
    const TIMER: i16 = alarm::Interrupt::NUMBER as i16;
    match number {
        ETHERNET => async_ethernet::handle_interrupt(),
        TIMER => alarm::handle_interrupt(),
        _ => {}
    }
}

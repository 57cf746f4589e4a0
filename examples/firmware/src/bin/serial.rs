//! A session with geth over a UART, in the role that the command line names
//!
//! `initiator NODE_ID` dials, `recipient` waits to be dialled. A word after `recipient` names a fault
//! of the random generator, as [`Source`] has them: the link that cannot be is not made.
#![no_std]
#![no_main]

use cortex_m_rt::entry;
use devp2p_firmware::mps2::{HERTZ, Uart};
use devp2p_firmware::node::{self, Memory, Role, StartError};
use devp2p_firmware::{Clock, Generator, MAX_MESSAGE, PROTOCOLS, Script, Source, drive};
use devp2p_proto::{Cause, DisconnectReason};

#[entry]
fn main() -> ! {
    static mut MEMORY: Memory = Memory::new();
    static mut MESSAGE: [u8; MAX_MESSAGE] = [0; MAX_MESSAGE];

    node::finish(run(MEMORY, MESSAGE))
}

/// Returns whether the session went as it should
fn run(memory: &'static mut Memory, message: &mut [u8; MAX_MESSAGE]) -> Result<bool, StartError> {
    let core = cortex_m::Peripherals::take().ok_or(StartError::Processor)?;
    let mut clock = Clock::start(core.SYST, HERTZ);
    let mut uart = Uart::start();
    let config = node::configure(node::draw_identity()?, &PROTOCOLS, MAX_MESSAGE)?;
    let (role, source) = command()?;
    let mut generator = Generator::new(source);
    let link = node::open_in_place(clock.now(), config, role, &mut generator, memory.buffers())?;
    let mut script = Script::new(message);
    let cause = drive(link, &mut uart, &mut clock, &mut script);
    defmt::info!("ended: {}", cause);
    Ok(script.is_complete() && cause == Cause::Local(DisconnectReason::CLIENT_QUITTING))
}

/// What the command line says
#[inline(never)]
fn command() -> Result<(Role, Source), StartError> {
    let args = semihosting::experimental::env::args::<256>().map_err(|_| StartError::CommandLine)?;
    let mut args = (&args).filter_map(Result::ok);
    match (args.next(), args.next()) {
        (Some("initiator"), Some(remote)) => {
            let remote = remote.parse().map_err(|_| StartError::CommandLine)?;
            Ok((Role::Initiator(remote), Source::Host))
        }
        (Some("recipient"), None) => Ok((Role::Recipient, Source::Host)),
        (Some("recipient"), Some(fault)) => Ok((Role::Recipient, Source::named(fault).ok_or(StartError::CommandLine)?)),
        _ => Err(StartError::CommandLine),
    }
}

//! A session with geth over a UART, in the role that the command line names
//!
//! `initiator NODE_ID` dials, `recipient` waits to be dialled. A word after `recipient` names a fault
//! of the random generator, as [`Source`] has them: the link that cannot be is not made.
#![no_std]
#![no_main]

use cortex_m_rt::entry;
use devp2p_firmware::mps2::{HERTZ, Uart};
use devp2p_firmware::node::{self, Memory, Role, StartError};
use devp2p_firmware::{Clock, Generator, MAX_MESSAGE, Script, Source, drive, stack};
use devp2p_proto::{Cause, Config, ConfigError, DisconnectReason, Entropy, Instant, PeerState};
use semihosting::process::ExitCode;
use static_cell::StaticCell;

#[entry]
fn main() -> ! {
    static mut MEMORY: Memory = Memory::new();
    static mut MESSAGE: [u8; MAX_MESSAGE] = [0; MAX_MESSAGE];

    let succeeded = match run(MEMORY, MESSAGE) {
        Ok(succeeded) => succeeded,
        Err(error) => {
            error.log();
            false
        }
    };
    defmt::info!("deepest stack: {=usize} bytes", stack::deepest());
    ExitCode::from(u8::from(!succeeded)).exit_process()
}

/// Returns whether the session went as it should
fn run(memory: &'static mut Memory, message: &mut [u8; MAX_MESSAGE]) -> Result<bool, StartError> {
    let core = cortex_m::Peripherals::take().ok_or(StartError::Processor)?;
    let mut clock = Clock::start(core.SYST, HERTZ);
    let mut uart = Uart::start();
    let config = node::configure(node::draw_identity()?)?;
    let (role, source) = command()?;
    let entropy = Generator::new(source).draw()?;
    let link = open(clock.now(), config, role, entropy, memory)?;
    let mut script = Script::new(message);
    let cause = drive(link, &mut uart, &mut clock, &mut script);
    defmt::info!("ended: {}", cause);
    Ok(script.is_complete() && cause == Cause::Local(DisconnectReason::ClientQuitting))
}

/// The link, in the place where it stays
///
/// It is some kilobytes, which a local variable would add to the stack under all that follows. Kept
/// out of the caller for the same reason.
#[inline(never)]
fn open(
    now: Instant,
    config: &Config,
    role: Role,
    entropy: Entropy,
    memory: &'static mut Memory,
) -> Result<&'static mut PeerState<'static>, ConfigError> {
    static LINK: StaticCell<Result<PeerState<'static>, ConfigError>> = StaticCell::new();
    let link = LINK.init_with(|| node::open(now, config, role, entropy, memory.buffers()));
    link.as_mut().map_err(|error| *error)
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

//! The session of the image `serial`, as a task under embassy's executor
//!
//! `initiator NODE_ID` dials, `recipient` waits to be dialled.
#![no_std]
#![no_main]

use devp2p_firmware::mps2::{HERTZ, Uart};
use devp2p_firmware::node::{self, Memory, Role, StartError};
use devp2p_firmware::{Clock, Generator, MAX_MESSAGE, Script, Source, asynchronous, stack};
use devp2p_proto::{Cause, Config, ConfigError, DisconnectReason, Entropy, Instant, PeerState};
use embassy_executor::Spawner;
use semihosting::process::ExitCode;
use static_cell::StaticCell;

#[embassy_executor::main]
async fn main(_spawner: Spawner) {
    let succeeded = match run().await {
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
async fn run() -> Result<bool, StartError> {
    static MESSAGE: StaticCell<[u8; MAX_MESSAGE]> = StaticCell::new();
    let core = cortex_m::Peripherals::take().ok_or(StartError::Processor)?;
    let mut clock = Clock::start(core.SYST, HERTZ);
    let (mut receiver, mut sender) = Uart::start().split();
    let config = node::configure(node::draw_identity()?)?;
    let link = open(clock.now(), config, role()?, Generator::new(Source::Host).draw()?)?;
    let mut script = Script::new(MESSAGE.init_with(|| [0; MAX_MESSAGE]));
    let cause = asynchronous::drive(link, &mut receiver, &mut sender, &mut clock, &mut script).await;
    defmt::info!("ended: {}", cause);
    Ok(script.is_complete() && cause == Cause::Local(DisconnectReason::ClientQuitting))
}

/// The link, in the place where it stays
#[inline(never)]
fn open(
    now: Instant,
    config: &Config,
    role: Role,
    entropy: Entropy,
) -> Result<&'static mut PeerState<'static>, ConfigError> {
    static MEMORY: StaticCell<Memory> = StaticCell::new();
    static LINK: StaticCell<Result<PeerState<'static>, ConfigError>> = StaticCell::new();
    let memory = MEMORY.init_with(Memory::new);
    let link = LINK.init_with(|| node::open(now, config, role, entropy, memory.buffers()));
    link.as_mut().map_err(|error| *error)
}

/// What the command line says
#[inline(never)]
fn role() -> Result<Role, StartError> {
    let args = semihosting::experimental::env::args::<256>().map_err(|_| StartError::CommandLine)?;
    let mut args = (&args).filter_map(Result::ok);
    match (args.next(), args.next().map(str::parse)) {
        (Some("initiator"), Some(Ok(remote))) => Ok(Role::Initiator(remote)),
        (Some("recipient"), None) => Ok(Role::Recipient),
        _ => Err(StartError::CommandLine),
    }
}

//! The session of the image `serial`, as a task under embassy's executor
//!
//! `initiator NODE_ID` dials, `recipient` waits to be dialled.
#![no_std]
#![no_main]

use cortex_m_rt::entry;
use devp2p_firmware::mps2::{HERTZ, Uart};
use devp2p_firmware::node::{self, Memory, Role, StartError};
use devp2p_firmware::{Clock, Generator, MAX_MESSAGE, PROTOCOLS, Script, Source, asynchronous, executor};
use devp2p_proto::{Cause, DisconnectReason};
use static_cell::StaticCell;

#[entry]
fn main() -> ! {
    executor::run(|spawner| {
        // It is the only one.
        if let Ok(task) = session() {
            spawner.spawn(task);
        }
    })
}

#[embassy_executor::task]
async fn session() {
    node::finish(run().await)
}

/// Returns whether the session went as it should
async fn run() -> Result<bool, StartError> {
    static MEMORY: StaticCell<Memory> = StaticCell::new();
    static MESSAGE: StaticCell<[u8; MAX_MESSAGE]> = StaticCell::new();
    let core = cortex_m::Peripherals::take().ok_or(StartError::Processor)?;
    let mut clock = Clock::start(core.SYST, HERTZ);
    let (mut receiver, mut sender) = Uart::start().split();
    let config = node::configure(node::draw_identity()?, &PROTOCOLS, MAX_MESSAGE)?;
    let mut generator = Generator::new(Source::Host);
    let memory = MEMORY.init_with(Memory::new);
    let link = node::open_in_place(clock.now(), config, role()?, &mut generator, memory.buffers())?;
    let mut script = Script::new(MESSAGE.init_with(|| [0; MAX_MESSAGE]));
    let cause = asynchronous::drive(link, &mut receiver, &mut sender, &mut clock, &mut script).await;
    defmt::info!("ended: {}", cause);
    Ok(script.is_complete() && cause == Cause::Local(DisconnectReason::CLIENT_QUITTING))
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

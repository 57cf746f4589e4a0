//! Link after link over one UART, to a peer that breaks the rules in a way of its own each time
//!
//! `recipient COUNT` or `initiator COUNT NODE_ID`: the role, and how many links there are to be. What
//! is said to them is in the folder `malformed`, recorded by `host record`.
#![no_std]
#![no_main]

use core::time::Duration;

use cortex_m_rt::entry;
use devp2p_firmware::mps2::{HERTZ, Uart};
use devp2p_firmware::node::{self, Memory, Role, StartError};
use devp2p_firmware::{Application, Clock, EntropyError, MAX_MESSAGE, PROTOCOLS, Transport, drive, stack};
use devp2p_proto::{Cause, Config, Entropy, Instant, PeerState, ProtocolId, Ready, SecretKey, Timeouts};
use semihosting::process::ExitCode;

/// The silence after which what comes is said to the next link
const SILENCE: Duration = Duration::from_millis(100);

#[entry]
fn main() -> ! {
    static mut MEMORY: Memory = Memory::new();

    let code = match run(MEMORY) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            error.log();
            ExitCode::FAILURE
        }
    };
    code.exit_process()
}

fn run(memory: &mut Memory) -> Result<(), StartError> {
    let core = cortex_m::Peripherals::take().ok_or(StartError::Processor)?;
    let mut clock = Clock::start(core.SYST, HERTZ);
    let mut uart = Uart::start();
    let (role, count) = command()?;
    let config = configure()?;
    for number in 1..=count {
        flush(&mut uart, &mut clock);
        defmt::info!("link {=u32}: {=usize} bytes of stack are free", number, stack::free());
        let cause = session(&config, role, memory, &mut uart, &mut clock)?;
        defmt::info!("link {=u32}: ended: {}", number, cause);
        defmt::info!("link {=u32}: deepest stack so far: {=usize} bytes", number, stack::deepest());
    }
    Ok(())
}

#[inline(never)]
fn session(
    config: &Config,
    role: Role,
    memory: &mut Memory,
    uart: &mut Uart,
    clock: &mut Clock,
) -> Result<Cause, StartError> {
    let mut link = node::open(clock.now(), config, role, known_entropy(), memory.buffers());
    match &mut link {
        Ok(link) => Ok(drive(link, uart, clock, &mut Listener)),
        Err(refusal) => Err(refusal.error.into()),
    }
}

/// Forgets what was said to the last link and not taken by it
fn flush(uart: &mut Uart, clock: &mut Clock) {
    let mut heard = clock.now();
    while clock.now().saturating_since(heard) < SILENCE {
        if uart.read(<[u8]>::len).is_ok_and(|len| len > 0) {
            heard = clock.now();
        }
    }
}

/// Has nothing to say
struct Listener;

impl Application for Listener {
    fn begin(&mut self, _: Instant, _: Ready<'_>) {}

    fn deliver(&mut self, protocol: ProtocolId, code: u64, payload: &[u8]) {
        defmt::info!("{}: code {=u64}, {=usize} bytes", protocol, code, payload.len());
    }

    fn is_full(&self) -> bool {
        false
    }

    fn advance(&mut self, _: &mut PeerState<'_>, _: Instant) -> bool {
        false
    }
}

/// Bytes that are known to all the world
///
/// Frames can be recorded only for keys that are known beforehand. For the same reason this is what
/// no device may ever do.
fn known_entropy() -> Entropy {
    Entropy::from_rng(|bytes| count_up(bytes, 0x01))
}

#[inline(never)]
fn configure() -> Result<Config, StartError> {
    let mut key = [0; 32];
    count_up(&mut key, 0x80);
    let identity = SecretKey::from_bytes(key).map_err(|_| EntropyError::Weak)?;
    // A peer that cannot hang up need not be waited for.
    let mut timeouts = Timeouts::default();
    timeouts.linger = SILENCE;
    Ok(node::configure(identity, &PROTOCOLS, MAX_MESSAGE)?.clone().with_timeouts(timeouts)?)
}

fn count_up(bytes: &mut [u8], first: u8) {
    for (byte, value) in bytes.iter_mut().zip(first..) {
        *byte = value;
    }
}

/// What the command line says
#[inline(never)]
fn command() -> Result<(Role, u32), StartError> {
    let args = semihosting::experimental::env::args::<256>().map_err(|_| StartError::CommandLine)?;
    let mut args = (&args).filter_map(Result::ok);
    let role = args.next();
    let count = args.next().and_then(|count| count.parse().ok()).ok_or(StartError::CommandLine)?;
    match (role, args.next().map(str::parse)) {
        (Some("initiator"), Some(Ok(remote))) => Ok((Role::Initiator(remote), count)),
        (Some("recipient"), None) => Ok((Role::Recipient, count)),
        _ => Err(StartError::CommandLine),
    }
}

//! A session with geth over Ethernet and TCP/IP, in the role that the command line names
//!
//! `initiator NODE_ID PORT` dials a port of the host, and dials again whenever the link breaks, until
//! a session has come to its end. `recipient` waits to be dialled.
#![no_std]
#![no_main]

use core::time::Duration;

use cortex_m_rt::entry;
use devp2p_firmware::lm3s::{Ethernet, HERTZ};
use devp2p_firmware::node::{self, Memory, Role, StartError};
use devp2p_firmware::tcp::{Storage, Tcp};
use devp2p_firmware::{Clock, Generator, MAX_MESSAGE, Script, Source, drive, fill_random, stack};
use devp2p_proto::{Cause, Config, DisconnectReason, Entropy};
use semihosting::process::ExitCode;
use smoltcp::wire::Ipv4Address;
use static_cell::StaticCell;

/// QEMU's user network: who we are in it, and the host's loopback
const ADDRESS: Ipv4Address = Ipv4Address::new(10, 0, 2, 15);
const HOST: Ipv4Address = Ipv4Address::new(10, 0, 2, 2);
/// Locally administered (IEEE 802, 8.2.2); a device has one of its own
const HARDWARE: [u8; 6] = [0x02, 0, 0, 0, 0, 1];
/// Where the recipient listens
const PORT: u16 = 30303;
/// After the first failure; twice as long after each that follows
const PAUSE: Duration = Duration::from_millis(500);
const ATTEMPTS: u32 = 8;

type Network = Tcp<'static, Ethernet>;

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

/// Returns whether a session went as it should
fn run(memory: &mut Memory, message: &mut [u8; MAX_MESSAGE]) -> Result<bool, StartError> {
    let core = cortex_m::Peripherals::take().ok_or(StartError::Processor)?;
    let mut clock = Clock::start(core.SYST, HERTZ);
    let network = network()?;
    let (role, port) = command()?;
    let config = node::configure(node::draw_identity()?)?;
    let mut generator = Generator::new(Source::Host);
    for attempt in 0..ATTEMPTS {
        let connected = match role {
            Role::Initiator(_) => network.dial(&mut clock, (HOST, port)),
            Role::Recipient => {
                defmt::info!("waiting to be dialled");
                network.accept(&mut clock, PORT)
            }
        };
        if connected.is_ok() {
            defmt::info!("connected");
            if session(config, role, generator.draw()?, memory, message, network, &mut clock)? {
                network.hang_up(&mut clock);
                return Ok(true);
            }
        } else {
            defmt::info!("no connection");
        }
        network.hang_up(&mut clock);
        network.pause(&mut clock, PAUSE * (1 << attempt));
    }
    Ok(false)
}

/// The network, in the place where it stays
#[inline(never)]
fn network() -> Result<&'static mut Network, StartError> {
    static STORAGE: StaticCell<Storage> = StaticCell::new();
    static ETHERNET: StaticCell<Ethernet> = StaticCell::new();
    static NETWORK: StaticCell<Network> = StaticCell::new();
    let mut seed = [0; 8];
    fill_random(&mut seed)?;
    let ethernet = ETHERNET.init_with(|| Ethernet::start(HARDWARE));
    let storage = STORAGE.init_with(Storage::new);
    Ok(NETWORK.init_with(|| Tcp::new(ethernet, HARDWARE, ADDRESS, storage, u64::from_le_bytes(seed))))
}

/// One link, from the handshake to its end; returns whether it went as it should
///
/// The link is on the stack here, as only then its buffers can be used again by the next.
#[inline(never)]
fn session(
    config: &Config,
    role: Role,
    entropy: Entropy,
    memory: &mut Memory,
    message: &mut [u8; MAX_MESSAGE],
    network: &mut Network,
    clock: &mut Clock,
) -> Result<bool, StartError> {
    let mut link = node::open(clock.now(), config, role, entropy, memory.buffers());
    match &mut link {
        Ok(link) => {
            let mut script = Script::new(message);
            let cause = drive(link, network, clock, &mut script);
            defmt::info!("ended: {}", cause);
            Ok(script.is_complete() && cause == Cause::Local(DisconnectReason::ClientQuitting))
        }
        Err(error) => Err(StartError::Config(*error)),
    }
}

/// What the command line says
#[inline(never)]
fn command() -> Result<(Role, u16), StartError> {
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

//! A session with geth over Ethernet and TCP/IP, in the role that the command line names
//!
//! `initiator NODE_ID PORT` dials a port of the host, and dials again whenever the link breaks, until
//! a session has come to its end. `recipient` waits to be dialled.
#![no_std]
#![no_main]

use core::time::Duration;

use cortex_m_rt::entry;
use devp2p_firmware::lm3s::network::{self, Network};
use devp2p_firmware::lm3s::{self, HERTZ, HOST, PORT};
use devp2p_firmware::node::{self, Memory, Role, StartError};
use devp2p_firmware::{Clock, Generator, MAX_MESSAGE, PROTOCOLS, Script, Source, drive};
use devp2p_proto::{Cause, Config, DisconnectReason, Entropy};

/// After the first failure; twice as long after each that follows
const PAUSE: Duration = Duration::from_millis(500);
const ATTEMPTS: u32 = 8;

#[entry]
fn main() -> ! {
    static mut MEMORY: Memory = Memory::new();
    static mut MESSAGE: [u8; MAX_MESSAGE] = [0; MAX_MESSAGE];

    node::finish(run(MEMORY, MESSAGE))
}

/// Returns whether a session went as it should
fn run(memory: &mut Memory, message: &mut [u8; MAX_MESSAGE]) -> Result<bool, StartError> {
    let core = cortex_m::Peripherals::take().ok_or(StartError::Processor)?;
    let mut clock = Clock::start(core.SYST, HERTZ);
    let network = network::start()?;
    let (role, port) = lm3s::command()?;
    let config = node::configure(node::draw_identity()?, &PROTOCOLS, MAX_MESSAGE)?;
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

/// One link, from the handshake to its end; returns whether it went as it should
///
/// The link is on the stack, so the memory is only lent to it, and lent anew to the next; a link that was given
/// buffers for good hands them back by [`PeerState::into_buffers`](devp2p_proto::PeerState::into_buffers).
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
            Ok(script.is_complete() && cause == Cause::Local(DisconnectReason::CLIENT_QUITTING))
        }
        Err(refusal) => Err(refusal.error.into()),
    }
}

//! A session with geth over a UART, in the role that the command line names
//!
//! `initiator NODE_ID` dials, `recipient` waits to be dialled.
#![no_std]
#![no_main]

use cortex_m_rt::entry;
use devp2p_firmware::mps2::{HERTZ, Uart};
use devp2p_firmware::{Clock, MAX_MESSAGE, NoEntropy, PROTOCOLS, Script, drive, fill_random, stack};
use devp2p_proto::{
    Buffers, Cause, Config, ConfigError, DisconnectReason, Entropy, Instant, NodeId, PeerState, SecretKey,
};
use semihosting::process::ExitCode;
use static_cell::StaticCell;

/// Entries of the compressor's table: at 1 KiB messages this many cost a few bytes a message in
/// compression, and 1.5 KB less than the largest that would do any good
const TABLE_LEN: usize = 256;

#[entry]
fn main() -> ! {
    // Too small a buffer would be refused by the link's constructor; these cannot be.
    static mut RECEIVE: [u8; Buffers::receive_len(MAX_MESSAGE)] = [0; Buffers::receive_len(MAX_MESSAGE)];
    static mut TRANSMIT: [u8; Buffers::transmit_len(MAX_MESSAGE)] = [0; Buffers::transmit_len(MAX_MESSAGE)];
    static mut TABLE: [u16; TABLE_LEN] = [0; TABLE_LEN];
    static mut MESSAGE: [u8; MAX_MESSAGE] = [0; MAX_MESSAGE];

    let succeeded = match run(Buffers::fixed(RECEIVE, TRANSMIT, TABLE), MESSAGE) {
        Ok(succeeded) => succeeded,
        Err(error) => {
            defmt::error!("cannot start: {}", error);
            false
        }
    };
    defmt::info!("deepest stack: {=usize} bytes", stack::deepest());
    ExitCode::from(u8::from(!succeeded)).exit_process()
}

/// Why there is no link
#[derive(defmt::Format)]
enum StartError {
    /// Another program has the processor
    Processor,
    /// The command line is not one of those that this image understands
    CommandLine,
    Entropy(NoEntropy),
    Config(ConfigError),
}

impl From<ConfigError> for StartError {
    fn from(error: ConfigError) -> Self {
        Self::Config(error)
    }
}

impl From<NoEntropy> for StartError {
    fn from(error: NoEntropy) -> Self {
        Self::Entropy(error)
    }
}

/// Returns whether the session went as it should
fn run(buffers: Buffers<'static>, message: &mut [u8; MAX_MESSAGE]) -> Result<bool, StartError> {
    let core = cortex_m::Peripherals::take().ok_or(StartError::Processor)?;
    let mut clock = Clock::start(core.SYST, HERTZ);
    let mut uart = Uart::start();
    let link = open(clock.now(), configure()?, role()?, entropy()?, buffers)?;
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
    buffers: Buffers<'static>,
) -> Result<&'static mut PeerState<'static>, ConfigError> {
    static LINK: StaticCell<Result<PeerState<'static>, ConfigError>> = StaticCell::new();
    let link = LINK.init_with(|| match role {
        Role::Initiator(remote) => PeerState::initiator(now, config, remote, entropy, buffers),
        Role::Recipient => PeerState::recipient(now, config, entropy, buffers),
    });
    link.as_mut().map_err(|error| *error)
}

enum Role {
    Initiator(NodeId),
    Recipient,
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

#[inline(never)]
fn entropy() -> Result<Entropy, NoEntropy> {
    let mut random = [0; Entropy::SIZE];
    fill_random(&mut random)?;
    Ok(Entropy::from_bytes(random))
}

/// A key that is drawn anew at every start; a real device keeps its key
#[inline(never)]
fn identity() -> Result<SecretKey, NoEntropy> {
    let mut key = [0; 32];
    fill_random(&mut key)?;
    let identity = SecretKey::from_bytes(key).map_err(|_| NoEntropy)?;
    defmt::info!("this node is {}", identity.node_id());
    Ok(identity)
}

#[inline(never)]
fn configure() -> Result<&'static Config, StartError> {
    static CONFIG: StaticCell<Config> = StaticCell::new();
    let config = Config::new(identity()?, "devp2p-firmware/0.1.0/thumbv7em", &PROTOCOLS)?;
    Ok(CONFIG.init(config.with_max_message(MAX_MESSAGE)?))
}

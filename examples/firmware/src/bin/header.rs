//! A visit to a full Ethereum node: is it on our chain, and are its headers what they must be?
//!
//! `NODE_ID PORT NETWORK GENESIS FORK_ID` names the node, by a port of the host, and the chain; the newest
//! version of `eth` that is to be offered may follow.
//!
//! A node that has transactions in its pool announces them right after Status, thousands in one message if it has
//! so many. [`MAX_MESSAGE`] is room for 110; what is larger ends the link with a violation that names it.
#![no_std]
#![no_main]

use core::str::FromStr;

use cortex_m_rt::entry;
use devp2p_firmware::eth::{self, Chain, HeaderCheck};
use devp2p_firmware::lm3s::{HERTZ, HOST, network};
use devp2p_firmware::node::{self, Memory, Role, StartError};
use devp2p_firmware::{Clock, Generator, Source, drive};
use devp2p_proto::{Buffers, NodeId, Protocol};

/// The largest message that is taken: 37 bytes for each transaction that the node announces, and a header is
/// less than one kilobyte
const MAX_MESSAGE: usize = 4096;
/// What is sent is small, so the transmit buffer is the smaller one. It has one entry, for one name: of the two
/// versions of `eth` only one is shared.
type VisitMemory = Memory<{ Buffers::receive_len(MAX_MESSAGE) }, { Buffers::transmit_len(&[eth::MAX_SEND]) }>;

#[entry]
fn main() -> ! {
    static mut MEMORY: VisitMemory = Memory::new();

    node::finish(run(MEMORY))
}

/// Returns whether the node has shown what it had to
fn run(memory: &'static mut VisitMemory) -> Result<bool, StartError> {
    let core = cortex_m::Peripherals::take().ok_or(StartError::Processor)?;
    let mut clock = Clock::start(core.SYST, HERTZ);
    let network = network::start()?;
    let Command { remote, port, chain, protocols } = Command::read()?;
    let config = node::configure(node::draw_identity()?, protocols, MAX_MESSAGE)?;
    if network.dial(&mut clock, (HOST, port)).is_err() {
        defmt::info!("no connection");
        return Ok(false);
    }
    let mut generator = Generator::new(Source::Host);
    let link = node::open_in_place(clock.now(), config, Role::Initiator(remote), &mut generator, memory.buffers())?;
    let mut check = HeaderCheck::new(chain);
    let cause = drive(link, network, &mut clock, &mut check);
    defmt::info!("ended: {}", cause);
    network.hang_up(&mut clock);
    Ok(check.has_passed())
}

struct Command {
    remote: NodeId,
    port: u16,
    chain: Chain,
    protocols: &'static [Protocol<'static>],
}

impl Command {
    /// What the command line says
    #[inline(never)]
    fn read() -> Result<Self, StartError> {
        fn parse<T: FromStr>(argument: Option<&str>) -> Result<T, StartError> {
            argument.and_then(|text| text.parse().ok()).ok_or(StartError::CommandLine)
        }
        let args = semihosting::experimental::env::args::<320>().map_err(|_| StartError::CommandLine)?;
        let mut args = (&args).filter_map(Result::ok);
        let (remote, port) = (parse(args.next())?, parse(args.next())?);
        let chain = Chain { network: parse(args.next())?, genesis: parse(args.next())?, fork_id: parse(args.next())? };
        let protocols = match args.next() {
            None | Some("69") => &eth::PROTOCOLS[..],
            Some("68") => &eth::PROTOCOLS[1..],
            Some(_) => return Err(StartError::CommandLine),
        };
        Ok(Self { remote, port, chain, protocols })
    }
}

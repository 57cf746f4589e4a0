//! A visit to a whole Ethereum node: is it on our chain, and are its headers what they must be?
//!
//! `NODE_ID PORT NETWORK GENESIS FORK_ID` names the node, by a port of the host, and the chain; the newest
//! version of `eth` that is to be offered may follow.
#![no_std]
#![no_main]

use core::str::FromStr;

use cortex_m_rt::entry;
use devp2p_firmware::eth::{self, Chain, HeaderCheck};
use devp2p_firmware::lm3s::{HERTZ, HOST, network};
use devp2p_firmware::node::{self, Role, StartError};
use devp2p_firmware::{Clock, Generator, Source, drive};
use devp2p_proto::{NodeId, Protocol};

#[entry]
fn main() -> ! {
    node::finish(run())
}

/// Returns whether the node has shown what it had to
fn run() -> Result<bool, StartError> {
    let core = cortex_m::Peripherals::take().ok_or(StartError::Processor)?;
    let mut clock = Clock::start(core.SYST, HERTZ);
    let network = network::start()?;
    let Command { remote, port, chain, protocols } = Command::read()?;
    let config = node::configure(node::draw_identity()?, protocols)?;
    if network.dial(&mut clock, (HOST, port)).is_err() {
        defmt::info!("no connection");
        return Ok(false);
    }
    let entropy = Generator::new(Source::Host).draw()?;
    let link = node::open_in_place(clock.now(), config, Role::Initiator(remote), entropy)?;
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

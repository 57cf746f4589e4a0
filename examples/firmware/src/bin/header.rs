//! A visit to a full Ethereum node: is it on our chain, and are its headers what they must be?
//!
//! `NODE_ID PORT NETWORK GENESIS FORK_ID` names the node, by a port of the host, and the chain. These may follow,
//! in this order: the newest version of `eth` that is offered, the seconds that the session is to last, and
//! `without-skipping`.
//!
//! A node that has transactions in its pool announces them right after Status, thousands in one message if it has
//! so many. [`MAX_MESSAGE`] is room for 110. A larger message is skipped: it is authenticated, and needs no larger
//! buffer. With `without-skipping`, such a message ends the link with a violation.
#![no_std]
#![no_main]

use core::str::FromStr;
use core::time::Duration;

use cortex_m_rt::entry;
use devp2p_firmware::eth::{self, Chain, HeaderCheck, Skipped};
use devp2p_firmware::lm3s::{HERTZ, HOST, network};
use devp2p_firmware::node::{self, Memory, Role, StartError};
use devp2p_firmware::{Clock, Generator, Source, drive};
use devp2p_proto::{Buffers, Instant, Liveness, NodeId, PeerState, Protocol};

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
    let Command { remote, port, chain, stay, protocols } = Command::read()?;
    let config = node::configure(node::draw_identity()?, protocols, MAX_MESSAGE)?;
    if network.dial(&mut clock, (HOST, port)).is_err() {
        defmt::info!("no connection");
        return Ok(false);
    }
    let mut generator = Generator::new(Source::Host);
    let link = node::open_in_place(clock.now(), config, Role::Initiator(remote), &mut generator, memory.buffers())?;
    let mut check = HeaderCheck::new(chain, stay);
    let cause = drive(link, network, &mut clock, &mut check);
    defmt::info!("ended: {}", cause);
    sum_up(link, clock.now(), check.skipped());
    network.hang_up(&mut clock);
    Ok(check.has_passed())
}

/// Logs the age of the link, its Pings, and the messages that were skipped
fn sum_up(link: &PeerState<'_>, now: Instant, skipped: Skipped) {
    let Liveness { pings_sent, pongs_received, pings_received, pongs_sent, .. } = link.liveness();
    let Skipped { messages, bytes } = skipped;
    defmt::info!("the link has lived for {=u64} s", link.age(now).as_secs());
    defmt::info!("{=u64} Pings of ours, {=u64} answered", pings_sent, pongs_received);
    defmt::info!("{=u64} Pings of the node's, {=u64} answered", pings_received, pongs_sent);
    defmt::info!("messages skipped: {=u32}, {=u64} bytes on the wire", messages, bytes);
}

struct Command {
    remote: NodeId,
    port: u16,
    chain: Chain,
    stay: Duration,
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
        let version = args.next();
        let stay = Duration::from_secs(args.next().map_or(Ok(0), |seconds| parse(Some(seconds)))?);
        let protocols = match args.next() {
            None => &eth::PROTOCOLS,
            Some("without-skipping") => &eth::WITHOUT_SKIPPING,
            Some(_) => return Err(StartError::CommandLine),
        };
        let protocols = match version {
            None | Some("69") => &protocols[..],
            Some("68") => &protocols[1..],
            Some(_) => return Err(StartError::CommandLine),
        };
        Ok(Self { remote, port, chain, stay, protocols })
    }
}

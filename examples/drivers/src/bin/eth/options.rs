//! The command line

use std::net::SocketAddr;

use devp2p_drivers::arguments::{Arguments, consented};
use devp2p_drivers::eth::chain::Chain;
use devp2p_drivers::eth::fork::{ForkId, Forks};
use devp2p_drivers::eth::genesis;
use devp2p_drivers::eth::hash::Hash;
use devp2p_drivers::eth::message::MAX_LIST;
use devp2p_drivers::eth::store::DEFAULT_BUDGET;
use devp2p_proto::{Enode, Timeouts};

use crate::request::Patience;

const VERSIONS: [u64; 3] = [68, 69, 70];

pub const USAGE: &str = "\
usage: eth [OPTIONS] enode://ID@ADDRESS:PORT
       --genesis FILE | --network-id N --genesis-hash HASH --fork-id CHECKSUM[/NEXT]

Fetches the chain of a node and checks every block. With --listen, serves the blocks to nodes that dial.

  --genesis FILE         the chain, as a genesis file for `geth init`
  --network-id N         the network id, if it is not the chain id in the file
  --genesis-hash HASH    the chain, if there is no genesis file
  --fork-id CHECKSUM[/NEXT]
                         the fork id of the chain at genesis or at the head
  --once                 exit at the node's head, and do not wait for new blocks
  --listen ADDRESS:PORT  once there are blocks, accept links and serve headers, bodies and receipts
  --max-inbound N        refuse connections beyond N open ones (default 16)
  --budget BYTES         keep blocks in at most this much memory; the oldest are dropped (default 67108864)
  --version 68|69|70     offer this version of eth only
  --patience SECONDS     timeout for Status and for every answer (default 5 and 10)
  --timeouts NAME=MILLIS,…
                         timeouts of the link: handshake (also for connecting), ping, pong, read, write, linger
  --batch N              number of headers in one request, at most 1024 (default 192)
  --record FILE          record the link to the node for `replay`; the file holds secrets, so it needs --yes-secrets

exit status: 0 all blocks are right, 1 link lost, 2 bad arguments, 3 refused by the node, 4 node unreachable,
             5 the node is on another chain, 6 the node broke a protocol or is of no use";

pub struct Options {
    pub node: Enode,
    pub chain: Chain,
    pub versions: Vec<u64>,
    pub once: bool,
    pub listen: Option<SocketAddr>,
    /// How many inbound links there may be at once, with those that are still in the handshake
    pub max_inbound: usize,
    /// How many bytes of blocks are kept
    pub budget: usize,
    pub batch: u64,
    pub patience: Patience,
    pub timeouts: Timeouts,
    pub record: Option<String>,
}

impl Options {
    pub fn parse(mut arguments: Arguments) -> Result<Self, String> {
        let (mut node, mut record, mut secrets) = (None, None, false);
        let (mut which, mut versions, mut once, mut batch) = (Which::default(), VERSIONS.to_vec(), false, 192);
        let (mut listen, mut max_inbound, mut budget) = (None, 16, DEFAULT_BUDGET);
        let (mut patience, mut timeouts) = (Patience::default(), Timeouts::default());
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--genesis" => which.file = Some(arguments.value(&argument)?),
                "--network-id" => which.network = Some(arguments.parse(&argument)?),
                "--genesis-hash" => which.hash = Some(arguments.parse(&argument)?),
                "--fork-id" => which.fork_id = Some(arguments.parse(&argument)?),
                "--version" => versions = vec![version(&arguments.value(&argument)?)?],
                "--once" => once = true,
                "--listen" => listen = Some(arguments.parse(&argument)?),
                "--max-inbound" => max_inbound = arguments.positive(&argument)?,
                "--budget" => budget = arguments.positive(&argument)?,
                "--patience" => patience = Patience::only(arguments.seconds(&argument)?),
                "--timeouts" => arguments.timeouts(&argument, &mut timeouts)?,
                "--batch" => batch = batch_size(arguments.positive(&argument)?)?,
                "--record" => record = Some(arguments.value(&argument)?),
                "--yes-secrets" => secrets = true,
                option if option.starts_with('-') => return Err(format!("unknown option {option}")),
                url if node.is_none() => node = Some(url.parse::<Enode>().map_err(|error| format!("{url}: {error}"))?),
                other => return Err(format!("unexpected argument {other}: give one node only")),
            }
        }
        let node = node.ok_or("the enode:// URL of the node is missing")?;
        if once && listen.is_some() {
            return Err("--once cannot be combined with --listen: a node that listens stays".to_string());
        }
        let (record, chain) = (consented(record, secrets)?, which.chain()?);
        Ok(Self { node, chain, versions, once, listen, max_inbound, budget, batch, patience, timeouts, record })
    }
}

fn batch_size(batch: u64) -> Result<u64, String> {
    match batch > MAX_LIST as u64 {
        true => Err(format!("--batch {batch}: must be at most {MAX_LIST}")),
        false => Ok(batch),
    }
}

fn version(text: &str) -> Result<u64, String> {
    let version = text.parse().ok().filter(|version| VERSIONS.contains(version));
    version.ok_or_else(|| format!("--version {text}: must be 68, 69 or 70"))
}

/// The options that say which chain it is
#[derive(Default)]
struct Which {
    file: Option<String>,
    network: Option<u64>,
    hash: Option<Hash>,
    fork_id: Option<ForkId>,
}

impl Which {
    fn chain(self) -> Result<Chain, String> {
        match self {
            Self { file: Some(file), network, hash: None, fork_id: None } => genesis::read(&file, network),
            Self { file: Some(_), .. } => Err("--genesis cannot be combined with --genesis-hash or --fork-id".into()),
            Self { file: None, network: Some(network), hash: Some(genesis), fork_id: Some(id) } => {
                Ok(Chain { network, genesis, forks: Forks::Only(id) })
            }
            _ => Err("the chain is missing: give --genesis FILE, or --network-id, --genesis-hash and --fork-id".into()),
        }
    }
}

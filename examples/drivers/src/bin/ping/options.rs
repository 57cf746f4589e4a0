//! The command line

use std::time::Duration;

use devp2p_drivers::arguments::{Arguments, consented};
use devp2p_drivers::journal::Offer;
use devp2p_proto::{Enode, Timeouts};

pub const USAGE: &str = "\
usage: ping [OPTIONS] enode://ID@ADDRESS:PORT
       ping [OPTIONS] --nodes FILE

one node:
  --count N              stop after N answers (default: go on until Ctrl-C)
  --interval SECONDS     time from one Ping to the next (default 1); reth ends a link after a burst of
                         more than five Pings, and permits one more for each second
  --json                 print one JSON document instead of lines
  --record FILE          record the link for `replay`; the file holds secrets, so it needs --yes-secrets

every node of a list:
  --nodes FILE           one enode URL a line; blank lines, and the text after a #, are ignored
  --at-once N            how many nodes may be dialled without having sent Hello yet (default 500); together
                         with the others, up to 8 times N connections are open
  --eth                  also wait for the Status of `eth`: network, genesis and fork id
  --format FORMAT        table (the default, printed at the end), csv or json; csv and json print a line as
                         soon as a node is done, and the summary on standard error
  --limit SECONDS        longest time for one node in total (default 30)

both:
  --timeout SECONDS      longest time for an answer (default 10)
  --timeouts NAME=MILLIS,…
                         other timeouts of the link: handshake (also for connecting), write, linger
  --offer NAME/VERSION:LENGTH
                         offer this protocol instead of eth/68, eth/69 and snap/1; may be repeated

The first Ping leaves half a second after Hello, since ethrex ends a link whose first message is not Status.
With --nodes it leaves as soon as the node's Status is answered. The round trip includes the time during
which this program was busy with other nodes.

exit status: 0 node reached, 1 link lost, 2 bad arguments, 3 refused by the node, 4 node unreachable;
             with --nodes: 0 at least one node reached, 2 bad arguments or list, 4 none reached";

/// What is to be done
pub enum Command {
    One(One),
    Many(Many),
}

pub struct One {
    pub node: Enode,
    pub count: Option<u64>,
    pub interval: Duration,
    pub timeout: Duration,
    pub timeouts: Timeouts,
    pub offers: Vec<Offer>,
    pub json: bool,
    pub record: Option<String>,
}

pub struct Many {
    pub nodes: String,
    pub at_once: usize,
    pub eth: bool,
    pub format: Format,
    /// The longest time for one node in total
    pub limit: Duration,
    /// The longest time for one answer
    pub timeout: Duration,
    pub timeouts: Timeouts,
    pub offers: Vec<Offer>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Table,
    Csv,
    Json,
}

/// The arguments as they were given
#[derive(Default)]
struct Given {
    node: Option<Enode>,
    nodes: Option<String>,
    /// An option that only makes sense for one node
    only_one: Option<String>,
    /// An option that only makes sense for a list
    only_many: Option<String>,
    count: Option<u64>,
    interval: Option<Duration>,
    timeout: Option<Duration>,
    timeouts: Timeouts,
    offers: Vec<Offer>,
    json: bool,
    record: Option<String>,
    secrets: bool,
    at_once: Option<usize>,
    eth: bool,
    format: Option<Format>,
    limit: Option<Duration>,
}

impl Command {
    pub fn parse(mut arguments: Arguments) -> Result<Self, String> {
        let mut given = Given::default();
        while let Some(argument) = arguments.next() {
            given.take(&argument, &mut arguments)?;
        }
        if given.offers.is_empty() {
            given.offers = usual_offers();
        }
        match given.nodes.take() {
            None => given.one().map(Self::One),
            Some(nodes) => given.many(nodes).map(Self::Many),
        }
    }
}

impl Given {
    fn take(&mut self, argument: &str, arguments: &mut Arguments) -> Result<(), String> {
        match argument {
            "--count" | "--interval" | "--json" | "--record" | "--yes-secrets" => self.only_one = Some(argument.into()),
            "--at-once" | "--eth" | "--format" | "--limit" => self.only_many = Some(argument.into()),
            _ => {}
        }
        match argument {
            "--nodes" => self.nodes = Some(arguments.value(argument)?),
            "--count" => self.count = Some(arguments.positive(argument)?),
            "--interval" => self.interval = Some(arguments.seconds(argument)?),
            "--timeout" => self.timeout = Some(arguments.seconds(argument)?),
            "--limit" => self.limit = Some(arguments.seconds(argument)?),
            "--timeouts" => arguments.timeouts(argument, &mut self.timeouts)?,
            "--offer" => self.offers.push(arguments.parse(argument)?),
            "--at-once" => self.at_once = Some(arguments.positive(argument)?),
            "--eth" => self.eth = true,
            "--format" => self.format = Some(format(&arguments.value(argument)?)?),
            "--json" => self.json = true,
            "--record" => self.record = Some(arguments.value(argument)?),
            "--yes-secrets" => self.secrets = true,
            option if option.starts_with('-') => return Err(format!("unknown option {option}")),
            url if self.node.is_none() => self.node = Some(url.parse().map_err(|error| format!("{url}: {error}"))?),
            other => return Err(format!("unexpected argument {other}: give one node only, or a list with --nodes")),
        }
        Ok(())
    }

    fn one(self) -> Result<One, String> {
        if let Some(option) = self.only_many {
            return Err(format!("{option} needs a list of nodes: --nodes FILE"));
        }
        Ok(One {
            node: self.node.ok_or("the enode:// URL of the node is missing")?,
            count: self.count,
            interval: self.interval.unwrap_or(Duration::from_secs(1)),
            timeout: self.timeout.unwrap_or(ANSWER),
            timeouts: self.timeouts,
            offers: self.offers,
            json: self.json,
            record: consented(self.record, self.secrets)?,
        })
    }

    fn many(self, nodes: String) -> Result<Many, String> {
        if let Some(option) = self.only_one {
            return Err(format!("{option} is for one node, and cannot be combined with --nodes"));
        }
        if self.node.is_some() {
            return Err("give one node or a list with --nodes, not both".to_string());
        }
        Ok(Many {
            nodes,
            at_once: self.at_once.unwrap_or(500),
            eth: self.eth,
            format: self.format.unwrap_or(Format::Table),
            limit: self.limit.unwrap_or(Duration::from_secs(30)),
            timeout: self.timeout.unwrap_or(ANSWER),
            timeouts: self.timeouts,
            offers: self.offers,
        })
    }
}

/// Longest time for an answer
const ANSWER: Duration = Duration::from_secs(10);

fn format(word: &str) -> Result<Format, String> {
    match word {
        "table" => Ok(Format::Table),
        "csv" => Ok(Format::Csv),
        "json" => Ok(Format::Json),
        _ => Err(format!("--format {word}: must be table, csv or json")),
    }
}

/// Protocols of which every Ethereum node shares at least one
fn usual_offers() -> Vec<Offer> {
    [("eth", 68, 17), ("eth", 69, 18), ("snap", 1, 8)]
        .map(|(name, version, length)| Offer::new(name, version, length, devp2p_proto::MAX_MESSAGE))
        .into()
}

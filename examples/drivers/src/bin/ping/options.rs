//! The command line

use std::time::Duration;

use devp2p_drivers::arguments::{Arguments, consented};
use devp2p_drivers::journal::Offer;
use devp2p_proto::{Enode, Timeouts};

pub const USAGE: &str = "\
usage: ping [OPTIONS] enode://ID@ADDRESS:PORT

  --count N              stop after N answers (default: go on until Ctrl-C)
  --interval SECONDS     time from one Ping to the next (default 1)
  --timeout SECONDS      longest time for an answer (default 10)
  --timeouts NAME=MILLIS,…
                         other timeouts of the link: handshake (also for connecting), write, linger
  --offer NAME/VERSION:LENGTH
                         offer this protocol instead of eth/68, eth/69 and snap/1; may be repeated
  --json                 print one JSON document instead of lines
  --record FILE          record the link for `replay`; the file holds secrets, so it needs --yes-secrets

exit status: 0 node reached, 1 link lost, 2 bad arguments, 3 refused by the node, 4 node unreachable";

pub struct Options {
    pub node: Enode,
    pub count: Option<u64>,
    pub interval: Duration,
    pub timeout: Duration,
    pub timeouts: Timeouts,
    pub offers: Vec<Offer>,
    pub json: bool,
    pub record: Option<String>,
}

impl Options {
    pub fn parse(mut arguments: Arguments) -> Result<Self, String> {
        let (mut node, mut record, mut secrets) = (None, None, false);
        let (mut count, mut interval, mut timeout) = (None, Duration::from_secs(1), Duration::from_secs(10));
        let (mut offers, mut json, mut timeouts) = (Vec::new(), false, Timeouts::default());
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--count" => count = Some(arguments.positive(&argument)?),
                "--interval" => interval = arguments.seconds(&argument)?,
                "--timeout" => timeout = arguments.seconds(&argument)?,
                "--timeouts" => arguments.timeouts(&argument, &mut timeouts)?,
                "--offer" => offers.push(arguments.parse(&argument)?),
                "--json" => json = true,
                "--record" => record = Some(arguments.value(&argument)?),
                "--yes-secrets" => secrets = true,
                option if option.starts_with('-') => return Err(format!("unknown option {option}")),
                url if node.is_none() => node = Some(url.parse::<Enode>().map_err(|error| format!("{url}: {error}"))?),
                other => return Err(format!("unexpected argument {other}: give one node only")),
            }
        }
        if offers.is_empty() {
            offers = usual_offers();
        }
        let node = node.ok_or("the enode:// URL of the node is missing")?;
        let record = consented(record, secrets)?;
        Ok(Self { node, count, interval, timeout, timeouts, offers, json, record })
    }
}

/// Protocols of which every Ethereum node shares one at least
fn usual_offers() -> Vec<Offer> {
    [("eth", 68, 17), ("eth", 69, 18), ("snap", 1, 8)]
        .map(|(name, version, length)| Offer::new(name, version, length, devp2p_proto::MAX_MESSAGE))
        .into()
}

//! The command line

use std::path::Path;
use std::time::Duration;

use devp2p_drivers::arguments::Arguments;

use crate::plan::START;

pub const USAGE: &str = "\
usage: devp2p-network [OPTIONS]

  --nodes N               how many nodes there are (default 1000)
  --links K               how many links each of them has (default 16)
  --seed SEED             decides all that is random (default 1); the same seed gives the same run
  --blocks N              how many blocks are made (default 1)
  --block-size BYTES      the size of a block (default 102400)
  --interval SECONDS      time from one block to the next (default 12)
  --transactions N        how many transactions of 200 bytes are made meanwhile (default 10)
  --time SECONDS          when the run ends, in simulated time (default 60)
  --stall PERCENT         so many nodes stand still for some seconds (default 2)
  --vanish PERCENT        so many nodes vanish without a word (default 2)
  --return PERCENT        so many nodes vanish, and come back with new links (default 2)
  --lie PERCENT           so many nodes send a wrong MAC or a block that nobody has made (default 2)
  --html FILE             write a page with pictures; no existing file is written over

The rule of gossip is src/gossip.rs. All links are open when the first block is made, after 5 simulated seconds.
Progress goes to standard error. Ctrl-C ends the run early, with the results so far.

exit status: 0 the run is complete, 1 it was interrupted or a file could not be written, 2 bad arguments";

#[derive(Debug, Clone)]
pub struct Options {
    pub nodes: usize,
    pub links: usize,
    pub seed: u64,
    pub blocks: usize,
    pub block_size: usize,
    pub interval: Duration,
    pub transactions: usize,
    pub time: Duration,
    pub stall: usize,
    pub vanish: usize,
    pub back: usize,
    pub lie: usize,
    pub html: Option<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            nodes: 1000,
            links: 16,
            seed: 1,
            blocks: 1,
            block_size: 100 << 10,
            interval: Duration::from_secs(12),
            transactions: 10,
            time: Duration::from_secs(60),
            stall: 2,
            vanish: 2,
            back: 2,
            lie: 2,
            html: None,
        }
    }
}

/// The largest network: each node takes a few kilobytes for each of its links
const MOST_LINKS: usize = 1_000_000;
/// The most bytes of all blocks together, which are made before the run
const MOST_BYTES: usize = 1 << 30;
const MOST_TRANSACTIONS: usize = 100_000;
/// The largest block: RLP and Snappy need some of the bytes of the largest message
const LARGEST_BLOCK: usize = 15 << 20;

impl Options {
    pub fn parse(mut arguments: Arguments) -> Result<Self, String> {
        let mut options = Self::default();
        while let Some(argument) = arguments.next() {
            options.take(&argument, &mut arguments)?;
        }
        options.checked()
    }

    fn take(&mut self, option: &str, arguments: &mut Arguments) -> Result<(), String> {
        match option {
            "--nodes" => self.nodes = arguments.positive(option)?,
            "--links" => self.links = arguments.positive(option)?,
            "--seed" => self.seed = arguments.parse(option)?,
            "--blocks" => self.blocks = arguments.positive(option)?,
            "--block-size" => self.block_size = arguments.positive(option)?,
            "--interval" => self.interval = arguments.seconds(option)?,
            "--transactions" => self.transactions = arguments.parse(option)?,
            "--time" => self.time = arguments.seconds(option)?,
            "--stall" => self.stall = percent(arguments, option)?,
            "--vanish" => self.vanish = percent(arguments, option)?,
            "--return" => self.back = percent(arguments, option)?,
            "--lie" => self.lie = percent(arguments, option)?,
            "--html" => self.html = Some(arguments.value(option)?),
            other => return Err(format!("unknown option {other}")),
        }
        Ok(())
    }

    /// The command that gives the same run
    pub fn command(&self) -> String {
        let Self { nodes, links, seed, blocks, block_size, transactions, stall, vanish, back, lie, .. } = self;
        let (interval, time) = (self.interval.as_secs_f64(), self.time.as_secs_f64());
        format!(
            "devp2p-network --nodes {nodes} --links {links} --seed {seed} --blocks {blocks} --block-size {block_size} \
             --interval {interval} --transactions {transactions} --time {time} --stall {stall} --vanish {vanish} \
             --return {back} --lie {lie}"
        )
    }

    pub fn checked(self) -> Result<Self, String> {
        let Self { nodes, links, blocks, block_size, transactions, .. } = self;
        if links >= nodes {
            return Err(format!("--links {links}: must be less than --nodes {nodes}: each link goes to another node"));
        }
        let ends = nodes.checked_mul(links).filter(|ends| *ends <= 2 * MOST_LINKS);
        let ends = ends.ok_or_else(|| format!("--nodes {nodes} --links {links}: more than {MOST_LINKS} links"))?;
        if ends % 2 == 1 {
            return Err(format!("--nodes {nodes} --links {links}: one of them must be even: a link has two ends"));
        }
        if block_size > LARGEST_BLOCK {
            return Err(format!("--block-size {block_size}: must be at most {LARGEST_BLOCK}"));
        }
        if blocks.checked_mul(block_size).is_none_or(|bytes| bytes > MOST_BYTES) {
            return Err(format!("--blocks {blocks} --block-size {block_size}: more than {MOST_BYTES} bytes of blocks"));
        }
        if transactions > MOST_TRANSACTIONS {
            return Err(format!("--transactions {transactions}: must be at most {MOST_TRANSACTIONS}"));
        }
        self.check_times()?;
        let faulty = self.stall + self.vanish + self.back + self.lie;
        if faulty >= 100 {
            return Err(format!(
                "--stall, --vanish, --return and --lie: {faulty} percent together: somebody must make blocks"
            ));
        }
        match &self.html {
            Some(path) if Path::new(path).exists() => Err(format!("--html {path}: File exists")),
            _ => Ok(self),
        }
    }

    fn check_times(&self) -> Result<(), String> {
        let last = u32::try_from(self.blocks - 1).ok().and_then(|count| self.interval.checked_mul(count));
        let last = last.and_then(|time| time.checked_add(START));
        if last.is_none_or(|last| last >= self.time) {
            return Err(format!(
                "--time {}: ends before the last of --blocks {} is made: the first comes after {} s, the others \
                 --interval {} apart",
                self.time.as_secs_f64(),
                self.blocks,
                START.as_secs(),
                self.interval.as_secs_f64()
            ));
        }
        Ok(())
    }
}

fn percent(arguments: &mut Arguments, option: &str) -> Result<usize, String> {
    let value = arguments.parse(option)?;
    if value <= 100 { Ok(value) } else { Err(format!("{option} {value}: more than 100 percent")) }
}

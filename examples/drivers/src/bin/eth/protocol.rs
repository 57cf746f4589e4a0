//! `eth` itself: the handshake, then a download on our side and requests on theirs
//!
//! A subprotocol is written as the link is: messages and time come in, messages go out, and nothing waits. So it
//! runs under any driver, and a test needs no network.

use std::time::Duration;

use devp2p_drivers::eth::chain::Chain;
use devp2p_drivers::eth::hash::Hash;
use devp2p_drivers::eth::header::Header;
use devp2p_drivers::eth::message::{self, BlockRange, GetBlockHeaders, List, Numbered, Raw};
use devp2p_drivers::eth::status::Status;
use devp2p_proto::Instant;
use rlp::{Decodable, DecoderError, Rlp};

use crate::download::{Download, Tally};
use crate::failure::{Failure, decode};
use crate::options::Options;
use crate::port::Port;
use crate::request::Patience;

/// How long to let the peer speak first
///
/// Both sides send Status without being asked, and a node of another chain hangs up when it reads ours. If its
/// own has come before that, we can say what the difference is.
const COURTESY: Duration = Duration::from_secs(1);

pub struct Eth {
    version: u64,
    chain: Chain,
    batch: u64,
    patience: Patience,
    stage: Stage,
}

enum Stage {
    /// `ours` is when our own is due, `None` once it is sent
    AwaitStatus {
        ours: Option<Instant>,
        until: Option<Instant>,
    },
    Running(Box<Download>),
}

impl Eth {
    /// Of the version that was agreed on
    pub fn new(version: u64, options: &Options, now: Instant) -> Self {
        let Options { chain, batch, patience, .. } = options;
        let stage = Stage::AwaitStatus { ours: now.checked_add(COURTESY), until: now.checked_add(patience.status) };
        Self { version, chain: chain.clone(), batch: *batch, patience: *patience, stage }
    }

    pub fn handle(&mut self, now: Instant, code: u64, payload: &[u8], out: &mut Port<'_>) -> Result<(), Failure> {
        match &mut self.stage {
            Stage::AwaitStatus { .. } if code == message::STATUS => self.take_status(now, payload, out),
            Stage::AwaitStatus { .. } => {
                Err(Failure::Breach(format!("{} (code {code:#04x}) before Status", message::name(code))))
            }
            Stage::Running(download) => {
                handle(download, self.version, now, code, payload, out)?;
                download.ask(now, out)
            }
        }
    }

    fn take_status(&mut self, now: Instant, payload: &[u8], out: &mut Port<'_>) -> Result<(), Failure> {
        let status: Status = decode("Status", payload)?;
        status.check(self.version, &self.chain).map_err(Failure::OtherChain)?;
        self.send_status(out)?;
        let mut download = Download::new(self.chain.genesis, self.batch, self.patience);
        download.begin(status.head.hash(), now, out)?;
        self.stage = Stage::Running(Box::new(download));
        Ok(())
    }

    /// Sends our Status unless it is sent
    fn send_status(&mut self, out: &mut Port<'_>) -> Result<(), Failure> {
        match &mut self.stage {
            Stage::AwaitStatus { ours: ours @ Some(_), .. } => {
                *ours = None;
                out.send(message::STATUS, Status::at_genesis(self.version, &self.chain))
            }
            _ => Ok(()),
        }
    }

    /// Lets time pass
    pub fn handle_timeout(&mut self, now: Instant, out: &mut Port<'_>) -> Result<(), Failure> {
        let is_due = |deadline: &Option<Instant>| deadline.is_some_and(|deadline| deadline <= now);
        match &mut self.stage {
            Stage::AwaitStatus { until, .. } if is_due(until) => {
                Err(Failure::Useless(format!("no Status for {} s", self.patience.status.as_secs_f64())))
            }
            Stage::AwaitStatus { ours, .. } if is_due(ours) => self.send_status(out),
            Stage::AwaitStatus { .. } => Ok(()),
            Stage::Running(download) => {
                download.check_time(now)?;
                download.ask(now, out)
            }
        }
    }

    pub fn deadline(&self) -> Option<Instant> {
        match &self.stage {
            Stage::AwaitStatus { ours, until } => ours.or(*until),
            Stage::Running(download) => download.deadline(),
        }
    }

    /// The header of the peer's head, once, as soon as it is known
    pub const fn take_found_head(&mut self) -> Option<Header> {
        match &mut self.stage {
            Stage::AwaitStatus { .. } => None,
            Stage::Running(download) => download.take_found_head(),
        }
    }

    pub fn tally(&self) -> Tally {
        self.download().map(|download| download.tally).unwrap_or_default()
    }

    pub fn head(&self) -> Option<u64> {
        self.download().and_then(Download::head)
    }

    pub fn is_complete(&self) -> bool {
        self.download().is_some_and(Download::is_complete)
    }

    /// Whether the peer is on our chain, as far as it has said
    pub const fn is_greeted(&self) -> bool {
        matches!(self.stage, Stage::Running(_))
    }

    fn download(&self) -> Option<&Download> {
        match &self.stage {
            Stage::AwaitStatus { .. } => None,
            Stage::Running(download) => Some(download),
        }
    }
}

/// The hashes of a request, of any number: they are checked and not kept
struct Hashes;

impl Decodable for Hashes {
    fn decode(rlp: &Rlp<'_>) -> Result<Self, DecoderError> {
        rlp.item_count()?;
        rlp.iter().try_for_each(|hash| hash.as_val::<Hash>().map(drop)).map(|()| Self)
    }
}

fn handle(
    download: &mut Download,
    version: u64,
    now: Instant,
    code: u64,
    payload: &[u8],
    out: &mut Port<'_>,
) -> Result<(), Failure> {
    let name = message::name(code);
    match code {
        message::STATUS => Err(Failure::Breach("a second Status".to_string())),
        message::BLOCK_HEADERS => download.take_headers(now, decode(name, payload)?),
        message::BLOCK_BODIES => download.take_bodies(decode(name, payload)?),
        message::RECEIPTS => download.take_receipts(decode(name, payload)?),
        message::BLOCK_RANGE_UPDATE => download.take_range(decode::<BlockRange>(name, payload)?),
        message::GET_BLOCK_HEADERS => {
            let Numbered { id, content } = decode::<Numbered<GetBlockHeaders>>(name, payload)?;
            out.send(message::BLOCK_HEADERS, Numbered { id, content: List(download.shelf.find(&content)) })
        }
        // What was fetched is checked and not kept, and there is no pool: the answer says that nothing is here.
        message::GET_BLOCK_BODIES | message::GET_POOLED_TRANSACTIONS | message::GET_RECEIPTS => {
            let Numbered { id, content: Hashes } = decode(name, payload)?;
            out.send(code + 1, Numbered { id, content: List::<Hash>(Vec::new()) })
        }
        // Announcements of what this node does not keep. They must be RLP, whatever it says.
        message::NEW_BLOCK_HASHES
        | message::TRANSACTIONS
        | message::NEW_BLOCK
        | message::NEW_POOLED_TRANSACTION_HASHES => decode::<Raw>(name, payload).map(drop),
        message::POOLED_TRANSACTIONS => Err(Failure::Breach("pooled transactions that were not requested".to_string())),
        _ => Err(Failure::Breach(format!("code {code:#04x}, which eth/{version} does not have"))),
    }
}

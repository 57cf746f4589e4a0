//! `eth` itself: the handshake, then requests of the peer, and a download on our side if that is our aim
//!
//! A subprotocol is written as the link is: messages and time come in, messages go out, and nothing waits. So it
//! runs under any driver, and a test needs no network.

use std::time::Duration;

use devp2p_drivers::eth::chain::{Chain, Standing};
use devp2p_drivers::eth::header::Header;
use devp2p_drivers::eth::message::{self, BlockRange, Numbered, PAGES_VERSION, Paged, RANGE_VERSION, Raw};
use devp2p_drivers::eth::status::Status;
use devp2p_drivers::eth::store::SharedStore;
use devp2p_proto::Instant;

use crate::announce::Announcer;
use crate::answer;
use crate::download::{Download, Tally};
use crate::failure::{Failure, decode};
use crate::options::Options;
use crate::port::Port;
use crate::request::Patience;

/// How long to let the node that we have dialled speak first
///
/// Both sides send Status without being asked, and a node of another chain hangs up when it reads ours. If its
/// own has come before that, we can say what the difference is.
const COURTESY: Duration = Duration::from_secs(1);

pub struct Eth {
    version: u64,
    chain: Chain,
    patience: Patience,
    store: SharedStore,
    stage: Stage,
    /// How many requests of the peer were answered
    answered: u64,
}

/// What this side wants of the peer
#[derive(Debug, Clone, Copy)]
pub enum Aim {
    /// The chain, by so many headers in one request
    Fetch { batch: u64 },
    /// Nothing: only the peer sends requests
    Serve,
}

enum Stage {
    AwaitStatus {
        ours: Ours,
        until: Option<Instant>,
        aim: Aim,
    },
    Running {
        announcer: Announcer,
        /// `None` if the aim is to serve
        download: Option<Box<Download>>,
    },
}

/// Our own Status
#[derive(Debug, Clone, Copy)]
enum Ours {
    Due(Option<Instant>),
    /// The range of blocks in it
    Sent(BlockRange),
}

impl Eth {
    /// Of the version that was agreed on
    pub fn new(version: u64, aim: Aim, options: &Options, store: SharedStore, now: Instant) -> Self {
        let Options { chain, patience, .. } = options;
        let courtesy = match aim {
            Aim::Fetch { .. } => COURTESY,
            // A peer that dials may wait for our Status, as we wait for that of a node that we dial.
            Aim::Serve => Duration::ZERO,
        };
        let (ours, until) = (Ours::Due(now.checked_add(courtesy)), now.checked_add(patience.status));
        let stage = Stage::AwaitStatus { ours, until, aim };
        Self { version, chain: chain.clone(), patience: *patience, store, stage, answered: 0 }
    }

    pub fn handle(&mut self, now: Instant, code: u64, payload: &[u8], out: &mut Port<'_>) -> Result<(), Failure> {
        match &mut self.stage {
            Stage::AwaitStatus { .. } if code == message::STATUS => self.take_status(now, payload, out),
            Stage::AwaitStatus { .. } => {
                Err(Failure::Breach(format!("{} (code {code:#04x}) before Status", message::name(code))))
            }
            Stage::Running { .. } if answer::is_request(code) => {
                self.answered += 1;
                let payload = answer::answer(&self.store.read(), self.version, code, payload)?;
                out.send_encoded(code + 1, &payload)
            }
            Stage::Running { download, .. } => {
                take(download.as_deref_mut(), self.version, now, code, payload)?;
                download.as_mut().map_or(Ok(()), |download| download.ask(now, out))
            }
        }
    }

    fn take_status(&mut self, now: Instant, payload: &[u8], out: &mut Port<'_>) -> Result<(), Failure> {
        let status: Status = decode("Status", payload)?;
        let position = self.standing().position();
        status.check(self.version, &self.chain, position).map_err(Failure::OtherChain)?;
        let told = self.send_status(out)?;
        let Stage::AwaitStatus { aim, .. } = self.stage else {
            return Ok(());
        };
        let mut download = match aim {
            Aim::Serve => None,
            Aim::Fetch { batch } => {
                let store = self.store.clone();
                Some(Box::new(Download::new(self.version, self.chain.genesis, batch, self.patience, store)))
            }
        };
        if let Some(download) = &mut download {
            download.begin(status.head.hash(), now, out)?;
        }
        self.stage = Stage::Running { announcer: Announcer::new(told, now), download };
        Ok(())
    }

    /// Sends our Status unless it is sent, and returns the range that it tells
    fn send_status(&mut self, out: &mut Port<'_>) -> Result<BlockRange, Failure> {
        let standing = self.standing();
        match &mut self.stage {
            Stage::AwaitStatus { ours: Ours::Sent(range), .. } => Ok(*range),
            Stage::AwaitStatus { ours, .. } => {
                *ours = Ours::Sent(standing.range);
                out.send(message::STATUS, Status::of(self.version, &self.chain, &standing))?;
                Ok(standing.range)
            }
            Stage::Running { .. } => Ok(standing.range),
        }
    }

    /// Which blocks this node can serve
    fn standing(&self) -> Standing {
        self.store.read().standing().unwrap_or_else(|| self.chain.beginning())
    }

    /// Lets time pass
    pub fn handle_timeout(&mut self, now: Instant, out: &mut Port<'_>) -> Result<(), Failure> {
        let is_due = |deadline: &Option<Instant>| deadline.is_some_and(|deadline| deadline <= now);
        match &mut self.stage {
            Stage::AwaitStatus { until, .. } if is_due(until) => {
                Err(Failure::Useless(format!("no Status for {} s", self.patience.status.as_secs_f64())))
            }
            Stage::AwaitStatus { ours: Ours::Due(at), .. } if is_due(at) => self.send_status(out).map(drop),
            Stage::AwaitStatus { .. } => Ok(()),
            Stage::Running { download, .. } => {
                if let Some(download) = download {
                    download.check_time(now)?;
                    download.ask(now, out)?;
                }
                self.announce(now, out)
            }
        }
    }

    /// Tells the peer that our range of blocks has changed, if that is due
    fn announce(&mut self, now: Instant, out: &mut Port<'_>) -> Result<(), Failure> {
        let range = self.standing().range;
        let Stage::Running { announcer, download } = &mut self.stage else {
            return Ok(());
        };
        // The node from which all blocks come is told only when the download is complete.
        let is_fetching = download.as_ref().is_some_and(|download| !download.is_complete());
        if !announcer.is_time(now) || is_fetching || self.version < RANGE_VERSION {
            return Ok(());
        }
        announcer.look(now, range).map_or(Ok(()), |range| out.send(message::BLOCK_RANGE_UPDATE, range))
    }

    pub fn deadline(&self) -> Option<Instant> {
        match &self.stage {
            Stage::AwaitStatus { ours: Ours::Due(at), until, .. } => at.or(*until),
            Stage::AwaitStatus { until, .. } => *until,
            Stage::Running { announcer, download } => {
                let download = download.as_ref().and_then(|download| download.deadline());
                announcer.deadline().into_iter().chain(download).min()
            }
        }
    }

    /// The header of the peer's head, once, as soon as it is known
    pub fn take_found_head(&mut self) -> Option<Header> {
        match &mut self.stage {
            Stage::Running { download: Some(download), .. } => download.take_found_head(),
            _ => None,
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
        matches!(self.stage, Stage::Running { .. })
    }

    /// How many requests of the peer were answered
    pub const fn answered(&self) -> u64 {
        self.answered
    }

    fn download(&self) -> Option<&Download> {
        match &self.stage {
            Stage::Running { download, .. } => download.as_deref(),
            Stage::AwaitStatus { .. } => None,
        }
    }
}

/// Takes a message that is not a request
fn take(download: Option<&mut Download>, version: u64, now: Instant, code: u64, payload: &[u8]) -> Result<(), Failure> {
    let name = message::name(code);
    match (code, download) {
        (message::STATUS, _) => Err(Failure::Breach("a second Status".to_string())),
        (message::BLOCK_HEADERS, Some(download)) => download.take_headers(now, decode(name, payload)?),
        (message::BLOCK_BODIES, Some(download)) => download.take_bodies(decode(name, payload)?),
        (message::RECEIPTS, Some(download)) if version >= PAGES_VERSION => {
            download.take_receipts(decode(name, payload)?)
        }
        (message::RECEIPTS, Some(download)) => {
            let Numbered { id, content } = decode(name, payload)?;
            download.take_receipts(Paged { id, page: false, content })
        }
        (message::BLOCK_HEADERS | message::BLOCK_BODIES | message::RECEIPTS, None) => {
            Err(Failure::Breach(format!("{name} that were not requested")))
        }
        (message::BLOCK_RANGE_UPDATE, download) => {
            let range = possible(decode(name, payload)?)?;
            download.into_iter().for_each(|download| download.take_range(range));
            Ok(())
        }
        // Announcements that this node has no use for. They must be RLP, with any content.
        (
            message::NEW_BLOCK_HASHES
            | message::TRANSACTIONS
            | message::NEW_BLOCK
            | message::NEW_POOLED_TRANSACTION_HASHES,
            _,
        ) => decode::<Raw>(name, payload).map(drop),
        (message::POOLED_TRANSACTIONS, _) => {
            Err(Failure::Breach("pooled transactions that were not requested".to_string()))
        }
        _ => Err(Failure::Breach(format!("code {code:#04x}, which eth/{version} does not have"))),
    }
}

fn possible(range: BlockRange) -> Result<BlockRange, Failure> {
    match range.is_possible() {
        true => Ok(range),
        false => {
            Err(Failure::Breach(format!("an impossible range of blocks, from {} to {}", range.earliest, range.latest)))
        }
    }
}

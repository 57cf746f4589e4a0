//! A subprotocol on a chip: `eth`, as far as it takes to check block headers
//!
//! A node has to be on the chain that the device was told of, and to show two headers: that of the
//! genesis block, whose hash the device knows, and that of the newest block, whose hash and number the node
//! has sent in its Status. The check of the newest block only shows whether the node agrees with itself. The
//! requests of the node are answered with empty lists, and its announcements are ignored. Then the session
//! may go on for a while.

mod failure;
mod message;

use core::time::Duration;

use devp2p_proto::rlp;
use devp2p_proto::{Instant, PeerState, Protocol, ProtocolId, Ready, SharedProtocol};

use crate::drive::Application;
pub use failure::Failure;
pub use message::{Block, Chain, ForkId, Hash, MAX_LEN as MAX_SEND};
use message::{Header, Outgoing, Status};

/// What this node offers; of what a node has as well, the highest version is spoken
///
/// A message that is larger than what the link takes is skipped.
pub const PROTOCOLS: [Protocol<'static>; 2] = [WITHOUT_SKIPPING[0].skip_larger(), WITHOUT_SKIPPING[1].skip_larger()];

/// The same protocols, but a larger message ends the link; for comparison
pub const WITHOUT_SKIPPING: [Protocol<'static>; 2] =
    [Protocol::new("eth", 69, 18).with_max_send(MAX_SEND), Protocol::new("eth", 68, 17).with_max_send(MAX_SEND)];

/// How long to let the node speak first
///
/// Both sides send Status without being asked, and a node of another chain hangs up when it reads ours. If its
/// own has come before that, we can say what the difference is.
const COURTESY: Duration = Duration::from_secs(1);
/// How long Status may take, and an answer
const PATIENCE: Duration = Duration::from_secs(10);

/// One check of one node
pub struct HeaderCheck {
    chain: Chain,
    /// The version of `eth` that both have, once that is known
    eth: Option<SharedProtocol>,
    /// Whether our Status is sent
    greeted: bool,
    /// The answer to a question of the node's, until it is sent
    answer: Option<Outgoing>,
    /// How long the session is to last, and when it has begun
    stay: Duration,
    begun: Instant,
    skipped: Skipped,
    stage: Stage,
}

/// The messages that were skipped
#[derive(Clone, Copy)]
pub struct Skipped {
    pub messages: u32,
    /// On the wire
    pub bytes: u64,
}

enum Stage {
    /// The node's Status is waited for
    Greeting { since: Instant },
    /// A header is waited for once it is `asked` for, and the next is `then` asked for
    Checking { id: u64, block: Block, then: Option<Block>, asked: Option<Instant> },
    /// The node has passed all checks, and the session goes on until its time is over
    Staying,
    /// There is nothing more to wait for
    Decided(Result<(), Failure>),
    /// The link knows it
    Over { passed: bool },
}

impl HeaderCheck {
    /// A session that lasts for `stay` if the node passes all checks
    pub const fn new(chain: Chain, stay: Duration) -> Self {
        Self {
            chain,
            eth: None,
            greeted: false,
            answer: None,
            stay,
            begun: Instant::ZERO,
            skipped: Skipped { messages: 0, bytes: 0 },
            stage: Stage::Greeting { since: Instant::ZERO },
        }
    }

    /// Whether the node has shown all that it had to
    pub const fn has_passed(&self) -> bool {
        matches!(self.stage, Stage::Over { passed: true })
    }

    pub const fn skipped(&self) -> Skipped {
        self.skipped
    }

    /// Takes a message, and returns the stage that follows from it if one does
    fn take(&mut self, code: u64, payload: &[u8]) -> Result<Option<Stage>, Failure> {
        rlp::validate(payload)?;
        match (&self.stage, code) {
            (Stage::Greeting { .. }, message::STATUS) => self.take_status(payload).map(Some),
            (Stage::Checking { id, block, then, asked: Some(_) }, message::BLOCK_HEADERS) => {
                take_header(payload, *id, *block, *then).map(Some)
            }
            (Stage::Greeting { .. }, _) | (_, message::STATUS | message::BLOCK_HEADERS) => {
                Err(Failure::OutOfTurn(code))
            }
            _ => {
                self.answer = Outgoing::answer(code, payload)?;
                Ok(None)
            }
        }
    }

    fn take_status(&self, payload: &[u8]) -> Result<Stage, Failure> {
        let Status { version, chain, newest } = Status::read(payload)?;
        let agreed = self.eth.map_or(version, |eth| eth.capability.version);
        if version != agreed {
            return Err(Failure::OtherVersion { theirs: version, agreed });
        }
        chain.check(&self.chain)?;
        defmt::info!("eth/{=u64}, network {=u64}, newest is {}", version, chain.network, newest);
        Ok(Stage::Checking { id: 1, block: self.chain.first_block(), then: Some(newest), asked: None })
    }

    /// Says what is next to be said, if there is room for it; returns whether it was
    fn say(&mut self, link: &mut PeerState<'_>, now: Instant, eth: SharedProtocol) -> bool {
        let Some(message) = self.due(now) else {
            return false;
        };
        // There is room for each of them once the link takes any; after `Writable` it does.
        let write = |room: &mut [u8]| message.write(room, eth.capability.version, &self.chain);
        let written = link.write_with(now, eth.protocol, message.code(), MAX_SEND, write).is_ok();
        if written {
            self.said(message, now);
        }
        written
    }

    /// What is to be said next
    fn due(&self, now: Instant) -> Option<Outgoing> {
        match self.stage {
            Stage::Greeting { since } if now.saturating_since(since) < COURTESY => None,
            Stage::Greeting { .. } | Stage::Checking { .. } if !self.greeted => Some(Outgoing::Status),
            _ if self.answer.is_some() => self.answer,
            Stage::Checking { id, block, asked: None, .. } => Some(Outgoing::GetHeader { id, hash: block.hash }),
            _ => None,
        }
    }

    fn said(&mut self, message: Outgoing, now: Instant) {
        match (message, &mut self.stage) {
            (Outgoing::Status, _) => self.greeted = true,
            (Outgoing::Nothing { .. }, _) => self.answer = None,
            (Outgoing::GetHeader { .. }, Stage::Checking { asked, .. }) => *asked = Some(now),
            _ => {}
        }
    }

    fn check_time(&mut self, now: Instant) {
        if matches!(self.stage, Stage::Staying) && now.saturating_since(self.begun) >= self.stay {
            self.stage = Stage::Decided(Ok(()));
        }
        let since = match self.stage {
            Stage::Greeting { since } => Some(since),
            Stage::Checking { asked, .. } => asked,
            _ => None,
        };
        if since.is_some_and(|since| now.saturating_since(since) >= PATIENCE) {
            self.stage = Stage::Decided(Err(Failure::Silent));
        }
    }
}

/// Checks the header of a block, and returns what is to be done next
fn take_header(payload: &[u8], id: u64, block: Block, then: Option<Block>) -> Result<Stage, Failure> {
    let answer = Header::read_answer(payload)?;
    if answer.id != id {
        return Err(Failure::OtherRequest(answer.id));
    }
    let header = answer.header.ok_or(Failure::NoHeader(block))?;
    header.check(block)?;
    defmt::info!("header {=u64} hashes to {}, as it must", header.number, header.hash);
    Ok(match then {
        Some(block) => Stage::Checking { id: id + 1, block, then: None, asked: None },
        None => Stage::Staying,
    })
}

impl Application for HeaderCheck {
    fn begin(&mut self, now: Instant, ready: Ready<'_>) {
        self.eth = ready.shared().next();
        self.begun = now;
        self.stage = Stage::Greeting { since: now };
    }

    fn deliver(&mut self, _: ProtocolId, code: u64, payload: &[u8]) {
        match self.take(code, payload) {
            Ok(Some(next)) => self.stage = next,
            Ok(None) => {}
            Err(failure) => self.stage = Stage::Decided(Err(failure)),
        }
    }

    fn skip(&mut self, wire_len: usize) {
        self.skipped.messages += 1;
        self.skipped.bytes += wire_len as u64;
    }

    /// A question is answered, and a decision told, before the next message is taken
    fn is_full(&self) -> bool {
        self.answer.is_some() || matches!(self.stage, Stage::Decided(_))
    }

    fn advance(&mut self, link: &mut PeerState<'_>, now: Instant) -> bool {
        let Some(eth) = self.eth else {
            return false;
        };
        self.check_time(now);
        let Stage::Decided(outcome) = &self.stage else {
            return self.say(link, now, eth);
        };
        if let Err(failure) = outcome {
            defmt::error!("the node {}", failure);
        }
        let outcome = outcome.as_ref().copied().map_err(Failure::error);
        self.stage = Stage::Over { passed: outcome.is_ok() };
        link.protocol_returned(now, eth.protocol, outcome).is_ok()
    }
}

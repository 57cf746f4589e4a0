//! Which writes are taken
//!
//! Each shared protocol has a share of its own, and the others have no effect on it. A message is taken if nothing
//! of its protocol is unsent. Otherwise it is taken only if no refusal of the protocol is outstanding, and if it fits the
//! share together with what the protocol wrote since nothing of it was unsent. After refusals the protocol is told
//! once, when nothing of it is unsent, and then its next message is taken however late it comes.
//!
//! So only the writes of a protocol and the bytes that were sent decide whether a message of the protocol is taken.
//! This model has no other state.

use std::collections::BTreeMap;
use std::fmt;

use devp2p_proto::{PeerState, ProtocolId, SharedProtocol, Stage, WriteError};

use crate::settings::{GREETING, Settings};
use crate::sizes::{self, message_body};
use crate::subject::Outcome;

/// A position counts the bytes of the whole stream, sent and unsent
type Position = usize;

#[derive(Debug, Default)]
pub(super) struct FairWriting {
    accounts: BTreeMap<ProtocolId, Account>,
    compressed: bool,
    /// How many bytes were sent, ever
    sent: Position,
    /// Where our Hello ends, once it is sealed
    hello_end: Option<Position>,
    /// Messages wait for our Hello to leave, as they do with the caller's buffers
    after_hello: bool,
}

#[derive(Debug)]
struct Account {
    offset: u64,
    length: u64,
    max_send: usize,
    share: usize,
    /// Bytes of frames since nothing was unsent
    used: usize,
    /// Where the last frame ends
    end: Position,
    refusal: Refusal,
    /// The protocol was told that it can write, and has not written since
    told: bool,
    /// The message that was refused
    refused: Option<Message>,
}

pub(super) struct Message {
    pub(super) code: u64,
    pub(super) payload: Vec<u8>,
}

/// Prints sizes only, since a failure prints all accounts
impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "code {}, {} bytes", self.code, self.payload.len())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refusal {
    None,
    /// The protocol must be able to write again before the stream is sent beyond this position
    Outstanding {
        until: Position,
    },
    /// The protocol has to be told that it can write
    Lifted,
}

impl Account {
    const fn largest_frame(&self) -> usize {
        sizes::largest_frame(self.max_send)
    }

    /// The most that may be unsent of the protocol
    fn most_unsent(&self) -> usize {
        self.share.max(self.largest_frame())
    }

    /// The largest frame that is taken, `None` for any
    fn room(&self, sent: Position) -> Option<usize> {
        match self.refusal {
            _ if self.end <= sent => None,
            Refusal::Outstanding { .. } => Some(0),
            Refusal::None | Refusal::Lifted => Some(self.share.saturating_sub(self.used)),
        }
    }
}

impl FairWriting {
    /// Begins when protocols are agreed on
    pub(super) fn start(&mut self, settings: &Settings, shared: &[SharedProtocol], link: &PeerState<'_>) {
        let ids: Vec<_> = shared.iter().map(|shared| shared.protocol).collect();
        let shares = settings.shares(&ids);
        let account = |(shared, share): (&SharedProtocol, usize)| Account {
            offset: shared.offset,
            length: shared.length,
            max_send: settings.max_sends[shared.protocol.0],
            share,
            used: 0,
            end: 0,
            refusal: Refusal::None,
            told: false,
            refused: None,
        };
        self.accounts = ids.into_iter().zip(shared.iter().zip(shares).map(account)).collect();
        self.compressed = link.remote_hello().unwrap().version() >= 5;
        self.after_hello = settings.fixed_capacity().is_some();
    }

    /// Our Hello was sealed as the last there is to send
    pub(super) fn note_hello(&mut self, link: &PeerState<'_>) {
        self.hello_end = Some(self.sent + link.unsent().len());
    }

    fn hello_unsent(&self) -> usize {
        self.hello_end.expect("Hello precedes messages").saturating_sub(self.sent)
    }

    /// Notes that bytes have left
    pub(super) fn note_sent(&mut self, len: usize) {
        self.sent += len;
        if self.accounts.is_empty() || self.after_hello && self.hello_unsent() > 0 {
            return;
        }
        for account in self.accounts.values_mut().filter(|account| account.end <= self.sent) {
            account.used = 0;
            if let Refusal::Outstanding { until } = account.refusal {
                assert!(account.end <= until, "a refused protocol waits for more than the others may have unsent");
                account.refusal = Refusal::Lifted;
            }
        }
    }

    /// The expected answer to a write, except for messages that a frame cannot hold
    pub(super) fn verdict(
        &self,
        link: &PeerState<'_>,
        protocol: ProtocolId,
        code: u64,
        payload: usize,
    ) -> Result<(), WriteError> {
        match link.stage() {
            Stage::Closing | Stage::Closed => return Err(WriteError::Closed),
            Stage::Running if !self.accounts.is_empty() => {}
            _ => return Err(WriteError::NotReady),
        }
        let account = self.accounts.get(&protocol).ok_or(WriteError::NotShared)?;
        if code >= account.length {
            return Err(WriteError::InvalidCode);
        }
        if payload > account.max_send {
            return Err(WriteError::TooLarge);
        }
        if self.after_hello && self.hello_unsent() > 0 {
            return Err(WriteError::Full);
        }
        let frame = sizes::frame(message_body(account.offset + code, payload, self.compressed));
        let fits = account.room(self.sent).is_none_or(|room| frame <= room);
        assert!(fits || !account.told, "the first message after Writable is taken");
        if fits { Ok(()) } else { Err(WriteError::Full) }
    }

    /// Holds the outcome of a write of up to `max` bytes against the verdict, and notes it
    pub(super) fn check(
        &mut self,
        link: &PeerState<'_>,
        verdict: Result<(), WriteError>,
        (protocol, code, max): (ProtocolId, u64, usize),
        payload: &[u8],
        outcome: Outcome,
    ) {
        if verdict.is_ok() && outcome == Err(WriteError::TooLarge) {
            let offset = self.accounts[&protocol].offset;
            let body = message_body(offset + code, max, self.compressed);
            assert!(body > sizes::MAX_BODY, "a message of {max} bytes fits any link");
            return;
        }
        assert_eq!(outcome.map(|_| ()), verdict, "{protocol}, {max} bytes: {self:?}");
        let end = self.sent + link.unsent().len();
        match outcome {
            Ok(event) => {
                let account = self.accounts.get_mut(&protocol).unwrap();
                account.used += event.wire_size;
                account.end = end;
                account.told = false;
                account.refused = None;
            }
            Err(WriteError::Full) => self.note_refusal(protocol, code, payload),
            Err(_) => {}
        }
    }

    fn note_refusal(&mut self, protocol: ProtocolId, code: u64, payload: &[u8]) {
        let others = self.accounts.iter().filter(|(other, _)| **other != protocol);
        let others: usize = others.map(|(_, account)| account.most_unsent()).sum();
        let (sent, hello) = (self.sent, self.hello_unsent());
        let account = self.accounts.get_mut(&protocol).unwrap();
        let own = account.used.min(account.end.saturating_sub(sent));
        account.refused = Some(Message { code, payload: payload.to_vec() });
        if !matches!(account.refusal, Refusal::Outstanding { .. }) {
            account.refusal = Refusal::Outstanding { until: sent + own + others + 2 * sizes::BASE_FRAME + hello };
        }
    }

    /// The link tells a protocol that it can write; returns the message that it waits to write
    pub(super) fn tell(&mut self, protocol: ProtocolId) -> Option<Message> {
        let account = self.accounts.get_mut(&protocol).expect("a protocol that is shared");
        assert_eq!(account.refusal, Refusal::Lifted, "{protocol} is told that it can write");
        account.refusal = Refusal::None;
        // It may have written before it was told, since nothing of it was unsent.
        account.told = account.end <= self.sent;
        account.refused.take()
    }

    /// Checks that every protocol was told, once only sending is left to do
    pub(super) fn check_told(&self, link: &PeerState<'_>) {
        let running = link.stage() == Stage::Running;
        let waits = |(_, account): &(&ProtocolId, &Account)| account.refusal == Refusal::Lifted;
        let waiting = self.accounts.iter().find(waits);
        assert!(!running || waiting.is_none(), "{waiting:?} was not told that it can write");
    }

    /// What holds between any two calls
    pub(super) fn check_capacity(&self, link: &PeerState<'_>, protocols: usize) {
        for protocol in (0..=protocols).map(ProtocolId) {
            let (known, right) = (link.write_capacity(protocol), self.capacity(link, protocol));
            assert_eq!(known, right, "the write capacity of {protocol}: {self:?}");
        }
        if let (false, Some(_)) = (self.accounts.is_empty(), self.hello_end) {
            let most: usize = self.accounts.values().map(Account::most_unsent).sum();
            let unsent = link.unsent().len();
            assert!(unsent <= most + sizes::RESERVE + self.hello_unsent().min(GREETING), "{unsent} bytes are unsent");
        }
    }

    /// The largest payload of any content and code that is taken, `None` if none is
    ///
    /// More is taken for a code with a shorter id, and for a payload near 16 MiB that compresses well.
    fn capacity(&self, link: &PeerState<'_>, protocol: ProtocolId) -> Option<usize> {
        let account = self.accounts.get(&protocol)?;
        if link.stage() != Stage::Running || self.after_hello && self.hello_unsent() > 0 {
            return None;
        }
        let last_id = account.offset + account.length.checked_sub(1)?;
        let room = account.room(self.sent);
        let fits = |payload: usize| {
            let body = message_body(last_id, payload, self.compressed);
            body <= sizes::MAX_BODY && room.is_none_or(|room| sizes::frame(body) <= room)
        };
        // The largest that fits, by halves: everything up to `low` does, nothing from `high` on.
        let (mut low, mut high) = (0, account.max_send + 1);
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if fits(middle) { low = middle } else { high = middle }
        }
        fits(low).then_some(low)
    }
}

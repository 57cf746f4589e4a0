//! Who may write and when: the only file that knows how a link shares its room among protocols
//!
//! A protocol that was refused as `Full` waits until the link tells it that there is room. Protocols that were
//! refused earlier are told earlier, and nobody takes the room that another was told of. There are two
//! exceptions: a message that needs less room than the refused one may go ahead of it, and a protocol that does
//! not use its turn loses it once all messages have left.

use std::collections::BTreeMap;

use devp2p_proto::{MessageEvent, PeerState, ProtocolId, WriteError, internal};

use crate::remote::{Keys, Remote};
use crate::settings::Settings;

/// Room for Ping, Pong and Disconnect, which is there whatever the protocols write
const RESERVE: usize = 3 * 64;

/// A message that was refused as `Full`
#[derive(Debug)]
struct Waiting {
    code: u64,
    payload: Vec<u8>,
    /// Its protocol was told that there is room
    told: bool,
    /// It was told so before, and then refused again
    passed_over: bool,
}

#[derive(Debug)]
pub(super) struct Turns {
    /// How many bytes may wait, where it is not the memory of the link that limits them
    window: Option<usize>,
    waiting: BTreeMap<ProtocolId, Waiting>,
}

/// What bears on the outcome of a write, as it is before the write
#[derive(Debug)]
pub(super) struct Chance {
    capacity: usize,
    /// Everything that protocols have written has left
    all_left: bool,
    /// Another protocol may have a claim to the room
    others_wait: bool,
}

impl Turns {
    pub(super) fn new(settings: &Settings) -> Self {
        Self { window: settings.send_window(), waiting: BTreeMap::new() }
    }

    /// The link tells a protocol that there is room; returns the message that it waits to write
    pub(super) fn tell(&mut self, protocol: ProtocolId) -> (u64, Vec<u8>) {
        let waiting = self.waiting.get_mut(&protocol).expect("nothing of this protocol was refused");
        assert!(!waiting.told, "told twice");
        waiting.told = true;
        (waiting.code, waiting.payload.clone())
    }

    /// The outcome of a write that was told of room
    pub(super) fn check_told(outcome: Result<MessageEvent, WriteError>) {
        assert!(outcome.is_ok(), "{outcome:?} though there was room");
    }

    pub(super) fn chance(&self, protocol: ProtocolId, link: &PeerState<'_>, remote: &Remote) -> Chance {
        let all_left = remote.messages_have_left();
        let stands = |waiting: &Waiting| !waiting.told || waiting.passed_over || !all_left;
        let others_wait = self.waiting.iter().any(|(other, waiting)| *other != protocol && stands(waiting));
        Chance { capacity: link.write_capacity(), all_left, others_wait }
    }

    /// Holds the outcome of a write against what it had to be
    pub(super) fn check(
        &self,
        chance: &Chance,
        payload: usize,
        outcome: Result<MessageEvent, WriteError>,
        link: &PeerState<'_>,
        remote: &Remote,
    ) {
        let Chance { capacity, all_left, others_wait } = *chance;
        if outcome.is_ok() && !matches!(remote.keys, Keys::Lost) {
            // A message that is longer than the window is taken when no other waits.
            let unsent = link.unsent().len();
            let bounded = self.window.is_none_or(|window| unsent <= window + RESERVE);
            assert!(bounded || all_left, "{unsent} bytes wait");
        }
        if payload <= capacity && capacity > 0 && !others_wait {
            assert_ne!(outcome, Err(WriteError::Full), "there was room for {capacity} bytes");
        }
    }

    /// Notes that a protocol has written, which ends its turn
    pub(super) fn note_written(&mut self, protocol: ProtocolId, code: u64, payload: usize, link: &PeerState<'_>) {
        let room = |code, payload| internal::max_frame_len(link, protocol, code, payload);
        // A smaller message that went ahead of the refused one leaves it waiting.
        let ahead =
            |waiting: &Waiting| !waiting.told && room(code, payload) < room(waiting.code, waiting.payload.len());
        if !self.waiting.get(&protocol).is_some_and(ahead) {
            self.waiting.remove(&protocol);
        }
    }

    /// Notes that a message was refused as `Full`
    pub(super) fn note_refused(&mut self, protocol: ProtocolId, code: u64, payload: &[u8]) {
        let passed_over = self.waiting.get(&protocol).is_some_and(|waiting| waiting.told || waiting.passed_over);
        let waiting = Waiting { code, payload: payload.to_vec(), told: false, passed_over };
        self.waiting.insert(protocol, waiting);
    }

    /// Nothing is left to send, so that everybody who waited has had a turn
    pub(super) fn check_rest(&self) {
        // The room stays with a protocol that was passed over and told again.
        let holds_the_room = |waiting: &Waiting| waiting.told && waiting.passed_over;
        let told = self.waiting.values().all(|waiting| waiting.told) || self.waiting.values().any(holds_the_room);
        assert!(told, "a protocol waits although nothing is sent");
    }
}

//! The protocols of the two nodes
//!
//! On `chat` each node sends a text (code 0) and answers the text of the other (code 1). Then the
//! dialler sends numbered messages on `bulk` (code 0). The listener compares every byte with the
//! expected one, and reports how many messages were right (code 1).

use std::time::{Duration, Instant as Clock};

use devp2p_proto::{DisconnectReason, Instant, PeerState, ProtocolError, ProtocolId, SharedProtocol};

use crate::timeline::Timeline;

const SAY: u64 = 0;
const ANSWER: u64 = 1;
const ITEM: u64 = 0;
const TALLY: u64 = 1;

/// How far the conversation has come
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Hellos are on their way
    Meeting,
    /// Chatting until both have their answer
    Chatting,
    /// Sending, or counting, bulk messages
    Bulk {
        done: u64,
    },
    /// All messages are exchanged; each side still waits for a Ping
    Lingering,
    /// A message was not what it should have been
    Failed,
    Done,
}

pub struct Node {
    dials: bool,
    count: u64,
    bulk: Items,
    phase: Phase,
    chat: ProtocolId,
    bulk_protocol: ProtocolId,
    /// Chat messages to write: code and text
    to_say: Vec<(u64, String)>,
    answered: bool,
    tally: Option<u64>,
    meter: Meter,
}

impl Node {
    pub fn dialler(count: u64, size: usize) -> Self {
        Self::new(true, count, size)
    }

    pub fn listener(count: u64, size: usize) -> Self {
        Self::new(false, count, size)
    }

    fn new(dials: bool, count: u64, size: usize) -> Self {
        Self {
            dials,
            count,
            bulk: Items::new(size),
            phase: Phase::Meeting,
            chat: ProtocolId(0),
            bulk_protocol: ProtocolId(0),
            to_say: Vec::new(),
            answered: false,
            tally: None,
            meter: Meter::new(),
        }
    }

    pub fn ready(&mut self, shared: impl Iterator<Item = SharedProtocol>) {
        for shared in shared {
            match shared.capability.name.as_str() {
                "chat" => self.chat = shared.protocol,
                _ => self.bulk_protocol = shared.protocol,
            }
        }
        let greeting = if self.dials { "Is anybody there?" } else { "Who is calling?" };
        self.to_say.push((SAY, greeting.to_string()));
        self.phase = Phase::Chatting;
    }

    pub fn deliver(&mut self, protocol: ProtocolId, code: u64, payload: &[u8], timeline: &Timeline) {
        if protocol == self.chat {
            let text = String::from_utf8_lossy(payload);
            timeline.note(format_args!("hears on chat, code {code}: {text}"));
            match code {
                SAY => self.to_say.push((ANSWER, format!("I heard you say \"{text}\""))),
                _ => self.answered = true,
            }
        } else if code == ITEM {
            self.take_item(payload, timeline);
        } else {
            self.tally = payload.try_into().ok().map(u64::from_le_bytes);
            timeline.note(format_args!("the listener counted {} right bulk messages", self.tally.unwrap_or_default()));
            self.phase = Phase::Lingering;
        }
    }

    fn take_item(&mut self, payload: &[u8], timeline: &Timeline) {
        let done = if let Phase::Bulk { done } = self.phase { done } else { 0 };
        if self.bulk.get(done) != payload {
            timeline.note(format_args!("bulk message {done} has wrong content"));
            self.phase = Phase::Failed;
            return;
        }
        self.phase = Phase::Bulk { done: done + 1 };
        self.meter.count(payload.len(), timeline);
    }

    /// Writes the next messages; returns whether more could be written now
    pub fn write(&mut self, link: &mut PeerState<'_>, now: Instant, timeline: &Timeline) -> bool {
        while let Some((code, text)) = self.to_say.first() {
            if link.write(now, self.chat, *code, text.as_bytes()).is_err() {
                return false;
            }
            timeline.note(format_args!("says on chat, code {code}: {text}"));
            self.to_say.remove(0);
        }
        match self.phase {
            Phase::Chatting if self.dials && self.answered => {
                timeline.note(format_args!("sends {} bulk messages of {} bytes", self.count, self.bulk.size));
                self.phase = if self.count > 0 { Phase::Bulk { done: 0 } } else { Phase::Lingering };
                true
            }
            Phase::Bulk { done } if self.dials => self.send_items(link, now, done),
            Phase::Bulk { done } if done == self.count => {
                self.meter.finish(timeline);
                self.tally = Some(done);
                self.phase = Phase::Lingering;
                link.write(now, self.bulk_protocol, TALLY, &done.to_le_bytes()).is_ok()
            }
            Phase::Lingering if self.dials => {
                let liveness = link.liveness();
                if liveness.pongs_received > 0 && liveness.pings_received > 0 {
                    self.phase = Phase::Done;
                    link.disconnect(now, DisconnectReason::CLIENT_QUITTING);
                }
                false
            }
            Phase::Failed => {
                self.phase = Phase::Done;
                link.protocol_returned(now, self.bulk_protocol, Err(ProtocolError::BadMessage)).is_ok()
            }
            _ => false,
        }
    }

    /// Writes until the link refuses a message
    fn send_items(&mut self, link: &mut PeerState<'_>, now: Instant, mut done: u64) -> bool {
        while done < self.count && link.write(now, self.bulk_protocol, ITEM, self.bulk.get(done)).is_ok() {
            done += 1;
        }
        self.phase = Phase::Bulk { done };
        false
    }

    /// Whether everything that was to be sent was sent, answered and found right
    pub fn is_complete(&self) -> bool {
        let right = self.count == 0 || self.tally == Some(self.count);
        self.answered && self.to_say.is_empty() && right
    }
}

/// The numbered messages of the bulk run
struct Items {
    size: usize,
    noise: Vec<u8>,
    item: Vec<u8>,
}

impl Items {
    fn new(size: usize) -> Self {
        // Text-like enough to be compressed a little: every byte is one of 64.
        let mut state = 0x2545_f491_u32;
        let next = || {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            b' ' + (state % 64) as u8
        };
        let noise = std::iter::repeat_with(next).take(size + 256).collect();
        Self { size, noise, item: Vec::with_capacity(size) }
    }

    /// Message `number`: its number, and bytes that differ from those of its neighbours
    fn get(&mut self, number: u64) -> &[u8] {
        let shift = (number % 256) as usize;
        self.item.clear();
        self.item.extend_from_slice(&number.to_le_bytes());
        self.item.extend_from_slice(&self.noise[shift..shift + self.size - 8]);
        &self.item
    }
}

/// Messages and bytes per second
struct Meter {
    started: Option<Clock>,
    shown: Clock,
    messages: u64,
    bytes: u64,
}

impl Meter {
    const INTERVAL: Duration = Duration::from_millis(200);

    fn new() -> Self {
        Self { started: None, shown: Clock::now(), messages: 0, bytes: 0 }
    }

    fn count(&mut self, bytes: usize, timeline: &Timeline) {
        self.started.get_or_insert_with(Clock::now);
        self.messages += 1;
        self.bytes += bytes as u64;
        if self.messages.is_multiple_of(64) && self.shown.elapsed() >= Self::INTERVAL {
            self.shown = Clock::now();
            timeline.rate(self.rate());
        }
    }

    fn rate(&self) -> String {
        let seconds = self.started.map_or(0.0, |started| started.elapsed().as_secs_f64()).max(1e-9);
        let (messages, bytes) = (self.messages as f64 / seconds, self.bytes as f64 / seconds);
        format!("{} bulk messages, {messages:.0} messages/s, {:.1} MB/s", self.messages, bytes / 1e6)
    }

    fn finish(&self, timeline: &Timeline) {
        timeline.note(format_args!("received all: {}", self.rate()));
    }
}

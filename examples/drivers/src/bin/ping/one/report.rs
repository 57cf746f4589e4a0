//! What is known of the peer and its answers, for people and for programs

use std::cell::Cell;
use std::time::Duration;

use devp2p_drivers::link::RecordedLink;
use devp2p_drivers::say::{complain, say};
use devp2p_proto::{Capability, Cause, Enode};
use serde_json::{Value, json};

/// How it went, and so the exit status
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Reached,
    /// Reached, and then lost without a Disconnect
    Lost,
    Refused,
    Unreachable,
}

impl Verdict {
    /// Of a link that the peer or the network has ended
    pub const fn of(cause: Cause, ready: bool) -> Self {
        match cause {
            Cause::Remote(_) | Cause::NothingShared => Self::Refused,
            _ if ready => Self::Lost,
            _ => Self::Unreachable,
        }
    }

    pub const fn exit_status(self) -> u8 {
        match self {
            Self::Reached => 0,
            Self::Lost => 1,
            Self::Refused => 3,
            Self::Unreachable => 4,
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Reached => "reached",
            Self::Lost => "lost",
            Self::Refused => "refused",
            Self::Unreachable => "unreachable",
        }
    }
}

pub struct Report {
    node: Enode,
    /// Whether lines are printed as things happen
    talks: bool,
    peer: Option<Value>,
    sent: u64,
    round_trips: Vec<Duration>,
    /// Whether somebody still reads the lines
    heard: Cell<bool>,
}

impl Report {
    pub const fn new(node: Enode, talks: bool) -> Self {
        Self { node, talks, peer: None, sent: 0, round_trips: Vec::new(), heard: Cell::new(true) }
    }

    pub fn begin(&self) {
        self.say(|| format!("PING {}", self.node));
    }

    /// Keeps what Hello has told, also of a peer that shares nothing
    pub fn meet(&mut self, link: &RecordedLink) {
        let Some((hello, id)) = link.remote_hello().zip(link.remote_id()) else {
            return;
        };
        let offered: Vec<_> = hello.capabilities().iter().map(Capability::to_string).collect();
        let shared: Vec<_> = link.shared().collect();
        let ranges = || {
            let ranges = shared.iter().map(|it| match it.length {
                0 => it.capability.to_string(),
                length => format!("{} at {:#x} to {:#x}", it.capability, it.offset, it.offset + length - 1),
            });
            let ranges: Vec<_> = ranges.collect();
            if ranges.is_empty() { "nothing".to_string() } else { ranges.join(", ") }
        };
        self.say(|| format!("name          {}", hello.client_id()));
        self.say(|| format!("id            {}", id.hash()));
        self.say(|| format!("version       {}", hello.version()));
        self.say(|| format!("capabilities  {}", offered.join(" ")));
        self.say(|| format!("shared        {}", ranges()));
        let shared = shared
            .iter()
            .map(|it| json!({ "capability": it.capability.to_string(), "offset": it.offset, "length": it.length }));
        self.peer = Some(json!({
            "name": hello.client_id(),
            "id": id.hash().to_string(),
            "version": hello.version(),
            "capabilities": offered,
            "omittedCapabilities": hello.omitted_capabilities(),
            "shared": shared.collect::<Vec<_>>(),
        }));
    }

    pub const fn note_sent(&mut self) {
        self.sent += 1;
    }

    pub fn note_pong(&mut self, time: Duration) {
        self.round_trips.push(time);
        let sequence = self.round_trips.len();
        self.say(|| format!("pong from {}: seq={sequence} time={:.3} ms", self.node.address, millis(time)));
    }

    pub const fn answered(&self) -> u64 {
        self.round_trips.len() as u64
    }

    /// Whether it is of any use to go on
    pub const fn is_heard(&self) -> bool {
        self.heard.get()
    }

    /// The summary, or the document
    pub fn end(&self, verdict: Verdict, why: &str, elapsed: Duration) {
        if !self.talks {
            say(self.document(verdict, why));
            return;
        }
        if self.peer.is_some() {
            self.say(String::new);
            self.say(|| format!("--- {} ping statistics ---", self.node.address));
            let time = elapsed.as_millis();
            self.say(|| format!("{} pings sent, {} answered, time {time} ms", self.sent, self.answered()));
        }
        if let Some(Summary { min, avg, max, mdev }) = Summary::of(&self.round_trips) {
            self.say(|| format!("rtt min/avg/max/mdev = {min:.3}/{avg:.3}/{max:.3}/{mdev:.3} ms"));
        }
        if verdict != Verdict::Reached {
            complain(format_args!("ping: {}: {why}", verdict.word()));
        }
    }

    fn document(&self, verdict: Verdict, why: &str) -> Value {
        let summary = Summary::of(&self.round_trips)
            .map(|it| json!({ "min": it.min, "avg": it.avg, "max": it.max, "mdev": it.mdev }));
        json!({
            "enode": self.node.to_string(),
            "outcome": verdict.word(),
            "reason": why,
            "peer": self.peer,
            "sent": self.sent,
            "answered": self.answered(),
            "rttMillis": self.round_trips.iter().map(|time| millis(*time)).collect::<Vec<_>>(),
            "summary": summary,
        })
    }

    fn say(&self, line: impl FnOnce() -> String) {
        if self.talks && !say(line()) {
            self.heard.set(false);
        }
    }
}

/// As `ping` sums up, in milliseconds
struct Summary {
    min: f64,
    avg: f64,
    max: f64,
    /// The standard deviation
    mdev: f64,
}

impl Summary {
    fn of(round_trips: &[Duration]) -> Option<Self> {
        let (min, max) = (round_trips.iter().min()?, round_trips.iter().max()?);
        let mean = |sum: f64| sum / round_trips.len() as f64;
        let avg = mean(round_trips.iter().map(|time| millis(*time)).sum());
        let mdev = mean(round_trips.iter().map(|time| (millis(*time) - avg).powi(2)).sum()).sqrt();
        Some(Self { min: millis(*min), avg, max: millis(*max), mdev })
    }
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

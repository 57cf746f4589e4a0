//! What is known of one node

use std::time::Duration;

use devp2p_drivers::eth::fork::ForkId;
use devp2p_drivers::eth::hash::Hash;
use devp2p_proto::{Capability, PeerState};
use serde_json::{Value, json};

use super::list::Listed;
use super::outcome::Outcome;

pub struct Row {
    pub listed: Listed,
    pub outcome: Outcome,
    pub facts: Facts,
}

/// What the node has told
#[derive(Default)]
pub struct Facts {
    pub greeting: Option<Greeting>,
    pub chain: Option<Chain>,
    pub round_trip: Option<Duration>,
}

/// From its Hello
pub struct Greeting {
    pub client: String,
    pub version: u64,
    pub capabilities: Vec<String>,
    /// How many more capabilities the node has listed
    pub omitted: usize,
}

/// From its Status
pub struct Chain {
    pub network: u64,
    pub genesis: Hash,
    pub fork_id: ForkId,
}

impl Greeting {
    pub fn of(link: &PeerState<'_>) -> Option<Self> {
        let hello = link.remote_hello()?;
        Some(Self {
            client: hello.client_id().to_string(),
            version: hello.version(),
            capabilities: hello.capabilities().iter().map(Capability::to_string).collect(),
            omitted: hello.omitted_capabilities(),
        })
    }
}

impl Facts {
    pub fn client(&self) -> Option<&str> {
        self.greeting.as_ref().map(|greeting| greeting.client.as_str())
    }

    pub fn version(&self) -> String {
        self.greeting.as_ref().map(|greeting| greeting.version.to_string()).unwrap_or_default()
    }

    pub fn capabilities(&self) -> String {
        let Some(Greeting { capabilities, omitted, .. }) = &self.greeting else {
            return String::new();
        };
        let more = (*omitted > 0).then(|| format!("+{omitted}"));
        capabilities.iter().cloned().chain(more).collect::<Vec<_>>().join(" ")
    }

    pub fn millis(&self) -> Option<f64> {
        // Rounded to a microsecond: more digits would have no meaning.
        self.round_trip.map(|time| (time.as_secs_f64() * 1e6).round() / 1e3)
    }
}

impl Row {
    pub fn json(&self) -> Value {
        let Self { listed, outcome, facts } = self;
        let (greeting, chain) = (facts.greeting.as_ref(), facts.chain.as_ref());
        json!({
            "line": listed.line,
            "enode": listed.node.to_string(),
            "outcome": outcome.word(),
            "stage": outcome.stage().map(|stage| stage.name()),
            "why": outcome.why(),
            "reason": outcome.reason().map(|reason| reason.code()),
            "client": facts.client(),
            "version": greeting.map(|greeting| greeting.version),
            "capabilities": greeting.map(|greeting| &greeting.capabilities),
            "omittedCapabilities": greeting.map(|greeting| greeting.omitted),
            "roundTripMillis": facts.millis(),
            "network": chain.map(|chain| chain.network),
            "genesis": chain.map(|chain| chain.genesis.to_string()),
            "forkId": chain.map(|chain| chain.fork_id.to_string()),
        })
    }
}

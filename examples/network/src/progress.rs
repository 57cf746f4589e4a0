//! How far a run is, on standard error

use std::time::{Duration, Instant as Clock};

use devp2p_drivers::say::complain;
use devp2p_proto::Instant;

use crate::library::Kind;
use crate::network::Network;
use crate::options::Options;

/// The real time between two lines
const INTERVAL: Duration = Duration::from_secs(1);

pub struct Progress {
    started: Clock,
    said: Clock,
}

impl Progress {
    pub fn new() -> Self {
        let now = Clock::now();
        Self { started: now, said: now }
    }

    /// Prints a line if it is time for one
    pub fn show(&mut self, now: Instant, network: &Network, options: &Options) {
        if self.said.elapsed() >= INTERVAL {
            self.said = Clock::now();
            self.say(now, network, options);
        }
    }

    pub fn say(&self, now: Instant, network: &Network, options: &Options) {
        let real = self.started.elapsed().as_secs_f64();
        let blocks = network.nodes.iter().flat_map(|node| node.arrivals.keys()).filter(|item| item.kind == Kind::Block);
        complain(format_args!(
            "{now} of {} s simulated, {real:.1} s real: {} links, {} of {} blocks arrived",
            options.time.as_secs_f64(),
            network.links_ready(),
            blocks.count(),
            options.blocks * options.nodes,
        ));
    }
}

//! What is printed about the blocks that are kept

use devp2p_drivers::eth::chain::Standing;
use devp2p_drivers::eth::message::BlockRange;
use devp2p_drivers::eth::store::Store;

/// What has been printed
#[derive(Debug, Default)]
pub struct Keeping {
    full: bool,
    complete: bool,
}

impl Keeping {
    /// The lines to print now; each is printed once
    pub fn news(&mut self, store: &Store, is_complete: bool) -> Vec<String> {
        let mut lines = Vec::new();
        if store.dropped() > 0 && !std::mem::replace(&mut self.full, true) {
            lines.push(format!("the budget of {} bytes is full: the oldest blocks are dropped", store.budget()));
        }
        if is_complete && !std::mem::replace(&mut self.complete, true) {
            lines.push(format!("at the head of the node; {}", kept(store)));
        }
        lines
    }
}

/// Which blocks are kept, in words
pub fn kept(store: &Store) -> String {
    let used = store.used();
    match store.standing() {
        Some(Standing { range: BlockRange { earliest, latest, latest_hash }, .. }) => {
            format!("blocks {earliest} to {latest}, whose hash is {latest_hash}, are kept in {used} bytes")
        }
        None => "no block is kept".to_string(),
    }
}

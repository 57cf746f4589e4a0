//! Which chain this node is on

use crate::eth::fork::Forks;
use crate::eth::hash::Hash;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    pub network: u64,
    pub genesis: Hash,
    pub forks: Forks,
}

//! Which chain this node is on

use crate::fork::Forks;
use crate::hash::Hash;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    pub network: u64,
    pub genesis: Hash,
    pub forks: Forks,
}

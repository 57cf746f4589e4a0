//! Pairs of links over a faulty network, in virtual time
//!
//! A [`Plan`] decides everything:
//!
//! - how slow the network is, what it damages, cuts and stalls, and when the connection is reset or the network dies
//! - how the drivers read and write, and how wrong their clocks are
//! - what the protocols write, and whether they take messages
//!
//! After 90 seconds all faults end, except that a dead network stays dead. Both sides then idle for two minutes, and
//! at last the network dies. These promises are checked:
//!
//! - no wake-up without a delay
//! - each link ends within its timeouts when its network is dead
//! - the other side or the network explains the cause that each side reports (the table in `judge.rs`)
//! - accepted messages arrive in order, and all of them arrive unless the link ended
//! - memory is within the configuration, and unneeded memory is given back

mod judge;
mod plan;
mod random;
mod side;
mod wire;
mod world;

pub use plan::Plan;
pub use random::Random;
pub use world::World;

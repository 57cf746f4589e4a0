//! Pairs of links over a faulty network, in virtual time
//!
//! A [`Plan`] decides everything: how slow the network is, what it damages, cuts and stalls, when it is reset
//! or dies, how the drivers read and write, what the protocols write and whether they take messages, and
//! how wrong the clocks of both sides are. After 90 seconds all faults but death end, both sides idle for
//! two minutes, and then the network dies. Checked are: no wake-up without a delay; each link ends within
//! its timeouts when its network is dead; what each side says of the end is explained by the other or by
//! the network (the table in `judge.rs`); messages that were taken arrive in order, and all of them unless
//! the link ended; memory is within the configuration, and is given back.

mod judge;
mod plan;
mod random;
mod side;
mod wire;
mod world;

pub use plan::Plan;
pub use random::Random;
pub use world::World;

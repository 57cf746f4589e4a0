//! Random schedules: what two drivers, the network and the clock can do, in any order
//!
//! With the feature `proptest`, [`operations`] makes a list of [`Operation`]s. [`World`] carries it
//! out. Shrinking finds a short list that still shows the fault.
//!
//! ```
//! use devp2p_testing::schedule::{Operation, Side, World};
//! use devp2p_testing::ALPHA;
//!
//! let mut world = World::new();
//! world.run(&[
//!     Operation::Settle,
//!     Operation::Capacity(Side::Initiator, 0),
//!     Operation::Write { side: Side::Initiator, protocol: ALPHA.0, code: 0, len: 100 },
//!     Operation::Settle,
//! ]);
//! assert!(world.pair.recipient.delivered().is_empty());
//! ```

mod operation;
#[cfg(feature = "proptest")]
mod strategies;
mod world;

pub use operation::{Misuse, Operation, Side};
#[cfg(feature = "proptest")]
pub use strategies::{ending, friendly, friendly_operations, misuse, operations};
pub use world::World;

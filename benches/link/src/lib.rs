//! What the benchmarks of one link share: the payloads

mod payload;

pub use payload::{Kind, SIZES};

//! What the benchmarks of one link share: the payloads, and how calls are measured

mod measure;
mod payload;

pub use measure::{deliver, processor_time};
pub use payload::{Kind, SIZES};

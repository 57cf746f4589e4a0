//! What the tests of the programs share: the programs themselves, and who is at the other end of a link

pub mod driver;
pub mod fleet;
#[cfg(target_os = "linux")]
pub mod memory;
pub mod process;
pub mod program;
pub mod programs;

use std::time::Duration;

/// What cannot be told from never, on however busy a machine
///
/// A test waits this long for what is certain to come, and what it starts has no shorter time limits than that,
/// unless a limit is what it tests.
pub const NEVER: Duration = Duration::from_secs(600);

//! Lines on standard output, where somebody may have stopped listening: `ping … | head -3`

use std::fmt::Display;
use std::io::{self, Write};

/// Prints a line, and returns whether anybody still wants one
pub fn say(line: impl Display) -> bool {
    writeln!(io::stdout(), "{line}").is_ok()
}

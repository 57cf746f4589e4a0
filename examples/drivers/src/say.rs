//! Lines for people, on standard output and standard error
//!
//! Nearly every line may contain words that a peer has chosen, or a recording: names, reasons, errors. So every
//! line that the programs print goes through here, and none of its characters can control a terminal.

use std::fmt::{Display, Write as _};
use std::io::{self, Write};

/// Prints a line on standard output, and returns whether anybody still wants one
///
/// Somebody may have stopped listening: `ping … | head -3`.
pub fn say(line: impl Display) -> bool {
    print(io::stdout(), &line).is_ok()
}

/// Prints a text of several lines on standard output
pub fn say_lines(text: &str) -> bool {
    text.lines().all(say)
}

/// Prints a line on standard error
pub fn complain(line: impl Display) {
    // A complaint that nobody hears is no reason to stop.
    let _ = print(io::stderr(), &line);
}

/// In one piece, so that the lines of several threads do not mix
fn print(mut output: impl Write, line: &dyn Display) -> io::Result<()> {
    let mut line = escaped(&line.to_string());
    line.push('\n');
    output.write_all(line.as_bytes())
}

/// The text with every character that controls a terminal, or the order of what it shows, in the form `\u001b`
///
/// In JSON, where such characters occur in strings only, that form stands for the same character.
pub fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 1);
    for character in text.chars() {
        if is_control(character) {
            // Writing to a string does not fail.
            let _ = write!(escaped, "\\u{:04x}", u32::from(character));
        } else {
            escaped.push(character);
        }
    }
    escaped
}

/// Controls of ISO 6429, separators of lines, and the marks of the Unicode bidirectional algorithm
fn is_control(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

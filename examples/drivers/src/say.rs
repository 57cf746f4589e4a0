//! Lines for people, on standard output and standard error
//!
//! Nearly every line may contain text that comes from a peer or a recording: names, reasons, errors. So the programs
//! print every line by these functions, which escape all characters that control a terminal.

use std::fmt::{Display, Write as _};
use std::io::{self, Write};

/// Prints a line on standard output, and returns false if standard output is closed
///
/// It may be closed, as with `ping … | head -3`.
pub fn say(line: impl Display) -> bool {
    print(io::stdout(), &line).is_ok()
}

/// Prints a text of several lines on standard output
pub fn say_lines(text: &str) -> bool {
    text.lines().all(say)
}

/// Prints a line on standard error
pub fn complain(line: impl Display) {
    // The program continues even if standard error is closed.
    let _ = print(io::stderr(), &line);
}

/// Writes the line in one piece, so that the lines of several threads do not mix
fn print(mut output: impl Write, line: &dyn Display) -> io::Result<()> {
    let mut line = escaped(&line.to_string());
    line.push('\n');
    output.write_all(line.as_bytes())
}

/// The text with every character that controls a terminal or the text direction in the form `\u001b`
///
/// In JSON, such characters occur only in strings, where that form stands for the same character.
pub fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 1);
    for character in text.chars() {
        if is_control(character) {
            // Writing to a string cannot fail.
            let _ = write!(escaped, "\\u{:04x}", u32::from(character));
        } else {
            escaped.push(character);
        }
    }
    escaped
}

/// Whether this is a control character of ISO 6429, a line separator or a mark of the Unicode bidirectional algorithm
fn is_control(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

//! Who did what, when

use std::fmt::Display;
use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

#[derive(Clone, Copy)]
pub struct Timeline {
    start: Instant,
    trace: bool,
    who: &'static str,
}

impl Timeline {
    pub fn start(trace: bool) -> Self {
        Self { start: Instant::now(), trace, who: "" }
    }

    /// The timeline as one node writes it
    pub const fn of(self, who: &'static str) -> Self {
        Self { who, ..self }
    }

    pub fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    pub const fn who(&self) -> &'static str {
        self.who
    }

    pub fn note(&self, what: impl Display) {
        // Wipes what is left of a rate line on a terminal.
        let clear = if std::io::stdout().is_terminal() { "\r\x1b[K" } else { "" };
        println!("{clear}{:9.4} s  {}  {what}", self.elapsed().as_secs_f64(), self.who);
    }

    pub fn trace(&self, what: impl Display) {
        if self.trace {
            self.note(what);
        }
    }

    /// A line that stays in its place on a terminal
    pub fn rate(&self, what: impl Display) {
        if std::io::stdout().is_terminal() {
            print!("\r\x1b[K{:9.4} s  {}  {what}", self.elapsed().as_secs_f64(), self.who);
            // If the rate cannot be shown, go on without it.
            let _ = std::io::stdout().flush();
        } else {
            self.note(what);
        }
    }
}

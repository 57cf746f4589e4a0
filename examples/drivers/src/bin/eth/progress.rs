//! How far the download is: a bar on a terminal, a line now and then elsewhere

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant as Clock};

use crate::download::Tally;

const WIDTH: u64 = 30;

pub struct Progress {
    terminal: bool,
    shown: Option<Shown>,
}

/// What is on the screen, and since when
struct Shown {
    at: Clock,
    tally: Tally,
    head: Option<u64>,
}

impl Progress {
    pub fn new() -> Self {
        Self { terminal: io::stderr().is_terminal(), shown: None }
    }

    /// Shows the state, unless it is on the screen already or the last one was shown a moment ago
    pub fn show(&mut self, tally: Tally, head: Option<u64>) {
        let pause = Duration::from_millis(if self.terminal { 50 } else { 1000 });
        let is_new = |shown: &Shown| (shown.tally, shown.head) != (tally, head) && shown.at.elapsed() >= pause;
        if self.shown.as_ref().is_none_or(is_new) {
            self.shown = Some(Shown { at: Clock::now(), tally, head });
            self.draw(tally, head);
        }
    }

    /// Shows the state a last time and leaves the line
    pub fn finish(&mut self, tally: Tally, head: Option<u64>) {
        if self.shown.is_some() {
            self.draw(tally, head);
            if self.terminal {
                let _ = writeln!(io::stderr());
            }
        }
    }

    /// Makes room for a line of text
    pub fn clear(&self) {
        if self.terminal && self.shown.is_some() {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }

    fn draw(&self, tally: Tally, head: Option<u64>) {
        let Tally { headers, bodies, transactions, receipts, .. } = tally;
        // Genesis is a block as well.
        let total = head.map_or(headers, |head| head.saturating_add(1)).max(1);
        let done = (headers.min(total) * WIDTH / total) as usize;
        let bar = format!("{}{}", "#".repeat(done), ".".repeat(WIDTH as usize - done));
        let line = format!(
            "[{bar}] {headers}/{total} headers, {bodies} bodies, {transactions} transactions, {receipts} receipts"
        );
        // Progress that cannot be shown is no reason to stop.
        let _ = match self.terminal {
            true => write!(io::stderr(), "\r\x1b[K{line}").and_then(|()| io::stderr().flush()),
            false => writeln!(io::stderr(), "{line}"),
        };
    }
}

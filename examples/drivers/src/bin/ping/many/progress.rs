//! A progress bar on standard error, if that is a terminal

use std::fmt;
use std::io::{self, IsTerminal};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

/// How often the bar is drawn if nothing happens
const TICK: Duration = Duration::from_millis(500);

pub struct Progress(ProgressBar);

impl Progress {
    pub fn new(nodes: usize) -> Self {
        // Hidden if standard error is not a terminal.
        let bar = ProgressBar::with_draw_target(Some(nodes as u64), ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template("{bar:32} {pos} of {len} nodes, {rate} a second, {eta} left");
        let rate = |state: &ProgressState, text: &mut dyn fmt::Write| {
            // There is nobody to report an error to.
            let _ = write!(text, "{:.0}", state.per_sec());
        };
        Self(bar.with_style(style.expect("a template").with_key("rate", rate)))
    }

    /// One more node is done
    pub fn advance(&self) {
        self.0.inc(1);
    }

    /// Calls `print`, and hides the bar meanwhile if the lines go to a terminal
    pub fn aside<T>(&self, print: impl FnOnce() -> T) -> T {
        // If the lines go elsewhere, the bar can stay. Drawing it again for each line would cost more than a node does.
        if io::stdout().is_terminal() { self.0.suspend(print) } else { print() }
    }

    /// The longest wait that keeps the bar up to date
    pub fn patience(&self) -> Option<Duration> {
        (!self.0.is_hidden()).then_some(TICK)
    }

    pub fn tick(&self) {
        if !self.0.is_hidden() {
            self.0.tick();
        }
    }

    pub fn clear(&self) {
        self.0.finish_and_clear();
    }
}

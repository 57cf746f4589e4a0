//! Socket errors that are not failures

use std::io::{self, ErrorKind};

/// Whether the call only did nothing: its timeout had passed, the socket was not ready, or a signal came
///
/// TCP reports a lost connection as `TimedOut`, too. The next call then finds the stream closed.
pub fn is_transient(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
}

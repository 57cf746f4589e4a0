//! Errors of sockets that are none

use std::io::{self, ErrorKind};

/// Whether a read or a write has only not happened yet: there was no time, no room, or a signal
pub fn is_transient(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
}

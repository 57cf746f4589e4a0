//! The outcome of a visit, and the stage at which it ended

use std::fmt;
use std::io::{self, ErrorKind};

use devp2p_proto::{Cause, DisconnectReason, Violation};

/// What was being waited for
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    Connection,
    Handshake,
    Hello,
    /// Of `eth`, if it is asked for
    Status,
    Pong,
}

impl Stage {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Connection => "connection",
            Self::Handshake => "handshake",
            Self::Hello => "Hello",
            Self::Status => "Status",
            Self::Pong => "Pong",
        }
    }
}

#[derive(Debug)]
pub enum Outcome {
    /// All that was to be learned is known
    Reached,
    /// The node has sent Disconnect
    Disconnected(Stage, DisconnectReason),
    /// Hellos were exchanged, and no protocol is in both
    NothingShared,
    Violation(Stage, Violation),
    /// The node's Status cannot be decoded
    BadStatus(String),
    /// The connection was closed without Disconnect
    Closed(Stage),
    TimedOut(Stage),
    /// There was never a connection
    Unreachable(io::Error),
    /// No link can be started for this URL: no node can have its id
    Unusable(String),
    Interrupted(Stage),
}

impl Outcome {
    /// The outcome of a link that has ended, other than by our own decision, while this was waited for
    pub const fn of(cause: Cause, stage: Stage) -> Self {
        match cause {
            Cause::Remote(reason) => Self::Disconnected(stage, reason),
            Cause::NothingShared => Self::NothingShared,
            Cause::Violation(violation) => Self::Violation(stage, violation),
            Cause::Timeout(_) => Self::TimedOut(stage),
            _ => Self::Closed(stage),
        }
    }

    /// The kind, in one word
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Reached => "reached",
            Self::Disconnected(..) => "disconnected",
            Self::NothingShared => "useless",
            Self::Violation(..) | Self::BadStatus(_) => "violation",
            Self::Closed(_) => "closed",
            Self::TimedOut(_) => "timeout",
            Self::Unreachable(_) => "unreachable",
            Self::Unusable(_) => "unusable",
            Self::Interrupted(_) => "interrupted",
        }
    }

    /// What was being waited for when it went wrong
    pub const fn stage(&self) -> Option<Stage> {
        match self {
            Self::Reached | Self::NothingShared | Self::Unusable(_) => None,
            Self::Unreachable(_) => Some(Stage::Connection),
            Self::BadStatus(_) => Some(Stage::Status),
            Self::Disconnected(stage, _)
            | Self::Violation(stage, _)
            | Self::Closed(stage)
            | Self::TimedOut(stage)
            | Self::Interrupted(stage) => Some(*stage),
        }
    }

    /// The number in the node's Disconnect
    pub const fn reason(&self) -> Option<DisconnectReason> {
        match self {
            Self::Disconnected(_, reason) => Some(*reason),
            _ => None,
        }
    }

    /// Details beyond the kind and the stage, or an empty text
    pub fn why(&self) -> String {
        match self {
            Self::Reached | Self::Closed(_) | Self::TimedOut(_) | Self::Interrupted(_) => String::new(),
            Self::Disconnected(_, reason) => reason.to_string(),
            Self::NothingShared => "no protocol in common".to_string(),
            Self::Violation(_, violation) => violation.to_string(),
            Self::BadStatus(problem) => format!("malformed Status: {problem}"),
            Self::Unreachable(error) => in_words(error),
            Self::Unusable(problem) => problem.clone(),
        }
    }
}

/// All of it, as in `disconnected at Hello: too many peers`
impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())?;
        // An unreachable node is always at this stage, so the stage is not shown.
        if let Some(stage) = self.stage().filter(|stage| *stage > Stage::Connection || self.why().is_empty()) {
            write!(f, " at {}", stage.name())?;
        }
        match self.why() {
            why if why.is_empty() => Ok(()),
            why => write!(f, ": {why}"),
        }
    }
}

/// An error of the system without its number, if it is one of the usual ones
fn in_words(error: &io::Error) -> String {
    match error.kind() {
        kind @ (ErrorKind::ConnectionRefused
        | ErrorKind::ConnectionReset
        | ErrorKind::HostUnreachable
        | ErrorKind::NetworkUnreachable
        | ErrorKind::TimedOut) => kind.to_string(),
        _ => error.to_string(),
    }
}

//! Why there is no node, or no link

use std::error::Error;
use std::fmt;
use std::io;

use devp2p_proto::{ConfigError, StartError};

/// Why a node was not made
#[derive(Debug)]
#[non_exhaustive]
pub enum BuildError {
    /// The configuration is refused
    Config(ConfigError),
    /// The node cannot listen on the address
    Listen(io::Error),
    /// There is no `tokio` runtime here
    NoRuntime,
}

/// Why there was no link
#[derive(Debug)]
#[non_exhaustive]
pub enum LinkError {
    /// The node cannot be reached
    Connect(io::Error),
    /// The library has refused to make the link
    Start(StartError),
    /// The system has no randomness
    Randomness(getrandom::Error),
    /// The node was shut down or dropped
    Dropped,
}

impl From<ConfigError> for BuildError {
    fn from(error: ConfigError) -> Self {
        Self::Config(error)
    }
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(error) => error.fmt(f),
            Self::Listen(error) => write!(f, "cannot listen: {error}"),
            Self::NoRuntime => f.write_str("there is no tokio runtime"),
        }
    }
}

impl fmt::Display for LinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect(error) => write!(f, "cannot connect: {error}"),
            Self::Start(error) => error.fmt(f),
            Self::Randomness(error) => write!(f, "no randomness: {error}"),
            Self::Dropped => f.write_str("the node is gone"),
        }
    }
}

impl Error for BuildError {}

impl Error for LinkError {}

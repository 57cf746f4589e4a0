//! The stages of a link, each with the data that only it has
//!
//! ```text
//!  initiator        recipient
//!  Dialling             │              polling seals our auth
//!  AwaitAck         AwaitAuth          the encryption handshake
//!      └──── session ───────┘
//!            Admission                 `IdentityClaimed` is out; the next poll seals our Hello
//!                │
//!            AwaitHello
//!                │  Hello accepted, protocols shared
//!            Running                   messages, Ping and Pong
//!                │
//!     ┌──────────┼────────────────┐
//!  Closing    Severed             │    Closing: our Disconnect leaves, the peer may hang up
//!     │          │                │    Severed: the peer cannot hear us, its last word may come
//!     └──────────┴──── Closed ────┘    `Action::Disconnect` once, then silence
//! ```

use super::compression::Compression;
use super::ingress::Place;
use crate::cause::Cause;
use crate::protocol::ProtocolId;
use crate::rlpx::frame::Session;
use crate::rlpx::handshake::{Initiator, Recipient};
use crate::time::Instant;

/// Which node opened the connection
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Role {
    /// This node dialled
    Initiator,
    /// This node was dialled
    Recipient,
}

/// Where a link is in its life
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Stage {
    /// Keys are being agreed on
    Handshake,
    /// The peer has claimed a key; the driver may admit it or not
    Admission,
    /// Hellos are being exchanged
    Hello,
    /// Messages go both ways
    Running,
    /// The end is decided: our last bytes leave, or the last word of the peer is awaited
    Closing,
    /// Nothing goes either way any more
    Closed,
}

/// The state, of which there is exactly one
pub(super) enum State {
    /// Our auth is to be written
    Dialling {
        handshake: Initiator,
    },
    /// Our auth, of `auth` bytes, is at the start of the transmit buffer
    AwaitAck {
        handshake: Initiator,
        auth: usize,
    },
    AwaitAuth {
        handshake: Recipient,
    },
    Admission {
        session: Session,
    },
    AwaitHello {
        session: Session,
    },
    Running(Running),
    /// Writing has failed, but a Disconnect from the peer may be on its way and says more
    Severed {
        session: Session,
        cause: Cause,
    },
    /// Our Disconnect is sealed
    Closing {
        cause: Cause,
    },
    Closed {
        cause: Cause,
        told: bool,
    },
    /// Within one method, while a state is taken apart to make the next one of it
    InTransition,
}

/// A link on which messages go both ways
pub(super) struct Running {
    pub(super) session: Session,
    pub(super) compression: Compression,
    pub(super) ping: Ping,
    pub(super) pong: Pong,
}

/// Our Ping
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ping {
    /// None is on its way
    Idle,
    /// Sealed, and as far as the driver has reported not completely sent
    Leaving { since: Instant },
    /// Sent; the Pong timer runs
    Awaited { since: Instant },
}

/// The answer to the Ping of the peer
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pong {
    /// Sealed, if there was a Ping
    Settled,
    /// Owed since an earlier Pong was unsent; no input is taken until that has left
    Owed,
}

impl State {
    pub(super) const fn stage(&self) -> Stage {
        match self {
            Self::Dialling { .. } | Self::AwaitAck { .. } | Self::AwaitAuth { .. } | Self::InTransition => {
                Stage::Handshake
            }
            Self::Admission { .. } => Stage::Admission,
            Self::AwaitHello { .. } => Stage::Hello,
            Self::Running(_) => Stage::Running,
            Self::Severed { .. } | Self::Closing { .. } => Stage::Closing,
            Self::Closed { .. } => Stage::Closed,
        }
    }

    /// The session by which incoming frames are opened
    pub(super) const fn session_mut(&mut self) -> Option<&mut Session> {
        match self {
            Self::Admission { session }
            | Self::AwaitHello { session }
            | Self::Severed { session, .. }
            | Self::Running(Running { session, .. }) => Some(session),
            _ => None,
        }
    }

    pub(super) const fn cause(&self) -> Option<Cause> {
        match self {
            Self::Severed { cause, .. } | Self::Closing { cause } | Self::Closed { cause, .. } => Some(*cause),
            _ => None,
        }
    }

    /// Takes the state out to make the next one of its parts, which is then put in
    pub(super) fn take(&mut self) -> Self {
        core::mem::replace(self, Self::InTransition)
    }
}

/// What came in and has not been polled
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pending {
    Nothing,
    IdentityClaimed,
    Ready,
    Message { protocol: ProtocolId, code: u64, place: Place, wire_len: usize },
}

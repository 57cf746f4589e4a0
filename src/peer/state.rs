//! The stages of a link, each with the data that only it has
//!
//! ```text
//!  initiator        recipient
//!  Dialling         AwaitAuth          the encryption handshake; polling seals our auth
//!      └────────┬───────────┘
//!   Established │
//!   ┌───────────┴───────────────┐
//!   │       Admission           │      `IdentityClaimed` is out; the next poll seals our Hello
//!   │           │               │
//!   │       AwaitHello          │
//!   │           │  Hello accepted, protocols shared
//!   │       Running             │      messages, Ping and Pong
//!   │           ├──── Severed   │      Severed: writing has failed, the peer's Disconnect may come
//!   └───────────┼────────┼──────┘
//!            Closing     │             Closing: our Disconnect leaves, the peer may close
//!               └──── Closed           `Action::Disconnect` once, then nothing
//! ```

use zeroize::Zeroize;

use super::compression::Compression;
use super::ingress::Place;
use crate::cause::Cause;
use crate::protocol::ProtocolId;
use crate::rlpx::frame::Session;
use crate::rlpx::handshake::{Initiator, Recipient};
use crate::time::Instant;
use crate::wipe::wipe_stack;

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
    /// The end is decided: our last bytes leave, or the link waits for the peer's Disconnect
    Closing,
    /// Nothing goes either way any more
    Closed,
}

/// The state of a link
///
/// The keys of a link never move: a stage after the handshake is a [`Phase`] beside the session, so that
/// no copy of the session is left on the stack.
#[allow(clippy::large_enum_variant, reason = "without an allocator there is nowhere else to put a session")]
pub(super) enum State {
    Dialling {
        handshake: Initiator,
        auth: Auth,
    },
    AwaitAuth {
        handshake: Recipient,
    },
    /// Both sides have the keys
    Established {
        session: Session,
        phase: Phase,
    },
    /// Our Disconnect is sealed
    Closing {
        cause: Cause,
    },
    Closed {
        cause: Cause,
        told: bool,
    },
    /// Only zeros: before the first state, and when the state is dropped
    Wiped([usize; SIZE]),
}

/// Words of the largest state
const SIZE: usize = size_of::<(Session, Phase)>().div_ceil(size_of::<usize>());

// The rest is the tag, padded to the alignment of the ciphers.
const _: () =
    assert!(size_of::<State>() <= SIZE * size_of::<usize>() + 2 * align_of::<State>(), "`Wiped` is not too large");

impl Drop for State {
    /// Overwrites all bytes of the state, since it is not enough that each part wipes itself
    ///
    /// The states have different sizes, and so have the key schedules: the bytes that one does not use
    /// are copies of the stack from when it was moved.
    fn drop(&mut self) {
        if !matches!(self, Self::Wiped(_)) {
            overwrite(self);
            wipe_stack();
        }
    }
}

/// How a link ends
#[derive(Debug, Clone, Copy)]
pub(super) enum End {
    Closing(Cause),
    Closed(Cause),
}

impl State {
    /// Replaces the state by one without keys, which is made on a part of the stack that was overwritten
    ///
    /// Every state has the size of the largest one. A small state that is moved takes along what the
    /// stack held before in the bytes that the state does not use.
    pub(super) fn end(&mut self, end: End) {
        wipe_stack();
        replace(self, end);
    }
}

#[inline(never)] // so that its frame is on the stack that was overwritten
fn replace(state: &mut State, end: End) {
    *state = match end {
        End::Closing(cause) => State::Closing { cause },
        End::Closed(cause) => State::Closed { cause, told: false },
    };
}

#[inline(never)] // so that what it leaves is below the caller's frame, and wiped
fn overwrite(state: &mut State) {
    // Dropping the old state would call this again. It holds only numbers, so forgetting it is enough.
    core::mem::forget(core::mem::replace(state, State::WIPED));
    if let State::Wiped(words) = state {
        words.zeroize();
    }
}

/// Our auth
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Auth {
    Unwritten,
    /// Auth has this many bytes, at the start of the transmit buffer
    Written(usize),
}

/// What a link with keys does
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Admission,
    AwaitHello,
    Running(Running),
    /// Writing has failed, but a Disconnect from the peer may still come and give a better reason
    Severed {
        cause: Cause,
    },
}

/// A link on which messages go both ways
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Running {
    pub(super) compression: Compression,
    pub(super) ping: Ping,
    pub(super) pong: Pong,
}

/// Our Ping
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ping {
    /// None is on its way
    Idle,
    /// Sealed, and not yet reported as completely sent
    Leaving { since: Instant },
    /// Sent; the Pong timer runs
    Awaited { since: Instant },
    /// The Pong was due while it could not be read: it is due again once it can, and then for good
    Late { since: Instant },
}

/// The answer to the Ping of the peer
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pong {
    /// Sealed, if there was a Ping
    Settled,
    /// Owed because an earlier Pong is unsent; no input is taken until the earlier Pong has left
    Owed,
}

impl State {
    pub(super) const WIPED: Self = Self::Wiped([0; SIZE]);

    pub(super) const fn stage(&self) -> Stage {
        match self {
            Self::Dialling { .. } | Self::AwaitAuth { .. } => Stage::Handshake,
            Self::Established { phase, .. } => match phase {
                Phase::Admission => Stage::Admission,
                Phase::AwaitHello => Stage::Hello,
                Phase::Running(_) => Stage::Running,
                Phase::Severed { .. } => Stage::Closing,
            },
            Self::Closing { .. } => Stage::Closing,
            Self::Closed { .. } | Self::Wiped(_) => Stage::Closed,
        }
    }

    pub(super) const fn cause(&self) -> Option<Cause> {
        match self {
            Self::Established { phase: Phase::Severed { cause }, .. }
            | Self::Closing { cause }
            | Self::Closed { cause, .. } => Some(*cause),
            _ => None,
        }
    }

    pub(super) const fn phase(&self) -> Option<Phase> {
        match self {
            Self::Established { phase, .. } => Some(*phase),
            _ => None,
        }
    }

    pub(super) const fn running(&self) -> Option<&Running> {
        match self {
            Self::Established { phase: Phase::Running(running), .. } => Some(running),
            _ => None,
        }
    }

    pub(super) const fn running_mut(&mut self) -> Option<&mut Running> {
        match self {
            Self::Established { phase: Phase::Running(running), .. } => Some(running),
            _ => None,
        }
    }
}

/// What came in and has not been polled
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pending {
    Nothing,
    IdentityClaimed,
    Ready,
    Message { protocol: ProtocolId, code: u64, place: Place, wire_len: usize },
    Skipped { protocol: ProtocolId, code: u64, size: usize, wire_len: usize },
}

impl Pending {
    /// Where the payload of a message stands that has not been polled
    pub(super) const fn place(self) -> Option<Place> {
        match self {
            Self::Message { place, .. } => Some(place),
            _ => None,
        }
    }
}

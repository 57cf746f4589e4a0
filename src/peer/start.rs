//! How a link is made, and how its buffers are taken back

use core::error::Error;
use core::fmt;

use super::PeerState;
use super::buffers::Buffers;
use super::clock::Clock;
use super::config::{Config, Delays};
use super::counters::Liveness;
use super::deadlines::{Deadlines, Timer};
use super::egress::Egress;
use super::ingress::Ingress;
use super::protocols::Protocols;
use super::remote::{Greeting, Remote};
use super::state::{Auth, Pending, Role, State};
use crate::error::StartError;
use crate::node_id::NodeId;
use crate::rlpx::Entropy;
use crate::rlpx::handshake::{self, Initiator, Recipient};
use crate::time::Instant;
use crate::wipe::{CONSTRUCTOR, WipesStack};

/// A link that was not started, with the buffers that it was to use
///
/// Converts into the [`StartError`] alone, so `?` works in functions that return that.
#[derive(Debug)]
pub struct NotStarted<'buf> {
    /// Why the link was not started
    pub error: StartError,
    /// The buffers, unchanged
    pub buffers: Buffers<'buf>,
}

impl From<NotStarted<'_>> for StartError {
    fn from(refusal: NotStarted<'_>) -> Self {
        refusal.error
    }
}

impl fmt::Display for NotStarted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl Error for NotStarted<'_> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.error)
    }
}

/// # Constructors
impl<'buf> PeerState<'buf> {
    /// A link to the node `remote`, on a connection that this node has opened
    ///
    /// The first poll seals auth and offers it as [`Action::Send`](crate::Action::Send). The curve
    /// arithmetic waits for that call, since a constructor returns several kilobytes, and a small stack
    /// cannot hold both at once.
    ///
    /// # Errors
    /// `ReceiveBufferTooSmall`, `TransmitBufferTooSmall` and `TooFewSlots` with what is needed,
    /// `InvalidRemote` if `remote` is no public key, `WeakEntropy`. The buffers come back with the error.
    #[inline(never)] // the frames of the two constructors would add up in a caller that uses either
    #[allow(clippy::result_large_err, reason = "the error gives the buffers back, and the link is larger still")]
    pub fn initiator(
        now: Instant,
        config: &Config,
        remote: NodeId,
        entropy: Entropy,
        buffers: Buffers<'buf>,
    ) -> Result<Self, NotStarted<'buf>> {
        let _wipes = WipesStack::<CONSTRUCTOR>::before_and_after();
        Self::new(now, config, Role::Initiator, Remote::Dialled(remote), buffers, &|| {
            let handshake = Initiator::new(&config.identity, remote, &entropy)?;
            Ok(State::Dialling { handshake, auth: Auth::Unwritten })
        })
    }

    /// A link on a connection that another node has opened
    ///
    /// # Errors
    /// `ReceiveBufferTooSmall`, `TransmitBufferTooSmall` and `TooFewSlots` with what is needed,
    /// `WeakEntropy`. The buffers come back with the error.
    #[inline(never)] // the frames of the two constructors would add up in a caller that uses either
    #[allow(clippy::result_large_err, reason = "the error gives the buffers back, and the link is larger still")]
    pub fn recipient(
        now: Instant,
        config: &Config,
        entropy: Entropy,
        buffers: Buffers<'buf>,
    ) -> Result<Self, NotStarted<'buf>> {
        let _wipes = WipesStack::<CONSTRUCTOR>::before_and_after();
        Self::new(now, config, Role::Recipient, Remote::Unknown, buffers, &|| {
            let handshake = Recipient::new(&config.identity, &entropy)?;
            Ok(State::AwaitAuth { handshake })
        })
    }

    /// A link in its first state
    ///
    /// Every field is made in the caller's memory for the link, since a small stack has no space for a second link.
    /// For the same reason this one function makes all links.
    #[inline(never)] // so that its stack frame is below the constructor's frame, and is wiped
    #[allow(clippy::result_large_err, reason = "the result of the constructors")]
    pub(super) fn new(
        now: Instant,
        config: &Config,
        role: Role,
        remote: Remote,
        buffers: Buffers<'buf>,
        first: &dyn Fn() -> Result<State, handshake::StartError>,
    ) -> Result<Self, NotStarted<'buf>> {
        if let Err(error) = buffers.check(config.receive_len(), config.transmit_len(), config.offers.len()) {
            return Err(NotStarted { error, buffers });
        }
        let Buffers { receive, transmit, table, slots } = buffers;
        let mut deadlines = Deadlines::new();
        let timeouts = Delays::new(&config.timeouts);
        deadlines.set(Timer::Handshake, now, timeouts.handshake);
        let (ingress, egress) = (Ingress::new(receive), Egress::new(transmit, table));
        let protocols = Protocols::new(&config.offers, &config.limits, slots);
        Ok(Self {
            pending: Pending::Nothing,
            held: false,
            deadlines,
            liveness: Liveness::default(),
            timeouts,
            send_window: config.limits.send_window,
            local_id: config.node_id(),
            remote,
            greeting: Greeting::Ours { client_id: config.client_id.clone(), listen_port: config.listen_port },
            role,
            clock: Clock::new(now),
            started: now,
            drain_to: 0,
            #[cfg(feature = "rlp")]
            scratch: None,
            // The state with its secrets comes last. Unused bytes of the other fields keep the previous content
            // of the stack, so no secret may be on the stack before those fields are made.
            state: match first() {
                Ok(state) => state,
                Err(error) => {
                    return Err(NotStarted {
                        error: start_error(error),
                        buffers: take_apart(ingress, egress, protocols),
                    });
                }
            },
            ingress,
            egress,
            protocols,
        })
    }

    /// Takes the link apart and returns its buffers, for the next link
    ///
    /// For `&'static mut` buffers. Other borrowed buffers are free again when the link is dropped. The
    /// buffers still hold the last messages of the link.
    pub fn into_buffers(self) -> Buffers<'buf> {
        take_apart(self.ingress, self.egress, self.protocols)
    }
}

fn take_apart<'buf>(ingress: Ingress<'buf>, egress: Egress<'buf>, protocols: Protocols<'buf>) -> Buffers<'buf> {
    let (transmit, table) = egress.into_parts();
    Buffers { receive: ingress.into_arena(), transmit, table, slots: protocols.into_slots() }
}

const fn start_error(error: handshake::StartError) -> StartError {
    match error {
        handshake::StartError::WeakEntropy => StartError::WeakEntropy,
        handshake::StartError::InvalidRemote => StartError::InvalidRemote,
    }
}

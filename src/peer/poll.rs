//! What a link asks its driver to do

use super::PeerState;
use super::action::{Action, Ready};
use super::state::{Auth, Pending, Phase, State};

/// # Actions
impl PeerState<'_> {
    /// The next thing to do, or `None` if there is nothing to do until the next event
    ///
    /// Actions follow from the state and are not queued: `IdentityClaimed`, `Ready`, `Deliver` or `Skipped` first,
    /// then `Writable`, then `Send`, and `Disconnect` last. `Send` is offered again until
    /// [`sent`](Self::sent) covers it, and never delays the other actions: a driver whose socket is full
    /// leaves the loop at `Send` and polls again after the next event. While the driver
    /// [holds input](Self::hold_input), every action but `Deliver` comes.
    #[must_use = "an action that is dropped is lost: a message, or the end of the link"]
    pub fn poll(&mut self) -> Option<Action<'_>> {
        if !self.is_message_held() {
            match core::mem::replace(&mut self.pending, Pending::Nothing) {
                Pending::IdentityClaimed => return self.remote.id().map(Action::IdentityClaimed),
                Pending::Ready => return self.ready(),
                Pending::Message { protocol, code, place, wire_len } => {
                    self.wake_input_timers();
                    let payload = self.ingress.hand_out(place, wire_len);
                    return Some(Action::Deliver { protocol, code, payload });
                }
                Pending::Skipped { protocol, code, size, wire_len } => {
                    return Some(Action::Skipped { protocol, code, size, wire_len });
                }
                Pending::Nothing => {}
            }
        }
        match self.state {
            State::Dialling { auth: Auth::Unwritten, .. } => self.dial(),
            State::Established { phase: Phase::Admission, .. } => self.admit(),
            _ => {}
        }
        if let Some(protocol) = self.take_writable() {
            return Some(Action::Writable(protocol));
        }
        if !self.egress.is_empty() {
            return Some(Action::Send(self.egress.unsent()));
        }
        match &mut self.state {
            State::Closed { cause, told: told @ false } => {
                *told = true;
                Some(Action::Disconnect(*cause))
            }
            _ => None,
        }
    }

    fn ready(&self) -> Option<Action<'_>> {
        self.remote_hello().map(|hello| Action::Ready(Ready { hello, protocols: &self.protocols }))
    }
}

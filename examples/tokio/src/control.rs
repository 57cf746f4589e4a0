//! What others ask of a link's task

use std::fmt;

use devp2p_proto::{DisconnectReason, PeerState};
use tokio::sync::{mpsc, oneshot};

use crate::contained::caught;

/// Asks the task of a link for something
#[derive(Debug, Clone)]
pub struct Control(mpsc::UnboundedSender<Command>);

/// The end of a [`Control`] that a [`Driver`](crate::Driver) keeps
#[derive(Debug)]
pub struct Commands(pub(crate) mpsc::UnboundedReceiver<Command>);

pub(crate) enum Command {
    Disconnect(DisconnectReason),
    Inspect(Box<dyn FnOnce(&PeerState<'static>) + Send>),
}

/// A pair for one link
pub fn control() -> (Control, Commands) {
    let (sender, receiver) = mpsc::unbounded_channel();
    (Control(sender), Commands(receiver))
}

impl Control {
    /// Ends the link with this reason, which the peer is told
    pub fn disconnect(&self, reason: DisconnectReason) {
        // A link that has ended needs nothing more.
        _ = self.0.send(Command::Disconnect(reason));
    }

    /// Lets the link's task call `look` with the link; `None` when the link has ended, or if `look` panics
    pub async fn inspect<T: Send + 'static>(
        &self,
        look: impl FnOnce(&PeerState<'static>) -> T + Send + 'static,
    ) -> Option<T> {
        let (reply, answer) = oneshot::channel();
        // The caller may have stopped waiting for the answer.
        let look = move |link: &PeerState<'static>| _ = caught(|| look(link)).map(|seen| reply.send(seen));
        self.0.send(Command::Inspect(Box::new(look))).ok()?;
        answer.await.ok()
    }
}

impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Disconnect(reason) => write!(f, "Disconnect({reason:?})"),
            Self::Inspect(_) => f.write_str("Inspect"),
        }
    }
}

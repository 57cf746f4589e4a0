//! Links of a node: from a stream to a task

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};

use devp2p_proto::{Buffers, Cause, Entropy, Instant, NodeId, PeerState};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::oneshot;
use tracing::Instrument;

use super::LinkError;
use super::builder::Shared;
use super::member::{Member, Permits};
use super::tasks::Tasks;
use crate::control::control;
use crate::driver::Driver;

/// A link that the node was asked for, as a future: ready when the link has ended, with the cause
///
/// The handle may be dropped: the link does not depend on it.
#[derive(Debug)]
pub struct LinkHandle(oneshot::Receiver<Result<Cause, LinkError>>);

impl Future for LinkHandle {
    type Output = Result<Cause, LinkError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context).map(|outcome| outcome.unwrap_or(Err(LinkError::Dropped)))
    }
}

/// How a link came to be
pub enum Origin {
    Dialled(NodeId, Option<SocketAddr>),
    Accepted(Option<SocketAddr>, Permits),
}

/// The other end of a [`LinkHandle`]
pub struct Done(oneshot::Sender<Result<Cause, LinkError>>);

impl Done {
    pub fn new() -> (Self, LinkHandle) {
        let (done, handle) = oneshot::channel();
        (Self(done), LinkHandle(handle))
    }

    pub fn fail(self, error: LinkError) {
        tracing::debug!(%error, "no link");
        self.tell(Err(error));
    }

    fn tell(self, outcome: Result<Cause, LinkError>) {
        // The handle may have been dropped.
        _ = self.0.send(outcome);
    }
}

/// Starts the task of a link, or says why there is none
pub fn open<S: AsyncRead + AsyncWrite + Send + Unpin + 'static>(
    shared: &Arc<Shared>,
    tasks: &Weak<Tasks>,
    stream: S,
    origin: Origin,
    done: Done,
) {
    let link = match start(shared, &origin) {
        Ok(link) => link,
        Err(error) => return done.fail(error),
    };
    let (address, permits) = match origin {
        Origin::Dialled(_, address) => (address, Permits::default()),
        Origin::Accepted(address, permits) => (address, permits),
    };
    let span = tracing::debug_span!("link", ?address, role = ?link.role());
    let (control, commands) = control();
    let member = Member::new(shared, address, permits, control);
    let driver = Driver::new(Instant::ZERO, link, stream, member, commands);
    // In a box, so that the task does not store the driver twice: as the value that it begins with, and as the future
    // that it waits for.
    let mut driver = Box::new(driver.with_queue(shared.queue).with_closing(shared.timeouts.write));
    let task = async move {
        let cause = (&mut *driver).await;
        drop(driver);
        tracing::debug!(%cause, "ended");
        done.tell(Ok(cause));
    };
    if let Some(tasks) = tasks.upgrade() {
        // After a shutdown the task is dropped, and `done` with it: the handle then gives `LinkError::Dropped`.
        tasks.run(task.instrument(span));
    }
}

fn start(shared: &Shared, origin: &Origin) -> Result<PeerState<'static>, LinkError> {
    let mut outcome = Ok(());
    let entropy = Entropy::from_rng(|bytes| outcome = getrandom::fill(bytes));
    outcome.map_err(LinkError::Randomness)?;
    let (now, config, buffers) = (Instant::ZERO, &shared.config, Buffers::growable());
    let link = match origin {
        Origin::Dialled(node, _) => PeerState::initiator(now, config, *node, entropy, buffers),
        Origin::Accepted(..) => PeerState::recipient(now, config, entropy, buffers),
    };
    link.map_err(|refused| LinkError::Start(refused.into()))
}

//! Subprotocols as async functions

use std::sync::Arc;

use devp2p_proto::{Protocol, ProtocolError};

use crate::contained::Run;
use crate::io::Io;
use crate::message::Message;
use crate::peer::Peer;

/// A subprotocol: what it is called, and what it does on a link
///
/// There is a new value for each link.
pub trait Subprotocol: Send + 'static {
    /// Its name, its version, and how many message codes it has
    const PROTOCOL: Protocol<'static>;

    /// Its messages; [`RawMessage`](crate::RawMessage) if it does its own encoding
    type Message: Message;

    /// Runs on one link, from the moment when the protocols are agreed on
    ///
    /// When this function returns, the link ends. When the link has ended before, [`Io::recv`] gives `None`.
    fn run(self, peer: Peer, io: Io<Self::Message>) -> impl Future<Output = Result<(), ProtocolError>> + Send;
}

/// A protocol as a node offers it
pub struct Offer {
    pub protocol: Protocol<'static>,
    start: Start,
}

type Start = Arc<dyn Fn(Peer, Io) -> Run + Send + Sync>;

impl Offer {
    pub fn new<P: Subprotocol>(make: impl Fn() -> P + Send + Sync + 'static) -> Self {
        let make = Arc::new(make);
        let start = move |peer, io: Io| -> Run {
            let make = Arc::clone(&make);
            // `make` and `run` are both called in the future, where a panic is caught.
            Box::pin(async move { make().run(peer, io.cast()).await })
        };
        Self { protocol: P::PROTOCOL, start: Arc::new(start) }
    }

    pub fn start(&self, peer: Peer, io: Io) -> Run {
        (self.start)(peer, io)
    }
}

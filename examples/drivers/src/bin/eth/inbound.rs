//! An inbound link: the requests of the peer are answered, and none is sent

use devp2p_drivers::eth::store::SharedStore;
use devp2p_drivers::say::say;
use devp2p_drivers::session::{Happening, Session};
use devp2p_proto::{DisconnectReason, Event, Outbox, ProtocolId};

use crate::failure::Failure;
use crate::options::Options;
use crate::port::{self, Port};
use crate::protocol::{Aim, Eth};

pub struct InboundLink<'a> {
    number: u64,
    session: Session,
    options: &'a Options,
    store: &'a SharedStore,
    /// What runs once the link is ready
    eth: Option<(Outbox, Eth)>,
}

impl<'a> InboundLink<'a> {
    pub const fn new(number: u64, session: Session, options: &'a Options, store: &'a SharedStore) -> Self {
        Self { number, session, options, store, eth: None }
    }

    /// Serves until the link ends, and says how it ended
    pub fn run(mut self) {
        let end = loop {
            let deadline = self.eth.as_ref().and_then(|(_, eth)| eth.deadline());
            let outcome = match self.session.next(deadline) {
                Happening::Ready => {
                    self.start();
                    Ok(())
                }
                Happening::Message { protocol, code, payload } => self.handle(protocol, code, &payload),
                Happening::Elapsed => self.handle_timeout(),
                Happening::Writable(_) => {
                    self.flush();
                    Ok(())
                }
                Happening::Pong(_) => Ok(()),
                Happening::Interrupted => break self.session.leave(DisconnectReason::CLIENT_QUITTING).to_string(),
                Happening::Ended(cause) => break cause.to_string(),
            };
            if let Err(failure) = outcome {
                break self.fail(&failure);
            }
            self.hold();
        };
        // A connection that never became a ready link gets no line: an open port gets many such connections.
        if let Some((_, eth)) = &self.eth {
            say(format_args!("inbound {} ended after {} answers: {end}", self.number, eth.answered()));
        }
    }

    fn start(&mut self) {
        let (link, now) = self.session.link();
        // Only eth is offered, so a link that is ready shares it.
        let Some(shared) = link.shared().next() else {
            return;
        };
        let name = link.remote_hello().map(|hello| hello.client_id().to_string()).filter(|name| !name.is_empty());
        let name = name.unwrap_or_else(|| "a client without a name".to_string());
        say(format_args!("inbound {}: {} with {name}", self.number, shared.capability));
        let eth = Eth::new(shared.capability.version, Aim::Serve, self.options, self.store.clone(), now);
        self.eth = Some((port::outbox(shared.protocol), eth));
    }

    fn handle(&mut self, protocol: ProtocolId, code: u64, payload: &[u8]) -> Result<(), Failure> {
        let (link, now) = self.session.link();
        match &mut self.eth {
            Some((outbox, eth)) if outbox.protocol() == protocol => {
                eth.handle(now, code, payload, &mut Port { link, now, outbox })
            }
            _ => Ok(()),
        }
    }

    fn handle_timeout(&mut self) -> Result<(), Failure> {
        let (link, now) = self.session.link();
        match &mut self.eth {
            Some((outbox, eth)) => eth.handle_timeout(now, &mut Port { link, now, outbox }),
            None => Ok(()),
        }
    }

    /// Holds the next request while an answer waits, so that one answer is in memory, however many requests come
    fn hold(&mut self) {
        let waits = self.eth.as_ref().is_some_and(|(outbox, _)| !outbox.is_empty());
        let (link, now) = self.session.link();
        if link.is_input_held() != waits {
            link.tell(now, Event::HoldInput(waits));
        }
    }

    fn flush(&mut self) {
        let (link, now) = self.session.link();
        if let Some((outbox, _)) = &mut self.eth {
            Port { link, now, outbox }.flush();
        }
    }

    /// Ends the link with the protocol that failed, which tells the peer why
    fn fail(&mut self, failure: &Failure) -> String {
        let (link, now) = self.session.link();
        if let Some((outbox, _)) = &self.eth {
            link.tell(now, Event::ProtocolReturned(outbox.protocol(), Err(failure.error())));
        }
        self.session.wait_for_end();
        failure.to_string()
    }
}

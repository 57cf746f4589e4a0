//! The link to the node that the chain comes from, and the protocols that run on it

use std::io;

use devp2p_drivers::eth::store::SharedStore;
use devp2p_drivers::say::say;
use devp2p_drivers::session::{Happening, Session};
use devp2p_proto::{Cause, DisconnectReason, Event, Instant, Outbox, ProtocolId, Violation};

use crate::download::Tally;
use crate::failure::Failure;
use crate::keeping::Keeping;
use crate::listen::Listener;
use crate::options::Options;
use crate::port::{self, Port};
use crate::progress::Progress;
use crate::protocol::{Aim, Eth};
use crate::snap::{Report, Snap};

pub struct Node<'a> {
    session: Session,
    options: &'a Options,
    store: SharedStore,
    /// `Some` until there are blocks to serve
    listener: Option<Listener>,
    keeping: Keeping,
    progress: Progress,
    protocols: Option<Protocols>,
}

/// What runs once the link is ready
struct Protocols {
    eth: (Outbox, Eth),
    /// `None` where the peer does not offer it
    snap: Option<(Outbox, Snap)>,
}

/// Which protocol failed, and why
type Failed = (ProtocolId, Failure);

impl<'a> Node<'a> {
    pub fn new(session: Session, options: &'a Options, store: SharedStore, listener: Option<Listener>) -> Self {
        let (keeping, progress) = (Keeping::default(), Progress::new());
        Self { session, options, store, listener, keeping, progress, protocols: None }
    }

    /// Fetches until it is done, asked to stop, or cannot go on
    pub fn run(&mut self) -> Ending {
        loop {
            let deadline = self.protocols.as_ref().and_then(Protocols::deadline);
            let outcome = match self.session.next(deadline) {
                Happening::Ready if self.start() => Ok(()),
                Happening::Ready => return self.leave_useless(),
                Happening::Message { protocol, code, payload } => self.handle(protocol, code, &payload),
                Happening::Elapsed => self.handle_timeout(),
                Happening::Interrupted => return self.leave(),
                Happening::Ended(cause) => return self.ended(cause),
                Happening::Writable(protocol) => {
                    self.flush(protocol);
                    Ok(())
                }
                Happening::Pong(_) => Ok(()),
            };
            if let Err((protocol, failure)) = outcome.and_then(|()| self.look_around()) {
                return self.fail(protocol, failure);
            }
            if self.options.once && self.protocols.as_ref().is_some_and(Protocols::is_complete) {
                return self.leave();
            }
        }
    }

    /// Starts what is shared, and returns whether that is `eth`
    fn start(&mut self) -> bool {
        let (link, now) = self.session.link();
        let find = |name: &str| link.shared().find(|shared| shared.capability.name.as_str() == name);
        let (Some(eth), snap) = (find("eth"), find("snap")) else {
            return false;
        };
        let name = link.remote_hello().map(|hello| hello.client_id().to_string()).unwrap_or_default();
        let beside = if snap.is_some() { " and snap/1" } else { ", without snap" };
        say(format_args!("{}{beside} with {name}", eth.capability));
        let chain = &self.options.chain;
        let fork_id = chain.forks.id(chain.forks.genesis());
        say(format_args!("network {}, genesis {}, fork id {fork_id}", chain.network, chain.genesis));
        let aim = Aim::Fetch { batch: self.options.batch };
        let running = Eth::new(eth.capability.version, aim, self.options, self.store.clone(), now);
        let snap = snap.map(|snap| (port::outbox(snap.protocol), Snap::new(self.options.patience)));
        self.protocols = Some(Protocols { eth: (port::outbox(eth.protocol), running), snap });
        true
    }

    fn handle(&mut self, protocol: ProtocolId, code: u64, payload: &[u8]) -> Result<(), Failed> {
        let (link, now) = self.session.link();
        let outcome = match &mut self.protocols {
            Some(Protocols { eth: (outbox, eth), .. }) if outbox.protocol() == protocol => {
                eth.handle(now, code, payload, &mut Port { link, now, outbox })
            }
            Some(Protocols { snap: Some((outbox, snap)), .. }) if outbox.protocol() == protocol => {
                snap.handle(now, code, payload, &mut Port { link, now, outbox })
            }
            _ => Ok(()),
        };
        outcome.map_err(|failure| (protocol, failure))
    }

    fn flush(&mut self, protocol: ProtocolId) {
        let (link, now) = self.session.link();
        let outboxes = self.protocols.iter_mut().flat_map(Protocols::outboxes);
        for outbox in outboxes.filter(|outbox| outbox.protocol() == protocol) {
            Port { link, now, outbox }.flush();
        }
    }

    fn handle_timeout(&mut self) -> Result<(), Failed> {
        let (link, now) = self.session.link();
        let Some(Protocols { eth: (outbox, eth), snap }) = &mut self.protocols else {
            return Ok(());
        };
        let protocol = outbox.protocol();
        eth.handle_timeout(now, &mut Port { link, now, outbox }).map_err(|failure| (protocol, failure))?;
        match snap {
            Some((outbox, snap)) => snap.check_time(now).map_err(|failure| (outbox.protocol(), failure)),
            None => Ok(()),
        }
    }

    /// Passes on what one protocol has for the other, and shows the progress
    fn look_around(&mut self) -> Result<(), Failed> {
        let (link, now) = self.session.link();
        let Some(Protocols { eth: (_, eth), snap }) = &mut self.protocols else {
            return Ok(());
        };
        if eth.head().is_some() {
            self.progress.show(eth.tally(), eth.head());
        }
        if let Some((outbox, snap)) = snap {
            // Beside the headers, and not before the first of them
            if eth.tally().headers > 0
                && let Some(head) = eth.take_found_head()
            {
                let protocol = outbox.protocol();
                snap.ask(now, head, &mut Port { link, now, outbox }).map_err(|failure| (protocol, failure))?;
            }
            if let Some(report) = snap.take_report() {
                self.progress.clear();
                tell(&report, eth.tally().headers);
            }
        }
        self.keep();
        Ok(())
    }

    /// Prints which blocks are kept, and begins to serve them
    fn keep(&mut self) {
        let is_complete = self.protocols.as_ref().is_some_and(|protocols| protocols.eth.1.is_complete());
        let lines = self.keeping.news(&self.store.read(), is_complete && !self.options.once);
        for line in lines {
            self.progress.clear();
            say(line);
        }
        if self.store.read().standing().is_some()
            && let Some(listener) = self.listener.take()
        {
            self.progress.clear();
            listener.open();
        }
    }

    fn leave(&mut self) -> Ending {
        self.session.leave(DisconnectReason::CLIENT_QUITTING);
        Ending::Done
    }

    fn leave_useless(&mut self) -> Ending {
        let cause = self.session.leave(DisconnectReason::USELESS_PEER);
        Ending::Refused(format!("no version of eth in common: {cause}"))
    }

    /// Ends the link with the protocol that failed, which tells the peer why
    fn fail(&mut self, protocol: ProtocolId, failure: Failure) -> Ending {
        let (link, now) = self.session.link();
        link.tell(now, Event::ProtocolReturned(protocol, Err(failure.error())));
        self.session.wait_for_end();
        Ending::Failed(failure)
    }

    fn ended(&self, cause: Cause) -> Ending {
        let greeted = self.protocols.as_ref().is_some_and(|protocols| protocols.eth.1.is_greeted());
        match cause {
            Cause::Remote(reason @ DisconnectReason::SUBPROTOCOL) if !greeted => {
                Ending::Refused(format!("{reason}, before its Status; the node is most likely on another chain"))
            }
            Cause::Remote(reason) => Ending::Refused(reason.to_string()),
            Cause::NothingShared => Ending::Refused(format!("{cause}: {}", self.offered())),
            Cause::Violation(violation) if self.session.state().remote_id().is_some() => Ending::Violated(violation),
            cause if self.session.state().remote_hello().is_some() => Ending::Lost(cause),
            cause => Ending::Unreachable(cause.to_string()),
        }
    }

    fn offered(&self) -> String {
        let capabilities = self.session.state().remote_hello().map_or(&[][..], |hello| hello.capabilities());
        let names: Vec<_> = capabilities.iter().map(ToString::to_string).collect();
        format!("it offers {}", names.join(" "))
    }

    /// Says what was done, and completes the journal
    pub fn finish(mut self) -> io::Result<()> {
        if let Some(Protocols { eth: (_, eth), .. }) = self.protocols.as_ref().filter(|it| it.eth.1.is_greeted()) {
            let Tally { headers, bodies, transactions, receipts, logs } = eth.tally();
            self.progress.finish(eth.tally(), eth.head());
            say(format_args!(
                "checked {headers} headers, {bodies} bodies with {transactions} transactions, {receipts} receipts \
                 with {logs} logs"
            ));
        }
        self.session.finish()
    }
}

impl Protocols {
    fn outboxes(&mut self) -> impl Iterator<Item = &mut Outbox> {
        let snap = self.snap.as_mut().map(|(outbox, _)| outbox);
        std::iter::once(&mut self.eth.0).chain(snap)
    }

    fn deadline(&self) -> Option<Instant> {
        let snap = self.snap.as_ref().and_then(|(_, snap)| snap.deadline());
        self.eth.1.deadline().into_iter().chain(snap).min()
    }

    fn is_complete(&self) -> bool {
        self.eth.1.is_complete() && !self.snap.as_ref().is_some_and(|(_, snap)| snap.is_busy())
    }
}

fn tell(report: &Report, headers: u64) {
    let Report { block, state_root, accounts, whole, proof_nodes, codes } = report;
    let extent = if *whole { "the complete state" } else { "there are more" };
    say(format_args!(
        "snap: {accounts} accounts and {codes} codes under state root {state_root:.8}… of block {block}, {extent}, \
         {proof_nodes} nodes of proof; answered after {headers} headers"
    ));
}

/// How it ended
pub enum Ending {
    /// As it was asked to
    Done,
    Lost(Cause),
    Refused(String),
    Unreachable(String),
    Failed(Failure),
    Violated(Violation),
}

impl Ending {
    pub fn why(&self) -> Option<String> {
        match self {
            Self::Done => None,
            Self::Lost(cause) => Some(format!("the link was lost: {cause}")),
            Self::Refused(why) => Some(format!("the node refused: {why}")),
            Self::Unreachable(why) => Some(format!("the node is unreachable: {why}")),
            Self::Failed(failure) => Some(failure.to_string()),
            Self::Violated(violation) => Some(format!("the node broke the protocol: {violation}")),
        }
    }

    pub const fn exit_status(&self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Lost(_) => 1,
            Self::Refused(_) => 3,
            Self::Unreachable(_) => 4,
            Self::Failed(Failure::OtherChain(_)) => 5,
            Self::Failed(_) | Self::Violated(_) => 6,
        }
    }
}

//! The node that each of the four drivers runs, so that they differ in nothing but the driving
//!
//! A node that listens echoes what it is sent. A node that dials sends numbered messages, checks that each
//! comes back as it was, and ends the link. With `--take` nobody echoes: both may send, and check what comes.
//! One line is printed for everything that happens:
//!
//! ```text
//! listening enode://ID@ADDRESS
//! NUMBER claims ID
//! NUMBER ready CLIENT: NAME/VERSION …
//! NUMBER ended REASON WORDS; sent N, heard N, complete
//! ```

mod conversation;
mod options;
mod talk;

use std::fmt::Display;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant as Clock;

use devp2p_proto::{
    Buffers, Cause, Config, DisconnectReason, Enode, Entropy, Instant, NodeId, Notice, PeerState, RemoteHello,
    SharedProtocol,
};

use crate::journal::{Setup, SetupError};
use crate::link::{RecordedLink, StartError};
use crate::say::{complain, say};
pub use conversation::Conversation;
pub use options::{Command, Options};
use talk::{Expected, Items};
pub use talk::{Hearing, Message, Speech, Summary};

/// What all links of this process have in common
pub struct Node {
    pub options: Options,
    name: String,
    key: [u8; 32],
    config: Config,
    /// The journal's file, until there is a link
    record: Mutex<Option<String>>,
    items: Items,
    started: Clock,
    links: AtomicUsize,
    failures: AtomicUsize,
}

impl Node {
    /// The node that the command line asks for; an exit status if it asks for none
    pub fn of_process(name: &str) -> Result<Arc<Self>, ExitCode> {
        let node =
            Options::of_process().and_then(|options| Self::new(name, options).map_err(|error| error.to_string()));
        node.map(Arc::new).map_err(|problem| {
            complain(format_args!("{name}: {problem}"));
            complain("");
            options::USAGE.replace("DRIVER", name).lines().for_each(complain);
            ExitCode::from(2)
        })
    }

    pub fn new(name: &str, options: Options) -> Result<Self, SetupError> {
        let mut key = [0; 32];
        fill(&mut key);
        let config = setup(name, key, &options).config()?;
        let (record, items) = (Mutex::new(options.record.clone()), Items::new(options.size));
        let (links, failures) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let started = Clock::now();
        Ok(Self { options, name: name.to_string(), key, config, record, items, started, links, failures })
    }

    /// The time as links know it
    pub fn now(&self) -> Instant {
        Instant::from(self.started.elapsed())
    }

    pub const fn id(&self) -> NodeId {
        self.config.node_id()
    }

    pub fn initiator(&self, remote: NodeId) -> Result<RecordedLink, StartError> {
        if let Some(link) = self.recorded(Some(remote)) {
            return link;
        }
        let (now, entropy) = (self.now(), Entropy::from_rng(fill));
        Ok(PeerState::initiator(now, &self.config, remote, entropy, Buffers::growable())?.into())
    }

    pub fn recipient(&self) -> Result<RecordedLink, StartError> {
        if let Some(link) = self.recorded(None) {
            return link;
        }
        Ok(PeerState::recipient(self.now(), &self.config, Entropy::from_rng(fill), Buffers::growable())?.into())
    }

    /// The first link, if a journal of it is wanted
    fn recorded(&self, remote: Option<NodeId>) -> Option<Result<RecordedLink, StartError>> {
        let path = self.record.lock().unwrap_or_else(PoisonError::into_inner).take()?;
        let setup = Setup { remote, now: self.now(), ..setup(&self.name, self.key, &self.options) };
        Some(RecordedLink::start(&setup, Some(&path)))
    }

    pub fn listening(&self, address: SocketAddr) {
        say(format_args!("listening {}", Enode { node_id: self.id(), address }));
    }

    /// Whether one more connection may be accepted; others are closed before they cost any computation
    pub const fn may_accept(&self, open: usize) -> bool {
        open < self.options.max_inbound
    }

    /// Whether as many links have ended as were asked for
    pub fn is_done(&self, ended: usize) -> bool {
        self.options.links.is_some_and(|links| ended >= links)
    }

    pub fn exit_code(&self) -> ExitCode {
        if self.failures.load(Ordering::Relaxed) == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

/// One link's part of the output
#[derive(Clone)]
pub struct Report {
    node: Arc<Node>,
    number: usize,
}

impl Report {
    pub fn new(node: &Arc<Node>) -> Self {
        let number = 1 + node.links.fetch_add(1, Ordering::Relaxed);
        Self { node: Arc::clone(node), number }
    }

    pub fn node(&self) -> &Node {
        &self.node
    }

    /// Tells of what is worth a line, the end excepted
    pub fn note(&self, notice: &Notice, link: &PeerState<'_>) {
        match notice {
            _ if self.node.options.quiet => {}
            Notice::IdentityClaimed(id) => self.say(format_args!("claims {id}")),
            Notice::Ready => {
                let shared: Vec<_> = link.shared().map(|shared| shared.capability.to_string()).collect();
                let client = link.remote_hello().map(RemoteHello::client_id).unwrap_or_default();
                self.say(format_args!("ready {client}: {}", shared.join(" ")));
            }
            _ => {}
        }
    }

    /// A link that never came to be
    pub fn failed(&self, what: &str, error: &dyn Display) {
        self.node.failures.fetch_add(1, Ordering::Relaxed);
        self.say(format_args!("failed {what}: {error}"));
    }

    pub fn ended(&self, mut link: RecordedLink, cause: Cause, summary: Summary) {
        if let Err(error) = link.finish() {
            self.failed("to complete the journal", &error);
        }
        let polite = matches!(cause.reason(), DisconnectReason::CLIENT_QUITTING | DisconnectReason::REQUESTED);
        match polite && summary.complete {
            true if self.node.options.quiet => return,
            true => {}
            false => drop(self.node.failures.fetch_add(1, Ordering::Relaxed)),
        }
        self.say(format_args!("ended {:#x} {cause}; {summary}", cause.reason().code()));
    }

    /// Prints a line about this link; if standard output is closed, the program continues
    fn say(&self, what: impl Display) {
        say(format_args!("{} {what}", self.number));
    }

    /// What a protocol is to say and to hear
    pub fn talk(&self, shared: &SharedProtocol) -> (Speech, Hearing) {
        let items = self.node.items.with_codes(shared.length);
        let Options { send, take, .. } = self.node.options;
        let expected = match take {
            None if send == 0 && !self.parts() => Expected::Anything,
            _ if shared.length == 0 => Expected::Items(0),
            _ => Expected::Items(take.unwrap_or(send)),
        };
        let send = if shared.length > 0 { send } else { 0 };
        (Speech::new(items.clone(), send), Hearing::new(items, expected))
    }

    /// Whether this side ends the link when all messages are exchanged
    pub fn parts(&self) -> bool {
        matches!(self.node.options.command, Command::Dial(_)) && !self.node.options.stay
    }
}

fn setup(name: &str, key: [u8; 32], options: &Options) -> Setup {
    let setup = Setup::accepted(name, options.protocols.clone()).expect("the system has randomness");
    Setup { key, timeouts: options.timeouts, ..setup }
}

fn fill(bytes: &mut [u8]) {
    getrandom::fill(bytes).expect("the system has randomness");
}

//! Two nodes that are connected to each other, and the time

use std::time::Duration;

#[cfg(fuzzing)]
use devp2p_proto::Role;
use devp2p_proto::{Buffers, Cause, Config, Instant, PeerState};

use crate::{Node, PROTOCOLS, Pipe, config, entropy};

/// Two nodes, the two directions between them, and the time
#[derive(Debug)]
pub struct Pair<'buf> {
    /// The virtual time
    pub now: Instant,
    /// The node that has dialled
    pub initiator: Node<'buf>,
    /// The node that was dialled
    pub recipient: Node<'buf>,
    /// The bytes from the initiator to the recipient
    pub to_recipient: Pipe,
    /// The bytes from the recipient to the initiator
    pub to_initiator: Pipe,
}

impl Pair<'static> {
    /// Two nodes with growable buffers that have not exchanged anything
    ///
    /// # Panics
    ///
    /// As [`with_buffers`](Self::with_buffers).
    pub fn new(initiator: &Config, recipient: &Config) -> Self {
        Self::with_buffers(initiator, recipient, Buffers::growable(), Buffers::growable())
    }

    /// Two nodes with [`PROTOCOLS`] that have said Hello to each other and have seen nothing since
    pub fn running() -> Self {
        Self::new(&config(1, PROTOCOLS), &config(2, PROTOCOLS)).greeted()
    }

    /// Two nodes that have said Hello to each other and have seen nothing since, for fuzz targets
    ///
    /// With `cfg(fuzzing)`, which `cargo fuzz` sets, the links are made without the handshake, which costs more than
    /// all that follows. The encryption is the usual one.
    ///
    /// # Panics
    ///
    /// As [`with_buffers`](Self::with_buffers).
    pub fn past_handshake(initiator: &Config, recipient: &Config) -> Self {
        #[cfg(not(fuzzing))]
        let pair = Self::new(initiator, recipient);
        #[cfg(fuzzing)]
        let pair = {
            let link = |config, role, remote: &Config| {
                let remote = remote.node_id();
                devp2p_proto::past_handshake(Instant::ZERO, config, role, remote, Buffers::growable()).unwrap()
            };
            Self::connected(link(initiator, Role::Initiator, recipient), link(recipient, Role::Recipient, initiator))
        };
        pair.greeted()
    }
}

impl<'buf> Pair<'buf> {
    /// Two nodes with these buffers, first the initiator's, that have not exchanged anything
    ///
    /// # Panics
    ///
    /// If a constructor of [`PeerState`] refuses the configuration or the buffers.
    pub fn with_buffers(initiator: &Config, recipient: &Config, ours: Buffers<'buf>, theirs: Buffers<'buf>) -> Self {
        let (now, remote) = (Instant::ZERO, recipient.node_id());
        let initiator = PeerState::initiator(now, initiator, remote, entropy(1), ours).unwrap();
        Self::connected(initiator, PeerState::recipient(now, recipient, entropy(2), theirs).unwrap())
    }

    /// Two links with a new connection between them
    fn connected(initiator: PeerState<'buf>, recipient: PeerState<'buf>) -> Self {
        Self {
            now: Instant::ZERO,
            initiator: Node::new(initiator),
            recipient: Node::new(recipient),
            to_recipient: Pipe::new(),
            to_initiator: Pipe::new(),
        }
    }

    /// The same nodes after they have said Hello to each other; what they have seen until then is removed
    fn greeted(mut self) -> Self {
        self.settle();
        self.initiator.seen.clear();
        self.recipient.seen.clear();
        self
    }

    /// One turn of each driver's loop; returns whether anything happened
    pub fn step(&mut self) -> bool {
        let sent = self.initiator.turn(self.now, &mut self.to_initiator, &mut self.to_recipient);
        let answered = self.recipient.turn(self.now, &mut self.to_recipient, &mut self.to_initiator);
        sent | answered
    }

    /// Runs both drivers until neither has anything to do at this time
    ///
    /// # Panics
    ///
    /// If the two never come to rest.
    pub fn settle(&mut self) {
        for _ in 0..10_000_000 {
            if !self.step() {
                return;
            }
        }
        panic!("the two never come to rest");
    }

    /// Moves the time forward, and wakes each link at the time that it has asked for
    ///
    /// # Panics
    ///
    /// If a link asks to be woken at a time that has already come, or if the two never come to rest.
    pub fn advance(&mut self, time: Duration) {
        let end = self.now.checked_add(time).unwrap();
        self.settle();
        while let Some(wake) = self.next_wake().filter(|wake| *wake <= end) {
            self.now = self.now.max(wake);
            for link in [&mut self.initiator.link, &mut self.recipient.link] {
                link.handle_timeout(self.now);
                assert!(link.next_timeout().is_none_or(|next| next > self.now), "the deadline has not moved: {link:?}");
            }
            self.settle();
        }
        self.now = end;
    }

    fn next_wake(&self) -> Option<Instant> {
        let links = [&self.initiator.link, &self.recipient.link];
        links.into_iter().filter_map(PeerState::next_timeout).min()
    }

    /// Why each link has ended, first the initiator's
    pub fn causes(&self) -> (Option<Cause>, Option<Cause>) {
        (self.initiator.cause(), self.recipient.cause())
    }
}

//! One side of a connection: a link, its driver, and what the driver saw

use std::fmt;

use devp2p_proto::{Action, Cause, Instant, NodeId, PeerState, ProtocolId};

use crate::Pipe;

/// An action as the driver saw it, with everything owned
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// The peer claims this key
    IdentityClaimed(NodeId),
    /// The shared protocols, each as `name/version@offset+length`
    Ready(Vec<String>),
    /// A message: its protocol, its code and its payload
    Deliver(ProtocolId, u64, Vec<u8>),
    /// A message that was skipped: its protocol, its code, the size that the peer claims, and its size on the wire
    Skipped(ProtocolId, u64, usize, usize),
    /// A protocol that was refused with `Full` can write again
    Writable(ProtocolId),
    /// The link has ended
    Disconnect(Cause),
}

/// The action, with everything owned
///
/// # Panics
///
/// For [`Action::Send`], which the driver of a [`Node`] does itself.
pub fn observe(action: Action<'_>) -> Seen {
    match action {
        Action::IdentityClaimed(id) => Seen::IdentityClaimed(id),
        Action::Ready(ready) => {
            Seen::Ready(ready.shared().map(|s| format!("{}@{}+{}", s.capability, s.offset, s.length)).collect())
        }
        Action::Deliver { protocol, code, payload } => Seen::Deliver(protocol, code, payload.to_vec()),
        Action::Skipped { protocol, code, size, wire_len } => Seen::Skipped(protocol, code, size, wire_len),
        Action::Writable(protocol) => Seen::Writable(protocol),
        Action::Disconnect(cause) => Seen::Disconnect(cause),
        other => panic!("the driver does not record this action: {other:?}"),
    }
}

/// What [`Node::react`] is given
type Reaction<'buf> = Box<dyn FnMut(&mut PeerState<'_>, Instant, &Seen) + 'buf>;

/// A link with its driver
pub struct Node<'buf> {
    /// The link
    pub link: PeerState<'buf>,
    /// Every action so far, except [`Action::Send`]
    pub seen: Vec<Seen>,
    /// Whether the driver has seen [`Action::Disconnect`]
    pub ended: bool,
    /// The largest number of bytes that the driver reads at once
    pub max_read: usize,
    reaction: Option<Reaction<'buf>>,
    told_closed: bool,
}

impl<'buf> Node<'buf> {
    /// A node whose driver reads without a limit and has not seen an action yet
    pub fn new(link: PeerState<'buf>) -> Self {
        Self { link, seen: Vec::new(), ended: false, max_read: usize::MAX, reaction: None, told_closed: false }
    }

    /// Calls `reaction` with each action as soon as the driver has seen it
    ///
    /// This is the place for the subprotocol that is tested.
    pub fn react(&mut self, reaction: impl FnMut(&mut PeerState<'_>, Instant, &Seen) + 'buf) {
        self.reaction = Some(Box::new(reaction));
    }

    /// One turn of the driver's loop: does every action, then reads once
    ///
    /// Returns whether anything happened.
    pub fn turn(&mut self, now: Instant, input: &mut Pipe, output: &mut Pipe) -> bool {
        let acted = self.act(now, output);
        let fed = self.read(now, input);
        if self.ended {
            output.close();
            input.consume(input.waiting());
        }
        acted | fed
    }

    fn act(&mut self, now: Instant, output: &mut Pipe) -> bool {
        let mut progress = false;
        while let Some(action) = self.link.poll() {
            if let Action::Send(bytes) = action {
                let len = output.write(bytes);
                if len == 0 {
                    break;
                }
                self.link.sent(now, len).unwrap();
            } else {
                let seen = observe(action);
                self.ended |= matches!(seen, Seen::Disconnect(_));
                if let Some(reaction) = &mut self.reaction {
                    reaction(&mut self.link, now, &seen);
                }
                self.seen.push(seen);
            }
            progress = true;
        }
        progress
    }

    fn read(&mut self, now: Instant, input: &mut Pipe) -> bool {
        if self.ended {
            return false;
        }
        if input.waiting() == 0 {
            let tell = input.is_closed() && !self.told_closed;
            if tell {
                self.told_closed = true;
                self.link.receive_closed(now);
            }
            return tell;
        }
        let bytes = input.unread();
        let len = bytes.len().min(self.max_read);
        let taken = self.link.receive(now, &bytes[..len]);
        input.consume(taken);
        taken > 0
    }

    /// Why the link has ended, if the driver has seen that it has
    pub fn cause(&self) -> Option<Cause> {
        self.seen.iter().find_map(|seen| match seen {
            Seen::Disconnect(cause) => Some(*cause),
            _ => None,
        })
    }

    /// The messages that were delivered: protocol, code and payload
    pub fn delivered(&self) -> Vec<(ProtocolId, u64, Vec<u8>)> {
        let message = |seen: &Seen| match seen {
            Seen::Deliver(protocol, code, payload) => Some((*protocol, *code, payload.clone())),
            _ => None,
        };
        self.seen.iter().filter_map(message).collect()
    }
}

impl fmt::Debug for Node<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { link, seen, ended, max_read, .. } = self;
        f.debug_struct("Node")
            .field("link", link)
            .field("seen", seen)
            .field("ended", ended)
            .field("max_read", max_read)
            .finish_non_exhaustive()
    }
}

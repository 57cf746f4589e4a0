//! A plain loop around a link: one thread that runs it, and one that reads the socket

use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use devp2p_proto::{Action, Cause, Instant, Liveness, Network, NodeId, PeerState, ProtocolInfo, SharedProtocol, Stage};

use crate::node::Node;
use crate::timeline::Timeline;

/// How long a write may keep the loop from its input
const WRITE_PATIENCE: Duration = Duration::from_millis(10);

pub struct Driver {
    link: PeerState<'static>,
    socket: TcpStream,
    /// What the reading thread has read
    input: Receiver<Vec<u8>>,
    /// The piece of input that the link is taking, and how much of it was taken
    piece: Vec<u8>,
    taken: usize,
    /// Bytes of ack that wait to be sent together with our Hello
    ack: usize,
    /// This side's address and the peer's
    addresses: [SocketAddr; 2],
    timeline: Timeline,
    liveness: Liveness,
    /// Whether to flip a bit once messages flow
    corrupt: bool,
}

impl Driver {
    pub fn new(link: PeerState<'static>, socket: TcpStream, timeline: Timeline, corrupt: bool) -> io::Result<Self> {
        socket.set_nodelay(true)?;
        socket.set_write_timeout(Some(WRITE_PATIENCE))?;
        // A bounded channel: when the link takes nothing, reading stops, and TCP tells the peer.
        let (sender, input) = sync_channel(4);
        let reader = socket.try_clone()?;
        thread::spawn(move || read_all(reader, &sender));
        Ok(Self {
            link,
            addresses: [socket.local_addr()?, socket.peer_addr()?],
            socket,
            input,
            piece: Vec::new(),
            taken: 0,
            ack: 0,
            timeline,
            liveness: Liveness::default(),
            corrupt,
        })
    }

    pub fn run(mut self, mut node: Node) -> Outcome {
        loop {
            // 1. Do what the link asks for, and give it the input that has come.
            while self.act(&mut node) || self.feed() {}
            if let Some(cause) = self.link.cause().filter(|_| self.link.stage() == Stage::Closed) {
                return self.end(node, cause);
            }
            // 2. Let the protocols write.
            let now = self.now();
            let busy = node.write(&mut self.link, now, &self.timeline);
            self.watch_pings();
            // 3. Wait for input, but not longer than until the next timeout.
            self.wait(if busy || !self.link.unsent().is_empty() { Duration::ZERO } else { self.until_timeout() });
            // 4. Tell the link the time.
            let now = self.now();
            self.link.handle_timeout(now);
        }
    }

    /// One action, if there is one that can be carried out
    fn act(&mut self, node: &mut Node) -> bool {
        let Some(action) = self.link.poll() else {
            return false;
        };
        match action {
            Action::Send(_) => return self.send(),
            Action::IdentityClaimed(id) => {
                self.timeline.note(format_args!("the peer claims to be node {}", short(id)));
                // Our Hello is sealed at the next poll, so the peer could be refused here.
                self.ack = self.link.unsent().len();
                if self.ack > 0 {
                    self.timeline.note(format_args!("sends ack, {} bytes", self.ack));
                }
            }
            Action::Ready(ready) => {
                self.timeline.note(format_args!("Hello from {}", ready.hello().client_id()));
                for shared in ready.shared() {
                    let last = shared.offset + shared.length - 1;
                    self.timeline
                        .note(format_args!("agreed on {} at ids {:#x} to {last:#x}", shared.capability, shared.offset));
                }
                node.ready(ready.shared());
            }
            Action::Deliver { protocol, code, payload } => {
                self.timeline.trace(format_args!("receives {protocol}, code {code}, {} bytes", payload.len()));
                node.deliver(protocol, code, &payload, &self.timeline);
            }
            Action::Disconnect(cause) => {
                self.timeline.note(format_args!("the link has ended: {cause}"));
            }
            // The node writes as long as it is not refused, so it will try again by itself.
            _ => {}
        }
        true
    }

    /// Writes once, and returns whether there may be more to do
    fn send(&mut self) -> bool {
        let (now, unsent) = (self.now(), self.link.unsent());
        let result = match self.corrupt && self.link.stage() == Stage::Running && unsent.len() > 256 {
            true => self.corrupt_and_write(),
            false => self.socket.write(unsent),
        };
        match result {
            Ok(len) => {
                match self.link.stage() {
                    Stage::Handshake => self.timeline.note(format_args!("sends auth, {len} bytes")),
                    Stage::Hello => self.timeline.note(format_args!("sends Hello, {} bytes", len - self.ack)),
                    Stage::Closing => self.timeline.note(format_args!("sends Disconnect, {len} bytes")),
                    _ => self.timeline.trace(format_args!("sends {len} bytes")),
                }
                self.link.sent(now, len).is_ok()
            }
            // The socket is full. The link keeps what it has; input goes on.
            Err(error) if is_transient(&error) => false,
            Err(_) => {
                self.link.send_failed(now);
                true
            }
        }
    }

    fn corrupt_and_write(&mut self) -> io::Result<usize> {
        let mut damaged = self.link.unsent().to_vec();
        let middle = damaged.len() / 2;
        damaged[middle] ^= 0x10;
        self.corrupt = false;
        self.timeline.note(format_args!("flips a bit in byte {middle} of {}", damaged.len()));
        self.socket.set_write_timeout(None)?;
        self.socket.write_all(&damaged)?;
        self.socket.set_write_timeout(Some(WRITE_PATIENCE))?;
        Ok(damaged.len())
    }

    /// Gives the link input, up to one message
    fn feed(&mut self) -> bool {
        if self.taken == self.piece.len() {
            let Ok(piece) = self.input.try_recv() else {
                return false;
            };
            (self.piece, self.taken) = (piece, 0);
        }
        let now = self.now();
        let taken = self.link.receive(now, &self.piece[self.taken..]);
        self.taken += taken;
        taken > 0
    }

    fn wait(&mut self, longest: Duration) {
        if self.taken < self.piece.len() {
            return;
        }
        match self.input.recv_timeout(longest) {
            Ok(piece) => (self.piece, self.taken) = (piece, 0),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                let now = self.now();
                self.link.receive_closed(now);
            }
        }
    }

    fn until_timeout(&self) -> Duration {
        let forever = Duration::from_secs(3600);
        self.link.next_timeout().map_or(forever, |deadline| deadline.saturating_since(self.now()))
    }

    /// Notes Pings and Pongs, which are not actions but are counted by the link
    fn watch_pings(&mut self) {
        let (before, after) = (self.liveness, self.link.liveness());
        if after.pings_sent > before.pings_sent {
            self.timeline.note("sends Ping");
        }
        if after.pings_received > before.pings_received {
            self.timeline.note("receives Ping, sends Pong");
        }
        if after.pongs_received > before.pongs_received {
            self.timeline.note("receives Pong");
        }
        self.liveness = after;
    }

    fn now(&self) -> Instant {
        self.timeline.elapsed().into()
    }

    fn end(self, node: Node, cause: Cause) -> Outcome {
        // Ends the reading thread, too. An error only means that the peer has closed already.
        let _ = self.socket.shutdown(Shutdown::Both);
        let report = report(&self.link, self.timeline.who(), self.addresses);
        Outcome { cause, complete: node.is_complete(), report }
    }
}

/// Whether to try a read or write again later: it timed out, the socket is full, or a signal came
fn is_transient(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
}

/// A node as the library's own log names it: by the first digits of its id
fn short(id: NodeId) -> String {
    format!("{:.8}…", id.to_string())
}

/// Hands over the bytes that come; the end of the stream closes the channel
fn read_all(mut socket: TcpStream, sender: &SyncSender<Vec<u8>>) {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match socket.read(&mut buffer) {
            Ok(len @ 1..) if sender.send(buffer[..len].to_vec()).is_ok() => {}
            Err(error) if is_transient(&error) => {}
            Ok(_) | Err(_) => return,
        }
    }
}

/// How the link of one node ended, and what the node has seen
pub struct Outcome {
    pub cause: Cause,
    pub complete: bool,
    report: String,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}  ended          {} (reason {:#04x})\n", self.report, self.cause, self.cause.reason().code())
    }
}

fn report(link: &PeerState<'_>, who: &str, addresses: [SocketAddr; 2]) -> String {
    let [local, remote] = addresses.map(|address| address.to_string());
    let network = Network { local_address: &local, remote_address: &remote, ..Network::default() };
    let part = |shared: SharedProtocol| {
        let traffic = link.traffic(shared.protocol)?;
        Some(format!(
            "sent {} messages, {} bytes as {} on the wire; received {} messages, {} bytes as {}",
            traffic.egress.messages,
            traffic.egress.payload_bytes,
            traffic.egress.wire_bytes,
            traffic.ingress.messages,
            traffic.ingress.payload_bytes,
            traffic.ingress.wire_bytes
        ))
    };
    let Some((info, id)) = link.peer_info(network, part).zip(link.remote_id()) else {
        return format!("{who} received no Hello\n");
    };
    let capabilities: Vec<_> = info.capabilities.iter().map(ToString::to_string).collect();
    let direction = if info.inbound { "inbound" } else { "outbound" };
    let mut text = format!(
        "{who} saw\n  name           {}\n  node           {}\n  capabilities   {}\n  connection     {direction}, {local} to {remote}\n",
        info.name,
        short(id),
        capabilities.join(" ")
    );
    for (name, part) in info.protocols() {
        if let ProtocolInfo::Info(part) = part {
            text.push_str(&format!("  {name:14} {part}\n"));
        }
    }
    text
}

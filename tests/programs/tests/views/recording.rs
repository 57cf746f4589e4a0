//! Recordings of links in virtual time, and the files that `replay` makes of them

use std::fs;
use std::path::Path;
use std::process::Output;
use std::time::Duration;

use devp2p_drivers::journal::{Offer, Setup};
use devp2p_drivers::link::RecordedLink;
use devp2p_program_tests::program::run;
use devp2p_proto::{
    Action, Buffers, Config, DisconnectReason, Entropy, Event, Instant, Link, PeerState, Protocol, ProtocolId,
    SecretKey,
};
use devp2p_testing::remote::{HELLO, Handshake, Hello, Session, body};

pub const ETH: ProtocolId = ProtocolId(0);
pub const SNAP: ProtocolId = ProtocolId(1);
/// A protocol whose messages have no names
pub const CHAT: ProtocolId = ProtocolId(2);

/// How long bytes take to the other node
pub const LATENCY: Duration = Duration::from_millis(1);

/// A link that is recorded, and the peer at its other end
pub struct Recording {
    pub ours: RecordedLink,
    pub theirs: PeerState<'static>,
    pub now: Instant,
    pub path: String,
    /// The secret key of the node, and the randomness of its link
    pub secrets: [Vec<u8>; 2],
    to_peer: Vec<u8>,
    to_us: Vec<u8>,
}

/// A file name for one test, where no file is
pub fn fresh(name: &str) -> String {
    let path = format!("{}/views-{}-{name}", env!("CARGO_TARGET_TMPDIR"), std::process::id());
    let _ = fs::remove_file(&path);
    path
}

pub fn offers() -> Vec<Offer> {
    vec![
        Offer::new("eth", 69, 18, devp2p_proto::MAX_MESSAGE),
        Offer::new("snap", 1, 8, devp2p_proto::MAX_MESSAGE),
        Offer::new("chat", 1, 64, devp2p_proto::MAX_MESSAGE),
    ]
}

impl Recording {
    /// A link that this node has dialled, before the first byte
    pub fn dialled(name: &str, client_id: &str, peer: &str) -> Self {
        let config = peer_config(peer);
        let setup = Setup::dialled(config.node_id(), client_id, offers()).expect("randomness");
        let theirs = PeerState::recipient(Instant::ZERO, &config, entropy(), Buffers::growable()).expect("a link");
        Self::start(name, &setup, theirs)
    }

    /// A link that the peer has dialled
    pub fn accepted(name: &str) -> Self {
        let config = peer_config("peer/1.0");
        let mut setup = Setup::dialled(config.node_id(), "ours/1.0", offers()).expect("randomness");
        setup.remote = None;
        let remote = SecretKey::from_bytes(setup.key).expect("a key").node_id();
        let theirs = PeerState::initiator(Instant::ZERO, &config, remote, entropy(), Buffers::growable());
        Self::start(name, &setup, theirs.expect("a link"))
    }

    /// A running link that a scripted remote has dialled, and the session in which the remote seals its frames
    ///
    /// The peer of this recording takes no part.
    pub fn with_scripted_remote(name: &str) -> (Self, Session) {
        const REMOTE: u8 = 9;
        let mut link = Self::accepted(name);
        let remote = Handshake::new(REMOTE);
        let auth = remote.auth(&link.ours.local_id());
        assert_eq!(link.ours.receive(link.now, &auth), auth.len());
        link.act();
        let (size, _) = link.to_peer.split_first_chunk().expect("an ack and a Hello");
        let ack: Vec<_> = link.to_peer.drain(..2 + usize::from(u16::from_be_bytes(*size))).collect();
        link.to_peer.clear();
        let mut session = remote.initiator_session(&auth, &ack);
        let hello = Hello { capabilities: vec![(b"eth".to_vec(), 69)], ..Hello::fitting(REMOTE) };
        let frame = session.seal(&body(HELLO, &hello.encode()));
        assert_eq!(link.ours.receive(link.now, &frame), frame.len());
        link.act();
        (link, session)
    }

    fn start(name: &str, setup: &Setup, theirs: PeerState<'static>) -> Self {
        let path = fresh(name);
        let ours = RecordedLink::start(setup, Some(&path)).expect("a link");
        let secrets = [setup.key.to_vec(), setup.entropy.to_vec()];
        Self { ours, theirs, now: setup.now, path, secrets, to_peer: Vec::new(), to_us: Vec::new() }
    }

    /// A running link
    pub fn running(name: &str) -> Self {
        let mut recording = Self::dialled(name, "ours/1.0", "peer/1.0");
        recording.settle();
        assert!(recording.ours.shared().count() == 3, "not running");
        recording
    }

    /// Carries bytes until both nodes wait
    pub fn settle(&mut self) {
        while self.turn() {}
    }

    fn turn(&mut self) -> bool {
        let ours = self.act();
        let theirs = self.peer_acts();
        if !ours && !theirs && self.to_peer.is_empty() && self.to_us.is_empty() {
            return false;
        }
        self.now = self.now.checked_add(LATENCY).expect("early");
        let taken = self.theirs.receive(self.now, &self.to_peer);
        self.to_peer.drain(..taken);
        if !self.to_us.is_empty() {
            let taken = self.ours.receive(self.now, &self.to_us);
            self.to_us.drain(..taken);
        }
        true
    }

    /// Does what our link asks for; whether it asked for anything
    pub fn act(&mut self) -> bool {
        let mut acted = false;
        while let Some(action) = self.ours.poll() {
            acted = true;
            if let Action::Send(bytes) = action {
                self.to_peer.extend_from_slice(bytes);
                let len = bytes.len();
                self.ours.tell(self.now, Event::Sent(len));
            }
        }
        acted
    }

    fn peer_acts(&mut self) -> bool {
        let mut acted = false;
        while let Some(action) = self.theirs.poll() {
            acted = true;
            if let Action::Send(bytes) = action {
                self.to_us.extend_from_slice(bytes);
                let len = bytes.len();
                self.theirs.sent(self.now, len).expect("as many as were offered");
            }
        }
        acted
    }

    /// Sends a message, and carries it over
    pub fn send(&mut self, protocol: ProtocolId, code: u64, payload: &[u8]) {
        self.ours.write(self.now, protocol, code, payload).expect("room");
        self.settle();
    }

    /// The same from the peer
    pub fn hear(&mut self, protocol: ProtocolId, code: u64, payload: &[u8]) {
        self.theirs.write(self.now, protocol, code, payload).expect("room");
        self.settle();
    }

    pub fn ping(&mut self) {
        self.ours.tell(self.now, Event::Ping);
        self.settle();
    }

    /// Lets time pass on our side
    pub fn wait(&mut self, time: Duration) {
        self.now = self.now.checked_add(time).expect("early");
        self.ours.tell(self.now, Event::Timeout);
        self.settle();
    }

    /// Ends the link, and completes the recording
    pub fn quit(mut self, reason: DisconnectReason) -> String {
        self.ours.tell(self.now, Event::Disconnect(reason));
        self.settle();
        self.ours.tell(self.now, Event::ReceiveClosed);
        self.finish()
    }

    pub fn finish(mut self) -> String {
        self.settle();
        self.ours.finish().expect("a disk");
        self.path
    }
}

fn peer_config(client_id: &str) -> Config {
    let protocols = [Protocol::new("eth", 69, 18), Protocol::new("snap", 1, 8), Protocol::new("chat", 1, 64)];
    Config::new(SecretKey::from_bytes([7; 32]).expect("a key"), client_id, &protocols).expect("a configuration")
}

fn entropy() -> Entropy {
    Entropy::from_rng(|bytes| getrandom::fill(bytes).expect("randomness"))
}

/// A link with something of everything: what a person would want to look at
pub fn everything(name: &str) -> String {
    let mut link = Recording::dialled(name, "ours/1.0", "Geth/v1.17.10-stable/linux-amd64/go1.26");
    link.settle();
    link.send(ETH, 0, &[0x11; 90]);
    link.hear(ETH, 0, &[0x22; 90]);
    for round in 0..40_u8 {
        link.send(ETH, 3, &[round; 12]);
        link.hear(ETH, 4, &[round; 9000]);
        link.send(SNAP, 0, &[round; 70]);
        link.hear(SNAP, 1, &vec![round; 120_000]);
        if round % 8 == 0 {
            link.ping();
            link.wait(Duration::from_secs(16));
        }
    }
    refuse(&mut link);
    link.hear(CHAT, 0x21, b"hello");
    link.theirs.disconnect(link.now, DisconnectReason::TOO_MANY_PEERS);
    link.finish()
}

/// Fills the share of `chat` while the socket takes nothing, until a message is refused; then the socket takes all
pub fn refuse(link: &mut Recording) -> usize {
    let payload = |index: usize| vec![index as u8; 60_000];
    let mut noise = vec![0; 60_000];
    getrandom::fill(&mut noise).expect("randomness");
    let mut written = 0;
    while link.ours.write(link.now, CHAT, 1, &noise).is_ok() {
        written += 1;
        assert!(written < 10_000, "never full");
    }
    let refused = payload(1);
    link.ours.write(link.now, CHAT, 2, &refused).expect_err("full");
    link.ours.write(link.now, CHAT, 2, &refused).expect_err("still full");
    link.settle();
    link.ours.write(link.now, CHAT, 2, &refused).expect("room again");
    link.settle();
    written
}

/// What `replay` says with these arguments
pub fn replay(arguments: &[&str]) -> Output {
    run("replay", arguments)
}

/// The page of a recording, which must replay
pub fn page(recording: &str) -> String {
    let html = format!("{recording}.html");
    let _ = fs::remove_file(&html);
    let output = replay(&[recording, "--html", &html]);
    assert!(output.status.success(), "{output:?}");
    html
}

/// The capture of a recording and its dissector
pub fn capture(recording: &str, arguments: &[&str]) -> (String, String) {
    let (capture, dissector) = (format!("{recording}.pcapng"), format!("{recording}.lua"));
    for path in [&capture, &dissector] {
        let _ = fs::remove_file(path);
    }
    let output = replay(&[&[recording, "--pcapng", &capture], arguments].concat());
    assert!(output.status.success(), "{output:?}");
    assert!(Path::new(&dissector).exists());
    (capture, dissector)
}

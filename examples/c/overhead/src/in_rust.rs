//! By the methods of the library

use devp2p_proto::{Action, Buffers, Config, Entropy, Instant, PeerState, Protocol, ProtocolId, SecretKey};

use crate::{Pair, entropy, key};

const NOW: Instant = Instant::ZERO;

pub(crate) struct Links {
    first: PeerState<'static>,
    second: PeerState<'static>,
    wire: Vec<u8>,
}

impl Links {
    pub(crate) fn new() -> Self {
        let [ours, theirs] = [0, 1].map(config);
        let random = |number| Entropy::from_bytes(entropy(number));
        let first = PeerState::initiator(NOW, &ours, theirs.node_id(), random(0), Buffers::growable());
        let second = PeerState::recipient(NOW, &theirs, random(1), Buffers::growable());
        let (first, second) = (first.expect("it can start"), second.expect("it can start"));
        let mut links = Self { first, second, wire: Vec::new() };
        for _ in 0..4 {
            carry(&mut links.first, &mut links.wire, &mut links.second);
            carry(&mut links.second, &mut links.wire, &mut links.first);
        }
        links
    }
}

impl Pair for Links {
    fn message(&mut self, payload: &[u8]) -> usize {
        self.first.write(NOW, ProtocolId(0), 3, payload).expect("it is taken");
        carry(&mut self.first, &mut self.wire, &mut self.second)
    }
}

/// Gives what the one link sends to the other; returns the length of the last payload
fn carry(from: &mut PeerState<'static>, wire: &mut Vec<u8>, to: &mut PeerState<'static>) -> usize {
    wire.clear();
    loop {
        match from.poll() {
            Some(Action::Send(bytes)) => {
                wire.extend_from_slice(bytes);
                let len = bytes.len();
                from.sent(NOW, len).expect("so much was offered");
            }
            Some(_) => {}
            None => break,
        }
    }
    let (mut taken, mut delivered) = (0, 0);
    while taken < wire.len() {
        taken += to.receive(NOW, &wire[taken..]);
        loop {
            match to.poll() {
                Some(Action::Deliver { payload, .. }) => delivered = payload.len(),
                Some(Action::Send(_)) | None => break,
                Some(_) => {}
            }
        }
    }
    delivered
}

fn config(number: u8) -> Config {
    let key = SecretKey::from_bytes(key(number)).expect("a key");
    Config::new(key, "overhead", &[Protocol::new("echo", 2, 17)]).expect("it fits")
}

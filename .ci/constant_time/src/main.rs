//! Two links that shake hands and exchange messages, with all their secrets marked as undefined memory
//!
//! `.ci/constant-time` runs this program in valgrind, which reports every branch and every address that depends on
//! undefined memory. The secrets are the static keys and the entropy, except for the IV and the length of the
//! padding, which everybody can see on the wire. The library marks where a value is no longer secret
//! (`src/disclosed.rs`). For the bytes on the wire, this program does so.

use devp2p_proto::internal::on_disclosure;
use devp2p_proto::{
    Action, Buffers, Cause, Config, DisconnectReason, Entropy, Instant, NotStarted, PeerState, Protocol, ProtocolId,
    SecretKey, Stage, Violation, batch,
};

use devp2p_valgrind::memcheck;

const NOW: Instant = Instant::ZERO;
/// The bytes of an [`Entropy`] that become keys and the nonce
const DRAWN: usize = 96;
/// The largest message that a node takes of the first protocol; it sends larger ones
const LIMIT: usize = 4 * 1_024;
const PROTOCOLS: [Protocol<'static>; 2] =
    [Protocol::new("alpha", 1, 4).with_max_message(LIMIT).with_max_send(8 * LIMIT), Protocol::new("beta", 1, 4)];

fn main() {
    assert!(devp2p_valgrind::is_running(), "this program must run in valgrind");
    on_disclosure(memcheck::make_defined);
    the_nodes_talk();
    many_nodes_talk();
    a_message_is_too_large();
    a_changed_byte_is_noticed();
}

/// Every kind of frame in both directions, and the end
fn the_nodes_talk() {
    let (mut ours, mut theirs) = ready();
    for (protocol, len) in [(0, 0), (0, 100), (1, LIMIT), (1, 70_000)] {
        ours.write(protocol, &vec![0x5a; len]);
        theirs.write(protocol, &vec![0x5a; len]);
        exchange(&mut ours, &mut theirs);
    }
    assert_eq!((ours.delivered, theirs.delivered), (4, 4));
    ours.link.handle_timeout(ours.link.next_timeout().expect("a Ping is due"));
    exchange(&mut ours, &mut theirs);
    theirs.link.disconnect(NOW, DisconnectReason::REQUESTED);
    exchange(&mut ours, &mut theirs);
    assert_eq!(ours.link.cause(), Some(Cause::Remote(DisconnectReason::REQUESTED)));
}

/// As many as make full use of the permutations of several states that valgrind knows, those with AVX2
fn many_nodes_talk() {
    let mut pairs = [(); 5].map(|()| ready());
    let links = pairs.iter_mut().map(|(ours, _)| ((), &mut ours.link, ProtocolId(1)));
    batch::write(NOW, links, 1, &noise::<3_000>(6), |(), outcome| _ = outcome.expect("there is capacity"));
    let frames = pairs.each_mut().map(|(ours, _)| ours.take());
    let links = pairs.iter_mut().zip(&frames).map(|((_, theirs), frame)| (frame.len(), &mut theirs.link, &frame[..]));
    batch::receive(NOW, links, |len, taken| assert_eq!(len, taken));
    for (_, theirs) in &mut pairs {
        theirs.take();
        assert_eq!(theirs.delivered, 1);
    }
}

/// The body of such a message is not stored; only its MAC is checked
fn a_message_is_too_large() {
    let (mut ours, mut theirs) = ready();
    ours.write(0, &noise::<{ 2 * LIMIT }>(5));
    exchange(&mut ours, &mut theirs);
    let cause = theirs.link.cause();
    assert!(matches!(cause, Some(Cause::Violation(Violation::FrameTooLarge { .. }))), "{cause:?}");
}

fn a_changed_byte_is_noticed() {
    for (at, violation) in [(0, Violation::HeaderMacMismatch), (40, Violation::BodyMacMismatch)] {
        let (mut ours, mut theirs) = ready();
        ours.write(1, b"to be changed");
        let mut bytes = ours.take();
        bytes[at] ^= 1;
        theirs.receive(&bytes);
        assert_eq!(theirs.link.cause(), Some(Cause::Violation(violation)));
    }
}

/// A link, and how many messages it has delivered
struct Side {
    link: PeerState<'static>,
    delivered: usize,
}

impl Side {
    fn write(&mut self, protocol: usize, payload: &[u8]) {
        self.link.write(NOW, ProtocolId(protocol), 1, payload).expect("there is capacity");
    }

    /// Does every action, and returns the bytes that are sent, which are no longer secret
    fn take(&mut self) -> Vec<u8> {
        let mut taken = Vec::new();
        while let Some(action) = self.link.poll() {
            match action {
                Action::Send(bytes) => {
                    assert!(memcheck::count_undefined(bytes) >= 32, "a packet or a frame depends on secrets");
                    taken.extend_from_slice(bytes);
                    let len = bytes.len();
                    self.link.sent(NOW, len).expect("no more than is unsent");
                }
                Action::Deliver { .. } => self.delivered += 1,
                _ => {}
            }
        }
        memcheck::make_defined(&mut taken);
        taken
    }

    /// Takes all these bytes, and returns the answer to them
    fn receive(&mut self, mut bytes: &[u8]) -> Vec<u8> {
        let mut answer = Vec::new();
        while !bytes.is_empty() {
            bytes = &bytes[self.link.receive(NOW, bytes)..];
            answer.extend(self.take());
        }
        answer
    }
}

/// Carries bytes between both sides until neither has any left to send
fn exchange(ours: &mut Side, theirs: &mut Side) {
    let mut bytes = ours.take();
    bytes = [theirs.take(), theirs.receive(&bytes)].concat();
    while !bytes.is_empty() {
        bytes = ours.receive(&bytes);
        bytes = theirs.receive(&bytes);
    }
}

/// Two links that have exchanged Hello
fn ready() -> (Side, Side) {
    let (ours, theirs) = (node(1), node(2));
    let initiator = PeerState::initiator(NOW, &ours, theirs.node_id(), entropy(3), Buffers::growable());
    let recipient = PeerState::recipient(NOW, &theirs, entropy(4), Buffers::growable());
    let side = |link: Result<_, NotStarted<'static>>| Side { link: link.expect("it can start"), delivered: 0 };
    let (mut ours, mut theirs) = (side(initiator), side(recipient));
    exchange(&mut ours, &mut theirs);
    for side in [&ours, &theirs] {
        assert_eq!((side.link.stage(), side.link.cause()), (Stage::Running, None));
    }
    (ours, theirs)
}

fn node(seed: u8) -> Config {
    let mut key = noise::<32>(seed);
    memcheck::make_undefined(&mut key);
    let key = SecretKey::from_bytes(key).expect("it is a key");
    Config::new(key, "constant-time", &PROTOCOLS).expect("a usable configuration")
}

fn entropy(seed: u8) -> Entropy {
    let mut bytes = noise::<{ Entropy::SIZE }>(seed);
    memcheck::make_undefined(&mut bytes[..DRAWN]);
    Entropy::from_bytes(bytes)
}

/// Bytes that look random and are the same for the same seed
fn noise<const N: usize>(seed: u8) -> [u8; N] {
    let mut state = u64::from(seed).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    std::array::from_fn(|_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    })
}

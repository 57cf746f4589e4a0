//! Secrets are wiped: the tests search for them in the memory of an ended link, and on the stack
//!
//! A link runs on a thread of its own, in memory that stays readable when the link is dropped. The test gives the
//! link its entropy, so the test can compute the secrets, too: the keys of both nodes, the shared secrets, the
//! nonces, the secret number of the signature, the keys and the key schedules of each cipher, and every state of
//! the MACs. After each call of the handshake, and after the last call, no eight
//! bytes of the secrets may be left on the stack. The link holds the secrets
//! that it needs, and after its end it holds none.
//!
//! The key schedules are in the form of processors with AES instructions.
#![allow(unsafe_code, reason = "memory that nobody owns any more is looked at")]

mod model;
mod needles;
mod thread;

use std::ops::Range;
use std::time::Duration;

use devp2p_proto::{Buffers, Config, Entropy, Instant, SecretKey};
use devp2p_testing::remote::{Handshake, Hello, PING, Session, body, compressed};
use devp2p_testing::{PROTOCOLS, Pair, noise, slots};

use model::{Direction, agree, xor};
use needles::Needles;
use thread::{Job, Order, Polled, Subject};

/// The number of the scripted remote's key
const REMOTE: u8 = 0x51;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Dialling,
    Dialled,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// Before the handshake is over
    DroppedEarly,
    Dropped,
    /// By a Disconnect of ours, and taken apart then
    IntoBuffers,
    /// By a Disconnect of ours
    Disconnect,
    /// A handshake packet that does not decrypt
    WrongTag,
    /// A handshake packet that decrypts, and has no valid key or signature in it
    WrongContent,
    /// A frame with a wrong MAC
    WrongMac,
}

fn static_key() -> [u8; 32] {
    noise(901, 32).try_into().unwrap()
}

/// Carries out the orders: first directly, to record the bytes on the wire, and then on a thread
trait Worker {
    fn job(&mut self) -> &mut Job;
    fn order(&mut self, order: Order);
}

struct Rehearsal(Box<Job>);

impl Worker for Rehearsal {
    fn job(&mut self) -> &mut Job {
        &mut self.0
    }

    fn order(&mut self, order: Order) {
        self.0.order = order;
        self.0.execute();
    }
}

/// Everything that went over the wire
#[derive(Default)]
struct Wire {
    from_link: Vec<u8>,
    to_link: Vec<u8>,
}

/// A link with its memory, and the remote's side of its conversation
struct Conversation<'a, W> {
    worker: W,
    /// Called after the orders of the handshake and after the last one
    look: &'a mut dyn FnMut(&mut W, Order),
    in_handshake: bool,
    wire: Wire,
}

impl<W: Worker> Conversation<'_, W> {
    fn order(&mut self, order: Order) {
        self.worker.order(order);
        // The end of the link has to wipe what sealing and opening of frames leaves on the stack.
        if self.in_handshake || matches!(order, Order::Drop | Order::IntoBuffers) {
            (self.look)(&mut self.worker, order);
        }
    }

    fn receive(&mut self, bytes: &[u8]) {
        self.wire.to_link.extend(bytes);
        let job = self.worker.job();
        job.bytes[..bytes.len()].copy_from_slice(bytes);
        job.len = bytes.len();
        self.order(Order::Receive);
        assert_eq!(self.worker.job().len, bytes.len(), "all is taken");
        self.in_handshake = false;
        self.poll();
    }

    /// Does all that the link asks for
    fn poll(&mut self) {
        loop {
            self.order(Order::Poll);
            match self.worker.job().polled {
                Polled::Nothing => return,
                Polled::Send => {
                    let job = self.worker.job();
                    self.wire.from_link.extend(&job.bytes[..job.len]);
                    self.order(Order::Sent);
                }
                Polled::Disconnect | Polled::Other => {}
            }
        }
    }

    fn packet(&self) -> Vec<u8> {
        let size = u16::from_be_bytes(*self.wire.from_link.first_chunk().unwrap());
        self.wire.from_link[..usize::from(size) + 2].to_vec()
    }

    /// The link is in batches with so many others if there are any
    fn run(&mut self, role: Role, end: End, companions: usize) {
        let ours = SecretKey::from_bytes(static_key()).unwrap();
        let (id, remote) = (ours.node_id(), Handshake::new(REMOTE));
        let job = self.worker.job();
        job.config = Some(Config::new(ours, "wiped/1", PROTOCOLS).unwrap().with_max_message(2000).unwrap());
        job.remote = Some(remote.id());
        job.companions = (0..companions).map(|_| Pair::running()).collect();
        job.entropy.write(Entropy::from_rng(|bytes| bytes.copy_from_slice(&noise(902, Entropy::SIZE))));
        let [receive, transmit] = [Buffers::receive_len(2000), Buffers::transmit_len(&[2000, 2000])]
            .map(|len| Box::leak(vec![0; len].into_boxed_slice()));
        job.memory = [&*receive, &*transmit].map(range);
        job.buffers = Some(Buffers::fixed(receive, transmit, &mut [], slots()));
        let mut session = match role {
            Role::Dialling => {
                self.order(Order::Dial);
                self.poll();
                let mut ack = match end {
                    End::WrongContent => remote.ack_with(&id, &[7; 64]),
                    _ => remote.ack(&id),
                };
                if end == End::DroppedEarly {
                    return self.order(Order::Drop);
                }
                if end == End::WrongTag {
                    *ack.last_mut().unwrap() ^= 1;
                }
                self.receive(&ack);
                remote.recipient_session(&self.packet(), &ack).0
            }
            Role::Dialled => {
                self.order(Order::Accept);
                if end == End::DroppedEarly {
                    return self.order(Order::Drop);
                }
                let mut auth = match end {
                    End::WrongContent => remote.auth_with(&id, &[0; 65], &remote.id()),
                    _ => remote.auth(&id),
                };
                if end == End::WrongTag {
                    *auth.last_mut().unwrap() ^= 1;
                }
                self.receive(&auth);
                if matches!(end, End::WrongTag | End::WrongContent) {
                    return self.order(Order::Drop);
                }
                remote.initiator_session(&auth, &self.packet())
            }
        };
        if !matches!(end, End::WrongTag | End::WrongContent) {
            self.talk(&mut session, end);
        }
        self.order(match end {
            End::IntoBuffers => Order::IntoBuffers,
            _ => Order::Drop,
        });
    }

    fn talk(&mut self, session: &mut Session, end: End) {
        let hello = session.seal(&body(0, &Hello::fitting(REMOTE).encode()));
        self.receive(&hello);
        for len in [3, 500, 1900] {
            let payload = noise(len as u64, len);
            let frame = session.seal(&body(0x11, &compressed(&payload)));
            self.receive(&frame);
            let job = self.worker.job();
            job.bytes[..len].copy_from_slice(&payload);
            job.len = len;
            self.order(Order::Write);
            self.poll();
        }
        let ping = session.seal(&body(PING, &compressed(&[0xc0])));
        self.receive(&ping);
        match end {
            End::Disconnect | End::IntoBuffers => {
                self.order(Order::Disconnect);
                self.poll();
                self.worker.job().now = Instant::ZERO.checked_add(Duration::from_secs(60)).unwrap();
                self.order(Order::Timeout);
                self.poll();
            }
            End::WrongMac => {
                let mut frame = session.seal(&body(PING, &compressed(&[0xc0])));
                *frame.last_mut().unwrap() ^= 1;
                self.receive(&frame);
            }
            _ => {}
        }
    }
}

/// The secrets of the conversation that these bytes are
fn needles(role: Role, wire: &Wire) -> Needles {
    let mut needles = Needles::default();
    let drawn = noise(902, Entropy::SIZE);
    let [key, envelope, nonce]: [[u8; 32]; 3] = [0, 1, 2].map(|i| drawn[i * 32..][..32].try_into().unwrap());
    needles.add_key("static key", &static_key());
    needles.add_key("ephemeral key", &key);
    needles.add_key("envelope key", &envelope);
    needles.add("our nonce", &nonce);
    let remote = *Handshake::new(REMOTE).id().as_bytes();
    needles.add_envelope("what we seal", &envelope, &remote);
    let shared = agree(&static_key(), &remote);
    needles.add_number("static shared secret", &shared);
    // The remote's ephemeral key and nonce are as `Handshake` makes them.
    let remote_nonce: [u8; 32] = noise(REMOTE.into(), 32).try_into().unwrap();
    let remote_ephemeral = model::scalar(&[0xe0 ^ REMOTE; 32]);
    let remote_ephemeral = k256::PublicKey::from_secret_scalar(&remote_ephemeral);
    use k256::elliptic_curve::sec1::ToSec1Point;
    let remote_ephemeral = remote_ephemeral.to_sec1_point(false).as_bytes()[1..].try_into().unwrap();
    needles.add("the remote's nonce", &remote_nonce);
    if role == Role::Dialling {
        needles.add("token", &xor(&shared, &nonce));
        needles.add_signing("signature", &key, &xor(&shared, &nonce));
    } else {
        let token = xor(&shared, &remote_nonce);
        needles.add("token", &token);
        let id = SecretKey::from_bytes(static_key()).unwrap().node_id();
        let signature = Handshake::new(REMOTE).signature(&id);
        let [r, s] = [0, 32].map(|at| signature[at..].first_chunk().unwrap());
        needles.add_agreement(&key, &token, [r, s]);
    }
    let nonces = if role == Role::Dialling { [&nonce, &remote_nonce] } else { [&remote_nonce, &nonce] };
    let [aes, mac] = needles.add_session(&agree(&key, &remote_ephemeral), nonces);
    let packet_len = |wire: &[u8]| wire.first_chunk().map_or(0, |size| usize::from(u16::from_be_bytes(*size)) + 2);
    if !wire.to_link.is_empty() {
        needles.add_envelope("what we open", &static_key(), wire.to_link[3..67].try_into().unwrap());
    }
    let directions = [
        ("egress", &wire.from_link, &remote_nonce),
        ("ingress", &wire.to_link, if role == Role::Dialling { nonces[0] } else { nonces[1] }),
    ];
    for (name, wire, nonce) in directions {
        if wire.is_empty() {
            continue;
        }
        let (packet, frames) = wire.split_at(packet_len(wire));
        let mut direction = Direction::new(&aes, &mac, nonce, packet);
        direction.follow(frames);
        for (i, state) in direction.sponge.states.iter().enumerate() {
            needles.add_lanes(&format!("{name} MAC, state {i}"), state);
        }
    }
    // A half of a digest is the MAC in a frame, which everybody can see.
    needles.forget(&wire.from_link);
    needles.forget(&wire.to_link);
    needles
}

fn rehearse(role: Role, end: End, companions: usize) -> Needles {
    let mut conversation =
        Conversation { worker: Rehearsal(Job::new()), look: &mut |_, _| {}, in_handshake: true, wire: Wire::default() };
    conversation.run(role, end, companions);
    needles(role, &conversation.wire)
}

fn range<T: ?Sized>(of: &T) -> Range<usize> {
    let start = (&raw const *of).cast::<u8>().expose_provenance();
    start..start + size_of_val(of)
}

impl Worker for Subject {
    fn job(&mut self) -> &mut Job {
        Subject::job(self)
    }

    fn order(&mut self, order: Order) {
        Subject::order(self, order);
    }
}

/// The secrets that are found on the stack after each order, and in the link after the last one
fn finds(role: Role, end: End, companions: usize) -> Vec<String> {
    let needles = rehearse(role, end, companions);
    // Unused bytes of the arguments of the link must not hold what this thread has computed.
    thread::wipe();
    let mut finds = Vec::new();
    let mut number = 0;
    let look = &mut |subject: &mut Subject, order: Order| {
        number += 1;
        let stack = subject.stack();
        for (name, (words, depth)) in needles.find(stack) {
            finds.push(format!("{number} {order:?}: {words} words of {name}, {depth} below"));
        }
        if matches!(order, Order::Drop | Order::IntoBuffers) {
            let memory = range(&subject.job().link);
            let buffers = subject.job().memory.clone();
            for (place, memory) in
                [memory].into_iter().chain(buffers).zip(["the link", "a buffer", "a buffer"]).map(|(m, p)| (p, m))
            {
                for (name, (words, _)) in needles.find(memory) {
                    finds.push(format!("{number} {order:?}: {words} words of {name} in {place}"));
                }
            }
        }
        if matches!(order, Order::Dial | Order::Accept) {
            assert!(!needles.find(range(&subject.job().link)).is_empty(), "the search does not find what is there");
        }
        subject.order(Order::Wipe);
    };
    Conversation { worker: Subject::new(), look, in_handshake: true, wire: Wire::default() }.run(role, end, companions);
    finds
}

#[test]
fn nothing_is_left() {
    nothing_is_left_beside(0);
}

#[test]
fn nothing_is_left_in_batches() {
    nothing_is_left_beside(7);
}

fn nothing_is_left_beside(companions: usize) {
    let mut all = Vec::new();
    for role in [Role::Dialling, Role::Dialled] {
        for end in [
            End::DroppedEarly,
            End::Dropped,
            End::IntoBuffers,
            End::Disconnect,
            End::WrongTag,
            End::WrongContent,
            End::WrongMac,
        ] {
            all.extend(finds(role, end, companions).into_iter().map(|find| format!("{role:?}, {end:?}: {find}")));
        }
    }
    assert!(all.is_empty(), "{} finds:\n{}", all.len(), all.join("\n"));
}

/// A secret key that is made of bytes is only in its place, and no longer there once it is dropped
#[test]
fn nothing_is_left_of_a_key() {
    let mut needles = Needles::default();
    needles.add_key("static key", &static_key());
    let mut subject = Subject::new();
    subject.job().key_bytes = static_key();
    let mut finds = Vec::new();
    for order in [Order::MakeKey, Order::DropKey] {
        subject.order(order);
        let stack = subject.stack();
        finds.extend(needles.find(stack).into_iter().map(|find| format!("{order:?}: {find:?} on the stack")));
        let key = range(&subject.job().key);
        let kept = needles.find(key);
        assert_eq!(kept.is_empty(), order == Order::DropKey, "{kept:?}");
        subject.order(Order::Wipe);
    }
    assert!(finds.is_empty(), "{}", finds.join("\n"));
}

//! A remote that says whatever a test tells it to, right or wrong
//!
//! RLPx once more, written from the specification in the plainest way: whole buffers, every digest
//! computed anew, `sha3`, `snap` and `rlp` where the crate has code of its own. So each test that uses
//! it also checks the crate against an independent implementation.

use std::time::Duration;

use aes::cipher::{BlockEncrypt, KeyInit, KeyIvInit, StreamCipher};
use aes::{Aes128, Aes256};
use devp2p_proto::{Buffers, Config, Instant, NodeId, PeerState, Stage};
use hmac::{Hmac, Mac};
use k256::ecdsa::{RecoveryId, Signature, SigningKey, VerifyingKey};
use k256::elliptic_curve::ff::PrimeField;
use k256::elliptic_curve::point::AffineCoordinates;
use k256::elliptic_curve::sec1::ToSec1Point;
use k256::{FieldBytes, NonZeroScalar, ProjectivePoint, PublicKey, Scalar};
use rlp::{Rlp, RlpStream};
use sha2::{Digest as _, Sha256};
use sha3::Keccak256;

use super::{Node, PROTOCOLS, Pipe, config, entropy, noise};

type Ctr256 = ctr::Ctr128BE<Aes256>;

pub const HELLO: u64 = 0;
pub const DISCONNECT: u64 = 1;
pub const PING: u64 = 2;
pub const PONG: u64 = 3;

fn scalar(bytes: &[u8; 32]) -> NonZeroScalar {
    let scalar: Option<Scalar> = Scalar::from_repr(FieldBytes::from(*bytes)).into();
    Option::from(NonZeroScalar::new(scalar.unwrap())).unwrap()
}

fn public(secret: &NonZeroScalar) -> [u8; 64] {
    coordinates(&PublicKey::from_secret_scalar(secret))
}

fn coordinates(key: &PublicKey) -> [u8; 64] {
    key.to_sec1_point(false).as_bytes()[1..].try_into().unwrap()
}

fn agree(secret: &NonZeroScalar, remote: &[u8; 64]) -> [u8; 32] {
    let remote = PublicKey::from_sec1_bytes(&[&[4], &remote[..]].concat()).unwrap();
    (ProjectivePoint::from(*remote.as_affine()) * **secret).to_affine().x().into()
}

fn keccak(parts: &[&[u8]]) -> [u8; 32] {
    Keccak256::digest(parts.concat()).into()
}

fn xor(a: [u8; 32], b: [u8; 32]) -> [u8; 32] {
    std::array::from_fn(|i| a[i] ^ b[i])
}

/// The envelope of both handshake packets around `text`
pub fn seal_packet(remote: &NodeId, text: &[u8]) -> Vec<u8> {
    let envelope = scalar(&[0x5e; 32]);
    let iv = [9; 16];
    let size = u16::try_from(65 + 16 + text.len() + 32).unwrap().to_be_bytes();
    let (key, mac_key) = packet_keys(&agree(&envelope, remote.as_bytes()));
    let mut text = text.to_vec();
    ctr::Ctr128BE::<Aes128>::new(&key.into(), &iv.into()).apply_keystream(&mut text);
    let tag = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(&mac_key).unwrap();
    let tag = tag.chain_update(iv).chain_update(&text).chain_update(size).finalize().into_bytes();
    [&size[..], &[4], &public(&envelope), &iv, &text, &tag].concat()
}

fn open_packet(secret: &NonZeroScalar, packet: &[u8]) -> Vec<u8> {
    let (key, mac_key) = packet_keys(&agree(secret, packet[3..67].try_into().unwrap()));
    let (signed, tag) = packet.split_at(packet.len() - 32);
    let mac = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(&mac_key).unwrap();
    mac.chain_update(&signed[67..]).chain_update(&packet[..2]).verify_slice(tag).unwrap();
    let mut text = signed[83..].to_vec();
    ctr::Ctr128BE::<Aes128>::new(&key.into(), packet[67..83].into()).apply_keystream(&mut text);
    text
}

fn packet_keys(shared: &[u8; 32]) -> ([u8; 16], [u8; 32]) {
    let derived = Sha256::digest([&[0, 0, 0, 1], &shared[..]].concat());
    (derived[..16].try_into().unwrap(), Sha256::digest(&derived[16..]).into())
}

/// One side of a handshake
#[derive(Clone)]
pub struct Handshake {
    key: NonZeroScalar,
    ephemeral: NonZeroScalar,
    nonce: [u8; 32],
}

impl Handshake {
    /// The node with the same key as `support::config(seed, ..)`
    pub fn new(seed: u8) -> Self {
        let nonce = noise(seed.into(), 32).try_into().unwrap();
        Self { key: scalar(&[seed; 32]), ephemeral: scalar(&[0xe0 ^ seed; 32]), nonce }
    }

    pub fn id(&self) -> NodeId {
        NodeId::new(public(&self.key))
    }

    pub fn signature(&self, remote: &NodeId) -> [u8; 65] {
        let token = xor(agree(&self.key, remote.as_bytes()), self.nonce);
        let (signature, v) = SigningKey::from(self.ephemeral).sign_prehash_recoverable(&token);
        [&signature.to_bytes()[..], &[v.to_byte()]].concat().try_into().unwrap()
    }

    pub fn auth(&self, remote: &NodeId) -> Vec<u8> {
        self.auth_with(remote, &self.signature(remote), &self.id())
    }

    /// auth with this signature and key, and with more in it than anybody asked for
    pub fn auth_with(&self, remote: &NodeId, signature: &[u8; 65], key: &NodeId) -> Vec<u8> {
        let mut list = RlpStream::new_list(5);
        list.append(&&signature[..]).append(&&key.as_bytes()[..]).append(&&self.nonce[..]);
        list.append(&4_u8).append(&"a fifth field");
        seal_packet(remote, &[&list.out(), &noise(3, 150)[..]].concat())
    }

    pub fn ack(&self, remote: &NodeId) -> Vec<u8> {
        self.ack_with(remote, &public(&self.ephemeral))
    }

    pub fn ack_with(&self, remote: &NodeId, ephemeral: &[u8; 64]) -> Vec<u8> {
        let mut list = RlpStream::new_list(3);
        list.append(&&ephemeral[..]).append(&&self.nonce[..]).append(&77_u8);
        seal_packet(remote, &[&list.out(), &noise(4, 120)[..]].concat())
    }

    /// The session of the one who dialled
    pub fn initiator_session(&self, auth: &[u8], ack: &[u8]) -> Session {
        let text = open_packet(&self.key, ack);
        let list = Rlp::new(&text);
        let remote: [u8; 64] = list.at(0).unwrap().data().unwrap().try_into().unwrap();
        let nonce = list.at(1).unwrap().data().unwrap().try_into().unwrap();
        Session::new(&agree(&self.ephemeral, &remote), [self.nonce, nonce], [auth, ack], true)
    }

    /// The session of the one who was dialled, and who dialled
    pub fn recipient_session(&self, auth: &[u8], ack: &[u8]) -> (Session, NodeId) {
        let text = open_packet(&self.key, auth);
        let field = |index: usize| Rlp::new(&text).at(index).unwrap().data().unwrap().to_vec();
        let (signature, id, nonce) = (field(0), NodeId::new(field(1).try_into().unwrap()), field(2));
        let nonce: [u8; 32] = nonce.try_into().unwrap();
        let token = xor(agree(&self.key, id.as_bytes()), nonce);
        let v = RecoveryId::from_byte(signature[64]).unwrap();
        let signature = Signature::from_slice(&signature[..64]).unwrap();
        let signer = VerifyingKey::recover_from_prehash(&token, &signature, v).unwrap();
        let shared = agree(&self.ephemeral, &coordinates(&signer.into()));
        (Session::new(&shared, [nonce, self.nonce], [auth, ack], false), id)
    }
}

/// Sealing and opening of frames
pub struct Session {
    /// The AES key and the MAC key
    pub keys: [[u8; 32]; 2],
    egress: Direction,
    ingress: Direction,
}

struct Direction {
    keystream: Ctr256,
    absorbed: Keccak256,
    mac_cipher: Aes256,
}

impl Session {
    /// `nonces` and `packets` are the initiator's and the recipient's
    fn new(shared: &[u8; 32], nonces: [[u8; 32]; 2], packets: [&[u8]; 2], initiator: bool) -> Self {
        let seed = keccak(&[shared, &keccak(&[&nonces[1], &nonces[0]])]);
        let aes = keccak(&[shared, &seed]);
        let mac = keccak(&[shared, &aes]);
        let direction = |nonce, packet| Direction {
            keystream: Ctr256::new(&aes.into(), &[0; 16].into()),
            absorbed: Keccak256::new().chain_update(xor(mac, nonce)).chain_update(packet),
            mac_cipher: Aes256::new(&mac.into()),
        };
        let (forth, back) = (direction(nonces[1], packets[0]), direction(nonces[0], packets[1]));
        let (egress, ingress) = if initiator { (forth, back) } else { (back, forth) };
        Self { keys: [aes, mac], egress, ingress }
    }

    /// A frame around `body`
    pub fn seal(&mut self, body: &[u8]) -> Vec<u8> {
        let size = u32::try_from(body.len()).unwrap().to_be_bytes();
        self.seal_with_header(&[size[1], size[2], size[3], 0xc2, 0x80, 0x80], body)
    }

    /// A frame whose header starts with these bytes, true or not
    pub fn seal_with_header(&mut self, header: &[u8], body: &[u8]) -> Vec<u8> {
        let mut header = header.to_vec();
        header.resize(16, 0);
        let mut body = body.to_vec();
        body.resize(body.len().next_multiple_of(16), 0);
        self.egress.keystream.apply_keystream(&mut header);
        self.egress.keystream.apply_keystream(&mut body);
        let header_tag = self.egress.header_tag(&header);
        let body_tag = self.egress.body_tag(&body);
        [&header[..], &header_tag, &body, &body_tag].concat()
    }

    /// The body of the first frame, which is taken out of `bytes`; `None` if it is not complete
    pub fn open(&mut self, bytes: &mut Vec<u8>) -> Option<Vec<u8>> {
        let mut header: [u8; 16] = bytes.get(..16)?.try_into().unwrap();
        let mut probe = self.ingress.keystream.clone();
        probe.apply_keystream(&mut header);
        let size = u32::from_be_bytes([0, header[0], header[1], header[2]]) as usize;
        assert_eq!(header[3..], [0xc2, 0x80, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        let end = 32 + size.next_multiple_of(16);
        let frame: Vec<u8> = bytes.get(..end + 16)?.to_vec();
        bytes.drain(..end + 16);
        assert_eq!(self.ingress.header_tag(&frame[..16]), frame[16..32], "header MAC");
        assert_eq!(self.ingress.body_tag(&frame[32..end]), frame[end..], "body MAC");
        let mut body = frame[32..end].to_vec();
        probe.apply_keystream(&mut body);
        self.ingress.keystream = probe;
        assert!(body[size..].iter().all(|byte| *byte == 0), "padding");
        body.truncate(size);
        Some(body)
    }
}

impl Direction {
    fn digest(&self) -> [u8; 16] {
        self.absorbed.clone().finalize()[..16].try_into().unwrap()
    }

    fn header_tag(&mut self, ciphertext: &[u8]) -> [u8; 16] {
        let mut seed = self.digest().into();
        self.mac_cipher.encrypt_block(&mut seed);
        let seed: Vec<u8> = seed.iter().zip(ciphertext).map(|(a, b)| a ^ b).collect();
        self.absorbed.update(seed);
        self.digest()
    }

    fn body_tag(&mut self, ciphertext: &[u8]) -> [u8; 16] {
        self.absorbed.update(ciphertext);
        let digest = self.digest();
        self.header_tag(&digest)
    }
}

/// What a remote says in its Hello
#[derive(Debug, Clone)]
pub struct Hello {
    pub version: u64,
    pub client_id: Vec<u8>,
    pub capabilities: Vec<(Vec<u8>, u64)>,
    pub listen_port: u64,
    pub id: NodeId,
}

impl Hello {
    /// One that a link with `support::PROTOCOLS` agrees to
    pub fn fitting(seed: u8) -> Self {
        Self {
            version: 5,
            client_id: b"scripted/1".to_vec(),
            capabilities: vec![(b"alpha".to_vec(), 1), (b"beta".to_vec(), 2)],
            listen_port: 30303,
            id: Handshake::new(seed).id(),
        }
    }

    /// The payload, with a sixth field that nobody knows
    pub fn encode(&self) -> Vec<u8> {
        let mut list = RlpStream::new_list(6);
        list.append(&self.version).append(&self.client_id).begin_list(self.capabilities.len());
        for (name, version) in &self.capabilities {
            list.begin_list(2).append(name).append(version);
        }
        list.append(&self.listen_port).append(&&self.id.as_bytes()[..]).append(&"sixth");
        list.out().to_vec()
    }
}

/// A message body: the id, and the payload as it is
pub fn body(id: u64, payload: &[u8]) -> Vec<u8> {
    [&rlp::encode(&id)[..], payload].concat()
}

pub fn compressed(payload: &[u8]) -> Vec<u8> {
    snap::raw::Encoder::new().compress_vec(payload).unwrap()
}

/// The seed of the scripted remote's key
pub const REMOTE: u8 = 1;
/// The seed of the key of the link that it talks to
pub const LINK: u8 = 2;

/// How far the remote has come
#[expect(clippy::large_enum_variant, reason = "a test has few of them")]
enum Keys {
    /// It has sent this auth
    Dialling(Handshake, Vec<u8>),
    /// It waits for an auth
    Dialled(Handshake),
    Agreed(Session),
}

/// A link and a scripted remote, joined by two pipes
pub struct Scene<'buf> {
    pub now: Instant,
    pub node: Node<'buf>,
    keys: Keys,
    /// From the remote to the link
    pub input: Pipe,
    /// From the link to the remote
    pub output: Pipe,
    /// Whether payloads are compressed once a Hello was heard
    pub compressing: bool,
    /// Every message that the link has sent: its id, and its payload decompressed
    pub heard: Vec<(u64, Vec<u8>)>,
    unread: Vec<u8>,
}

impl<'buf> Scene<'buf> {
    /// The remote has dialled the recipient `link`, which knows it and has not been polled since
    pub fn met(link: PeerState<'buf>) -> Self {
        Self::met_by(Handshake::new(REMOTE), link)
    }

    pub fn met_by(handshake: Handshake, link: PeerState<'buf>) -> Self {
        let mut scene = Self::new(link, Keys::Dialled(handshake));
        scene.dial();
        scene
    }

    /// The remote has not said or heard anything yet
    pub fn unmet(link: PeerState<'buf>) -> Self {
        Self::new(link, Keys::Dialled(Handshake::new(REMOTE)))
    }

    /// Sends auth, and takes the one action that follows
    pub fn dial(&mut self) {
        let Keys::Dialled(handshake) = &self.keys else {
            panic!("dialled already");
        };
        let link = &mut self.node.link;
        let auth = handshake.auth(&link.local_id());
        assert_eq!(link.receive(self.now, &auth), auth.len());
        self.node.seen.extend(link.poll().map(super::observe));
        self.keys = Keys::Dialling(handshake.clone(), auth);
    }

    /// The link's Hello has arrived, and the remote has said nothing yet
    pub fn expecting_hello() -> Scene<'static> {
        let mut scene = Scene::met(recipient(&config(LINK, PROTOCOLS)));
        scene.settle();
        assert_eq!(scene.node.link.stage(), Stage::Hello);
        scene
    }

    /// The same with the roles exchanged: the remote was dialled
    pub fn dialled(link: PeerState<'buf>) -> Self {
        let mut scene = Self::unmet(link);
        scene.settle();
        scene
    }

    /// Both have said Hello
    pub fn running() -> Scene<'static> {
        Scene::running_with(recipient(&config(LINK, PROTOCOLS)), Hello::fitting(REMOTE))
    }

    pub fn running_with(link: PeerState<'buf>, hello: Hello) -> Self {
        let mut scene = Self::met(link);
        scene.settle();
        scene.greet(hello);
        assert_eq!(scene.node.link.stage(), Stage::Running);
        scene.node.seen.clear();
        scene.heard.clear();
        scene
    }

    fn new(link: PeerState<'buf>, keys: Keys) -> Self {
        Self {
            now: Instant::ZERO,
            node: Node::new(link),
            keys,
            input: Pipe::new(),
            output: Pipe::new(),
            compressing: true,
            heard: Vec::new(),
            unread: Vec::new(),
        }
    }

    pub fn session(&mut self) -> &mut Session {
        match &mut self.keys {
            Keys::Agreed(session) => session,
            _ => panic!("there are no keys yet"),
        }
    }

    pub fn greet(&mut self, hello: Hello) {
        self.compressing = hello.version >= 5;
        self.say_body(&body(HELLO, &hello.encode()));
        self.settle();
    }

    /// Sends a message, compressed if this is what the Hello has promised
    pub fn say(&mut self, id: u64, payload: &[u8]) {
        let payload = if self.compressing { compressed(payload) } else { payload.to_vec() };
        self.say_body(&body(id, &payload));
        self.settle();
    }

    /// Sends a frame around these bytes
    pub fn say_body(&mut self, body: &[u8]) {
        let frame = self.session().seal(body);
        self.input.write(&frame);
    }

    /// The remote closes its side
    pub fn hang_up(&mut self) {
        self.input.closed = true;
        self.settle();
    }

    /// Runs the driver until nothing happens before time moves on
    pub fn settle(&mut self) {
        while self.node.turn(self.now, &mut self.input, &mut self.output) | self.read() {}
    }

    /// One turn of the driver's loop
    pub fn settle_once(&mut self) {
        self.node.turn(self.now, &mut self.input, &mut self.output);
        self.read();
    }

    pub fn pass(&mut self, time: Duration) {
        let end = self.now.checked_add(time).unwrap();
        self.settle();
        while let Some(wake) = self.node.link.next_timeout().filter(|wake| *wake <= end) {
            self.now = self.now.max(wake);
            self.node.link.handle_timeout(self.now);
            self.settle();
        }
        self.now = end;
    }

    fn read(&mut self) -> bool {
        self.unread.extend(self.output.waiting.drain(..));
        let packet = self.unread.get(..2).map(|size| 2 + usize::from(u16::from_be_bytes([size[0], size[1]])));
        if let Keys::Agreed(session) = &mut self.keys {
            let Some(opened) = session.open(&mut self.unread) else {
                return false;
            };
            let id = Rlp::new(&opened).as_val::<u64>().unwrap();
            let payload = &opened[1..];
            let first = self.heard.is_empty() && id <= DISCONNECT && self.node.link.remote_hello().is_none();
            let plain = if self.compressing && !first {
                snap::raw::Decoder::new().decompress_vec(payload).unwrap()
            } else {
                payload.to_vec()
            };
            self.heard.push((id, plain));
            return true;
        }
        let Some(packet) = packet.filter(|len| *len <= self.unread.len()) else {
            return false;
        };
        let packet: Vec<u8> = self.unread.drain(..packet).collect();
        let session = match &self.keys {
            Keys::Dialling(handshake, auth) => handshake.initiator_session(auth, &packet),
            Keys::Dialled(handshake) => {
                let ack = handshake.ack(&self.node.link.local_id());
                self.input.write(&ack);
                handshake.recipient_session(&packet, &ack).0
            }
            Keys::Agreed(_) => unreachable!("answered above"),
        };
        self.keys = Keys::Agreed(session);
        true
    }
}

/// A link that was dialled
pub fn recipient(config: &Config) -> PeerState<'static> {
    PeerState::recipient(Instant::ZERO, config, entropy(7), Buffers::growable()).unwrap()
}

/// A link that dials the scripted remote
pub fn initiator(config: &Config) -> PeerState<'static> {
    let remote = Handshake::new(REMOTE).id();
    PeerState::initiator(Instant::ZERO, config, remote, entropy(8), Buffers::growable()).unwrap()
}

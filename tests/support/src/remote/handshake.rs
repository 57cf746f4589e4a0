//! The two packets of the RLPx handshake: auth and ack

use devp2p_proto::NodeId;
use k256::NonZeroScalar;
use k256::ecdsa::{RecoveryId, Signature, SigningKey, VerifyingKey};
use rlp::{Rlp, RlpStream};

use super::Session;
use super::ecies::{agree, coordinates, open_packet, public, scalar, seal_packet};
use super::session::xor;
use crate::noise;

/// The keys and the nonce of one side of a handshake
#[derive(Clone)]
pub struct Handshake {
    key: NonZeroScalar,
    ephemeral: NonZeroScalar,
    nonce: [u8; 32],
}

impl Handshake {
    /// The side whose key is [`key(seed)`](crate::key)
    pub fn new(seed: u8) -> Self {
        let nonce = noise(seed.into(), 32).try_into().unwrap();
        Self { key: scalar(&[seed; 32]), ephemeral: scalar(&[0xe0 ^ seed; 32]), nonce }
    }

    /// The node id
    pub fn id(&self) -> NodeId {
        NodeId::new(public(&self.key))
    }

    /// The ephemeral public key
    pub fn ephemeral(&self) -> [u8; 64] {
        public(&self.ephemeral)
    }

    /// The nonce
    pub const fn nonce(&self) -> [u8; 32] {
        self.nonce
    }

    /// The signature of an auth for this node
    pub fn signature(&self, remote: &NodeId) -> [u8; 65] {
        let token = xor(agree(&self.key, remote.as_bytes()), self.nonce);
        let (signature, v) = SigningKey::from(self.ephemeral).sign_prehash_recoverable(&token);
        [&signature.to_bytes()[..], &[v.to_byte()]].concat().try_into().unwrap()
    }

    /// An auth packet for this node
    pub fn auth(&self, remote: &NodeId) -> Vec<u8> {
        self.auth_with(remote, &self.signature(remote), &self.id())
    }

    /// An auth packet with this signature and this key, valid or not
    ///
    /// It has a fifth field and trailing bytes, which a node has to ignore.
    pub fn auth_with(&self, remote: &NodeId, signature: &[u8; 65], key: &NodeId) -> Vec<u8> {
        let mut list = RlpStream::new_list(5);
        list.append(&&signature[..]).append(&&key.as_bytes()[..]).append(&&self.nonce[..]);
        list.append(&4_u8).append(&"a fifth field");
        seal_packet(remote, &[&list.out(), &noise(3, 150)[..]].concat())
    }

    /// An ack packet for this node
    pub fn ack(&self, remote: &NodeId) -> Vec<u8> {
        self.ack_with(remote, &self.ephemeral())
    }

    /// An ack packet with this ephemeral key, valid or not
    ///
    /// The version is one that no node knows, and there are trailing bytes. A node has to ignore both.
    pub fn ack_with(&self, remote: &NodeId, ephemeral: &[u8; 64]) -> Vec<u8> {
        let mut list = RlpStream::new_list(3);
        list.append(&&ephemeral[..]).append(&&self.nonce[..]).append(&77_u8);
        seal_packet(remote, &[&list.out(), &noise(4, 120)[..]].concat())
    }

    /// The session of the side that has dialled
    ///
    /// # Panics
    ///
    /// If the ack is not a valid one for this side.
    pub fn initiator_session(&self, auth: &[u8], ack: &[u8]) -> Session {
        let text = open_packet(&self.key, ack);
        let list = Rlp::new(&text);
        let remote: [u8; 64] = list.at(0).unwrap().data().unwrap().try_into().unwrap();
        let nonce = list.at(1).unwrap().data().unwrap().try_into().unwrap();
        Session::new(&agree(&self.ephemeral, &remote), [self.nonce, nonce], [auth, ack], true)
    }

    /// The session of the side that was dialled, and the node id of the side that has dialled
    ///
    /// # Panics
    ///
    /// If the auth is not a valid one for this side.
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

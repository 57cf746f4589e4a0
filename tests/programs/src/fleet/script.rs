//! The bytes with which the nodes that send wrong bytes answer auth

use devp2p_proto::NodeId;
use devp2p_testing::remote::{HELLO, Handshake, Hello, REMOTE, body};

use super::Kind;

/// The id of these nodes
pub fn id() -> NodeId {
    Handshake::new(REMOTE).id()
}

/// The length of the auth packet that begins like this, if that much is known
pub fn auth_len(received: &[u8]) -> Option<usize> {
    let (size, _) = received.split_first_chunk()?;
    Some(2 + usize::from(u16::from_be_bytes(*size)))
}

/// What a node of this kind answers to auth
pub fn answer(kind: Kind, auth: &[u8]) -> Vec<u8> {
    match kind {
        Kind::Web => b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n".to_vec(),
        Kind::Noise => noise(),
        _ => hello(kind, auth),
    }
}

/// An ack of 300 bytes that nobody can open: it begins with a point on the curve, and the rest is zeros
fn noise() -> Vec<u8> {
    let mut packet = vec![0x01, 0x2a, 0x04];
    packet.extend_from_slice(id().as_bytes());
    packet.resize(300, 0);
    packet
}

/// An ack, and a Hello with something wrong
fn hello(kind: Kind, auth: &[u8]) -> Vec<u8> {
    let (recipient, ack) = sealed_ack(auth);
    let (mut session, _) = recipient.recipient_session(auth, &ack);
    let id = if kind == Kind::Impostor { Handshake::new(REMOTE + 1).id() } else { id() };
    let capabilities = vec![(b"eth".to_vec(), 69), (b"snap".to_vec(), 1)];
    let hello = Hello { client_id: kind.name().into(), capabilities, id, ..Hello::fitting(REMOTE) };
    let hello = body(HELLO, &hello.encode());
    let mut frame = match kind {
        Kind::Oversized => session.seal_with_header(&[0xff, 0xff, 0xff, 0xc2, 0x80, 0x80], &hello),
        _ => session.seal(&hello),
    };
    if kind == Kind::WrongMac {
        *frame.last_mut().expect("a frame has bytes") ^= 1;
    }
    [ack, frame].concat()
}

fn sealed_ack(auth: &[u8]) -> (Handshake, Vec<u8>) {
    let recipient = Handshake::new(REMOTE);
    // The id of the peer is inside auth. Only `recipient_session` opens auth, and any ack is enough for that.
    let (_, guest) = recipient.recipient_session(auth, &[]);
    let ack = recipient.ack(&guest);
    (recipient, ack)
}

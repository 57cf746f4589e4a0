//! The work of a node for a connection before it knows the peer

use devp2p_proto::{Buffers, Cause, Config, Instant, PeerState, Violation};
use devp2p_testing::remote::{Handshake, LINK, REMOTE, seal_packet, seal_packet_with};
use devp2p_testing::{PROTOCOLS, config, entropy, noise};
use rlp::RlpStream;

use crate::{act, feed, row};

/// How many links are made for a row
const TIMES: usize = 4;

pub fn all() {
    let node = config(LINK, PROTOCOLS);
    let (id, remote) = (node.node_id(), Handshake::new(REMOTE));
    let accept = || PeerState::recipient(Instant::ZERO, &node, entropy(7), Buffers::growable()).expect("it can start");
    let dial = || {
        PeerState::initiator(Instant::ZERO, &node, remote.id(), entropy(8), Buffers::growable()).expect("it can start")
    };
    let accepted = |what: &str, bytes: &[u8], piece, violation: Option<Violation>| {
        links(what, bytes, piece, violation, &accept);
    };

    accepted("a connection on which no bytes arrive", &[], 1, None);
    let auth = remote.auth(&id);
    accepted("a complete auth packet, replayed", &auth, auth.len(), None);
    accepted("the same, in segments of one byte", &auth, 1, None);
    let short = shortest_auth(&node, &remote);
    accepted("the shortest auth packet", &short, short.len(), None);
    let envelope = seal_packet(&id, &[]);
    let key = envelope[3..].first_chunk().expect("the key of the envelope");
    let forged = seal_packet_with(key, &[1; 32], &[]);
    let wrong = Some(Violation::HandshakeTagMismatch);
    accepted("the shortest handshake packet, with a wrong tag", &forged, forged.len(), wrong);
    let invalid = seal_packet_with(&[2; 64], &[1; 32], &[]);
    let no_key = Some(Violation::InvalidPublicKey);
    accepted("the same, with a key that is not on the curve", &invalid, invalid.len(), no_key);
    let ack = remote.ack(&id);
    let name = "an ack packet to a node that has dialled, including the node's auth";
    links(name, &ack, ack.len(), None, &dial);
}

/// An auth packet without padding and without a fifth field
fn shortest_auth(node: &Config, remote: &Handshake) -> Vec<u8> {
    let id = node.node_id();
    let mut list = RlpStream::new_list(4);
    list.append(&&remote.signature(&id)[..]).append(&&remote.id().as_bytes()[..]);
    list.append(&noise(REMOTE.into(), 32)).append(&4_u8);
    seal_packet(&id, &list.out())
}

/// Makes links and drops each one after these bytes; all of that is counted
fn links(what: &str, bytes: &[u8], piece: usize, violation: Option<Violation>, start: &dyn Fn() -> PeerState<'static>) {
    row(what, bytes.len(), TIMES, || {
        for _ in 0..TIMES {
            let mut link = start();
            act(&mut link);
            feed(&mut link, bytes, piece);
            assert_eq!(link.cause(), violation.map(Cause::Violation), "{what}");
        }
    });
}

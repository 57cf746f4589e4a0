//! Messages that are encoded and decoded by the `rlp` crate

use devp2p_proto::{Action, WriteError};
use devp2p_testing::remote::{Scene, body, compressed};
use devp2p_testing::{ALPHA, BETA, Pair, noise};

#[test]
fn typed_messages_go_in_and_come_out() {
    let mut scene = Scene::running();
    let status = Status { version: 68, genesis: noise(1, 32) };
    let event = scene.node.link.write_rlp(scene.now, ALPHA, 0, &status).unwrap();
    let encoded = rlp::encode(&status).to_vec();
    assert_eq!(event.size, encoded.len());
    scene.settle();
    assert_eq!(scene.received, [(0x10, encoded.clone())]);
    assert_eq!(scene.node.link.write_rlp(scene.now, ALPHA, 4, &status), Err(WriteError::InvalidCode));
    scene.node.link.write_rlp(scene.now, BETA, 0, &7_u8).unwrap();
    scene.settle();
    assert_eq!(scene.received[1], (0x14, vec![7]), "what was refused leaves no trace");

    let mut trailing = encoded.clone();
    trailing.push(0);
    for (payload, decoded) in
        [(&encoded[..], Some(status)), (&trailing, None), (&encoded[..20], None), (&[0xc1, 0x81][..], None)]
    {
        scene.send_body(&body(0x10, &compressed(payload)));
        let frame = scene.input.log[scene.input.log.len() - scene.input.waiting()..].to_vec();
        scene.input = devp2p_testing::Pipe::new();
        assert_eq!(scene.node.link.receive(scene.now, &frame), frame.len());
        let Some(Action::Deliver { payload, .. }) = scene.node.link.poll() else { panic!("no delivery") };
        assert_eq!(payload.decode::<Status>().ok(), decoded);
    }
}

#[test]
fn a_message_with_an_unfinished_list_is_refused() {
    let mut pair = Pair::running();
    let refused = pair.initiator.link.write_rlp(pair.now, ALPHA, 0, &Unfinished);
    assert_eq!(refused, Err(WriteError::Unfinished));
    pair.initiator.link.write_rlp(pair.now, ALPHA, 0, &7_u8).unwrap();
    pair.settle();
    assert_eq!(pair.recipient.delivered(), [(ALPHA, 0, vec![7])]);
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Status {
    version: u32,
    genesis: Vec<u8>,
}

impl rlp::Encodable for Status {
    fn rlp_append(&self, stream: &mut rlp::RlpStream) {
        stream.begin_list(2).append(&self.version).append(&self.genesis);
    }
}

impl rlp::Decodable for Status {
    fn decode(rlp: &rlp::Rlp<'_>) -> Result<Self, rlp::DecoderError> {
        Ok(Self { version: rlp.val_at(0)?, genesis: rlp.val_at(1)? })
    }
}

/// Announces a list of two items and writes one
struct Unfinished;

impl rlp::Encodable for Unfinished {
    fn rlp_append(&self, stream: &mut rlp::RlpStream) {
        stream.begin_list(2).append(&1_u8);
    }
}

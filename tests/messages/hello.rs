//! Hello: what the remote says about itself, and the versions of the base protocol

use devp2p_proto::{DisconnectReason, MAX_CLIENT_ID, Stage, WriteError};
use devp2p_testing::remote::{HELLO, Hello, LINK, REMOTE, Scene, recipient};
use devp2p_testing::{ALPHA, BETA, PROTOCOLS, config, key};

#[test]
fn a_client_id_is_cut_to_length_and_made_printable() {
    let mut scene = Scene::remote_dials(recipient(&config(LINK, PROTOCOLS)));
    scene.settle();
    let mut client_id = b"evil\x1b[2J\nclient".to_vec();
    client_id.resize(500, b'x');
    scene.send_hello(Hello { client_id, listen_port: u64::MAX, version: 99, ..Hello::fitting(REMOTE) });
    let hello = scene.node.link.remote_hello().unwrap();
    assert!(hello.client_id().starts_with("evil?[2J?clientxxx"));
    assert_eq!((hello.client_id().len(), hello.listen_port(), hello.version()), (MAX_CLIENT_ID, u64::MAX, 99));
    assert_eq!(scene.node.link.stage(), Stage::Running, "later versions are accepted");
}

#[test]
fn a_second_hello_and_reserved_ids_are_ignored() {
    let mut scene = Scene::running();
    scene.send(HELLO, &Hello::fitting(REMOTE).encode());
    for id in 4..16 {
        scene.send(id, b"whatever this is");
    }
    assert_eq!((scene.node.seen.len(), scene.node.link.stage()), (0, Stage::Running));
}

#[test]
fn a_version_4_remote_gets_no_compression() {
    let old = Hello { version: 4, ..Hello::fitting(REMOTE) };
    let mut scene = Scene::running_with(recipient(&config(LINK, PROTOCOLS)), old);
    assert!(!scene.compressing);
    let payload = vec![7; 10_000];
    let event = scene.node.link.write(scene.now, ALPHA, 0, &payload).unwrap();
    assert_eq!(event.wire_size, 32 + 10_016 + 16);
    scene.send(0x14, &payload);
    scene.send(2, &[0xc0]);
    let expected = [(0x10, payload.clone()), (3, vec![0xc0])];
    assert_eq!(scene.received, expected);
    assert_eq!(scene.node.delivered(), [(BETA, 0, payload)]);
    scene.node.link.disconnect(scene.now, DisconnectReason::USELESS_PEER);
    scene.settle();
    assert_eq!(scene.received[2], (1, vec![0xc1, 3]));
}

/// A peer with and one without compression read what is written into the transmit buffer
#[test]
fn every_version_reads_messages_that_are_written_in_place() {
    for version in [4, 5] {
        let hello = Hello { version, ..Hello::fitting(REMOTE) };
        let mut scene = Scene::running_with(recipient(&config(LINK, PROTOCOLS)), hello);
        for (max, claimed) in [(100, 3), (3, 3), (2, 3)] {
            let fill = |room: &mut [u8]| {
                room.fill(7);
                claimed
            };
            let outcome = scene.node.link.write_with(scene.now, ALPHA, 1, max, fill);
            assert_eq!(
                outcome.map(|event| event.size),
                if claimed <= max { Ok(claimed) } else { Err(WriteError::TooLarge) }
            );
        }
        scene.settle();
        assert_eq!(scene.received, [(0x11, vec![7; 3]), (0x11, vec![7; 3])]);
    }
}

#[test]
fn peer_info_is_there_from_hello_on() {
    let mut scene = Scene::remote_dials(recipient(&config(LINK, PROTOCOLS)));
    scene.settle();
    let network = devp2p_proto::Network::default();
    assert!(scene.node.link.peer_info(network, |_| None::<()>).is_none());
    scene.send_hello(Hello::fitting(REMOTE));
    let info = scene.node.link.peer_info(network, |_| None::<()>).unwrap();
    assert_eq!((info.name, info.inbound, info.protocols().len()), ("scripted/1", true, 2));
    assert_eq!(info.node_id, key(REMOTE).node_id());
}

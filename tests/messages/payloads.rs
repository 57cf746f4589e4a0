//! Payloads that are taken out of the link as `Bytes`

use bytes::Bytes;
use devp2p_proto::{Action, Buffers, Instant, PeerState};
use devp2p_testing::remote::{Hello, LINK, REMOTE, Scene, body, compressed, recipient};
use devp2p_testing::{PROTOCOLS, config, entropy, noise, slots};

/// `into_bytes` returns the memory that holds the payload, compressed or not
#[test]
fn a_payload_becomes_bytes_without_a_copy() {
    for version in [4, 5] {
        let hello = Hello { version, ..Hello::fitting(REMOTE) };
        let mut scene = Scene::running_with(recipient(&config(LINK, PROTOCOLS)), hello);
        let mut kept = Vec::new();
        for len in [1, 100, 5_000, 70_000, 3] {
            let payload = noise(len as u64, len);
            let sealed = if version == 4 { payload.clone() } else { compressed(&payload) };
            let frame = scene.session().seal(&body(0x11, &sealed));
            assert_eq!(scene.node.link.receive(scene.now, &frame), frame.len());
            let Some(Action::Deliver { payload: delivered, .. }) = scene.node.link.poll() else { panic!("nothing") };
            let place = delivered.as_ptr();
            let bytes = delivered.into_bytes();
            assert_eq!((bytes.as_ptr(), bytes.len()), (place, len));
            kept.push((bytes, payload));
        }
        for (bytes, payload) in kept {
            assert_eq!(bytes, payload, "what was handed over stays as it was");
        }
    }
}

#[test]
fn a_payload_in_the_callers_memory_is_copied_out() {
    let config = config(LINK, PROTOCOLS).with_max_message(100).unwrap();
    let mut memory = (vec![0; Buffers::receive_len(100)], vec![0; Buffers::transmit_len(&[100; 2])]);
    let link = PeerState::recipient(
        Instant::ZERO,
        &config,
        entropy(7),
        Buffers::fixed(&mut memory.0, &mut memory.1, &mut [], slots()),
    );
    let mut scene = Scene::running_with(link.unwrap(), Hello::fitting(REMOTE));
    let frame = scene.session().seal(&body(0x11, &compressed(b"payload")));
    assert_eq!(scene.node.link.receive(scene.now, &frame), frame.len());
    let Some(Action::Deliver { payload, .. }) = scene.node.link.poll() else { panic!("nothing") };
    assert_eq!(payload.as_ref(), b"payload");
    assert_eq!(Bytes::from(payload), &b"payload"[..]);
}

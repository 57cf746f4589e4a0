//! Reasons of a Disconnect

use std::error::Error;

use devp2p_proto::{Action, Cause, DisconnectReason};
use devp2p_testing::remote::{DISCONNECT, Scene, body, compressed};

use crate::receive;

/// A reason outside of the known range crashed the node when it was printed.
///
/// Every reason from 0 to 255, and larger integers of any length, is read, kept and printed.
#[test]
fn cve_2022_29177() {
    let small = (0..=255_u64).map(|code| (rlp::encode(&code).to_vec(), code));
    let spelt = |bytes: &[u8]| rlp::encode(&bytes).to_vec();
    let large = [
        (spelt(&[1, 0]), 256),
        (spelt(&[0xff; 4]), u32::MAX.into()),
        (spelt(&[0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]), i64::MAX as u64),
        (spelt(&[0xff; 8]), u64::MAX),
        (spelt(&[0xff; 9]), u64::MAX),
        (spelt(&[0xff; 40]), u64::MAX),
        (spelt(&[7; 200]), u64::MAX),
    ];
    let mut texts = Vec::new();
    for (item, code) in small.chain(large) {
        let mut list = rlp::RlpStream::new_list(1);
        list.append_raw(&item, 1);
        let mut scene = Scene::running();
        scene.send_body(&body(DISCONNECT, &compressed(&list.out())));
        let frame = scene.input.unread().to_vec();
        assert_eq!(scene.node.link.receive(scene.now, &frame), frame.len());
        let action = scene.node.link.poll().unwrap();
        let printed = format!("{action:?}");
        assert!(matches!(action, Action::Disconnect(Cause::Remote(reason)) if reason.code() == code), "{action:?}");
        let cause = scene.node.link.cause().unwrap();
        assert!(cause.is_remote() && cause.source().is_none());
        let reason = cause.reason();
        assert_eq!((reason, reason.name().is_some()), (DisconnectReason::from_code(code), code < 12 || code == 16));
        assert!(printed.contains(&format!("{reason:?}")), "{printed}");
        texts.push((code, format!("{cause}, {cause:?}, {reason}, {reason:?}, {:?}", scene.node.link)));
        #[cfg(feature = "serde")]
        assert_eq!(serde_json::to_value(cause).unwrap()["reason"], code);
    }
    assert!(texts[255].1.contains("remote disconnected: unknown reason 0xff"), "{}", texts[255].1);
    assert!(texts.iter().all(|(code, text)| *code > 0xff || text.contains(&format!("{code:#04x}"))), "{texts:?}");
}

/// Disconnect was encoded as a bare byte by accident, and other nodes did not understand it.
///
/// Both forms are read. Ours is a list, whatever the reason.
#[test]
fn geth_30855() {
    for payload in [&[0x04][..], &[0xc1, 0x04]] {
        for payload in [payload.to_vec(), compressed(payload)] {
            for mut scene in [Scene::running(), Scene::expecting_hello()] {
                receive(&mut scene, &body(DISCONNECT, &payload));
                let expected = Cause::Remote(DisconnectReason::TOO_MANY_PEERS);
                assert_eq!(scene.node.cause(), Some(expected), "{payload:02x?}");
            }
        }
    }
    for code in (0..=255).chain([256, u64::MAX]) {
        let mut scene = Scene::running();
        scene.node.link.disconnect(scene.now, DisconnectReason::from_code(code));
        scene.settle();
        let mut list = rlp::RlpStream::new_list(1);
        list.append(&code);
        assert_eq!(scene.received, [(DISCONNECT, list.out().to_vec())]);
    }
}

/// Ping and Pong were sent uncompressed under version 5, and Disconnect was seen both ways.
///
/// Ours are compressed after Hello with a peer of version 5, and not with one of version 4. A Disconnect is
/// understood in every form, compressed or not, in every stage.
#[test]
fn ethereumjs_1442_and_1484() {
    use devp2p_testing::remote::{Hello, LINK, PING, PONG, REMOTE, recipient};
    for version in [4, 5, 6] {
        let link = recipient(&devp2p_testing::config(LINK, devp2p_testing::PROTOCOLS));
        let mut scene = Scene::running_with(link, Hello { version, ..Hello::fitting(REMOTE) });
        // The payloads as they stand in the frames, compressed or not
        scene.compressing = false;
        let form = |payload: &[u8]| if version == 4 { payload.to_vec() } else { compressed(payload) };
        receive(&mut scene, &body(PING, &form(&[0xc0])));
        scene.node.link.ping(scene.now).unwrap();
        scene.settle();
        scene.node.link.disconnect(scene.now, DisconnectReason::USELESS_PEER);
        scene.settle();
        let expected = [(PONG, form(&[0xc0])), (PING, form(&[0xc0])), (DISCONNECT, form(&[0xc1, 0x03]))];
        assert_eq!(scene.received, expected, "version {version}");
    }
    for (payload, reason) in [(&[0xc1, 0x08][..], 8), (&[0x08], 8), (&[0xc0], 0), (&[], 0)] {
        for payload in [payload.to_vec(), compressed(payload)] {
            for mut scene in [Scene::running(), Scene::expecting_hello()] {
                receive(&mut scene, &body(DISCONNECT, &payload));
                let expected = Cause::Remote(DisconnectReason::from_code(reason));
                assert_eq!(scene.node.cause(), Some(expected), "{payload:02x?}");
            }
        }
    }
}

//! Endings by a Disconnect from the remote

use devp2p_proto::{Cause, DisconnectReason as Reason};
use devp2p_testing::remote::{DISCONNECT, Hello, LINK, REMOTE, Scene, body, compressed, initiator, recipient};
use devp2p_testing::{PROTOCOLS, config};

use crate::parting;

/// Every form of Disconnect that other clients send
#[test]
fn every_form_of_disconnect() {
    let forms: &[(&[u8], Reason)] = &[
        (&[0xc1, 0x04], Reason::TOO_MANY_PEERS),
        (&[0x04], Reason::TOO_MANY_PEERS),
        (&[0xc1, 0x80], Reason::REQUESTED),
        (&[0xc1, 0x00], Reason::REQUESTED),
        (&[0x80], Reason::REQUESTED),
        (&[0x00], Reason::REQUESTED),
        (&[0xc0], Reason::REQUESTED),
        (&[], Reason::REQUESTED),
        (&[0xc1, 0x10], Reason::SUBPROTOCOL),
        (&[0xc2, 0x81, 0xee], Reason::from_code(0xee)),
        (&[0xc4, 0x83, 1, 0, 0], Reason::from_code(0x10000)),
    ];
    let scenes: [fn() -> Scene<'static>; 3] = [Scene::expecting_hello, Scene::running, || {
        let old = Hello { version: 4, ..Hello::fitting(REMOTE) };
        Scene::running_with(recipient(&config(LINK, PROTOCOLS)), old)
    }];
    for (payload, reason) in forms {
        for raw in [payload.to_vec(), compressed(payload)] {
            for scene in scenes {
                let mut scene = scene();
                scene.send_body(&body(DISCONNECT, &raw));
                scene.settle();
                let stage = scene.received.len();
                assert_eq!(scene.node.cause(), Some(Cause::Remote(*reason)), "{raw:02x?} after {stage}");
                assert_eq!(parting(&mut scene), (Cause::Remote(*reason), None), "nothing is sent back");
            }
        }
    }
}

/// The reason is read whatever follows it, up to the limit of the base protocol
#[test]
fn a_disconnect_with_additional_items() {
    for extra in [1, 80, 500, 2_000] {
        let mut payload = vec![0xf9, 0, 0, 0x04];
        payload.extend(std::iter::repeat_n(0x01, extra));
        let len = payload.len() - 3;
        payload = match len {
            ..56 => [&[0xc0 + len as u8][..], &payload[3..]].concat(),
            56..256 => [&[0xf8, len as u8][..], &payload[3..]].concat(),
            _ => [&[0xf9, (len >> 8) as u8, len as u8][..], &payload[3..]].concat(),
        };
        for raw in [payload.clone(), compressed(&payload)] {
            let mut scene = Scene::running();
            scene.send_body(&body(DISCONNECT, &raw));
            assert_eq!(parting(&mut scene), (Cause::Remote(Reason::TOO_MANY_PEERS), None), "{extra} items more");
        }
    }
}

/// A remote that has too many peers sends Disconnect right after its ack
#[test]
fn a_disconnect_in_place_of_hello() {
    let mut scene = Scene::link_dials(initiator(&config(LINK, PROTOCOLS)));
    scene.send_body(&body(DISCONNECT, &[0xc1, 0x04]));
    scene.settle();
    assert_eq!(parting(&mut scene), (Cause::Remote(Reason::TOO_MANY_PEERS), None));
}

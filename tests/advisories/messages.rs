//! Malformed RLP

use devp2p_proto::rlp::RlpError;
use devp2p_proto::{Action, Cause, Violation};
use devp2p_testing::remote::{DISCONNECT, HELLO, Hello, REMOTE, Scene, body, compressed};

use crate::{receive, violation};

/// A list of these items, each encoded already
fn list(items: &[&[u8]]) -> Vec<u8> {
    let mut list = rlp::RlpStream::new_list(items.len());
    for item in items {
        list.append_raw(item, 1);
    }
    list.out().to_vec()
}

/// The violation by which a link answers this Hello
fn hello(payload: &[u8]) -> Option<Violation> {
    let mut scene = Scene::expecting_hello();
    receive(&mut scene, &body(HELLO, payload));
    violation(&scene.node.link)
}

/// The crate `rlp` panics on some malformed items, ends an iteration in silence at the first malformed item, and
/// takes trailing bytes and integers that are not canonical.
///
/// A malformed Hello is a violation of that name, at whichever field; no list is shortened in silence.
#[test]
fn rlp_0_6_hello() {
    let client_id = rlp::encode(&"scripted/1").to_vec();
    let id = rlp::encode(&&Hello::fitting(REMOTE).id.as_bytes()[..]).to_vec();
    let alpha = list(&[&rlp::encode(&"alpha"), &[1]]);
    let capabilities = list(&[&alpha]);
    let whole: [&[u8]; 5] = [&[5], &client_id, &capabilities, &[0x80], &id];
    assert_eq!(hello(&list(&whole)), None);

    let in_capabilities = |item: &[u8]| list(&[&alpha, item, &alpha]);
    let name_only = list(&[&rlp::encode(&"beta")]);
    let three_fields = list(&[&rlp::encode(&"beta"), &[2], &[3]]);
    let list_as_name = list(&[&[0xc0], &[2]]);
    let list_as_version = list(&[&rlp::encode(&"beta"), &[0xc0]]);
    let zero_version = list(&[&rlp::encode(&"beta"), &[0x00]]);
    let long_version = list(&[&rlp::encode(&"beta"), &[0x89, 1, 0, 0, 0, 0, 0, 0, 0, 0]]);
    let rows: &[(usize, Vec<u8>, RlpError)] = &[
        (0, vec![0xc0], RlpError::ExpectedString),
        (0, vec![0x00], RlpError::LeadingZero),
        (0, vec![0x81, 0x05], RlpError::NonCanonicalLength),
        (0, vec![0x82, 0x00, 0x05], RlpError::LeadingZero),
        (0, vec![0x89, 1, 0, 0, 0, 0, 0, 0, 0, 0], RlpError::IntegerTooLarge),
        (1, vec![0xc0], RlpError::ExpectedString),
        (1, vec![0x81, 0x41], RlpError::NonCanonicalLength),
        (1, vec![0xb8, 0x01, 0xff], RlpError::NonCanonicalLength),
        (2, vec![0x80], RlpError::ExpectedList),
        (2, in_capabilities(&[0xc0]), RlpError::Truncated),
        (2, in_capabilities(&[0x05]), RlpError::ExpectedList),
        (2, in_capabilities(&name_only), RlpError::Truncated),
        (2, in_capabilities(&three_fields), RlpError::TrailingBytes),
        (2, in_capabilities(&list_as_name), RlpError::ExpectedString),
        (2, in_capabilities(&list_as_version), RlpError::ExpectedString),
        (2, in_capabilities(&zero_version), RlpError::LeadingZero),
        (2, in_capabilities(&long_version), RlpError::IntegerTooLarge),
        (2, vec![0xc1, 0x81], RlpError::Truncated),
        (3, vec![0xc0], RlpError::ExpectedString),
        (3, vec![0x00], RlpError::LeadingZero),
        (4, vec![0xc0], RlpError::ExpectedString),
    ];
    for (field, item, error) in rows {
        let mut items = whole;
        items[*field] = item;
        // Joined as they are: a list whose header counts a malformed item
        let content = items.concat();
        let header = match content.len() {
            len @ ..56 => vec![0xc0 + len as u8],
            len @ ..256 => vec![0xf8, len as u8],
            len => vec![0xf9, (len >> 8) as u8, len as u8],
        };
        let expected = Violation::MalformedHello(*error);
        assert_eq!(hello(&[header, content].concat()), Some(expected), "field {field}: {item:02x?}");
    }
    let encoded = list(&whole);
    for cut in 0..encoded.len() {
        assert_eq!(hello(&encoded[..cut]), Some(Violation::MalformedHello(RlpError::Truncated)), "{cut} bytes");
    }
    for fields in 0..4 {
        let expected = Violation::MalformedHello(RlpError::Truncated);
        assert_eq!(hello(&list(&whole[..fields])), Some(expected), "{fields} fields");
    }
}

/// The version is the one field of auth and ack whose value is of no interest; it must be there all the same.
#[test]
fn rlp_0_6_handshake() {
    use devp2p_testing::remote::{Handshake, LINK, seal_packet};
    let (remote, local) = (Handshake::new(REMOTE), devp2p_testing::key(LINK).node_id());
    let bytes = |field: &[u8]| rlp::encode(&field).to_vec();
    let (signature, id, nonce) = (bytes(&remote.signature(&local)), bytes(remote.id().as_bytes()), bytes(&[7; 32]));
    let auth: Vec<&[u8]> = vec![&signature, &id, &nonce, &[4]];
    let ack: Vec<&[u8]> = vec![&id, &nonce, &[4]];
    let short = bytes(&[7; 31]);
    for (role, fields) in [auth, ack].into_iter().enumerate() {
        let outcome = |text: &[u8]| {
            let [recipient, initiator] = crate::waiting_links();
            let mut link = if role == 0 { recipient } else { initiator };
            crate::metered::feed(&mut link, devp2p_proto::Instant::ZERO, &seal_packet(&local, text));
            link.cause()
        };
        let malformed = |error| Some(Cause::Violation(Violation::MalformedHandshake(error)));
        assert_ne!(outcome(&list(&fields)), malformed(RlpError::Truncated));
        for count in 0..fields.len() {
            assert_eq!(outcome(&list(&fields[..count])), malformed(RlpError::Truncated), "{count} fields");
        }
        for index in 0..fields.len() - 1 {
            let mut wrong = fields.clone();
            wrong[index] = &[0xc0];
            assert_eq!(outcome(&list(&wrong)), malformed(RlpError::ExpectedString));
            wrong[index] = &short;
            assert_eq!(outcome(&list(&wrong)), malformed(RlpError::WrongLength));
        }
    }
}

/// A Disconnect and a message id that are malformed have names too.
#[test]
fn rlp_0_6_other_messages() {
    for (payload, error) in [
        (&[0xc1][..], RlpError::Truncated),
        (&[0x04, 0x04], RlpError::TrailingBytes),
        (&[0xc1, 0x04, 0x04], RlpError::TrailingBytes),
        (&[0xc1, 0xc0], RlpError::ExpectedString),
        (&[0x81], RlpError::Truncated),
        (&[0x81, 0x04], RlpError::NonCanonicalLength),
        (&[0xc2, 0x81, 0x04], RlpError::NonCanonicalLength),
        (&[0xf8, 0x01, 0x04], RlpError::NonCanonicalLength),
    ] {
        for mut scene in [Scene::running(), Scene::expecting_hello()] {
            receive(&mut scene, &body(DISCONNECT, payload));
            assert_eq!(violation(&scene.node.link), Some(Violation::MalformedDisconnect(error)), "{payload:02x?}");
        }
    }
    for (id, error) in [
        (&[0x00][..], RlpError::LeadingZero),
        (&[0xc0], RlpError::ExpectedString),
        (&[0x81], RlpError::Truncated),
        (&[0x81, 0x10], RlpError::NonCanonicalLength),
        (&[0x82, 0x00, 0x10], RlpError::LeadingZero),
        (&[0x89, 1, 0, 0, 0, 0, 0, 0, 0, 0], RlpError::IntegerTooLarge),
    ] {
        for mut scene in [Scene::running(), Scene::expecting_hello()] {
            receive(&mut scene, id);
            assert_eq!(violation(&scene.node.link), Some(Violation::MalformedMessageId(error)), "{id:02x?}");
        }
    }
}

/// What is delivered is decoded by that crate only after its form was checked.
#[test]
#[cfg(feature = "rlp")]
fn rlp_0_6_payloads() {
    let mut deep = vec![0xc0];
    for _ in 0..40 {
        deep = list(&[&deep]);
    }
    let malformed: &[&[u8]] =
        &[&[], &[0x81], &[0xc0, 0x00], &[0xc1], &[0xc1, 0x81], &[0xb8, 0x01, 0x05], &[0xc3, 5, 0x81, 5], &deep];
    for payload in malformed {
        let mut scene = Scene::running();
        scene.send_body(&body(0x10, &compressed(payload)));
        let frame = scene.input.unread().to_vec();
        assert_eq!(scene.node.link.receive(scene.now, &frame), frame.len());
        let Some(Action::Deliver { payload: delivered, .. }) = scene.node.link.poll() else {
            panic!("a message is delivered as it is");
        };
        assert_eq!(&delivered[..], *payload);
        assert!(delivered.decode::<u64>().is_err() && delivered.decode::<String>().is_err(), "{payload:02x?}");
        assert!(delivered.decode::<Items>().is_err(), "{payload:02x?}");
    }
}

#[cfg(feature = "rlp")]
struct Items;

#[cfg(feature = "rlp")]
impl rlp::Decodable for Items {
    /// As many decoders are written: the iteration ends at the first malformed item
    fn decode(rlp: &rlp::Rlp<'_>) -> Result<Self, rlp::DecoderError> {
        rlp.iter().for_each(|_| {});
        Ok(Self)
    }
}

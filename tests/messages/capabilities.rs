//! Capabilities: which protocols two nodes share, and which message ids these get

use devp2p_proto::{MAX_PROTOCOLS, Protocol, WriteError};
use devp2p_testing::remote::{Hello, LINK, REMOTE, Scene, recipient};
use devp2p_testing::{ALPHA, BETA, PROTOCOLS, Seen, config};

#[test]
fn the_highest_shared_version_wins_and_names_are_in_byte_order() {
    let eth = |version, length| Protocol::new("eth", version, length);
    let local = [eth(66, 17), Protocol::new("snap", 1, 8), eth(68, 13), eth(69, 18), Protocol::new("Zed", 1, 2)];
    let remote: [(&[u8], u64); 4] = [(b"snap", 1), (b"eth", 68), (b"eth", 66), (b"Zed", 1)];
    assert_eq!(agreed(&local, &remote), ["snap/1@31+8", "eth/68@18+13", "Zed/1@16+2"]);
}

#[test]
fn a_protocol_without_messages_takes_no_ids() {
    let local = [Protocol::new("a", 1, 0), Protocol::new("b", 1, 3)];
    assert_eq!(agreed(&local, &[(b"b", 1), (b"a", 1)]), ["a/1@16+0", "b/1@16+3"]);
}

#[test]
fn invalid_names_are_skipped_and_repeated_ones_accepted() {
    let remote: [(&[u8], u64); 6] =
        [(b"much too long", 1), (b"", 1), (b"caf\xc3\xa9", 1), (b"beta", 2), (b"beta", 2), (b"beta", 3)];
    let mut scene = greeted(PROTOCOLS, &remote);
    assert_eq!(scene.node.seen[1], Seen::Ready(vec!["beta/2@16+3".to_string()]));
    let hello = scene.node.link.remote_hello().unwrap();
    let names: Vec<_> = hello.capabilities().iter().map(ToString::to_string).collect();
    assert_eq!(names, ["beta/2", "beta/2", "beta/3"]);
    assert_eq!(scene.node.link.write(scene.now, ALPHA, 0, b""), Err(WriteError::NotShared));
    scene.send(0x12, b"the last of beta's codes");
    assert!(matches!(scene.node.seen.last(), Some(Seen::Deliver(BETA, 2, _))));
}

#[test]
fn hundreds_of_capabilities() {
    let names: Vec<String> = (0..300).map(|index| format!("p{index}")).collect();
    let mut remote: Vec<(&[u8], u64)> = names.iter().map(|name| (name.as_bytes(), 1)).take(220).collect();
    remote.push((b"beta", 2));
    let scene = greeted(PROTOCOLS, &remote);
    assert_eq!(scene.node.seen[1], Seen::Ready(vec!["beta/2@16+3".to_string()]));
    let hello = scene.node.link.remote_hello().unwrap();
    assert_eq!(hello.capabilities().len(), MAX_PROTOCOLS);
    assert_eq!(hello.capabilities().len() + hello.omitted_capabilities(), 221);
}

fn greeted(local: &[Protocol<'_>], remote: &[(&[u8], u64)]) -> Scene<'static> {
    let capabilities = remote.iter().map(|(name, version)| (name.to_vec(), *version)).collect();
    let mut scene = Scene::remote_dials(recipient(&config(LINK, local)));
    scene.settle();
    scene.send_hello(Hello { capabilities, ..Hello::fitting(REMOTE) });
    scene
}

fn agreed(local: &[Protocol<'_>], remote: &[(&[u8], u64)]) -> Vec<String> {
    match &greeted(local, remote).node.seen[..] {
        [Seen::IdentityClaimed(_), Seen::Ready(agreed)] => agreed.clone(),
        other => panic!("{other:?}"),
    }
}

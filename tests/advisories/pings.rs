//! Floods of Pings

use devp2p_heap::in_use;
use devp2p_testing::remote::{PING, Scene, body, compressed};

use crate::metered::frames;

/// One task for each Ping that came: a flood of Pings took memory without a bound.
///
/// While its output is not taken, a link answers one Ping, owes the answer to one more, and takes no input. The
/// driver sees that, and a million calls change nothing. `floods.rs` has the flood whose output is taken.
#[test]
fn cve_2023_40591() {
    let mut scene = Scene::running();
    let ping = body(PING, &compressed(&[0xc0]));
    let flood = frames(&mut scene, std::iter::repeat_n(&ping[..], 1_000));
    let (link, now) = (&mut scene.node.link, scene.now);
    let before = in_use();
    let mut rest = &flood[..];
    for _ in 0..1_000_000 {
        rest = &rest[link.receive(now, rest)..];
    }
    assert_eq!(flood.len() - rest.len(), 2 * 64, "two Pings were taken");
    assert!(!link.wants_input(), "the driver is told not to read");
    assert_eq!(link.unsent().len(), 64, "one Pong");
    assert_eq!((link.liveness().pings_received, link.liveness().pongs_sent), (2, 1));
    let grown = in_use() - before;
    assert!(grown <= 1_024, "{grown} bytes");
    // The peer gets its Pongs when it reads.
    link.sent(now, 64).unwrap();
    assert_eq!((link.unsent().len(), link.liveness().pongs_sent), (64, 2));
    assert!(link.wants_input());
}

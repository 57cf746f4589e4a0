//! Published weaknesses of links of this kind, each a test of that name
//!
//! Each test says what happened elsewhere, and what must hold here. What the tests are known to notice,
//! from changes of `src` that bring the weakness back:
//!
//! | test | change that it notices |
//! |---|---|
//! | | |

mod handshake;
mod memory;
mod messages;
#[path = "../metered/mod.rs"]
mod metered;
mod offsets;
mod pings;
mod reasons;

use devp2p_proto::{Cause, Instant, PeerState, Violation};
use devp2p_testing::config;
use devp2p_testing::remote::{LINK, Scene, initiator, recipient};

/// A link in each role that waits for the packet of its peer
fn waiting_links() -> [PeerState<'static>; 2] {
    let config = config(LINK, devp2p_testing::PROTOCOLS);
    let mut dialling = initiator(&config);
    // Auth is sealed by the first poll.
    let Some(devp2p_proto::Action::Send(auth)) = dialling.poll() else { panic!("auth is to be sent") };
    let len = auth.len();
    dialling.sent(Instant::ZERO, len).unwrap();
    [recipient(&config), dialling]
}

/// The violation by which the link ends; every other cause is a failure of the test
fn violation(link: &PeerState<'_>) -> Option<Violation> {
    match link.cause()? {
        Cause::Violation(violation) => Some(violation),
        other => panic!("{other}"),
    }
}

/// Gives the node one frame with this body
fn receive(scene: &mut Scene<'_>, body: &[u8]) {
    scene.send_body(body);
    scene.settle();
}

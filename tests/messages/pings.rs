//! Our own Ping, and what counts as its answer

use std::time::Duration;

use devp2p_proto::{Action, Stage};
use devp2p_testing::remote::{PONG, Scene};

const SECOND: Duration = Duration::from_secs(1);

/// The answer may be here before the driver reports the Ping as sent
#[test]
fn a_pong_before_the_report_of_its_ping_counts() {
    let mut scene = Scene::running();
    scene.node.link.ping(scene.now).unwrap();
    let Some(Action::Send(ping)) = scene.node.link.poll() else { panic!("a Ping is to be sent") };
    let ping = ping.to_vec();
    // The driver writes the Ping, and reads before it reports that.
    scene.now = scene.now.checked_add(SECOND).unwrap();
    let pong = scene.session().seal(&[3, 1, 0, 0xc0]);
    assert_eq!(scene.node.link.receive(scene.now, &pong), pong.len());
    let liveness = scene.node.link.liveness();
    assert_eq!((liveness.pings_sent, liveness.pongs_received), (1, 1));
    assert_eq!(liveness.round_trip, Some(SECOND));
    // Another Ping waits until the first one is reported.
    scene.node.link.ping(scene.now).unwrap();
    assert_eq!(scene.node.link.liveness().pings_sent, 1);
    scene.output.write(&ping);
    scene.node.link.sent(scene.now, ping.len()).unwrap();
    // No answer is waited for.
    for _ in 0..13 {
        scene.send(0x10, b"busy");
        scene.advance(SECOND);
    }
    assert_eq!(scene.node.link.liveness().pings_sent, 1);
    scene.node.link.ping(scene.now).unwrap();
    scene.settle();
    assert_eq!(scene.node.link.liveness().pings_sent, 2);
    for _ in 0..29 {
        scene.send(0x10, b"busy");
        scene.advance(SECOND);
    }
    assert_eq!(scene.node.link.stage(), Stage::Running);
    scene.send(PONG, &[0xc0]);
    assert_eq!(scene.node.link.liveness().pongs_received, 2);
    scene.send(PONG, &[0xc0]);
    assert_eq!(scene.node.link.liveness().pongs_received, 2, "one for each Ping");
}

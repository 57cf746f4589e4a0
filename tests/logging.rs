//! What a link logs: its stages and its end, under the first eight digits of the remote's id

use std::cell::RefCell;
use std::time::Duration;

use devp2p_proto::{DisconnectReason as Reason, SecretKey};
use devp2p_testing::remote::{LINK, REMOTE, Scene, initiator, recipient};
use devp2p_testing::{ALPHA, PROTOCOLS, config, key};

/// Collects the lines of each thread, so that tests do not see each other's
struct Collector;

thread_local! {
    static LINES: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

impl log::Log for Collector {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        LINES.with_borrow_mut(|lines| lines.push(format!("{} {}", record.level(), record.args())));
    }

    fn flush(&self) {}
}

/// The lines that links log while `work` runs
fn logged(work: impl FnOnce()) -> Vec<String> {
    _ = log::set_logger(&Collector);
    log::set_max_level(log::LevelFilter::Trace);
    LINES.take();
    work();
    LINES.take()
}

/// The lines of a link with this name
fn lines(name: &str, events: &[&str]) -> Vec<String> {
    events.iter().map(|event| format!("DEBUG link {name}: {event}")).collect()
}

/// By what the link is called to the scripted remote
fn remote() -> String {
    key(REMOTE).node_id().to_string()[..8].to_owned()
}

/// No line has a payload or a key: these are all lines of the link's whole life
#[test]
fn a_link_logs_its_stages_and_its_end() {
    let logged = logged(|| {
        let mut scene = Scene::running();
        scene.node.link.write(scene.now, ALPHA, 0, b"not for the log").unwrap();
        scene.send(0x10, b"not for the log");
        scene.node.link.disconnect(scene.now, Reason::USELESS_PEER);
        scene.advance(Duration::from_secs(2));
    });
    let expected = [
        "Handshake -> Admission",
        "Admission -> Hello",
        "Hello -> Running",
        "ready",
        "ends: Local(DisconnectReason(0x03, useless peer))",
        "Running -> Closing",
        "closed: Local(DisconnectReason(0x03, useless peer))",
        "Closing -> Closed",
    ];
    assert_eq!(logged, lines(&remote(), &expected));
}

#[test]
fn a_link_without_a_remote_is_unknown() {
    let logged = logged(|| Scene::new(recipient(&config(LINK, PROTOCOLS))).advance(Duration::from_secs(5)));
    assert_eq!(logged, lines("unknown", &["closed: Timeout(Handshake)", "Handshake -> Closed"]));
}

#[test]
fn a_link_that_dials_has_the_name_of_whom_it_dials() {
    let logged = logged(|| Scene::new(initiator(&config(LINK, PROTOCOLS))).close());
    assert_eq!(logged, lines(&remote(), &["closed: ReceiveClosed", "Handshake -> Closed"]));
}

/// The name begins with the first digit, though it is zero
#[test]
fn a_name_has_eight_digits() {
    let id = (1_u16..).map(|number| {
        let mut bytes = [0; 32];
        bytes[30..].copy_from_slice(&number.to_be_bytes());
        SecretKey::from_bytes(bytes).unwrap().node_id()
    });
    let id = id.into_iter().find(|id| id.as_bytes()[0] < 0x10).unwrap();
    let logged = logged(|| {
        let config = config(LINK, PROTOCOLS);
        let buffers = devp2p_proto::Buffers::growable();
        let entropy = devp2p_testing::entropy(8);
        let link = devp2p_proto::PeerState::initiator(devp2p_proto::Instant::ZERO, &config, id, entropy, buffers);
        link.unwrap().receive_closed(devp2p_proto::Instant::ZERO);
    });
    assert_eq!(logged, lines(&id.to_string()[..8], &["closed: ReceiveClosed", "Handshake -> Closed"]));
}

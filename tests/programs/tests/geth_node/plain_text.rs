//! Text from a peer or a recording is printed without characters that control a terminal

use devp2p_drivers::say::escaped;
use devp2p_proto::Protocol;
use serde_json::Value;

use crate::play::arguments;
use crate::program::Program;
use crate::remote::Listener;

/// Sets the title of the window, begins a new line, clears the screen, and reverses the text after it
const NAME: &str = "evil\x1b]0;title\x07\r\n1 ended\x1b[2J\u{9b}31m\u{202e}";
/// The link has replaced every byte that is not printable ASCII
const PRINTED: &str = "evil?]0;title???1 ended?[2J??31m???";

fn listener() -> Listener {
    Listener::named(NAME, &[Protocol::new("eth", 69, 18), Protocol::new("snap", 1, 8)])
}

#[test]
fn controls_are_escaped_and_words_are_not() {
    assert_eq!(escaped("Geth/v1.17 \"Ω\" 節点"), "Geth/v1.17 \"Ω\" 節点");
    assert_eq!(escaped("\x1b[2J\r\n\0\x7f\u{9b}31m"), r"\u001b[2J\u000d\u000a\u0000\u007f\u009b31m");
    assert_eq!(escaped("a\u{202e}b\u{2066}c\u{2028}"), r"a\u202eb\u2066c\u2028");
}

#[test]
fn a_document_of_json_stays_the_same() {
    let document = serde_json::json!({ "name": NAME });
    let printed = escaped(&document.to_string());
    assert!(printed.chars().all(|character| (' '..='~').contains(&character)), "{printed}");
    assert_eq!(serde_json::from_str::<Value>(&printed).expect("JSON"), document);
}

#[test]
fn the_name_of_a_peer() {
    for name in ["ping", "eth"] {
        let listener = listener();
        let url = listener.url();
        let arguments = if name == "eth" { arguments(&listener, &[]) } else { vec![url] };
        let mut program = Program::start(name, &arguments);
        let mut remote = listener.meet();
        program.wait(PRINTED);
        program.interrupt();
        remote.wait_for_end();
        let finished = program.finish();
        finished.assert(0, PRINTED);
        finished.assert_plain();
    }
}

#[test]
fn the_name_of_a_peer_in_json() {
    let listener = listener();
    let ping = Program::start("ping", &[&listener.url(), "--count", "1", "--json"]);
    listener.meet().wait_for_end();
    let finished = ping.finish();
    finished.assert_plain();
    let told: Value = serde_json::from_str(&finished.out).expect("one document");
    assert_eq!(told["peer"]["name"], PRINTED);
}

#[test]
fn the_name_of_a_peer_of_a_driver() {
    for driver in ["blocking", "epoll", "tokio", "smol"] {
        let listener = listener();
        let options = ["--protocols", "eth/69:18", "--timeouts", "handshake=600000,linger=600000"];
        let program = Program::start(driver, &[&["dial", &listener.url()], &options[..]].concat());
        listener.meet().wait_for_end();
        let finished = program.finish();
        finished.assert(0, &format!("1 ready {PRINTED}: eth/69"));
        finished.assert_plain();
    }
}

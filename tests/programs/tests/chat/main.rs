//! Chats as a new user writes them, from the documentation alone

mod on_mio;

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::thread;

use devp2p_proto::{Buffers, Cause, Config, DisconnectReason, Entropy, Instant, PeerState, SecretKey};
use on_mio::{Chat, Message, PROTOCOL, drive};

/// What a loop of one's own may cost
const MOST_LINES: usize = 30;

#[test]
fn two_chats_on_loops_of_their_own() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let [ours, theirs] = [1, 2].map(config);
    let id = theirs.node_id();
    let listening = thread::spawn(move || {
        let link = PeerState::recipient(Instant::ZERO, &theirs, entropy(), Buffers::growable()).unwrap();
        chat(link, listener.accept().unwrap().0, "bob", &["hello, alice"])
    });
    let link = PeerState::initiator(Instant::ZERO, &ours, id, entropy(), Buffers::growable()).unwrap();
    let (heard, cause) = chat(link, TcpStream::connect(address).unwrap(), "alice", &["hello", "who is there?"]);
    let (heard_by_bob, cause_of_bob) = listening.join().unwrap();

    let say = |text: &str| Message::Say(text.to_string());
    assert_eq!(heard, [Message::Name("bob".to_string()), say("hello, alice"), Message::Bye]);
    let name = Message::Name("alice".to_string());
    assert_eq!(heard_by_bob, [name, say("hello"), say("who is there?"), Message::Bye]);
    let left = |cause| match cause {
        Cause::ProtocolReturned { .. } => true,
        other => other == Cause::Remote(DisconnectReason::CLIENT_QUITTING),
    };
    assert!(left(cause) && left(cause_of_bob), "{cause:?}, {cause_of_bob:?}");
}

#[test]
fn the_loop_has_at_most_thirty_lines() {
    let program = include_str!("on_mio.rs");
    let (_, mechanics) =
        program.split_once("/// Runs the link until it ends\n").expect("the loop is the last function");
    let lines = mechanics.lines().count();
    assert!(lines <= MOST_LINES, "{lines} lines");
}

fn chat(link: PeerState<'static>, socket: TcpStream, name: &str, lines: &[&str]) -> (Vec<Message>, Cause) {
    socket.set_nonblocking(true).unwrap();
    let lines = lines.iter().map(ToString::to_string).collect();
    let mut chat = Chat { name: name.to_string(), lines, heard: Vec::new() };
    let cause = drive(link, mio::net::TcpStream::from_std(socket), &mut chat).unwrap();
    (chat.heard, cause)
}

fn config(key: u8) -> Config {
    Config::new(SecretKey::from_bytes([key; 32]).unwrap(), "chat/1.0", &[PROTOCOL]).unwrap()
}

fn entropy() -> Entropy {
    Entropy::from_rng(|bytes| getrandom::fill(bytes).unwrap())
}

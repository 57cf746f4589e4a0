//! The program of the README, as a new user writes it, and somebody who chats with it

#[allow(dead_code, reason = "its main function opens a node of its own")]
#[path = "../examples/chat.rs"]
mod program;

use devp2p_proto::{Cause, DisconnectReason, Protocol, ProtocolError};
use devp2p_tokio::{Io, Node, Peer, Subprotocol, random_key};
use program::{Chat, ChatMessage};
use tokio::sync::mpsc;

/// Passes on what the program says, and says goodbye
struct Listener(mpsc::UnboundedSender<ChatMessage>);

impl Subprotocol for Listener {
    const PROTOCOL: Protocol<'static> = Chat::PROTOCOL;
    type Message = ChatMessage;

    async fn run(self, peer: Peer, mut io: Io<ChatMessage>) -> Result<(), ProtocolError> {
        assert_eq!(peer.client_id(), "chat/1.0");
        for _ in 0..3 {
            let message = io.recv().await?.expect("three messages");
            self.0.send(message).expect("somebody waits");
        }
        io.send(ChatMessage::Say("goodbye".to_string())).await?;
        io.send(ChatMessage::Bye).await?;
        assert_eq!(io.recv().await?, None);
        Ok(())
    }
}

#[tokio::test]
async fn the_program_chats() {
    let (sender, mut said) = mpsc::unbounded_channel();
    let builder = Node::builder(random_key().unwrap(), "listener/1.0").protocol(move || Listener(sender.clone()));
    let listener = builder.listen("127.0.0.1:0").await.unwrap();
    let chat = Node::builder(random_key().unwrap(), "chat/1.0").protocol(|| Chat).build().unwrap();
    let cause = chat.dial(listener.enode().unwrap()).await.unwrap();
    assert!(matches!(cause, Cause::ProtocolReturned { .. }), "{cause}");
    assert_eq!(said.recv().await, Some(ChatMessage::Name("alice".to_string())));
    assert_eq!(said.recv().await, Some(ChatMessage::Say("hello".to_string())));
    assert_eq!(said.recv().await, Some(ChatMessage::Bye));
    listener.shutdown(DisconnectReason::CLIENT_QUITTING).await;
}

#[test]
fn the_readme_shows_this_program() {
    let (_, program) = include_str!("../examples/chat.rs").split_once('\n').expect("a line of documentation");
    assert!(include_str!("../README.md").contains(program));
}

//! A chat of three typed messages
use devp2p_proto::{DisconnectReason, Protocol, ProtocolError};
use devp2p_tokio::{Io, Message, Node, Peer, RawMessage, Subprotocol, random_key};

#[derive(Debug, Clone, PartialEq)]
pub enum ChatMessage {
    Name(String),
    Say(String),
    Bye,
}

impl Message for ChatMessage {
    fn into_raw(self) -> RawMessage {
        match self {
            Self::Name(name) => RawMessage::rlp(0, &name),
            Self::Say(text) => RawMessage::rlp(1, &text),
            Self::Bye => RawMessage::new(2, ""),
        }
    }

    fn from_raw(raw: RawMessage) -> Result<Self, ProtocolError> {
        match raw.code {
            0 => raw.decode().map(Self::Name),
            1 => raw.decode().map(Self::Say),
            2 if raw.payload.is_empty() => Ok(Self::Bye),
            _ => Err(ProtocolError::BadMessage),
        }
    }
}

pub struct Chat;

impl Subprotocol for Chat {
    const PROTOCOL: Protocol<'static> = Protocol::new("chat", 1, 3);
    type Message = ChatMessage;

    async fn run(self, peer: Peer, mut io: Io<ChatMessage>) -> Result<(), ProtocolError> {
        io.send(ChatMessage::Name("alice".to_string())).await?;
        io.send(ChatMessage::Say("hello".to_string())).await?;
        io.send(ChatMessage::Bye).await?;
        while let Some(message) = io.recv().await? {
            println!("{}: {message:?}", peer.client_id());
            if message == ChatMessage::Bye {
                break;
            }
        }
        Ok(())
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let node = Node::builder(random_key()?, "chat/1.0").protocol(|| Chat).max_peers(16).listen("127.0.0.1:0").await?;
    println!("{}", node.enode().expect("it listens"));
    if let Some(url) = std::env::args().nth(1) {
        node.dial(url.parse()?);
    }
    println!("Enter ends the chat.");
    std::io::stdin().read_line(&mut String::new())?;
    node.shutdown(DisconnectReason::CLIENT_QUITTING).await;
    Ok(())
}

//! A chat on a loop of its own: three typed messages over one link

use std::io::{self, ErrorKind};

use devp2p_proto::{
    Cause, Connection, Instant, Notice, Out, PeerState, Protocol, ProtocolError, ProtocolId, Turn, WriteError, rlp,
};
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

pub const PROTOCOL: Protocol<'static> = Protocol::new("chat", 1, 3);
const CHAT: ProtocolId = ProtocolId(0);

#[derive(Debug, PartialEq)]
pub enum Message {
    Name(String),
    Say(String),
    Bye,
}

impl Message {
    fn send(&self, out: &mut Out<'_, PeerState<'static>>) -> Result<(), WriteError> {
        match self {
            Self::Name(name) => out.send_rlp(CHAT, 0, name),
            Self::Say(text) => out.send_rlp(CHAT, 1, text),
            Self::Bye => out.send(CHAT, 2, b""),
        }
    }

    fn decode(code: u64, payload: &[u8]) -> Result<Self, ProtocolError> {
        match (code, rlp::decode(payload)) {
            (0, Ok(name)) => Ok(Self::Name(name)),
            (1, Ok(text)) => Ok(Self::Say(text)),
            (2, _) if payload.is_empty() => Ok(Self::Bye),
            _ => Err(ProtocolError::BadMessage),
        }
    }
}

pub struct Chat {
    pub name: String,
    pub lines: Vec<String>,
    pub heard: Vec<Message>,
}

impl Chat {
    fn hear(&mut self, notice: Notice, out: &mut Out<'_, PeerState<'static>>) -> Result<(), ProtocolError> {
        match notice {
            Notice::Ready => self.talk(out).map_err(|_| ProtocolError::Other),
            Notice::Message { code, payload, .. } => {
                self.heard.push(Message::decode(code, &payload)?);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn talk(&self, out: &mut Out<'_, PeerState<'static>>) -> Result<(), WriteError> {
        Message::Name(self.name.clone()).send(out)?;
        self.lines.iter().try_for_each(|line| Message::Say(line.clone()).send(out))?;
        Message::Bye.send(out)
    }

    /// Whether both have said goodbye
    fn is_over(&self) -> bool {
        self.heard.last() == Some(&Message::Bye)
    }
}

/// Runs the link until it ends
pub fn drive(link: PeerState<'static>, mut socket: TcpStream, chat: &mut Chat) -> io::Result<Cause> {
    let (mut poll, mut events) = (Poll::new()?, Events::with_capacity(8));
    poll.registry().register(&mut socket, Token(0), Interest::READABLE | Interest::WRITABLE)?;
    let (mut connection, mut buffer) = (Connection::new(link, 1 << 20), vec![0; 64 * 1024]);
    let clock = std::time::Instant::now();
    loop {
        let now = Instant::from(clock.elapsed());
        let turn = connection.turn(now, &mut socket, &mut buffer, |notice, out| {
            let outcome = chat.hear(notice, out);
            if outcome.is_err() || chat.is_over() && out.waiting(CHAT) == 0 {
                // Refused only if the protocol is not shared.
                _ = out.protocol_returned(CHAT, outcome);
            }
        });
        match turn {
            Turn::Again => {}
            Turn::Wait { .. } => {
                let wake = connection.link().next_timeout().map(|at| at.saturating_since(now));
                poll.poll(&mut events, wake).or_else(|error| match error.kind() {
                    ErrorKind::Interrupted => Ok(()),
                    _ => Err(error),
                })?;
            }
            Turn::Ended(cause) => return Ok(cause),
        }
    }
}

//! The command line, the same for all drivers

use std::net::SocketAddr;
use std::time::Duration;

use devp2p_proto::{Enode, MAX_MESSAGE, Timeouts};

use crate::arguments::{Arguments, consented};
use crate::journal::Offer;

pub const USAGE: &str = "\
usage: DRIVER listen ADDRESS:PORT [OPTIONS]
       DRIVER dial ENODE [OPTIONS]

  --protocols NAME/VERSION:LENGTH,…   protocols to offer (default echo/1:16,echo/2:17)
  --send COUNT      messages to send on each shared protocol (default 0: echo)
  --size BYTES      size of each message that is sent, 8 to 16777215 (default 1024)
  --take COUNT      do not echo, but expect COUNT messages from the peer on each protocol
  --slow MILLIS     take this long to process each message
  --links COUNT     dial: open COUNT links; listen: exit after COUNT links have ended
  --max-inbound N   listen: refuse connections beyond N open ones (default 64)
  --stay            dial: keep the link open when all messages are exchanged, until Ctrl-C
  --lanes           epoll: print at the end how full the lanes were in which links opened messages
  --one-by-one      epoll: let each link open its messages by itself, for comparison
  --quiet           print nothing about links that end well
  --timeouts NAME=MILLIS,…            handshake, ping, pong, read, write, linger
  --record FILE     record the first link for `replay`; the file holds secrets, so it needs --yes-secrets";

pub struct Options {
    pub command: Command,
    pub protocols: Vec<Offer>,
    pub send: u64,
    pub size: usize,
    pub take: Option<u64>,
    pub slow: Option<Duration>,
    pub links: Option<usize>,
    /// How many links that others have opened there may be at once, handshakes included
    pub max_inbound: usize,
    pub stay: bool,
    /// Whether to print how full the lanes of batches were
    pub lanes: bool,
    /// Whether links open their messages one by one
    pub one_by_one: bool,
    pub quiet: bool,
    pub timeouts: Timeouts,
    pub record: Option<String>,
}

#[derive(Debug, Clone, Copy)]
pub enum Command {
    Listen(SocketAddr),
    Dial(Enode),
}

impl Options {
    pub fn of_process() -> Result<Self, String> {
        let mut arguments = Arguments::of_process();
        let command = match arguments.next().as_deref() {
            Some("listen") => Command::Listen(arguments.parse("listen")?),
            Some("dial") => Command::Dial(arguments.parse("dial")?),
            Some(other) => return Err(format!("unknown command {other:?}: use listen or dial")),
            None => return Err("a command is missing: use listen or dial".to_string()),
        };
        Self::defaults(command).read(arguments)
    }

    pub fn defaults(command: Command) -> Self {
        let echo = |version, length| Offer::new("echo", version, length, MAX_MESSAGE);
        Self {
            command,
            protocols: vec![echo(1, 16), echo(2, 17)],
            send: 0,
            size: 1024,
            take: None,
            slow: None,
            links: None,
            max_inbound: 64,
            stay: false,
            lanes: false,
            one_by_one: false,
            quiet: false,
            timeouts: Timeouts::default(),
            record: None,
        }
    }

    fn read(mut self, mut arguments: Arguments) -> Result<Self, String> {
        let mut secrets = false;
        while let Some(option) = arguments.next() {
            match option.as_str() {
                "--protocols" => self.protocols = arguments.each(&option, |text| text.parse().ok())?,
                "--send" => self.send = arguments.parse(&option)?,
                "--size" => self.size = arguments.parse(&option)?,
                "--take" => self.take = Some(arguments.parse(&option)?),
                "--slow" => self.slow = Some(Duration::from_millis(arguments.parse(&option)?)),
                "--links" => self.links = Some(arguments.positive(&option)?),
                "--max-inbound" => self.max_inbound = arguments.positive(&option)?,
                "--stay" => self.stay = true,
                "--lanes" => self.lanes = true,
                "--one-by-one" => self.one_by_one = true,
                "--quiet" => self.quiet = true,
                "--timeouts" => arguments.timeouts(&option, &mut self.timeouts)?,
                "--record" => self.record = Some(arguments.value(&option)?),
                "--yes-secrets" => secrets = true,
                _ => return Err(format!("unknown option {option}")),
            }
        }
        self.record = consented(self.record.take(), secrets)?;
        match self.size {
            8..=MAX_MESSAGE => Ok(self),
            size => Err(format!("--size {size}: must be 8 to {MAX_MESSAGE}")),
        }
    }
}

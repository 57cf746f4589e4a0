//! A real client as a child process that speaks lines of JSON

use std::env;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::Instant;

use devp2p_proto::NodeId;
use serde_json::{Value, json};

use crate::NEVER;

/// Which program it is
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Client {
    Geth,
    Ethereumjs,
}

/// The program, running; killed when dropped
pub struct Process {
    client: Client,
    child: Child,
    stdin: ChildStdin,
    lines: Receiver<String>,
    events: Vec<Value>,
    /// Where the node listens, and who it is
    pub address: SocketAddr,
    pub id: NodeId,
}

impl Process {
    pub fn geth(flags: &[&str]) -> Self {
        Self::spawn(Client::Geth, Command::new(program("GETH_PEER")).args(flags))
    }

    pub fn ethereumjs(flags: &[&str]) -> Self {
        Self::spawn(Client::Ethereumjs, Command::new("node").arg(program("ETHEREUMJS_PEER")).args(flags))
    }

    fn spawn(client: Client, command: &mut Command) -> Self {
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let stdin = child.stdin.take().expect("piped");
        let stdout = BufReader::new(child.stdout.take().expect("piped"));
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || stdout.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let events = Vec::new();
        let mut process = Self { client, child, stdin, lines, events, address, id: NodeId::new([0; 64]) };

        let hello = process.wait("its first line", |event| event["event"] == "listening");
        // What geth calls the id is the hash of the key.
        let id = hello.get("pubkey").unwrap_or(&hello["id"]);
        process.id = id.as_str().and_then(|id| id.parse().ok()).expect("a node id");
        process.address.set_port(hello["port"].as_u64().and_then(|port| port.try_into().ok()).expect("a port"));
        process
    }

    /// Gives a command; nobody is there to take it once the process has ended
    pub fn command(&mut self, command: Value) {
        writeln!(self.stdin, "{command}").unwrap_or_else(|error| panic!("{command}: {error}"));
    }

    /// Makes it dial a node at `address`, which it believes to be `id`
    pub fn dial(&mut self, id: NodeId, address: SocketAddr) {
        let command = match self.client {
            Client::Geth => json!({"cmd": "dial", "enode": format!("enode://{id}@{address}")}),
            Client::Ethereumjs => {
                json!({"cmd": "dial", "host": address.ip().to_string(), "port": address.port(), "id": id.to_string()})
            }
        };
        self.command(command);
    }

    /// The same for geth without its dialer, which heeds neither history nor limits and tells the outcome
    pub fn connect(&mut self, id: NodeId, address: SocketAddr) {
        self.command(json!({"cmd": "connect", "enode": format!("enode://{id}@{address}")}));
    }

    pub fn kill(&mut self) {
        self.child.kill().expect("it can be killed");
    }

    /// Everything it has said so far
    pub fn events(&mut self) -> &[Value] {
        self.events.extend(self.lines.try_iter().map(parse));
        &self.events
    }

    /// The first event of a kind that has come
    pub fn find(&mut self, is_it: impl Fn(&Value) -> bool) -> Option<Value> {
        self.events().iter().find(|event| is_it(event)).cloned()
    }

    /// Waits for an event, while no link needs attention
    pub fn wait(&mut self, what: &str, is_it: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + NEVER;
        loop {
            if let Some(event) = self.find(&is_it) {
                return event;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(line) => self.events.push(parse(line)),
                Err(error) => panic!("{:?}: {what}: {error}; it said: {:#?}", self.client, self.events),
            }
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn program(variable: &str) -> String {
    env::var(variable).unwrap_or_else(|_| panic!("{variable} is not set; tests/programs/interop/run does that"))
}

fn parse(line: String) -> Value {
    serde_json::from_str(&line).unwrap_or_else(|error| panic!("not a line of JSON: {line:?}: {error}"))
}
